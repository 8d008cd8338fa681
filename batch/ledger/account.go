package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"konbill/batch"
)

const selectAccount = "SELECT account, live FROM api_key WHERE fingerprint = $1"

// AccountOf implements batch.Ledger.
func (l *Ledger) AccountOf(ctx context.Context, fingerprint string) (batch.Account, bool, error) {
	a, known, err := scanAccount(l.reader.QueryRowContext(ctx, selectAccount, fingerprint))
	if err != nil {
		return a, false, fmt.Errorf("look up the account of a key: %w", l.engine.explain(err))
	}
	return a, known, nil
}

// RememberAccount implements batch.Ledger.
func (l *Ledger) RememberAccount(ctx context.Context, fingerprint string, a batch.Account) error {
	return l.inTransaction(ctx, "remember the account of a key", func(ctx context.Context, tx transaction) error {
		if err := tx.belongTo(ctx, a); err != nil {
			return err
		}
		bound, known, err := scanAccount(tx.QueryRowContext(ctx, selectAccount, fingerprint))
		switch {
		case err != nil:
			return err
		case known && bound != a:
			return batch.ErrOtherAccount
		case known:
			return nil
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO api_key (fingerprint, account, live) VALUES ($1, $2, $3)", fingerprint, a.ID, a.Live)
		return err
	})
}

func scanAccount(row *sql.Row) (a batch.Account, known bool, err error) {
	err = row.Scan(&a.ID, &a.Live)
	if errors.Is(err, sql.ErrNoRows) {
		return a, false, nil
	}
	return a, err == nil, err
}

// belongTo gives the ledger to an account, or refuses it when the ledger has
// another one in the same mode.
func (tx transaction) belongTo(ctx context.Context, a batch.Account) error {
	var owner string
	err := tx.QueryRowContext(ctx, "SELECT id FROM account WHERE live = $1", a.Live).Scan(&owner)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, "INSERT INTO account (id, live) VALUES ($1, $2)", a.ID, a.Live)
		return err
	case err == nil && owner != a.ID:
		return batch.ErrOtherAccount
	}
	return err
}
