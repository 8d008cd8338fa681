package batch

import (
	"context"
	"slices"
	"time"
)

// Kept is why an invoice keeps its personal data. Reasons are stable.
type Kept string

// The reasons.
const (
	KeptOpen    Kept = "open"    // it can still be paid, or its charge or its mail is on the way or in doubt
	KeptPerson  Kept = "person"  // the account has more than one charge for it: a person must see to that
	KeptRevised Kept = "revised" // its number was billed again, and that bill isn't closed or not for so long
	KeptLater   Kept = "later"   // it was closed since
)

// Purging is what a purge does, or would do.
type Purging struct {
	Before         time.Time
	Purged         map[string]Sum // by payment status; that of an invoice without a charge is empty
	Kept           map[Kept]Sum
	Oldest, Newest time.Time // when those purged were closed
}

// All adds up those purged.
func (p *Purging) All() Sum {
	var all Sum
	for _, sum := range p.Purged {
		all = Sum{Rows: all.Rows + sum.Rows, Yen: all.Yen + sum.Yen}
	}
	return all
}

// PlanPurge says what Purge would do. Nothing is changed.
func (r *Runner) PlanPurge(ctx context.Context, before time.Time) (*Purging, error) {
	return r.purge(ctx, before, func(Entry) error { return nil })
}

// Purge removes the personal data of the invoices that were closed before an
// instant, of every account in the ledger: numbers, yen, charges, dates and
// history remain. visit hears of each before that, and may stop it by an error.
// It may be cut short and begun again at any time. The error is ErrHeld, ctx's or
// the ledger's; the result is then what was done before.
func (r *Runner) Purge(ctx context.Context, before time.Time, visit func(Entry) error) (*Purging, error) {
	release, err := r.Ledger.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return r.purge(ctx, before, func(e Entry) error {
		if r.ended(ctx, nil) {
			return &Stop{Reason: StopInterrupted}
		}
		if err := visit(e); err != nil {
			return err
		}
		_, err := r.Ledger.Purge(ctx, Move{
			Key: e.Key, From: e.State, To: e.State, ChargeStatus: e.Charge.Status,
			At: r.Now(), Who: r.Settings.Who, Why: "its personal data are removed, by a person's word",
		})
		return err
	})
}

func (r *Runner) purge(ctx context.Context, before time.Time, do func(Entry) error) (*Purging, error) {
	p := &Purging{Before: before, Purged: map[string]Sum{}, Kept: map[Kept]Sum{}}
	err := r.Ledger.Entries(ctx, Query{}, func(e Entry) error {
		if !e.PurgedAt.IsZero() {
			return nil
		}
		closed, why, err := r.closedBefore(ctx, e, before)
		switch {
		case err != nil:
			return err
		case why != "":
			p.Kept[why] = p.Kept[why].plus(e)
			return nil
		}
		if err := do(e); err != nil {
			return unlessStale(err) // someone else has just moved it
		}
		p.Purged[e.Charge.Status] = p.Purged[e.Charge.Status].plus(e)
		if p.Oldest.IsZero() || closed.Before(p.Oldest) {
			p.Oldest = closed
		}
		if closed.After(p.Newest) {
			p.Newest = closed
		}
		return nil
	})
	return p, err
}

func (s Sum) plus(e Entry) Sum {
	s.Add(e.Invoice.Amount)
	return s
}

// closedBefore says when an invoice was closed, or why it keeps its data. One
// whose number was billed again is closed when the latest bill is.
func (r *Runner) closedBefore(ctx context.Context, e Entry, before time.Time) (at time.Time, why Kept, err error) {
	at, why = e.closed()
	switch {
	case why != "":
		return at, why, nil
	case !at.Before(before):
		return at, KeptLater, nil
	}
	notices, err := r.Ledger.Notices(ctx, e.Key)
	if err != nil || slices.ContainsFunc(notices, func(n Notice) bool { return n.State == Mailing }) {
		return at, KeptOpen, err
	}
	latest, err := r.Ledger.Latest(ctx, e.Account, e.Invoice.Number)
	if err != nil || latest.Key == e.Key || !latest.PurgedAt.IsZero() {
		return at, "", err
	}
	if closed, open := latest.closed(); open != "" || !closed.Before(before) {
		return at, KeptRevised, nil
	}
	return at, "", nil
}

// closed says when nothing more could become of an invoice by itself, or why
// something still can.
func (e Entry) closed() (at time.Time, why Kept) {
	inDoubt := []State{Charging, Unknown, Mailing}
	switch c := e.Charge; {
	case slices.Contains(inDoubt, e.State), e.State == Accepted && e.provedAbsent() && !e.lastTry():
		return at, KeptOpen
	case e.Duplicates != "":
		return at, KeptPerson
	case !e.State.HasCharge():
		return e.UpdatedAt, ""
	case c.Status == StatusSuccessful && !c.PaidAt.IsZero():
		return c.PaidAt, ""
	case c.OverUnpaid() && !c.ExpiresAt.IsZero():
		return c.ExpiresAt, "" // also of one that was called back before
	case c.Paid(), c.OverUnpaid():
		return e.UpdatedAt, ""
	}
	return at, KeptOpen
}

// AllPurged reports whether every invoice of a file, be it an input or results,
// that the ledger has under its number is purged. Rows that were never accepted
// have none. The error is a *csvfile.FileError, the disk's or the ledger's.
func (r *Runner) AllPurged(ctx context.Context, path string) (bool, error) {
	sheet, err := r.readSheet(path)
	if err != nil {
		return false, err
	}
	var numbers []string
	for _, row := range sheet.Rows {
		if row.Invoice.Number != "" {
			numbers = append(numbers, row.Invoice.Number)
		}
	}
	if len(numbers) == 0 {
		return true, nil
	}
	all := true
	err = r.Ledger.Entries(ctx, Query{Numbers: numbers}, func(e Entry) error {
		all = all && !e.PurgedAt.IsZero()
		return nil
	})
	return all, err
}
