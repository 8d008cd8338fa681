// Package ledger is the durable memory of every invoice, on one SQLite file.
//
// It promises what [batch.Ledger] asks for:
//
//   - What it has answered is on the disk: write-ahead log, synchronous=FULL
//     and fullfsync, which alone of SQLite's settings survive a power cut with
//     the latest commit.
//   - Every change of an invoice is guarded by the state it is expected in, and
//     comes with an event in the same transaction. The tables repeat the guards
//     that cost nothing there: the allowed transitions, the uniqueness of keys
//     and charges, a charge that is never replaced, a history that is never
//     rewritten.
//   - A writing transaction takes SQLite's write lock at once ("immediate"), so
//     two processes can never both read a state and then both change it.
//   - Whoever wants to write gets to write: the goroutines of a process queue in
//     order, and processes take turns (see turnstile). Those who queue share a
//     commit (see writers): it costs more than what they write.
//
// What limits it is the disk: a step of an invoice is durable before it is answered.
// Those who queue share a commit, so that one writer makes 3,000 steps a second, eight
// 8,800 and twenty-four 10,800 (on two shared cores). A file of known invoices is
// looked up at 8 µs a row, a new one accepted at 59 µs; lists are read at 6 µs an
// invoice, sums at 0.09 µs, from an index alone. To repeat:
//
//	go test ./batch/ledger -run '^$' -bench Ledger
//
// The lock of [Ledger.Hold] only keeps runs from getting into each other's
// way; no guard relies on it.
//
// The file needs a local disk: neither SQLite's log nor these locks work on a
// network share. Errors name no customer.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"konbill/batch"
)

// Ledger is a batch.Ledger on one SQLite file. It is safe for concurrent use.
type Ledger struct {
	path string

	writer     *sql.DB // one connection
	writers    writers
	statements writeStatements

	reader *sql.DB
	byKey  *sql.Stmt
}

// readers is how many connections read at the same time. Reading never waits
// for writing.
const readers = 4

// Open opens the ledger at url, and makes it when there is none. Its folder
// must exist. A ledger of a newer Konbill and the file of another program are
// refused, untouched.
func Open(ctx context.Context, url string) (*Ledger, error) {
	path, err := Path(url)
	if err != nil {
		return nil, err
	}
	if path, err = createPrivate(path); err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	l := &Ledger{path: path, writers: newWriters()}
	if err := l.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the ledger %s: %w", path, explain(err)), l.Close())
	}
	return l, nil
}

func (l *Ledger) open(ctx context.Context) (err error) {
	if l.writer, err = sql.Open("sqlite", dataSource(l.path, forWriting)); err != nil {
		return err
	}
	l.writer.SetMaxOpenConns(1)
	if err := l.prepareTables(ctx); err != nil {
		return err
	}
	if err := l.statements.prepare(ctx, l.writer); err != nil {
		return err
	}
	if l.reader, err = sql.Open("sqlite", dataSource(l.path, forReading)); err != nil {
		return err
	}
	l.reader.SetMaxOpenConns(readers)
	l.reader.SetMaxIdleConns(readers)
	l.byKey, err = l.reader.PrepareContext(ctx, selectByKey)
	return err
}

// Close closes the ledger.
func (l *Ledger) Close() error {
	var errs []error
	for _, db := range []*sql.DB{l.reader, l.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Path returns the ledger's file, absolute and without symbolic links.
func (l *Ledger) Path() string { return l.path }

// Check examines the file for damage. It reads all of it.
func (l *Ledger) Check(ctx context.Context) error {
	var verdict string
	if err := l.reader.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return fmt.Errorf("check the ledger %s: %w", l.path, explain(err))
	}
	if verdict != "ok" {
		return fmt.Errorf("the ledger %s is damaged: %s", l.path, verdict)
	}
	return nil
}

var _ batch.Ledger = (*Ledger)(nil)
