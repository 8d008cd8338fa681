package follow

import (
	"context"
	"errors"

	"konbill/batch"
)

// learnt is what an answer of the API led to.
type learnt struct {
	verdict       verdict
	fresh         bool        // whether it was judged as an answer that can't be late
	before, after batch.Entry // the invoice by which it was judged, and as it is now
}

// takeOver judges what the API says of an invoice's charge, and stores it if it
// is news. When somebody else has moved the invoice meanwhile, it is judged anew.
func (f *Follower) takeOver(ctx context.Context, e batch.Entry, said batch.Charge, fresh bool) (learnt, error) {
	for {
		l := learnt{verdict: judge(e.Charge, said, fresh), fresh: fresh, before: e, after: e}
		if l.verdict != news {
			return l, nil
		}
		var err error
		if l.after, err = f.store(ctx, e, said); err == nil {
			return l, nil
		}
		if stale := new(batch.StaleError); !errors.As(err, &stale) {
			return learnt{}, err
		}
		if e, err = f.Ledger.Entry(ctx, e.Key); err != nil {
			return learnt{}, err
		}
		fresh = false // what is stored now may be from a later answer
	}
}

// store records a payment, unless the invoice has changed since it was read.
func (f *Follower) store(ctx context.Context, e batch.Entry, said batch.Charge) (batch.Entry, error) {
	return f.Ledger.Move(ctx, batch.Move{
		Key: e.Key, From: e.State, To: e.State, ChargeStatus: e.Charge.Status,
		At: f.Now(), Who: f.Who, Why: why(e.Charge, said),
	}, func(e *batch.Entry) { e.Charge = updated(e.Charge, said) })
}
