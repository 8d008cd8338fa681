package follow

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"time"

	"konbill/batch"
)

const (
	mostBody = 256 << 10 // bytes; an event carries one charge
	// mostQueued is how many webhooks wait for their charges to be asked for. A
	// sync asks for a hundred at once: it is the better one at many.
	mostQueued = 256
	// remembered is for how long an event is known again. Nobody says how late
	// one may be sent once more; after that it costs a request.
	remembered = 30 * 24 * time.Hour
)

// Outcome is what became of a webhook.
type Outcome string

// What may become of a webhook. Of those that are Busy or Failed the event isn't
// remembered: it may come again, and a sync finds what it was about.
const (
	Stored       Outcome = "stored"       // the ledger has the news
	Unchanged    Outcome = "unchanged"    // the ledger had them
	Twice        Outcome = "twice"        // the event has done its work before
	Ignored      Outcome = "ignored"      // about nothing that the ledger has
	Contradicted Outcome = "contradicted" // the charge can't have become that; a sync tells a person
	Failed       Outcome = "failed"       // the API or the ledger did
	Busy         Outcome = "busy"         // too many wait; the sender was asked to come again
	Refused      Outcome = "refused"      // not signed, or not now, or not an event
)

// Outcomes lists them all.
var Outcomes = []Outcome{Stored, Unchanged, Twice, Ignored, Contradicted, Failed, Busy, Refused}

// Event is what is believed of a webhook. It names nobody.
type Event struct {
	ID       string
	Key      string // such as charge.complete
	ChargeID string
}

// Notice tells what became of a webhook.
type Notice struct {
	Outcome Outcome
	Event   Event       // as far as it was read; never that of a refused one
	Entry   batch.Entry // the invoice as it is now; empty when its charge wasn't asked for
	Was     string      // what the status of its payment was
	Err     error       // of Failed
	// Overtaken, when there is one, is for a person: what was paid is one of two
	// bills under its number.
	Overtaken *Overtaken
}

// Webhook hears of payments from the payment API. ServeHTTP takes events in, and
// Run asks for the charges that they are about.
//
// An event that was taken in is answered at once, and remembered once what it is
// about is in the ledger. One that is lost in between, with the process or since
// the API failed, is as one that never came.
type Webhook struct {
	follower *Follower
	secrets  [][]byte
	tell     func(Notice)
	queue    chan Event
}

// NewWebhook makes one that believes whoever knows one of the secrets. tell hears
// once of each webhook what became of it, and may be called by many at once.
func NewWebhook(f *Follower, secrets [][]byte, tell func(Notice)) *Webhook {
	return &Webhook{follower: f, secrets: secrets, tell: tell, queue: make(chan Event, mostQueued)}
}

// ServeHTTP takes in one event. It neither reads nor writes anything but the
// request, so that the answer is fast whatever the ledger and the API do. A
// refusal says nothing of why.
func (w *Webhook) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	status, notice := w.take(answer, r)
	if notice.Outcome != "" {
		w.tell(notice)
	}
	answer.WriteHeader(status)
}

// take answers with a status, and a notice of what came to its end here.
func (w *Webhook) take(answer http.ResponseWriter, r *http.Request) (status int, n Notice) {
	if r.Method != http.MethodPost {
		answer.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, Notice{Outcome: Refused}
	}
	body, err := io.ReadAll(http.MaxBytesReader(answer, r.Body, mostBody))
	switch tooLarge := new(http.MaxBytesError); {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, Notice{Outcome: Refused}
	case err != nil:
		return http.StatusBadRequest, Notice{Outcome: Refused}
	case !w.genuine(r.Header, body):
		return http.StatusUnauthorized, Notice{Outcome: Refused}
	}
	e := readEvent(body)
	if e.ID == "" || e.ChargeID == "" {
		return http.StatusOK, Notice{Outcome: Ignored, Event: e} // to send it again would be of no use
	}
	select {
	case w.queue <- e:
		return http.StatusOK, Notice{}
	default:
		return http.StatusServiceUnavailable, Notice{Outcome: Busy, Event: e}
	}
}

