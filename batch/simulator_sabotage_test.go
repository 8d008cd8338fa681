package batch_test

import (
	"context"
	"errors"
	"iter"
	"time"

	"konbill/batch"
	"konbill/invoice"
	"konbill/mailer"
)

// sabotage takes one guard away, from outside: the simulator must notice, by
// the harm that the guard is there to prevent.
type sabotage struct {
	guard    string
	symptom  string // part of what is violated
	settings func(*batch.Settings)
	wrap     func(*batch.Runner)
}

func (s sabotage) apply(r *batch.Runner) {
	if s.wrap != nil {
		s.wrap(r)
	}
}

const (
	twice      = "is charged 2 times"
	mailedMore = "is mailed again although it was mailed"
)

var sabotages = []sabotage{
	{guard: "settle delay", symptom: twice, settings: func(s *batch.Settings) { s.SettleAfter = 0 }},
	{guard: "second scan", symptom: twice, wrap: func(r *batch.Runner) { r.Ledger = oneScan{r.Ledger} }},
	{guard: "lists are read whole", symptom: twice, wrap: func(r *batch.Runner) { r.Gateway = partialLists{r.Gateway} }},
	{guard: "unknown is not retried", symptom: twice, wrap: func(r *batch.Runner) { r.Gateway = retrying{r.Gateway} }},
	{guard: "a named charge is not absent", symptom: "its charge was made", wrap: func(r *batch.Runner) { r.Gateway = forgetful{r.Gateway} }},
	{guard: "sweep", symptom: twice, wrap: func(r *batch.Runner) { r.Gateway = noSweep{r.Gateway, r.Ledger} }},
	{guard: "sweep since the latest one", symptom: twice, wrap: func(r *batch.Runner) { r.Ledger = sweptJustNow{r.Ledger, r.Now} }},
	{guard: "state precondition", symptom: twice, wrap: func(r *batch.Runner) { r.Ledger = anyState{r.Ledger} }},
	{guard: "lock", symptom: "goes on although another run holds the ledger", wrap: func(r *batch.Runner) { r.Ledger = lockIgnored{r.Ledger} }},
	{guard: "earlier bills are asked for", symptom: twice, wrap: func(r *batch.Runner) { r.Gateway = deaf{r.Gateway} }},
	{guard: "intent before the request", symptom: twice, wrap: lateIntents(batch.Charging)},
	{guard: "intent before the mail", symptom: mailedMore, wrap: lateIntents(batch.Mailing)},
	{guard: "hold", symptom: mailedMore, wrap: func(r *batch.Runner) { r.Mailer = resending{r.Mailer} }},
	{guard: "no mail for what is issued elsewhere", symptom: "although it was issued elsewhere", wrap: func(r *batch.Runner) { r.Ledger = allIssuedHere{r.Ledger} }},
	{guard: "conflict", symptom: "the charge has another content", wrap: func(r *batch.Runner) { r.Ledger = noConflict{r.Ledger} }},
}

// oneScan has every unknown outcome missed by a scan at once.
type oneScan struct{ batch.Ledger }

func (l oneScan) missed(e batch.Entry) batch.Entry {
	if (e.State == batch.Unknown || e.State == batch.Charging) && e.MissedAt.IsZero() {
		e.MissedAt = e.IntentAt
	}
	return e
}

func (l oneScan) Entry(ctx context.Context, key batch.Key) (batch.Entry, error) {
	e, err := l.Ledger.Entry(ctx, key)
	return l.missed(e), err
}

func (l oneScan) Entries(ctx context.Context, q batch.Query, f func(batch.Entry) error) error {
	return l.Ledger.Entries(ctx, q, func(e batch.Entry) error { return f(l.missed(e)) })
}

func (l oneScan) Move(ctx context.Context, m batch.Move, change func(*batch.Entry)) (batch.Entry, error) {
	e, err := l.Ledger.Move(ctx, m, change)
	return l.missed(e), err
}

// partialLists passes off what was read of a list for the whole.
type partialLists struct{ batch.Gateway }

func (g partialLists) Charges(ctx context.Context, since time.Time, visit func(batch.Found) error) error {
	err := g.Gateway.Charges(ctx, since, visit)
	if failed := new(batch.GatewayError); errors.As(err, &failed) {
		return nil
	}
	return err
}

// retrying takes an unknown outcome for a request that never left.
type retrying struct{ batch.Gateway }

func (g retrying) CreateCharge(ctx context.Context, r batch.ChargeRequest) (batch.Charge, error) {
	c, err := g.Gateway.CreateCharge(ctx, r)
	if failed := new(batch.GatewayError); errors.As(err, &failed) && failed.Outcome == batch.UnknownOutcome {
		return batch.Charge{}, &batch.GatewayError{Outcome: batch.NotSent, Err: err}
	}
	return c, err
}

