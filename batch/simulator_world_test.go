package batch_test

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"konbill/batch"
	"konbill/mailer"
)

// How long things may take in the simulated world. A run promises something
// only as long as its settings cover them: settleAfter is longer than a request
// and what comes late of it, and longer than a list may lag.
const (
	settleAfter    = time.Minute
	requestTimeout = 25 * time.Second
	mostLag        = 55 * time.Second
	// calm is when nothing of the past can turn up at the API any more.
	calm = 2*requestTimeout + mostLag + time.Second
)

// fault is something that can go wrong.
type fault string

// The faults. Those of a charge exclude each other, as do those of a mail.
const (
	unsent        fault = "request never left"
	tooBusy       fault = "429 storm"
	cutBefore     fault = "cut before the commit"
	cutAfter      fault = "cut after the commit"
	committedLate fault = "committed after the client gave up"
	before500     fault = "5xx before the commit"
	after500      fault = "5xx after the commit"
	truncated     fault = "truncated answer"
	truncatedID   fault = "truncated answer that names the charge"
	backendError  fault = "backend_error"
	otherMode     fault = "answer of the other mode"
	badKey        fault = "401"
	declines      fault = "declined"
	otherDue      fault = "charged with another due date"
	failsAtOnce   fault = "charge failed as it was made"

	listLags     fault = "list lags"
	pageFails    fault = "list page fails"
	accountFails fault = "account not told"
	lookupFails  fault = "source not told"

	noServer     fault = "mail server unreachable"
	mailDeferred fault = "mail 4xx"
	mailRefused  fault = "mail 5xx"
	replyLost    fault = "final reply lost, mail stored"
	mailLost     fault = "final reply lost, mail not stored"

	ledgerFull    fault = "ledger: disk full"
	ledgerNoSync  fault = "ledger: fsync fails after the commit"
	resultsFull   fault = "results: disk full"
	resultsNoSync fault = "results: fsync fails after the rename"
)

var (
	chargeFaults = []fault{unsent, tooBusy, cutBefore, cutAfter, committedLate, before500, after500, truncated, truncatedID,
		backendError, otherMode, badKey, declines, failsAtOnce, otherDue}
	sourceFaults = []fault{unsent, tooBusy, cutBefore, before500, badKey, declines}
	mailFaults   = []fault{noServer, mailDeferred, mailRefused, replyLost, mailLost}
	otherFaults  = []fault{listLags, pageFails, accountFails, lookupFails, ledgerFull, ledgerNoSync, resultsFull, resultsNoSync}
)

// weather is how likely each fault is.
type weather map[fault]float64

// drawWeather lets most faults alone and makes some of them rare, some common.
func (t *timeline) drawWeather() weather {
	w := weather{}
	for _, faults := range [][]fault{chargeFaults, sourceFaults, mailFaults, otherFaults} {
		for _, f := range faults {
			switch {
			case t.chance(0.12):
				w[f] = 0.4
			case t.chance(0.25):
				w[f] = 0.1
			}
		}
	}
	for _, f := range []fault{ledgerFull, ledgerNoSync, badKey, otherMode} {
		w[f] /= 8 // each ends its run
	}
	if t.chance(0.1) { // what may take long does: the worst for who looks for charges
		w[committedLate], w[listLags] = 0.4, 0.8
	}
	return w
}

// world is everything that a run talks to and that outlives it.
type world struct {
	*timeline
	weather weather
	api     *api
	mail    *mailServer
	disk    map[string][]byte
	judge   *judge
	census  map[string]int // of what happened, so that nothing is left out unnoticed
	tell    func(format string, args ...any)
}

// strikes reports whether a fault happens now.
func (w *world) strikes(f fault) bool {
	if p := w.weather[f]; p == 0 || !w.chance(p) {
		return false
	}
	w.census["fault: "+string(f)]++
	return true
}

// pick draws at most one of several faults.
func (w *world) pick(faults []fault) fault {
	for _, f := range faults {
		if w.strikes(f) {
			return f
		}
	}
	return ""
}

// api is the payment API: charges in the order they were made.
type api struct {
	*world
	charges   []*apiCharge
	sources   int
	skew      time.Duration // of its clock against ours
	busyUntil time.Time
}

type apiCharge struct {
	batch.Found
	listedAt time.Time // when lists have it
	life     int       // of the ledger it was made for
	asked    batch.ChargeRequest
	foreign  bool // made by somebody else under our key: a person's business
}

// simulatedAccount is whose key the shop has.
var simulatedAccount = batch.Account{ID: "account_test_simulated"}

