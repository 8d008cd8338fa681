package ledger

import (
	"context"
	"errors"

	"konbill/batch"
)

// Move implements batch.Ledger.
func (l *Ledger) Move(ctx context.Context, m batch.Move, change func(*batch.Entry)) (batch.Entry, error) {
	return l.move(ctx, "move an invoice", m, change, func(context.Context, transaction) error { return nil })
}

// move makes a step, and in the same transaction what also goes with it.
func (l *Ledger) move(ctx context.Context, what string, m batch.Move, change func(*batch.Entry), also func(context.Context, transaction) error) (batch.Entry, error) {
	var moved batch.Entry
	err := l.inTransaction(ctx, what, func(ctx context.Context, tx transaction) error {
		before, err := tx.entry(ctx, m.Key)
		if err != nil {
			return err
		}
		if err := tx.mustWait(ctx, m, before); err != nil {
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
		if err := tx.outdate(ctx, before, moved); err != nil {
			return err
		}
		return errors.Join(tx.record(ctx, m.Event()), also(ctx, tx))
	})
	if err != nil {
		return batch.Entry{}, err
	}
	return moved, nil
}

// mustWait refuses to ask for the charge of a revision before its time, and after.
func (tx transaction) mustWait(ctx context.Context, m batch.Move, e batch.Entry) error {
	if m.To != batch.Charging {
		return nil
	}
	if err := tx.mustBeSwept(ctx, e.Account); err != nil {
		return err
	}
	latest, err := tx.latest(ctx, e.Account, e.Invoice.Number)
	if err != nil {
		return err
	}
	previous, err := knownOr(tx.entry(ctx, e.Previous()))
	if err != nil {
		return err
	}
	return m.Waits(e, previous, latest)
}

// A run writes the results itself at its end, and then the job is finished; but
// it doesn't hear of payments meanwhile. No two changes leave the same instant:
// whoever writes results records by it which changes they tell.
const outdateJob = "UPDATE job SET outdated_at = CASE WHEN outdated_at < CAST($1 AS BIGINT) THEN CAST($1 AS BIGINT) ELSE outdated_at + 1 END" +
	" WHERE id IN (SELECT CAST($2 AS BIGINT) UNION ALL SELECT job FROM listed WHERE key = $3) AND (finished_at <> 0 OR $4)"

// outdate notes that the results of the jobs that list an invoice don't tell of a
// change.
func (tx transaction) outdate(ctx context.Context, before, after batch.Entry) error {
	payment := before.Charge.Status != "" && before.Charge != after.Charge
	_, err := tx.prepared(ctx, tx.statements.outdate).ExecContext(ctx, instant(after.UpdatedAt), jobNumber(after.Job), after.Key, payment)
	return err
}
