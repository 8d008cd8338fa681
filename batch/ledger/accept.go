package ledger

import (
	"context"
	"errors"
	"fmt"

	"konbill/batch"
	"konbill/invoice"
)

// accept takes one invoice of a job into the ledger, or says what the ledger
// has of it.
func (tx transaction) accept(ctx context.Context, job batch.Job, inv invoice.Invoice) (batch.Verdict, error) {
	key := batch.KeyOf(job.Account, inv.Number)
	known, err := tx.entry(ctx, key)
	if errors.Is(err, batch.ErrNotFound) {
		e, err := tx.acceptNew(ctx, key, job, inv)
		return batch.Verdict{Outcome: batch.New, Entry: e}, err
	}
	if err != nil {
		return batch.Verdict{}, err
	}
	if known.State == batch.Accepted || known.State == batch.Declined {
		return tx.acceptAgain(ctx, known, job, inv)
	}
	if field := batch.Differs(known.Invoice, inv); field != "" {
		return batch.Verdict{Outcome: batch.Conflict, Entry: known, Conflict: field}, nil
	}
	return batch.Verdict{Outcome: batch.Known, Entry: known}, nil
}

func (tx transaction) acceptNew(ctx context.Context, key batch.Key, job batch.Job, inv invoice.Invoice) (batch.Entry, error) {
	e := asStored(batch.Entry{
		Key: key, Account: job.Account, State: batch.Accepted, Invoice: inv, Job: job.ID,
		AcceptedAt: job.StartedAt, UpdatedAt: job.StartedAt,
	})
	if err := tx.insert(ctx, &e); err != nil {
		return e, err
	}
	return e, tx.recordAcceptance(ctx, job, e, "", "accepted")
}

// acceptAgain gives an invoice that surely has no charge to a new job, with the
// newest content. One that was declined as it is stays declined: to ask for the
// same again is pointless.
func (tx transaction) acceptAgain(ctx context.Context, known batch.Entry, job batch.Job, inv invoice.Invoice) (batch.Verdict, error) {
	e := known
	e.State, e.Invoice, e.Job, e.UpdatedAt = batch.Accepted, inv, job.ID, job.StartedAt
	e.Refusal = batch.Refusal{}
	e = asStored(e)
	outcome, why := batch.Corrected, "corrected"
	if sameContent(known.Invoice, e.Invoice) {
		if known.State == batch.Declined {
			return batch.Verdict{Outcome: batch.Known, Entry: known}, nil
		}
		outcome, why = batch.Known, "accepted again"
	}
	if err := tx.update(ctx, &e, known.State); err != nil {
		return batch.Verdict{}, err
	}
	return batch.Verdict{Outcome: outcome, Entry: e}, tx.recordAcceptance(ctx, job, e, known.State, why)
}

// sameContent reports whether two rows say the same. Due dates that both leave
// open follow from the day on which each was read.
func sameContent(known, row invoice.Invoice) bool {
	if !known.DueGiven && !row.DueGiven {
		row.Due = known.Due
	}
	return known == row
}

func (tx transaction) recordAcceptance(ctx context.Context, job batch.Job, e batch.Entry, from batch.State, what string) error {
	return tx.record(ctx, batch.Event{
		Key: e.Key, At: e.UpdatedAt, Who: job.Who, From: from, To: batch.Accepted, Why: fmt.Sprintf("%s by job %d", what, job.ID),
	})
}
