package ledger

import (
	"context"
	"database/sql"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// engine is the database under a ledger: what SQLite and PostgreSQL do differently.
// The statements are the same, but for a [dialect].
type engine interface {
	// connect opens one connection that writes and some that read. The tables may
	// not be there yet.
	connect(ctx context.Context) (writer, reader *sql.DB, err error)
	// claim refuses a database with another program's tables, before ours are made.
	claim(ctx context.Context, writer *sql.DB) error
	// migrator makes the tables and brings them up to date.
	migrator(writer *sql.DB, files fs.FS) (*goose.Provider, error)

	// turn waits in front of a writing transaction, and pass lets the next one go on
	// once it has begun.
	turn(ctx context.Context) (pass func(), err error)
	// begun is the first thing in a writing transaction: from its return on no other
	// writes before this one ends.
	begun(ctx context.Context, tx *sql.Tx) error
	hold(ctx context.Context) (release func(), err error)

	check(ctx context.Context, reader *sql.DB) error
	scrub(ctx context.Context, writer *sql.DB) (whole bool, err error)
	// explain puts a sentence before an error that has one.
	explain(err error) error
	// server is the one that writing transactions are with, and the line of history that it
	// continues; empty where nothing that was written can be missing.
	server() string
	// place names the database to people, without a password.
	place() string
	dialect() dialect
	close() error
}

// dialect is how statements differ.
type dialect struct {
	migrations string // the folder
	// among is the condition that a column has one of the texts of a JSON list.
	among func(column, list string) string
	// pin stands before a column by whose index SQLite isn't to search.
	pin string
	// together is how many rows one statement stores. A server is a round trip away; of
	// SQLite's driver more than one row's arguments are slow to bind.
	together int
	// noticeOrder is the column that tells in which order notices were begun.
	noticeOrder string
	// phoneEnd is the last four digits of a phone number, as the index has it.
	phoneEnd string
}