// forgetful drops the charge that an answer names which can't be trusted.
type forgetful struct{ batch.Gateway }

func (g forgetful) CreateCharge(ctx context.Context, r batch.ChargeRequest) (batch.Charge, error) {
	c, err := g.Gateway.CreateCharge(ctx, r)
	if err != nil {
		c = batch.Charge{}
	}
	return c, err
}

// noSweep lists only the charges that a run is in doubt about.
type noSweep struct {
	batch.Gateway
	ledger batch.Ledger
}

func (g noSweep) Charges(ctx context.Context, since time.Time, visit func(batch.Found) error) error {
	return g.Gateway.Charges(ctx, since, func(f batch.Found) error {
		e, err := g.ledger.Entry(ctx, f.Key)
		if err != nil || e.State != batch.Unknown && e.State != batch.Charging {
			return nil
		}
		return visit(f)
	})
}

// sweptJustNow forgets how far back it was swept.
type sweptJustNow struct {
	batch.Ledger
	now func() time.Time
}

func (l sweptJustNow) SweptAt(ctx context.Context, a batch.Account) (time.Time, error) {
	_, err := l.Ledger.SweptAt(ctx, a)
	return l.now(), err
}

// anyState moves an invoice whatever state it is in.
type anyState struct{ batch.Ledger }

func (l anyState) Move(ctx context.Context, m batch.Move, change func(*batch.Entry)) (batch.Entry, error) {
	e, err := l.Ledger.Move(ctx, m, change)
	if stale := new(batch.StaleError); errors.As(err, &stale) && stale.Have.CanBecome(m.To) {
		m.From = stale.Have
		return l.Ledger.Move(ctx, m, change)
	}
	return e, err
}

// lockIgnored goes on with a ledger that another run holds.
type lockIgnored struct{ batch.Ledger }

func (l lockIgnored) Hold(ctx context.Context) (func(), error) {
	release, err := l.Ledger.Hold(ctx)
	if errors.Is(err, batch.ErrHeld) {
		return func() {}, nil
	}
	return release, err
}

// lateIntent stores an intent only together with its outcome.
type lateIntent struct {
	batch.Ledger
	to      batch.State
	pending map[batch.Key]intent
}

func lateIntents(to batch.State) func(*batch.Runner) {
	return func(r *batch.Runner) { r.Ledger = lateIntent{r.Ledger, to, map[batch.Key]intent{}} }
}

type intent struct {
	move   batch.Move
	change func(*batch.Entry)
}

func (l lateIntent) Move(ctx context.Context, m batch.Move, change func(*batch.Entry)) (batch.Entry, error) {
	if m.To == l.to && m.From != l.to {
		e, err := l.Ledger.Entry(ctx, m.Key)
		if err != nil || e.State != m.From {
			return l.Ledger.Move(ctx, m, change)
		}
		l.pending[m.Key] = intent{m, change}
		change(&e)
		e.State = m.To
		return e, nil
	}
	if earlier, ok := l.pending[m.Key]; ok {
		delete(l.pending, m.Key)
		if _, err := l.Ledger.Move(ctx, earlier.move, earlier.change); err != nil {
			return batch.Entry{}, err
		}
	}
	return l.Ledger.Move(ctx, m, change)
}

// resending takes a lost reply for a "not now".
type resending struct{ batch.Mailer }

func (m resending) Deliver(ctx context.Context, e mailer.Envelope) (string, error) {
	reply, err := m.Mailer.Deliver(ctx, e)
	if err != nil && mailer.KindOf(err) == mailer.Unknown {
		err = &mailer.Error{Kind: mailer.Deferred, Stage: mailer.StageAnswer}
	}
	return reply, err
}

// noConflict takes a number with another content for the same invoice.
type noConflict struct{ batch.Ledger }

func (l noConflict) OpenJob(ctx context.Context, job batch.Job, invoices iter.Seq[invoice.Invoice], judge func(int, batch.Verdict)) (int64, error) {
	return l.Ledger.OpenJob(ctx, job, invoices, func(i int, v batch.Verdict) {
		if v.Outcome == batch.Conflict {
			v.Outcome = batch.Known
		}
		judge(i, v)
	})
}

// allIssuedHere doesn't know of other ledgers.
type allIssuedHere struct{ batch.Ledger }

func (l allIssuedHere) Entry(ctx context.Context, key batch.Key) (batch.Entry, error) {
	e, err := l.Ledger.Entry(ctx, key)
	e.Elsewhere = false
	return e, err
}

// deaf takes every single charge that is asked for to be over unpaid.
type deaf struct{ batch.Gateway }

func (g deaf) Charge(ctx context.Context, id string) (batch.Found, error) {
	found, err := g.Gateway.Charge(ctx, id)
	found.Status = "expired"
	return found, err
}
