package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// A ledger moves house once, from a file to a database, with all its history: in one
// transaction there, beside which nothing is written here. Afterwards the file says
// that it has moved, and takes no step any more, not even one of a process that had
// it open: two ledgers that both go on would both charge.

// ErrNotEmpty says that a ledger was to be copied to one that holds something.
var ErrNotEmpty = errors.New("the ledger to copy to isn't empty")

// ErrNotFromFile says that a ledger can be copied from a file to a PostgreSQL database
// only.
var ErrNotFromFile = errors.New("only a ledger in a file can be copied, and only to a PostgreSQL database")

// Copied says how many rows of a table were copied.
type Copied struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// table is one that is copied: its columns, and those of them that are booleans there
// and 0 or 1 here.
type table struct {
	name     string
	columns  []string
	booleans []string
	order    string
	identity bool // its ids are kept, and later ones follow on them
}

func words(text string) []string { return strings.Fields(text) }

// tables stand in the order in which they refer to each other.
var tables = []table{
	{"account", words("id live swept_at"), words("live"), "live", false},
	{"api_key", words("fingerprint account live"), words("live"), "fingerprint", false},
	{"job", words("id who file sha256 account live started_at finished_at totals outdated_at"), words("live"), "id", true},
	{"invoice", append(words("id"), invoiceColumns()...), words("live company due_given elsewhere charge_live mail_owed"), "id", true},
	{"listed", words("key job"), nil, "key", false},
	{"event", words("id key at who from_state to_state why"), nil, "id", true},
	{"notice", words("key kind state attempt message_id mailed_to reply updated_at"), nil, "rowid", false},
	{"webhook", words("id at"), nil, "id", false},
	{"person", words("name role password created_at removed_at"), nil, "name", false}, // they sign in anew
	{"act", words("id at person what about"), nil, "id", true},
}

func invoiceColumns() []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// CopyTo moves a ledger in a file, with all its history, to an empty one in a
// PostgreSQL database, and compares counts and sums on both sides. It refuses while a
// run holds either: batch.ErrHeld. The other errors are ErrNotEmpty, ErrNotFromFile and
// the databases'; nothing has changed then, except where the error says so.
func (l *Ledger) CopyTo(ctx context.Context, target *Ledger) ([]Copied, error) {
	_, fromFile := l.engine.(sqlite)
	_, toServer := target.engine.(*postgres)
	if !fromFile || !toServer {
		return nil, ErrNotFromFile
	}
	for _, book := range []*Ledger{l, target} {
		release, err := book.Hold(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	var copied []Copied
	err := l.inTransaction(ctx, "copy the ledger", func(ctx context.Context, from transaction) (err error) {
		if copied, err = target.takeOver(ctx, from); err != nil {
			return err
		}
		return from.markMoved(ctx)
	})
	if err != nil && copied != nil {
		err = fmt.Errorf("everything was copied to %s, but the file couldn't be marked as moved: don't use it any more: %w", target.Place(), err)
	}
	return copied, err
}

// markMoved has the file refuse to be opened, and every step of those who have it open.
func (tx transaction) markMoved(ctx context.Context) error {
	_, err := tx.ExecContext(ctx, "CREATE TRIGGER moved BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'this ledger has moved'); END")
	if err == nil {
		_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", movedID))
	}
	return err
}

// takeOver copies all tables into this ledger's own, in one transaction.
func (l *Ledger) takeOver(ctx context.Context, from transaction) ([]Copied, error) {
	c, err := l.writer.Conn(ctx)
	if err != nil {
		return nil, l.engine.explain(err)
	}
	defer c.Close()
	var copied []Copied
	err = c.Raw(func(driver any) error {
		return pgx.BeginFunc(ctx, driver.(*stdlib.Conn).Conn(), func(to pgx.Tx) (err error) {
			copied, err = copyAll(ctx, from, to)
			return err
		})
	})
	if err != nil {
		return nil, l.engine.explain(err)
	}
	return copied, nil
}

func copyAll(ctx context.Context, from transaction, to pgx.Tx) ([]Copied, error) {
	if _, err := to.Exec(ctx, "SELECT pg_advisory_xact_lock($1, $2)", lockClass, lockWrite); err != nil {
		return nil, err
	}
	var held int
	if err := to.QueryRow(ctx, "SELECT count(*) FROM (SELECT 1 FROM account UNION ALL SELECT 1 FROM job UNION ALL SELECT 1 FROM invoice) AS held").Scan(&held); err != nil {
		return nil, err
	}
	if held > 0 {
		return nil, ErrNotEmpty
	}
	// What it guards against was guarded against here; a bill that an earlier one
	// stood for may have been paid since.
	if _, err := to.Exec(ctx, "ALTER TABLE invoice DISABLE TRIGGER invoice_replaces"); err != nil {
		return nil, err
	}
	var copied []Copied
	for _, t := range tables {
		n, err := t.copy(ctx, from, to)
		if err != nil {
			return nil, fmt.Errorf("copy the table %s: %w", t.name, err)
		}
		copied = append(copied, Copied{t.name, n})
	}
	if err := copySchedule(ctx, from, to); err != nil {
		return nil, err
	}
	if _, err := to.Exec(ctx, "ALTER TABLE invoice ENABLE TRIGGER invoice_replaces"); err != nil {
		return nil, err
	}
	return copied, compareAll(ctx, from, to)
}

func (t table) copy(ctx context.Context, from transaction, to pgx.Tx) (int64, error) {
	rows, err := from.QueryContext(ctx, "SELECT "+strings.Join(t.columns, ", ")+" FROM "+t.name+" ORDER BY "+t.order)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n, err := to.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) { return t.next(rows) }))
	if err != nil || n == 0 || !t.identity {
		return n, err
	}
	_, err = to.Exec(ctx, "SELECT setval(pg_get_serial_sequence($1, 'id'), (SELECT max(id) FROM "+t.name+"))", t.name)
	return n, err
}