var eventKey = regexp.MustCompile(`^[a-z_.]+$`)

// readEvent takes out of a body what it is about. Bodies have the form of the
// account's own version of the API, and may lack the charge. What doesn't look like an
// id or a key is none, and not repeated to anybody.
func readEvent(body []byte) Event {
	var said struct {
		ID   string `json:"id"`
		Key  string `json:"key"`
		Data struct {
			Object string `json:"object"`
			ID     string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &said) != nil {
		return Event{}
	}
	var e Event
	if batch.IsID("evnt_", said.ID) {
		e.ID = said.ID
	}
	if len(said.Key) <= 64 && eventKey.MatchString(said.Key) {
		e.Key = said.Key
	}
	if said.Data.Object == "charge" && batch.IsID("chrg_", said.Data.ID) {
		e.ChargeID = said.Data.ID
	}
	return e
}

// Run asks for the charges of events, one at a time, until ctx ends or closing is
// closed. It then goes on with those that wait, unless ctx ends or one fails,
// and returns how many it has left.
func (w *Webhook) Run(ctx context.Context, closing <-chan struct{}) (left int) {
	for {
		select {
		case <-ctx.Done():
			return len(w.queue)
		case <-closing:
			return w.finish(ctx)
		case e := <-w.queue:
			w.settle(ctx, e)
		}
	}
}

func (w *Webhook) finish(ctx context.Context) (left int) {
	for {
		select {
		case e := <-w.queue:
			if w.settle(ctx, e) == Failed {
				return len(w.queue)
			}
		default:
			return 0
		}
	}
}

// settle does what an event is for, and tells.
func (w *Webhook) settle(ctx context.Context, e Event) Outcome {
	n, err := w.heed(ctx, e)
	if err != nil {
		n.Outcome, n.Err = Failed, err
	}
	n.Event = e
	w.tell(n)
	return n.Outcome
}

// heed brings the charge of an event up to date, unless the event has done so
// before.
func (w *Webhook) heed(ctx context.Context, e Event) (Notice, error) {
	known, err := w.follower.Ledger.WebhookKnown(ctx, e.ID)
	if err != nil || known {
		return Notice{Outcome: Twice}, err
	}
	n, err := w.follower.refresh(ctx, e.ChargeID)
	if err == nil && n.Entry.Charge.Status == batch.StatusSuccessful {
		n.Overtaken, err = w.follower.overtakenBy(ctx, n.Entry)
	}
	if err != nil {
		return n, err
	}
	now := w.follower.Now()
	return n, w.follower.Ledger.RememberWebhook(ctx, e.ID, now, now.Add(-remembered))
}

// refresh asks for one charge, and takes over what became of it.
func (f *Follower) refresh(ctx context.Context, id string) (Notice, error) {
	e, found, err := f.find(ctx, id)
	if err != nil || e.Charge.ID != id {
		return Notice{Outcome: Ignored}, err
	}
	got, err := f.payments().Learn(ctx, e, found.Charge, true)
	n := Notice{Outcome: Unchanged, Entry: got.After, Was: got.Before.Charge.Status}
	switch {
	case got.Verdict == batch.News:
		n.Outcome = Stored
	case got.Verdict == batch.Contradiction && got.Fresh: // else a later answer was stored meanwhile
		n.Outcome = Contradicted
	}
	return n, err
}

// find asks for one charge and looks up its invoice, which has no charge when
// this one isn't its.
func (f *Follower) find(ctx context.Context, id string) (batch.Entry, batch.Found, error) {
	found, err := f.Gateway.Charge(ctx, id)
	switch {
	case batch.IsMissing(err), err == nil && found.Key == "":
		return batch.Entry{}, batch.Found{}, nil
	case err != nil:
		return batch.Entry{}, batch.Found{}, err
	}
	e, err := f.Ledger.Entry(ctx, found.Key)
	if errors.Is(err, batch.ErrNotFound) {
		return batch.Entry{}, batch.Found{}, nil
	}
	return e, found, err
}
