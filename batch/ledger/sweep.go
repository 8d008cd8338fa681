package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"konbill/batch"
)

// Adopt implements batch.Ledger. It returns ErrOtherAccount as OpenJob does.
func (l *Ledger) Adopt(ctx context.Context, e batch.Entry, who, why string) (batch.Entry, error) {
	adopted, event := batch.Adopted(e, who, why)
	adopted = asStored(adopted)
	err := l.inTransaction(ctx, "adopt an invoice", func(ctx context.Context, tx transaction) error {
		if err := tx.belongTo(ctx, e.Account); err != nil {
			return err
		}
		known, err := knownOr(tx.entry(ctx, e.Key))
		switch {
		case err != nil:
			return err
		case known != nil:
			return &batch.StaleError{Key: e.Key, Have: known.State}
		}
		if err := tx.insert(ctx, &adopted); err != nil {
			return err
		}
		return tx.record(ctx, event)
	})
	if err != nil {
		return batch.Entry{}, err
	}
	return adopted, nil
}

// SweptAt implements batch.Ledger. It returns ErrOtherAccount when the ledger
// belongs to another account in the same mode.
func (l *Ledger) SweptAt(ctx context.Context, a batch.Account) (time.Time, error) {
	var owner string
	var began instant
	err := l.reader.QueryRowContext(ctx, "SELECT id, swept_at FROM account WHERE live = $1", a.Live).Scan(&owner, &began)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return time.Time{}, nil
	case err == nil && owner != a.ID:
		err = batch.ErrOtherAccount
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("look up the latest sweep: %w", l.engine.explain(err))
	}
	return time.Time(began), nil
}

// RecordSweep implements batch.Ledger. It returns ErrOtherAccount as OpenJob
// does.
func (l *Ledger) RecordSweep(ctx context.Context, a batch.Account, began time.Time) error {
	return l.inTransaction(ctx, "record a sweep", func(ctx context.Context, tx transaction) error {
		if err := tx.belongTo(ctx, a); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE account SET swept_at = $1 WHERE live = $2 AND swept_at < $1", instant(began), a.Live)
		if err == nil && tx.server != "" {
			_, err = tx.ExecContext(ctx, "UPDATE account SET swept_on = $1 WHERE live = $2", tx.server, a.Live)
		}
		return err
	})
}

// mustBeSwept refuses to ask for charges where a server has taken over from one that may
// have known more of them: a standby that wasn't waited for, or a backup. A ledger that
// was never swept is a new one.
func (tx transaction) mustBeSwept(ctx context.Context, a batch.Account) error {
	if tx.server == "" || tx.swept[a.Live] == tx.server {
		return nil
	}
	var sweptOn string
	err := tx.QueryRowContext(ctx, "SELECT swept_on FROM account WHERE live = $1", a.Live).Scan(&sweptOn)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	case sweptOn == tx.server:
		tx.swept[a.Live] = sweptOn // as long as that server is written to, it stays so
	case sweptOn != "":
		return batch.ErrNotSwept
	}
	return nil
}
