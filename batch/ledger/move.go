package ledger

import (
	"context"
	"fmt"

	"konbill/batch"
)

// Move implements batch.Ledger.
func (l *Ledger) Move(ctx context.Context, m batch.Move, change func(*batch.Entry)) (batch.Entry, error) {
	if m.From != m.To && !m.From.CanBecome(m.To) {
		return batch.Entry{}, fmt.Errorf("an invoice can't go from %s to %s", m.From, m.To)
	}
	var moved batch.Entry
	err := l.inTransaction(ctx, "move an invoice", func(tx transaction) error {
		before, err := tx.entry(ctx, m.Key)
		if err != nil {
			return err
		}
		if before.State != m.From {
			return &batch.StaleError{Key: m.Key, Want: m.From, Have: before.State}
		}
		moved = changed(before, m, change)
		if err := tx.update(ctx, &moved, m.From); err != nil {
			return err
		}
		return tx.record(ctx, batch.Event{Key: m.Key, At: m.At, Who: m.Who, From: m.From, To: m.To, Why: m.Why})
	})
	if err != nil {
		return batch.Entry{}, err
	}
	return moved, nil
}

// changed is the entry as it will be stored. What makes it this invoice isn't
// for change to set; it works on a copy that it can't keep.
func changed(before batch.Entry, m batch.Move, change func(*batch.Entry)) batch.Entry {
	edited := before
	change(&edited)
	after := edited
	after.Key, after.Account, after.Invoice.Number = before.Key, before.Account, before.Invoice.Number
	after.State, after.AcceptedAt, after.UpdatedAt = m.To, before.AcceptedAt, m.At
	return asStored(after)
}
