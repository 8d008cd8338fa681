package follow

import (
	"context"
	"errors"

	"konbill/batch"
)

// Overtaken is a bill that turns out to be paid although another was issued in its
// place, since stores report late. While the customer can pay that one too, or has
// paid it, somebody must call it back or refund.
type Overtaken struct {
	Paid  batch.Entry
	Later batch.Entry // pending or paid
}

// overtaken lists those of the account, as the ledger has them. What was purged is
// closed.
func (f *Follower) overtaken(ctx context.Context) ([]Overtaken, error) {
	var found []Overtaken
	payable := batch.Query{Reissued: true, ChargeStatuses: []string{batch.StatusPending, batch.StatusSuccessful}}
	err := f.Ledger.Entries(ctx, payable, func(later batch.Entry) error {
		if later.Account != f.Account || !later.PurgedAt.IsZero() {
			return nil
		}
		paid, err := f.paidBefore(ctx, later)
		if err == nil && paid.Key != "" {
			found = append(found, Overtaken{Paid: paid, Later: later})
		}
		return err
	})
	return found, err
}

// paidBefore returns the latest earlier bill under an invoice's number that is
// paid; empty when none is.
func (f *Follower) paidBefore(ctx context.Context, e batch.Entry) (batch.Entry, error) {
	for n := e.Revision - 1; n >= 1; n-- {
		earlier, err := f.Ledger.Entry(ctx, batch.KeyOfRevision(e.Account, e.Invoice.Number, n))
		switch {
		case errors.Is(err, batch.ErrNotFound): // issued elsewhere, long ago
		case err != nil:
			return batch.Entry{}, err
		case earlier.Charge.Status == batch.StatusSuccessful:
			return earlier, nil
		}
	}
	return batch.Entry{}, nil
}

// overtakenBy looks whether a bill that is paid is one of two that the customer
// has paid or can pay.
func (f *Follower) overtakenBy(ctx context.Context, paid batch.Entry) (*Overtaken, error) {
	earlier, err := f.paidBefore(ctx, paid)
	switch {
	case err != nil:
		return nil, err
	case earlier.Key != "":
		return &Overtaken{Paid: earlier, Later: paid}, nil
	}
	latest, err := f.Ledger.Latest(ctx, paid.Account, paid.Invoice.Number)
	status := latest.Charge.Status
	if err != nil || latest.Revision <= paid.Revision || status != batch.StatusPending && status != batch.StatusSuccessful {
		return nil, err
	}
	return &Overtaken{Paid: paid, Later: latest}, nil
}

// justReplaced lists the bills whose place some of those that wait for payment
// have taken, so lately that a store may still report that they were paid.
func (l *look) justReplaced(ctx context.Context, open []batch.Entry) ([]batch.Entry, error) {
	var replaced []batch.Entry
	for _, e := range open {
		if e.Previous() == "" || l.synced.Began.After(e.Charge.CreatedAt.Add(grace)) {
			continue
		}
		previous, err := l.Ledger.Entry(ctx, e.Previous())
		switch {
		case errors.Is(err, batch.ErrNotFound): // issued elsewhere, long ago
		case err != nil:
			return nil, err
		case previous.State.HasCharge() && !previous.Charge.Paid():
			replaced = append(replaced, previous)
		}
	}
	return replaced, nil
}
