package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"konbill/batch"
)

// sqlite is an SQLite file on a local disk: neither its log nor the locks beside it
// work on a network share.
type sqlite struct{ path string } // absolute and without symbolic links

// readers is how many connections read at the same time. Reading never waits
// for writing.
const readers = 4

func (s sqlite) place() string { return s.path }

func (s sqlite) close() error { return nil }

func (s sqlite) server() string { return "" }

func (s sqlite) dialect() dialect {
	return dialect{
		migrations:  "sqlite",
		among:       func(column, list string) string { return column + " IN (SELECT value FROM json_each(" + list + "))" },
		pin:         "+",
		together:    1,
		noticeOrder: "rowid",
		phoneEnd:    "substr(phone, -4)",
	}
}

func (s sqlite) connect(context.Context) (writer, reader *sql.DB, err error) {
	if writer, err = sql.Open("sqlite", dataSource(s.path, forWriting)); err != nil {
		return nil, nil, err
	}
	writer.SetMaxOpenConns(1)
	if reader, err = sql.Open("sqlite", dataSource(s.path, forReading)); err != nil {
		return writer, nil, err
	}
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	return writer, reader, nil
}

// What marks an SQLite file as a ledger of Konbill ("Konb"), and as one that has moved
// to a database ("Konm").
const (
	applicationID = 0x4b6f6e62
	movedID       = 0x4b6f6e6d
)

func (s sqlite) claim(ctx context.Context, writer *sql.DB) error {
	var id, tables int
	if err := writer.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	switch id {
	case applicationID:
		return nil
	case movedID:
		return errors.New("it has moved to a database: name that in ledger.url")
	}
	if err := writer.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if id != 0 || tables > 0 {
		return errors.New("it is the database of another program: name another file in ledger.url")
	}
	_, err := writer.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return err
}

func (s sqlite) migrator(writer *sql.DB, files fs.FS) (*goose.Provider, error) {
	return goose.NewProvider(goose.DialectSQLite3, writer, files)
}

// begun has nothing to do: the transaction took SQLite's write lock ("immediate").
func (s sqlite) begun(context.Context, *sql.Tx) error { return nil }

// The locks are files beside the ledger. The operating system drops a lock when its
// holder dies; the files stay and mean nothing by themselves.
const (
	holdSuffix = "-lock"
	turnSuffix = "-turn"
)

func (s sqlite) hold(context.Context) (release func(), err error) {
	lock := flock.New(s.path + holdSuffix)
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the ledger: %w", err)
	}
	if !got {
		return nil, batch.ErrHeld
	}
	return func() { _ = lock.Unlock() }, nil
}

// turnPoll is how often a process looks whether its turn has come. A turn lasts for
// microseconds, unless others queue.
const turnPoll = 2 * time.Millisecond

// turn lets the processes that want to write through one by one: who has it waits for
// SQLite's write lock, and gives it back when he has that. SQLite itself keeps no
// queue. It polls, ever more slowly, so a process that writes without pause would
// leave others hardly a chance until they fail; but now it has to stand behind them.
func (s sqlite) turn(ctx context.Context) (pass func(), err error) {
	lock := flock.New(s.path + turnSuffix)
	got, err := lock.TryLockContext(ctx, turnPoll)
	if err == nil && !got {
		err = errors.New("not granted")
	}
	if err != nil {
		return nil, fmt.Errorf("wait for a turn at the ledger: %w", err)
	}
	return func() { _ = lock.Unlock() }, nil
}

func (s sqlite) check(ctx context.Context, reader *sql.DB) error {
	var verdict string
	if err := reader.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("it is damaged: %s", verdict)
	}
	return nil
}

// scrub empties the log into the file.
func (s sqlite) scrub(ctx context.Context, writer *sql.DB) (whole bool, err error) {
	var busy, pages, moved int
	err = writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	return err == nil && busy == 0, err
}
