package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"konbill/batch"
)

// transaction is a writing transaction in progress.
type transaction struct {
	*sql.Tx
	dialect    dialect
	statements *writeStatements
	server     string                  // see engine
	swept      map[bool]string         // see Ledger
	own        map[*sql.Stmt]*sql.Stmt // those of the statements that it has used, as its own
}

// prepared is one of the statements as the transaction's own: a Tx keeps each that it
// is asked for until it ends.
func (tx transaction) prepared(ctx context.Context, statement *sql.Stmt) *sql.Stmt {
	own := tx.own[statement]
	if own == nil {
		own = tx.StmtContext(context.WithoutCancel(ctx), statement)
		tx.own[statement] = own
	}
	return own
}

// writeStatements are those that are run for every invoice, prepared once.
type writeStatements struct {
	byKey, latest, insert, update, record, outdate, list *sql.Stmt
}

func (s *writeStatements) prepare(ctx context.Context, db *sql.DB) (err error) {
	for _, p := range []struct {
		statement **sql.Stmt
		text      string
	}{
		{&s.byKey, selectByKey}, {&s.latest, selectLatest}, {&s.insert, insertEntry}, {&s.update, updateEntry},
		{&s.record, insertEvent}, {&s.outdate, outdateJob}, {&s.list, listInvoice},
	} {
		if *p.statement, err = db.PrepareContext(ctx, p.text); err != nil {
			return err
		}
	}
	return nil
}

func (tx transaction) entry(ctx context.Context, key batch.Key) (batch.Entry, error) {
	return scanEntry(tx.prepared(ctx, tx.statements.byKey).QueryRowContext(ctx, key))
}

func (tx transaction) latest(ctx context.Context, a batch.Account, number string) (batch.Entry, error) {
	return scanEntry(tx.prepared(ctx, tx.statements.latest).QueryRowContext(ctx, number, a.ID, a.Live))
}

func (tx transaction) insert(ctx context.Context, e *batch.Entry) error {
	_, err := tx.prepared(ctx, tx.statements.insert).ExecContext(ctx, fields(e)...)
	return err
}

// insertAll inserts several with one statement.
func (tx transaction) insertAll(ctx context.Context, entries []batch.Entry) error {
	if len(entries) == 1 {
		return tx.insert(ctx, &entries[0])
	}
	var args []any
	for i := range entries {
		args = append(args, fields(&entries[i])...)
	}
	_, err := tx.ExecContext(ctx, insertEntries+rowsOf(len(entries), len(columns)), args...)
	return err
}

// recordAll records several events with one statement.
func (tx transaction) recordAll(ctx context.Context, events []batch.Event) error {
	if len(events) == 1 {
		return tx.record(ctx, events[0])
	}
	var args []any
	for _, e := range events {
		args = append(args, e.Key, instant(e.At), e.Who, e.From, e.To, e.Why)
	}
	_, err := tx.ExecContext(ctx, insertEvents+rowsOf(len(events), eventColumns), args...)
	return err
}

// rowsOf are the placeholders of n rows.
func rowsOf(n, columns int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = "(" + placeholders(i*columns+1, columns) + ")"
	}
	return strings.Join(rows, ", ")
}

// update stores an entry, only if it is still in the state expected.
func (tx transaction) update(ctx context.Context, e *batch.Entry, expected batch.State) error {
	result, err := tx.prepared(ctx, tx.statements.update).ExecContext(ctx, append(fields(e)[identity:], e.Key, expected)...)
	if err != nil {
		return err
	}
	return exactlyOne(result, fmt.Errorf("an invoice is no longer %s", expected))
}

const (
	insertEvents = "INSERT INTO event (key, at, who, from_state, to_state, why) VALUES "
	eventColumns = 6
	insertEvent  = insertEvents + "($1, $2, $3, $4, $5, $6)"
)

func (tx transaction) record(ctx context.Context, e batch.Event) error {
	_, err := tx.prepared(ctx, tx.statements.record).ExecContext(ctx, e.Key, instant(e.At), e.Who, e.From, e.To, e.Why)
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
