package ledger

import (
	"context"

	"konbill/batch"
)

// Move implements batch.Ledger.
func (l *Ledger) Move(ctx context.Context, m batch.Move, change func(*batch.Entry)) (batch.Entry, error) {
	var moved batch.Entry
	err := l.inTransaction(ctx, "move an invoice", func(tx transaction) error {
		before, err := tx.entry(ctx, m.Key)
		if err != nil {
			return err
		}
		after, err := m.Apply(before, change)
		if err != nil {
			return err
		}
		moved = asStored(after)
		if err := tx.update(ctx, &moved, m.From); err != nil {
			return err
		}
		return tx.record(ctx, m.Event())
	})
	if err != nil {
		return batch.Entry{}, err
	}
	return moved, nil
}
