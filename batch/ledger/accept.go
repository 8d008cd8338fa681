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
	known, err := knownOr(tx.latest(ctx, job.Account, inv.Number))
	if err != nil {
		return batch.Verdict{}, err
	}
	verdict, events := batch.Accept(known, job, asStored(batch.Entry{Invoice: inv}).Invoice)
	if listing := verdict.Listing(known, job); listing != 0 {
		if _, err := tx.StmtContext(ctx, tx.statements.list).ExecContext(ctx, verdict.Entry.Key, listing, listing, jobNumber(verdict.Entry.Job)); err != nil {
			return batch.Verdict{}, err
		}
	}
	if len(events) == 0 {
		return verdict, nil
	}
	verdict.Entry = asStored(verdict.Entry)
	if known == nil || known.Key != verdict.Entry.Key {
		err = tx.insert(ctx, &verdict.Entry)
	} else {
		err = tx.update(ctx, &verdict.Entry, known.State)
	}
	for _, event := range events {
		err = errors.Join(err, tx.record(ctx, event))
	}
	if err != nil {
		return batch.Verdict{}, err
	}
	return verdict, nil
}

// listInvoice notes that a job lists an invoice. One that is of the same file as
// the invoice's own needs no note: a file has one set of results.
const listInvoice = "INSERT INTO listed (key, job) SELECT ?, ? WHERE" +
	" (SELECT sha256 FROM job WHERE id = ?) IS NOT (SELECT sha256 FROM job WHERE id = ?) ON CONFLICT DO NOTHING"

// knownOr makes nil of an invoice that isn't there.
func knownOr(e batch.Entry, err error) (*batch.Entry, error) {
	switch {
	case errors.Is(err, batch.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &e, nil
}