// answer is what comes of a request, as its client will hear of it.
type answer struct {
	charge batch.Charge
	err    error
	after  time.Duration
}

func (a *api) refusal(o batch.Outcome, status int, code string) error {
	return &batch.GatewayError{Outcome: o, Status: status, Code: code}
}

// charge takes in the request of a process for a charge.
func (a *api) charge(r batch.ChargeRequest, life int) answer {
	soon, late := a.between(20*time.Millisecond, 2*time.Second), a.between(time.Second, requestTimeout)
	unknown := func(status int, code string) error { return a.refusal(batch.UnknownOutcome, status, code) }
	if a.now.Before(a.busyUntil) {
		return answer{err: a.busy(), after: soon}
	}
	f := a.pick(chargeFaults)
	if isRefused(r) {
		f = declines
	}
	if f != "" {
		a.tell("API: %s: %s", r.Number, f)
	}
	switch f {
	case unsent:
		return answer{err: a.refusal(batch.NotSent, 0, "unreachable"), after: soon}
	case tooBusy:
		a.busyUntil = a.now.Add(a.between(time.Second, 4*time.Minute))
		return answer{err: a.busy(), after: soon}
	case badKey:
		return answer{err: a.refusal(batch.Unauthorized, 401, "authentication_failure"), after: soon}
	case declines:
		return answer{err: a.refusal(batch.DeclinedOutcome, 400, "invalid_charge"), after: soon}
	case cutBefore:
		return answer{err: unknown(0, "timeout"), after: late}
	case before500:
		return answer{err: unknown(503, "service_unavailable"), after: soon}
	case committedLate:
		a.judge.underWay[r.Key]++
		a.later(late+a.between(0, requestTimeout), func() {
			a.judge.underWay[r.Key]--
			a.commit(r, life, "pending")
		})
		return answer{err: unknown(0, "timeout"), after: late}
	case backendError:
		if a.chance(0.5) {
			a.commit(r, life, "pending")
		}
		return answer{err: unknown(400, "backend_error"), after: soon}
	case failsAtOnce:
		a.commit(r, life, "failed")
		return answer{err: a.refusal(batch.DeclinedOutcome, 200, "failed_processing"), after: soon}
	}
	made := a.commit(r, life, "pending")
	if f == otherDue {
		made.ExpiresAt = made.ExpiresAt.AddDate(0, 0, -1)
	}
	switch f {
	case cutAfter:
		return answer{err: unknown(0, "connection_cut"), after: late}
	case after500:
		return answer{err: unknown(500, "internal_error"), after: soon}
	case truncated:
		return answer{err: unknown(200, "answer_cut"), after: soon}
	case truncatedID:
		return answer{charge: batch.Charge{ID: made.ID}, err: unknown(200, "answer_cut"), after: soon}
	case otherMode:
		return answer{charge: batch.Charge{ID: made.ID}, err: a.refusal(batch.Unauthorized, 200, "wrong_mode"), after: soon}
	}
	return answer{charge: made.Charge, after: soon}
}

// source makes a source: no bill by itself.
func (a *api) source(r batch.ChargeRequest) (string, answer) {
	soon := a.between(20*time.Millisecond, time.Second)
	if a.now.Before(a.busyUntil) {
		return "", answer{err: a.busy(), after: soon}
	}
	f := a.pick(sourceFaults)
	if isRefused(r) {
		f = declines
	}
	switch f {
	case unsent:
		return "", answer{err: a.refusal(batch.NotSent, 0, "unreachable"), after: soon}
	case tooBusy:
		a.busyUntil = a.now.Add(a.between(time.Second, time.Minute))
		return "", answer{err: a.busy(), after: soon}
	case cutBefore, before500:
		return "", answer{err: a.refusal(batch.UnknownOutcome, 500, "internal_error"), after: soon}
	case badKey:
		return "", answer{err: a.refusal(batch.Unauthorized, 401, "authentication_failure"), after: soon}
	case declines:
		return "", answer{err: a.refusal(batch.DeclinedOutcome, 400, "invalid_source"), after: soon}
	}
	a.sources++
	return fmt.Sprintf("src_test_%d", a.sources), answer{after: soon}
}

// isRefused reports what this API refuses, whenever it is asked.
func isRefused(r batch.ChargeRequest) bool { return strings.HasPrefix(r.Email, "refused") }

func (a *api) busy() error {
	err := &batch.GatewayError{Outcome: batch.TooMany, Status: 429, Code: "too_many_requests"}
	if a.chance(0.5) {
		err.RetryAfter = 45 * time.Second
	}
	return err
}

