package ledger

import (
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// faults says what SQLite's result codes mean for the people who run files, and
// what to do. See https://sqlite.org/rescode.html.
var faults = map[int]string{
	lib.SQLITE_BUSY:     "another process has kept the ledger busy for " + busyTimeout.String() + ": see whether a konbill hangs, and try again",
	lib.SQLITE_CANTOPEN: "the file, or one beside it, can't be opened: Konbill must be able to write its folder",
	lib.SQLITE_CORRUPT:  "the file is damaged: set it aside, unchanged, and put back a copy of it",
	lib.SQLITE_FULL:     "the disk is full: make room and try again",
	lib.SQLITE_IOERR:    "the disk failed to read or write the ledger",
	lib.SQLITE_NOTADB:   "the file is not a ledger: name another one in ledger.url",
	lib.SQLITE_READONLY: "it can't be written: Konbill must be able to write the file and its folder",
}

func (s sqlite) explain(err error) error {
	var failed *driver.Error
	if !errors.As(err, &failed) {
		return err
	}
	const primary = 0xff // the rest of an extended code tells the details
	if sentence, ok := faults[failed.Code()&primary]; ok {
		return fmt.Errorf("%s: %w", sentence, err)
	}
	return err
}
