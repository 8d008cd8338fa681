package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"konbill/batch"
)

// Entry implements batch.Ledger.
func (l *Ledger) Entry(ctx context.Context, key batch.Key) (batch.Entry, error) {
	e, err := scanEntry(l.byKey.QueryRowContext(ctx, key))
	if err != nil {
		return e, fmt.Errorf("read an invoice: %w", explain(err))
	}
	return e, nil
}

// Latest implements batch.Ledger.
func (l *Ledger) Latest(ctx context.Context, a batch.Account, number string) (batch.Entry, error) {
	e, err := scanEntry(l.reader.QueryRowContext(ctx, selectLatest, number, a.ID, a.Live))
	if err != nil {
		return e, fmt.Errorf("read an invoice: %w", explain(err))
	}
	return e, nil
}

func scanEntry(row *sql.Row) (batch.Entry, error) {
	var e batch.Entry
	err := row.Scan(fields(&e)...)
	if errors.Is(err, sql.ErrNoRows) {
		err = batch.ErrNotFound
	}
	return e, err
}

// pageSize is how many entries are read at once: f is called between reads, so
// that it may change the ledger.
const pageSize = 500

// Entries implements batch.Ledger. An invoice that f or others move meanwhile
// is yielded at most once.
func (l *Ledger) Entries(ctx context.Context, q batch.Query, f func(batch.Entry) error) error {
	query, args, err := pageOf(q)
	if err != nil {
		return fmt.Errorf("list invoices: %w", err)
	}
	for after := int64(0); ; {
		page, last, err := l.page(ctx, query, append([]any{after}, args...))
		if err != nil {
			return fmt.Errorf("list invoices: %w", explain(err))
		}
		for _, e := range page {
			if err := f(e); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
		after = last
	}
}

func (l *Ledger) page(ctx context.Context, query string, args []any) (page []batch.Entry, last int64, err error) {
	rows, err := l.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	var e batch.Entry
	into := append([]any{&last}, fields(&e)...)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, 0, err
		}
		page = append(page, e)
	}
	return page, last, rows.Err()
}

// pageOf writes the query for the entries that q selects behind the id which is
// its first argument, in the order in which they were accepted, which is that
// of the ids. The ids are looked for first, in an index alone.
//
// Lists are one argument, as JSON: SQLite limits the number of arguments. Of
// the conditions the first, which selects the least, is the index's; a "+"
// keeps SQLite from choosing that of another.
func pageOf(q batch.Query) (query string, args []any, err error) {
	where, order, index := "id > ?", "id", ""
	add := func(condition string, arg any) {
		where += " AND " + index + condition
		index = "+"
		args = append(args, arg)
	}
	if len(q.Keys) > 0 || len(q.Numbers) > 0 || q.SlipSHA256 != "" || q.Reissued || !q.PaidSince.IsZero() {
		where, order = "+"+where, "+id" // their indexes aren't in the order of the ids
	}
	if len(q.Keys) > 0 {
		keys, err := json.Marshal(q.Keys)
		if err != nil {
			return "", nil, err
		}
		add("key IN (SELECT value FROM json_each(?))", string(keys))
	}
	if len(q.Numbers) > 0 {
		numbers, err := json.Marshal(q.Numbers)
		if err != nil {
			return "", nil, err
		}
		add("number IN (SELECT value FROM json_each(?))", string(numbers))
	}
	if q.SlipSHA256 != "" {
		where += " AND slip_sha256 <> ''" // as the index has it
		add("slip_sha256 = ?", q.SlipSHA256)
	}
	if q.Reissued {
		where += " AND " + index + "revision > 1" // as the index has it
		index = "+"
	}
	if !q.PaidSince.IsZero() {
		add("paid_at >= ?", instant(q.PaidSince))
	}
	if q.Job != 0 {
		add("job = ?", q.Job)
	}
	if len(q.ChargeStatuses) > 0 {
		statuses, err := json.Marshal(q.ChargeStatuses)
		if err != nil {
			return "", nil, err
		}
		add("charge_status IN (SELECT value FROM json_each(?))", string(statuses))
	}
	if len(q.States) > 0 {
		states, err := json.Marshal(q.States)
		if err != nil {
			return "", nil, err
		}
		add("state IN (SELECT value FROM json_each(?))", string(states))
	}
	query = "SELECT id, " + columnNames + " FROM invoice WHERE id IN (SELECT id FROM invoice WHERE " + where +
		" ORDER BY " + order + " LIMIT ?) ORDER BY id"
	return query, append(args, pageSize), nil
}

const selectEvents = "SELECT key, at, who, from_state, to_state, why FROM event WHERE key = ? ORDER BY id"

// Events implements batch.Ledger.
func (l *Ledger) Events(ctx context.Context, key batch.Key) ([]batch.Event, error) {
	events, err := l.events(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read the history of an invoice: %w", explain(err))
	}
	return events, nil
}

func (l *Ledger) events(ctx context.Context, key batch.Key) ([]batch.Event, error) {
	rows, err := l.reader.QueryContext(ctx, selectEvents, key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []batch.Event
	for rows.Next() {
		var e batch.Event
		if err := rows.Scan(&e.Key, (*instant)(&e.At), &e.Who, &e.From, &e.To, &e.Why); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, rows.Err()
}
