package ledger

import (
	"context"
	"errors"

	"konbill/batch"
	"konbill/invoice"
)

// accept takes one invoice of a job into the ledger, or says what the ledger
// has of it.
func (tx transaction) accept(ctx context.Context, job batch.Job, inv invoice.Invoice) (batch.Verdict, error) {
	known, err := tx.known(ctx, batch.KeyOf(job.Account, inv.Number))
	if err != nil {
		return batch.Verdict{}, err
	}
	verdict, event := batch.Accept(known, job, asStored(batch.Entry{Invoice: inv}).Invoice)
	if event == nil {
		return verdict, nil
	}
	verdict.Entry = asStored(verdict.Entry)
	if known == nil {
		err = tx.insert(ctx, &verdict.Entry)
	} else {
		err = tx.update(ctx, &verdict.Entry, known.State)
	}
	if err != nil {
		return batch.Verdict{}, err
	}
	return verdict, tx.record(ctx, *event)
}

// known is what the ledger has under a key; nil when that is nothing.
func (tx transaction) known(ctx context.Context, key batch.Key) (*batch.Entry, error) {
	e, err := tx.entry(ctx, key)
	switch {
	case errors.Is(err, batch.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &e, nil
}