// next reads a row as the other database takes it; nil after the last.
func (t table) next(rows *sql.Rows) ([]any, error) {
	if !rows.Next() {
		return nil, rows.Err()
	}
	values, err := valuesOf(rows, len(t.columns))
	if err != nil {
		return nil, err
	}
	for i, column := range t.columns {
		switch v := values[i].(type) {
		case string:
			values[i] = text(v)
		case int64:
			if slices.Contains(t.booleans, column) {
				values[i] = v != 0
			}
		}
	}
	return values, nil
}

// valuesOf are a row's n values as the driver gives them.
func valuesOf(rows *sql.Rows, n int) ([]any, error) {
	values, into := make([]any, n), make([]any, n)
	for i := range values {
		into[i] = &values[i]
	}
	return values, rows.Scan(into...)
}

func copySchedule(ctx context.Context, from transaction, to pgx.Tx) error {
	var passed int64
	if err := from.QueryRowContext(ctx, "SELECT passed_at FROM schedule").Scan(&passed); err != nil {
		return err
	}
	_, err := to.Exec(ctx, "UPDATE schedule SET passed_at = $1", passed)
	return err
}

// compared are what both sides must answer alike, beside the counts of all tables.
var compared = []string{
	"SELECT state, charge_status, count(*), CAST(sum(amount) AS BIGINT), CAST(sum(fee) AS BIGINT), CAST(sum(fee_vat) AS BIGINT), CAST(sum(net) AS BIGINT), CAST(sum(attempt) AS BIGINT), max(updated_at)" +
		" FROM invoice GROUP BY state, charge_status ORDER BY state, charge_status",
	"SELECT count(DISTINCT key), max(id), max(at), min(at) FROM event",
	"SELECT count(DISTINCT sha256), max(id), max(started_at), max(finished_at) FROM job",
	"SELECT state, count(*), max(updated_at) FROM notice GROUP BY state ORDER BY state",
	"SELECT passed_at FROM schedule",
}

func compareAll(ctx context.Context, from transaction, to pgx.Tx) error {
	questions := slices.Clone(compared)
	for _, t := range tables {
		questions = append(questions, "SELECT count(*) FROM "+t.name)
	}
	for _, question := range questions {
		here, err := answers(from.QueryContext(ctx, question))
		if err != nil {
			return err
		}
		there, err := to.Query(ctx, question)
		if err != nil {
			return err
		}
		copied, err := pgx.CollectRows(there, func(row pgx.CollectableRow) (string, error) {
			values, err := row.Values()
			return fmt.Sprint(values), err
		})
		if err != nil {
			return err
		}
		if !slices.Equal(here, copied) {
			return fmt.Errorf("the copy differs, so nothing was changed: %s gives %v here and %v there", question, here, copied)
		}
	}
	return nil
}

// answers writes rows as the other side's are written.
func answers(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	lines := []string{}
	for rows.Next() {
		values, err := valuesOf(rows, len(names))
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprint(values))
	}
	return lines, rows.Err()
}
