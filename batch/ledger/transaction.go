package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"konbill/batch"
)

// transaction is a writing transaction in progress.
type transaction struct {
	*sql.Tx
	statements *writeStatements
}

// inTransaction runs work in one transaction, and says what for when it fails.
// It is the only way to write: nothing is committed unless work succeeds, and
// everything is on the disk when it returns nil. Errors that callers act on
// pass through.
func (l *Ledger) inTransaction(ctx context.Context, what string, work func(transaction) error) error {
	select {
	case l.writing <- struct{}{}:
		defer func() { <-l.writing }()
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	err := l.commit(ctx, work)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		// SQLite calls a cancelled statement "interrupted".
		return fmt.Errorf("%s: %w: %w", what, ctx.Err(), err)
	}
	return fmt.Errorf("%s: %w", what, explain(err))
}

func (l *Ledger) commit(ctx context.Context, work func(transaction) error) error {
	tx, err := l.begin(ctx)
	if err != nil {
		return err
	}
	// Also when work panics: nobody could write any more. After a commit, or
	// when SQLite rolled back by itself, there is nothing left to undo.
	defer func() { _ = tx.Rollback() }()
	if err := work(transaction{Tx: tx, statements: &l.write}); err != nil {
		return err
	}
	return tx.Commit()
}

// begin takes SQLite's write lock.
func (l *Ledger) begin(ctx context.Context) (*sql.Tx, error) {
	pass, err := l.turnstile(ctx)
	if err != nil {
		return nil, err
	}
	defer pass()
	return l.writer.BeginTx(ctx, nil)
}

// writeStatements are those that are run for every invoice, prepared once.
type writeStatements struct {
	byKey, latest, insert, update, record, outdate *sql.Stmt
}

func (s *writeStatements) prepare(ctx context.Context, db *sql.DB) (err error) {
	for _, p := range []struct {
		statement **sql.Stmt
		text      string
	}{
		{&s.byKey, selectByKey}, {&s.latest, selectLatest}, {&s.insert, insertEntry}, {&s.update, updateEntry},
		{&s.record, insertEvent}, {&s.outdate, outdateJob},
	} {
		if *p.statement, err = db.PrepareContext(ctx, p.text); err != nil {
			return err
		}
	}
	return nil
}

func (tx transaction) entry(ctx context.Context, key batch.Key) (batch.Entry, error) {
	return scanEntry(tx.StmtContext(ctx, tx.statements.byKey).QueryRowContext(ctx, key))
}

func (tx transaction) latest(ctx context.Context, a batch.Account, number string) (batch.Entry, error) {
	return scanEntry(tx.StmtContext(ctx, tx.statements.latest).QueryRowContext(ctx, number, a.ID, a.Live))
}

func (tx transaction) insert(ctx context.Context, e *batch.Entry) error {
	_, err := tx.StmtContext(ctx, tx.statements.insert).ExecContext(ctx, fields(e)...)
	return err
}

// update stores an entry, only if it is still in the state expected.
func (tx transaction) update(ctx context.Context, e *batch.Entry, expected batch.State) error {
	result, err := tx.StmtContext(ctx, tx.statements.update).ExecContext(ctx, append(fields(e)[identity:], e.Key, expected)...)
	if err != nil {
		return err
	}
	return exactlyOne(result, fmt.Errorf("an invoice is no longer %s", expected))
}

const insertEvent = "INSERT INTO event (key, at, who, from_state, to_state, why) VALUES (?, ?, ?, ?, ?, ?)"

func (tx transaction) record(ctx context.Context, e batch.Event) error {
	_, err := tx.StmtContext(ctx, tx.statements.record).ExecContext(ctx, e.Key, instant(e.At), e.Who, e.From, e.To, e.Why)
	return err
}

// exactlyOne makes sure that a statement changed one row.
func exactlyOne(result sql.Result, otherwise error) error {
	n, err := result.RowsAffected()
	if err == nil && n != 1 {
		return otherwise
	}
	return err
}
