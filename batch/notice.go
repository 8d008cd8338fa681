package batch

import (
	"fmt"
	"slices"
	"time"
)

// Notice is a mail about an invoice beside the one that tells how to pay: a
// reminder, or word that the payment has come. It has the states of a mail, and
// leaves those of the invoice alone.
type Notice struct {
	Key       Key
	Kind      NoticeKind
	State     State // mailing, mailed, deferred, refused or held
	Attempt   int   // how often it was begun
	MessageID string
	MailedTo  string
	Reply     string    // what the mail server, or the network, last said
	UpdatedAt time.Time // when it came into its state
}

// NoticeKind tells the notices of an invoice apart. Each is sent once.
type NoticeKind string

// NoticeOf returns the notice of a kind, or nil when it isn't begun.
func NoticeOf(notices []Notice, kind NoticeKind) *Notice {
	i := slices.IndexFunc(notices, func(n Notice) bool { return n.Kind == kind })
	if i < 0 {
		return nil
	}
	return &notices[i]
}

// NoticeMove is one guarded step of a notice.
type NoticeMove struct {
	Notice Notice // as it is to be stored
	From   State  // empty: it isn't begun
	// ChargeStatus is the payment status that the invoice must have; empty is any.
	ChargeStatus string

	Who, Why string // for the event; no personal data
}

// Apply checks the step against what is stored: the invoice, and its notice of
// this kind, which is nil before it is begun. It returns the event to store
// beside it, or a *StaleError.
func (m NoticeMove) Apply(e Entry, stored *Notice) (Event, error) {
	var state State
	if stored != nil {
		state = stored.State
	}
	if state != m.From || m.ChargeStatus != "" && m.ChargeStatus != e.Charge.Status {
		return Event{}, &StaleError{Key: e.Key, Want: m.From, Have: state}
	}
	if !slices.Contains(nextOfNotice[m.From], m.Notice.State) {
		return Event{}, fmt.Errorf("a notice can't go from %q to %q", m.From, m.Notice.State)
	}
	return Event{Key: e.Key, At: m.Notice.UpdatedAt, Who: m.Who, From: e.State, To: e.State, Why: m.Why}, nil
}

// nextOfNotice lists where each state of a notice may lead.
var nextOfNotice = map[State][]State{
	"":       {Mailing},
	Mailing:  {Mailed, Deferred, Refused, Held},
	Deferred: {Mailing},
	Held:     {Mailing},
}
