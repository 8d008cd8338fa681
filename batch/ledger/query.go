package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
	"unicode"

	"konbill/batch"
)

// Entry implements batch.Ledger.
func (l *Ledger) Entry(ctx context.Context, key batch.Key) (batch.Entry, error) {
	e, err := scanEntry(l.byKey.QueryRowContext(ctx, key))
	if err != nil {
		return e, fmt.Errorf("read an invoice: %w", l.engine.explain(err))
	}
	return e, nil
}

// Latest implements batch.Ledger.
func (l *Ledger) Latest(ctx context.Context, a batch.Account, number string) (batch.Entry, error) {
	e, err := scanEntry(l.reader.QueryRowContext(ctx, selectLatest, number, a.ID, a.Live))
	if err != nil {
		return e, fmt.Errorf("read an invoice: %w", l.engine.explain(err))
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
	for after := int64(0); ; {
		query, args, err := pageOf(l.dialect, q, after)
		if err != nil {
			return fmt.Errorf("list invoices: %w", err)
		}
		ids, page, err := l.page(ctx, query, args)
		if err != nil {
			return fmt.Errorf("list invoices: %w", l.engine.explain(err))
		}
		for _, e := range page {
			if err := f(e); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// page reads the entries that a query selects behind their ids.
func (l *Ledger) page(ctx context.Context, query string, args []any) (ids []int64, page []batch.Entry, err error) {
	rows, err := l.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	var id int64
	var e batch.Entry
	into := append([]any{&id}, fields(&e)...)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		ids, page = append(ids, id), append(page, e)
	}
	return ids, page, rows.Err()
}

// condition is what a query asks of invoices, as SQL.
type condition struct {
	dialect dialect
	where   string // each part begins with AND
	args    []any
	// pin is the dialect's once there is a part: of them the first, which selects the
	// least, is the index's.
	pin string
	// byID says that the first part's index is in the order of the ids.
	byID bool
}

// add adds a part about a column; form has %s for the column and for each argument.
func (c *condition) add(form, column string, args ...any) {
	words := []any{c.pin + column}
	for _, arg := range args {
		words = append(words, c.argument(arg))
	}
	c.where += " AND " + fmt.Sprintf(form, words...)
	c.pin = c.dialect.pin
}

func (c *condition) argument(arg any) (placeholder string) {
	c.args = append(c.args, arg)
	return fmt.Sprintf("$%d", len(c.args))
}

// between adds that an instant is there and within bounds, in microseconds. A bound
// below 1 is none.
func (c *condition) between(column string, first, last int64) {
	if last < 1 {
		last = math.MaxInt64
	}
	c.add("%s BETWEEN %s AND %s", column, max(first, 1), last)
}

// beginning adds that a text begins with a prefix, which may be empty.
func (c *condition) beginning(column, prefix string) {
	if prefix = text(prefix); prefix != "" { // as it is stored
		c.add("%s BETWEEN %s AND %s", column, prefix, prefix+string(unicode.MaxRune))
	}
}

// among adds that a column has one of some values. They are one argument, as JSON:
// databases limit the number of arguments.
func among[T ~string](c *condition, column string, values []T) error {
	if len(values) == 0 {
		return nil
	}
	list, err := json.Marshal(values)
	if err != nil {
		return err
	}
	c.where += " AND " + c.dialect.among(c.pin+column, c.argument(string(list)))
	c.pin = c.dialect.pin
	return nil
}

// conditionOf is the condition of q behind arguments that stand before its own.
func conditionOf(d dialect, q batch.Query, before ...any) (c condition, err error) {
	c = condition{dialect: d, args: before}
	err = errors.Join(among(&c, "key", q.Keys), among(&c, "number", q.Numbers))
	if q.SlipSHA256 != "" {
		c.where += " AND slip_sha256 <> ''" // as the index has it
		c.add("%s = %s", "slip_sha256", q.SlipSHA256)
	}
	c.beginning("number", q.NumberPrefix)
	c.beginning("sent_name", q.NamePrefix)
	if q.PhoneEnd != "" {
		c.add("%s = %s", d.phoneEnd, q.PhoneEnd)
	}
	if q.Reissued {
		c.add("%s > 1", "revision") // as the index has it
	}
	if !q.PaidSince.IsZero() || !q.PaidUntil.IsZero() {
		c.between("paid_at", instant(q.PaidSince).micros(), instant(q.PaidUntil).micros()-1)
	}
	c.byID = c.where == ""
	if q.Job != 0 {
		c.add("%s = %s", "job", q.Job)
	}
	err = errors.Join(err, among(&c, "charge_status", q.ChargeStatuses), among(&c, "state", q.States))
	if !q.DueAfter.IsZero() || !q.DueUntil.IsZero() {
		c.between("expires_at", instant(q.DueAfter).micros()+1, instant(q.DueUntil).micros())
	}
	return c, err
}

// pageOf writes the query for the entries that q selects behind an id, in the order
// in which they were accepted, which is that of the ids. The ids are looked for first,
// in an index alone.
func pageOf(d dialect, q batch.Query, after int64) (query string, args []any, err error) {
	c, err := conditionOf(d, q, after)
	if err != nil {
		return "", nil, err
	}
	id := "id"
	if !c.byID {
		id = d.pin + id
	}
	return "SELECT id, " + columnNames + " FROM invoice WHERE id IN (SELECT id FROM invoice WHERE " + id + " > $1" + c.where +
		" ORDER BY " + id + " LIMIT " + c.argument(pageSize) + ") ORDER BY id", c.args, nil
}

// Recent returns the invoices that q selects, those accepted last first, at most limit
// of them. They were accepted before the one that a cursor stands for; 0 begins. next is
// the cursor of those that follow; 0: there are none.
func (l *Ledger) Recent(ctx context.Context, q batch.Query, cursor int64, limit int) (recent []batch.Entry, next int64, err error) {
	query, args, err := recentOf(l.dialect, q, cursor, limit+1)
	if err != nil {
		return nil, 0, fmt.Errorf("list invoices: %w", err)
	}
	ids, recent, err := l.page(ctx, query, args)
	if err != nil {
		return nil, 0, fmt.Errorf("list invoices: %w", l.engine.explain(err))
	}
	if len(recent) > limit {
		recent, next = recent[:limit], ids[limit-1]
	}
	return recent, next, nil
}

// recentOf writes the query for the entries that q selects before an id, newest first.
func recentOf(d dialect, q batch.Query, before int64, limit int) (query string, args []any, err error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	c, err := conditionOf(d, q, before)
	if err != nil {
		return "", nil, err
	}
	id := "id"
	if !c.byID {
		id = d.pin + id
	}
	return "SELECT id, " + columnNames + " FROM invoice WHERE id IN (SELECT id FROM invoice WHERE " + id + " < $1" + c.where +
		" ORDER BY " + id + " DESC LIMIT " + c.argument(limit) + ") ORDER BY id DESC", c.args, nil
}

// Sums implements batch.Ledger.
func (l *Ledger) Sums(ctx context.Context, q batch.Query) (map[string]batch.Sum, error) {
	sums, err := l.sums(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("add up invoices: %w", l.engine.explain(err))
	}
	return sums, nil
}

func (l *Ledger) sums(ctx context.Context, q batch.Query) (map[string]batch.Sum, error) {
	query, args, err := sumsOf(l.dialect, q)
	if err != nil {
		return nil, err
	}
	rows, err := l.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	sums := map[string]batch.Sum{}
	for rows.Next() {
		var status string
		var sum batch.Sum
		if err := rows.Scan(&status, &sum.Rows, &sum.Yen); err != nil {
			return nil, err
		}
		sums[status] = sum
	}
	return sums, rows.Err()
}

func sumsOf(d dialect, q batch.Query) (query string, args []any, err error) {
	c, err := conditionOf(d, q)
	return "SELECT charge_status, count(*), CAST(sum(amount) AS BIGINT) FROM invoice WHERE true" + c.where + " GROUP BY charge_status", c.args, err
}

// A day in Japan, in which there is no summer time, as a number since 1970.
const (
	microsOfDay    = 24 * 60 * 60 * 1_000_000
	japanIsAheadBy = 9 * 60 * 60 * 1_000_000
)

// Counts says how many bills were paid, and how many expired, on each day in Japan since an
// instant, the days in order.
func (l *Ledger) Counts(ctx context.Context, since time.Time) ([]batch.DayCount, error) {
	days := map[int64]batch.DayCount{}
	err := l.countByDay(ctx, paidByDay, since, func(day int64, n int) { c := days[day]; c.Paid = n; days[day] = c })
	if err == nil {
		err = l.countByDay(ctx, expiredByDay, since, func(day int64, n int) { c := days[day]; c.Expired = n; days[day] = c })
	}
	if err != nil {
		return nil, fmt.Errorf("count bills by day: %w", l.engine.explain(err))
	}
	var counts []batch.DayCount
	for _, day := range slices.Sorted(maps.Keys(days)) {
		c := days[day]
		c.Day = time.UnixMicro(day*microsOfDay - japanIsAheadBy).UTC()
		counts = append(counts, c)
	}
	return counts, nil
}

// The first is answered by the index on paid_at alone, the second through one that begins with charge_status.
var (
	paidByDay    = fmt.Sprintf("SELECT (paid_at + %d) / %d AS day, count(*) FROM invoice WHERE paid_at >= $1 GROUP BY day", int64(japanIsAheadBy), int64(microsOfDay))
	expiredByDay = fmt.Sprintf("SELECT (expires_at + %d) / %d AS day, count(*) FROM invoice WHERE charge_status = '%s' AND expires_at >= $1 GROUP BY day",
		int64(japanIsAheadBy), int64(microsOfDay), batch.StatusExpired)
)

func (l *Ledger) countByDay(ctx context.Context, query string, since time.Time, each func(day int64, n int)) error {
	rows, err := l.reader.QueryContext(ctx, query, max(instant(since).micros(), 1))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var day int64
		var n int
		if err := rows.Scan(&day, &n); err != nil {
			return err
		}
		each(day, n)
	}
	return rows.Err()
}

const selectEvents = "SELECT key, at, who, from_state, to_state, why FROM event WHERE key = $1 ORDER BY id"

// Events implements batch.Ledger.
func (l *Ledger) Events(ctx context.Context, key batch.Key) ([]batch.Event, error) {
	events, err := l.events(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read the history of an invoice: %w", l.engine.explain(err))
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
