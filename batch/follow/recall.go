package follow

import (
	"context"
	"errors"
	"math"
	"slices"

	"konbill/batch"
)

// RecallOutcome is what became of one wish to call a charge back.
type RecallOutcome string

// The outcomes. They are stable.
const (
	RecallDone      RecallOutcome = "recalled"      // it can't be paid any more
	RecallTooLate   RecallOutcome = "over"          // it was paid, or over, before
	RecallRefused   RecallOutcome = "refused"       // the API won't: it can still be paid
	RecallUnclear   RecallOutcome = "unclear"       // no trustworthy answer came; asking again does no harm
	RecallNoCharge  RecallOutcome = "not_charged"   // there is nothing to call back
	RecallUnknown   RecallOutcome = "unknown"       // whether there is a charge isn't known yet
	RecallNotFound  RecallOutcome = "not_in_ledger" // nor is there an invoice
	RecallNotBegun  RecallOutcome = "not_attempted" // something stopped it before
	RecallUnrelated RecallOutcome = "missing"       // the account doesn't have the charge
)

// Recalled is one invoice whose charge was to be called back.
type Recalled struct {
	Number  string
	Entry   batch.Entry // as it is now; zero when the ledger doesn't have it
	Outcome RecallOutcome
	Refusal batch.Refusal // of RecallRefused and RecallUnclear: the API's, or the network's, word
}

// Recall has charges that wait for payment expire, by a person's word. Each is
// asked for before, so that one that was just paid is left alone, and after, so
// that the ledger has what the API says and not what was wished. The reports
// stand in the order of the numbers; with an error, the gateway's or the
// ledger's, those that were not begun say so.
func (f *Follower) Recall(ctx context.Context, numbers []string) ([]Recalled, error) {
	reports := make([]Recalled, len(numbers))
	for i, number := range numbers {
		reports[i] = Recalled{Number: number, Outcome: RecallNotBegun}
	}
	for i := range reports {
		if err := ctx.Err(); err != nil {
			return reports, err
		}
		if err := f.recallUnmoved(ctx, &reports[i]); err != nil {
			return reports, err
		}
	}
	return reports, nil
}

// WaitingOf returns the numbers of the bills that a run made and that wait for
// payment, as far as the ledger knows. Of a number that was billed again since, the
// later bill isn't the run's. It returns batch.ErrNotFound when the account had no
// such run.
func (f *Follower) WaitingOf(ctx context.Context, run int64) ([]string, error) {
	jobs, err := f.Ledger.Jobs(ctx, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(jobs, func(j batch.Job) bool { return j.ID == run && j.Account == f.Account }) {
		return nil, batch.ErrNotFound
	}
	var numbers []string
	err = f.Ledger.Entries(ctx, batch.Query{Job: run, ChargeStatuses: []string{batch.StatusPending}}, func(e batch.Entry) error {
		latest, err := f.Ledger.Latest(ctx, e.Account, e.Invoice.Number)
		if err == nil && latest.Key == e.Key {
			numbers = append(numbers, e.Invoice.Number)
		}
		return err
	})
	return numbers, err
}

// recallUnmoved tries again when somebody else moves the invoice meanwhile, such
// as a run that mails it; it is left for later when that doesn't end.
func (f *Follower) recallUnmoved(ctx context.Context, r *Recalled) error {
	const most = 5
	for range most {
		err := f.recall(ctx, r)
		if stale := new(batch.StaleError); !errors.As(err, &stale) {
			return err
		}
	}
	r.Outcome = RecallNotBegun
	return nil
}

func (f *Follower) recall(ctx context.Context, r *Recalled) error {
	e, err := f.Ledger.Latest(ctx, f.Account, r.Number)
	switch {
	case errors.Is(err, batch.ErrNotFound):
		r.Outcome = RecallNotFound
		return nil
	case err != nil:
		return err
	}
	switch r.Entry = e; {
	case e.State == batch.Charging, e.State == batch.Unknown:
		r.Outcome = RecallUnknown
		return nil
	case !e.State.HasCharge():
		r.Outcome = RecallNoCharge
		return nil
	}
	before, err := f.refresh(ctx, e.Charge.ID)
	if err != nil {
		return err
	}
	if before.Outcome == Ignored {
		r.Outcome = RecallUnrelated
		return nil
	}
	if r.Entry = before.Entry; r.Entry.Charge.Status != batch.StatusPending {
		r.Outcome = RecallTooLate
		return nil
	}
	return f.expire(ctx, r)
}

// expire records the intent, asks, and takes over what came of it.
func (f *Follower) expire(ctx context.Context, r *Recalled) error {
	if err := f.intend(ctx, &r.Entry); err != nil {
		return err
	}
	asked := f.Gateway.Expire(ctx, r.Entry.Charge.ID)
	var g *batch.GatewayError
	switch {
	case asked == nil:
	case !errors.As(asked, &g), g.Outcome == batch.Unauthorized, g.Outcome == batch.NotSent, g.Outcome == batch.TooMany:
		return asked // surely nothing was done, and the next won't fare better
	default:
		r.Refusal = batch.Refusal{Code: g.Code, Message: g.Message}
	}
	r.Outcome = RecallUnclear
	after, err := f.refresh(context.WithoutCancel(ctx), r.Entry.Charge.ID)
	if err != nil {
		return err
	}
	r.Entry = after.Entry
	switch c := after.Entry.Charge; {
	case c.Paid():
		r.Outcome = RecallTooLate // at that very moment
	case c.Status != batch.StatusPending:
		r.Outcome = RecallDone
	case g != nil && g.Outcome == batch.DeclinedOutcome:
		r.Outcome = RecallRefused
	}
	return nil
}

// intend leaves in the history that a person wanted it, before anything is asked
// for.
func (f *Follower) intend(ctx context.Context, e *batch.Entry) error {
	moved, err := f.Ledger.Move(ctx, batch.Move{
		Key: e.Key, From: e.State, To: e.State, ChargeStatus: batch.StatusPending, At: f.Now(), Who: f.Who, Why: "about to call back, by a person's word",
	}, func(*batch.Entry) {})
	if err == nil {
		*e = moved
	}
	return err
}
