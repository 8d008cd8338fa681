// Package ledger is the durable memory of every invoice, on one SQLite file or in one
// PostgreSQL database.
//
// It promises what [batch.Ledger] asks for:
//
//   - What it has answered is on the disk: of SQLite write-ahead log,
//     synchronous=FULL and fullfsync, which alone of its settings survive a power
//     cut with the latest commit; of PostgreSQL synchronous_commit=on, whatever the
//     server's default is.
//   - Every change of an invoice is guarded by the state it is expected in, and
//     comes with an event in the same transaction. The tables repeat the guards
//     that cost nothing there: the allowed transitions, the uniqueness of keys
//     and charges, a charge that is never replaced, a history that is never
//     rewritten.
//   - A writing transaction takes the one lock there is for writing at once: that of
//     an SQLite file ("immediate"), or an advisory lock of a PostgreSQL database. So
//     two processes can never both read a state and then both change it.
//   - Whoever wants to write gets to write: the goroutines of a process queue in
//     order, and processes take turns (see engine.turn). Those who queue share a
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
// A file needs a local disk: neither SQLite's log nor these locks work on a
// network share. Errors name no customer, and no password.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"konbill/batch"
)

// Ledger is a batch.Ledger on an SQLite file or a PostgreSQL database. It is safe for
// concurrent use.
type Ledger struct {
	engine  engine
	dialect dialect

	writer     *sql.DB // one connection
	writers    writers
	statements writeStatements
	swept      map[bool]string // on which server the account of a mode was seen to be swept; for who has the pen

	reader *sql.DB
	byKey  *sql.Stmt
	beside Beside // what is stored with a job's invoices; nil: nothing is

	found, version int64 // of the tables: before they were brought up to date, and now
}

// Open opens the ledger at url, and makes its tables when there are none. The folder
// of a file, or the database, must exist. A ledger of a newer Konbill and the database
// of another program are refused, untouched.
func Open(ctx context.Context, url string) (*Ledger, error) {
	engine, err := engineOf(url)
	if err != nil {
		return nil, err
	}
	l := &Ledger{engine: engine, dialect: engine.dialect(), writers: newWriters(), swept: map[bool]string{}}
	if err := l.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the ledger %s: %w", engine.place(), engine.explain(err)), l.Close())
	}
	return l, nil
}

func engineOf(url string) (engine, error) {
	if isPostgres(url) {
		return newPostgres(url)
	}
	path, err := Path(url)
	if err != nil {
		return nil, err
	}
	if path, err = createPrivate(path); err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	return sqlite{path}, nil
}

func (l *Ledger) open(ctx context.Context) (err error) {
	if l.writer, l.reader, err = l.engine.connect(ctx); err != nil {
		return err
	}
	if err := l.prepareTables(ctx); err != nil {
		return err
	}
	l.writer.SetMaxOpenConns(1)
	if err := l.statements.prepare(ctx, l.writer); err != nil {
		return err
	}
	l.byKey, err = l.reader.PrepareContext(ctx, selectByKey)
	return err
}

// Close closes the ledger.
func (l *Ledger) Close() error {
	errs := []error{l.engine.close()}
	for _, db := range []*sql.DB{l.reader, l.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Place names the ledger to people: its file, absolute and without symbolic links, or
// its database, without a password.
func (l *Ledger) Place() string { return l.engine.place() }

// Versions returns the version that the tables had when the ledger was opened, 0 when
// there were none, and the one that they have now.
func (l *Ledger) Versions() (found, now int64) { return l.found, l.version }

// Hold takes the ledger for one run. A second Hold on the same Ledger is
// refused, too. release may be called more than once.
func (l *Ledger) Hold(ctx context.Context) (release func(), err error) { return l.engine.hold(ctx) }

// Check examines a file for damage, all of it, or whether a server's settings keep
// what it has answered.
func (l *Ledger) Check(ctx context.Context) error {
	if err := l.engine.check(ctx, l.reader); err != nil {
		return fmt.Errorf("check the ledger %s: %w", l.Place(), l.engine.explain(err))
	}
	return nil
}

var _ batch.Ledger = (*Ledger)(nil)