// commit makes a charge, for good: konbini charges can't be taken back.
func (a *api) commit(r batch.ChargeRequest, life int, status string) *apiCharge {
	id := fmt.Sprintf("chrg_test_%d", len(a.charges)+1)
	made := &apiCharge{life: life, asked: r, listedAt: a.now, Found: batch.Found{
		Key: r.Key, Number: r.Number, Revision: r.Revision, Name: r.Name, Email: r.Email, Phone: r.Phone,
		Charge: batch.Charge{
			ID: id, SourceID: r.SourceID, Amount: r.Amount, Status: status, PaymentCode: fmt.Sprint(700_000 + len(a.charges)),
			AuthorizeURI: "https://pay.omise.co/offlines/" + id, CreatedAt: a.now.Add(a.skew).Truncate(time.Second), ExpiresAt: r.ExpiresAt,
		},
	}}
	if status == "failed" {
		made.FailureCode = "failed_processing"
	}
	if a.strikes(listLags) {
		made.listedAt = a.now.Add(a.between(0, mostLag))
	}
	a.charges = append(a.charges, made)
	a.tell("API: %s is charged: %s, %s, listed from %s", r.Number, id, status, made.listedAt.Sub(opening))
	a.judge.charged(made)
	return made
}

// page lists charges as the API's offset and limit do.
func (a *api) page(since time.Time, offset, limit int) []batch.Found {
	var listed []batch.Found
	for _, c := range a.charges {
		if c.CreatedAt.Before(since) || c.listedAt.After(a.now) {
			continue
		}
		if offset--; offset < 0 && len(listed) < limit {
			listed = append(listed, c.Found)
		}
	}
	return listed
}

func (a *api) byID(id string) (batch.Found, bool) {
	for _, c := range a.charges {
		if c.ID == id {
			return c.Found, true
		}
	}
	return batch.Found{}, false
}

func (a *api) used(sourceID string) bool {
	for _, c := range a.charges {
		if c.SourceID == sourceID && !c.listedAt.After(a.now) && c.wasBill() {
			return true
		}
	}
	return false
}

// wasBill reports whether a customer could pay a charge at some time.
func (c *apiCharge) wasBill() bool { return c.FailureCode != "failed_processing" }

// bills lists the charges under a key that a customer could pay at some time.
func (a *api) bills(key batch.Key) []*apiCharge {
	var bills []*apiCharge
	for _, c := range a.charges {
		if c.Key == key && c.wasBill() {
			bills = append(bills, c)
		}
	}
	return bills
}

// owed lists the charges of ours under an invoice's number that a customer can
// pay, or has paid.
func (a *api) owed(number string) []*apiCharge {
	var owed []*apiCharge
	for _, c := range a.charges {
		if c.Key != "" && c.Number == number && !c.foreign && !c.OverUnpaid() {
			owed = append(owed, c)
		}
	}
	return owed
}

// mailServer keeps the mails it took responsibility for.
type mailServer struct {
	*world
	stored []storedMail
}

type storedMail struct {
	key  batch.Key
	to   string
	life int // of the ledger whose run sent it
}

// take decides what becomes of a delivery.
func (m *mailServer) take(e mailer.Envelope, key batch.Key, life int) error {
	f := m.pick(mailFaults)
	if f != "" {
		m.tell("mail server: to %s: %s", e.To, f)
	}
	switch f {
	case noServer:
		return &mailer.Error{Kind: mailer.NotSent, Stage: mailer.StageConnect}
	case mailDeferred:
		return &mailer.Error{Kind: mailer.Deferred, Stage: mailer.StageReceiver, Code: 451, Reply: "greylisted"}
	case mailRefused:
		return &mailer.Error{Kind: mailer.Refused, Stage: mailer.StageReceiver, Code: 550, Reply: "no such user"}
	case mailLost:
		return &mailer.Error{Kind: mailer.Unknown, Stage: mailer.StageAnswer}
	}
	m.stored = append(m.stored, storedMail{to: e.To, key: key, life: life})
	m.tell("mail server: to %s: stored", e.To)
	if f == replyLost {
		return &mailer.Error{Kind: mailer.Unknown, Stage: mailer.StageAnswer}
	}
	return nil
}

// read and write are the disk that files are on.
func (w *world) read(path string) ([]byte, error) {
	if data, there := w.disk[path]; there {
		return data, nil
	}
	return nil, fs.ErrNotExist
}

func (w *world) write(path string, data []byte) error {
	if w.strikes(resultsFull) {
		return errNoSpace
	}
	w.disk[path] = data
	if w.strikes(resultsNoSync) {
		return errNotSynced
	}
	return nil
}
