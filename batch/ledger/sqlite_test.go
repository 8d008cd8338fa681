package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
)

// TestPragmas asks every connection of both pools, and one that replaces a
// broken one, how it is set.
func TestPragmas(t *testing.T) {
	l := openNew(t)
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "fullfsync": "1", "foreign_keys": "1", "busy_timeout": "30000"}
	for range readers { // none is given back, so each is another one
		c := connection(t, l.reader)
		wantPragmas(t, c, want)
		wantPragmas(t, c, map[string]string{"query_only": "1"})
	}
	broken := connection(t, l.writer)
	wantPragmas(t, broken, want)
	wantPragmas(t, broken, map[string]string{"temp_store": "2"})
	if err := broken.Raw(func(any) error { return driver.ErrBadConn }); !errors.Is(err, driver.ErrBadConn) {
		t.Fatal(err)
	}
	wantPragmas(t, connection(t, l.writer), want)
}

func connection(t *testing.T, db *sql.DB) *sql.Conn {
	t.Helper()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func wantPragmas(t *testing.T, c *sql.Conn, want map[string]string) {
	t.Helper()
	for name, value := range want {
		var got string
		if err := c.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != value {
			t.Errorf("%s is %s, want %s", name, got, value)
		}
	}
}

// TestWriteLockIsTakenAtOnce looks from outside at a transaction that has not
// written yet: nobody else may begin one.
func TestWriteLockIsTakenAtOnce(t *testing.T) {
	l := openNew(t)
	other := impatient(t, l.Place())
	err := l.inTransaction(t.Context(), "look", func(context.Context, transaction) error {
		if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err == nil {
			t.Error("two transactions could write at once")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// impatient is a connection of another program, which doesn't wait for locks.
func impatient(t *testing.T, path string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return connection(t, db)
}

// TestBusy waits for a lock that is never given back.
func TestBusy(t *testing.T) {
	l := openNew(t)
	e := acceptedIn(t, l, 1)[0]
	other := impatient(t, l.Place())
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Entry(t.Context(), e.Key); err != nil {
		t.Errorf("reading waits for writing: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.Move(ctx, step(e, batch.Charging), intent); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for the lock outlives its context: %v", err)
	}
	if _, err := l.writer.ExecContext(t.Context(), "PRAGMA busy_timeout = 1"); err != nil {
		t.Fatal(err)
	}
	_, err := l.Move(t.Context(), step(e, batch.Charging), intent)
	wantText(t, err, "move an invoice: another process has kept the ledger busy")
}

// TestWritersTakeTurns lets one handle write without pause, from eight
// goroutines, on what is as slow as a bad disk. Another handle, as of another
// process, comes while one of them writes, and must have its turn before they
// have had many more, each of which they share. SQLite alone keeps no order at
// all.
func TestWritersTakeTurns(t *testing.T) {
	greedy := openNew(t)
	modest := openAt(t, greedy.Place())
	for _, l := range []*Ledger{greedy, modest} {
		if _, err := l.writer.ExecContext(t.Context(), "PRAGMA wal_autocheckpoint = 0"); err != nil { // commits are counted in the log
			t.Fatal(err)
		}
	}
	const slowDisk = 5 * time.Millisecond
	entries := acceptedIn(t, greedy, 9)
	mine, theirs := entries[8], entries[:8]

	ctx, stop := context.WithCancel(t.Context())
	writing := make(chan struct{})
	var running sync.WaitGroup
	write := func(*batch.Entry) {
		select {
		case writing <- struct{}{}:
		default:
		}
		time.Sleep(slowDisk)
	}
	for _, e := range theirs {
		running.Go(func() {
			for ctx.Err() == nil {
				if _, err := greedy.Move(t.Context(), step(e, batch.Accepted), write); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	const turns = 10
	waited := 0
	for range turns {
		<-writing
		before := commitsOf(t, greedy)
		if _, err := modest.Move(t.Context(), step(mine, batch.Accepted), func(*batch.Entry) { waited += commitsOf(t, greedy) - before }); err != nil {
			t.Error(err)
		}
	}
	stop()
	running.Wait()
	if waited > 3*turns {
		t.Errorf("%d turns had to wait for %d of the others", turns, waited)
	}
}

func TestPaths(t *testing.T) {
	for _, name := range []string{
		"konbill.db", "two words.db", "a?b=c&d.db", "a#b.db", "100%.db", "%41.db", "台帳（11月）.db", "a;b'c\".db", ":memory:",
	} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, `?":`) {
			continue // no file may be called so
		}
		path := filepath.Join(t.TempDir(), name)
		l := openAt(t, path)
		acceptedIn(t, l, 1)
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		files, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasPrefix(f.Name(), name) {
				t.Errorf("%q left a file %q", name, f.Name())
			}
		}
	}
}

func TestURL(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite:konbill.db":      "konbill.db",
		"sqlite:/var/konbill.db": "/var/konbill.db",
		"sqlite:///var/k.db":     "///var/k.db",
		"sqlite:a?b%20c":         "a?b%20c",
		"sqlite:":                "",
		"sqlite://konbill.db":    "", // would be /konbill.db
		"konbill.db":             "",
		"postgres://host/db":     "",
	} {
		got, err := Path(url)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", url, got, err, want)
		}
	}
}

// TestFilesArePrivate looks at every file the ledger makes.
func TestFilesArePrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no file modes")
	}
	l := openNew(t)
	release, err := l.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	acceptedIn(t, l, 1)
	found := map[string]bool{}
	files, err := filepath.Glob(l.Place() + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", file, mode)
		}
		found[strings.TrimPrefix(file, l.Place())] = true
	}
	for _, suffix := range []string{"", "-wal", "-shm", holdSuffix, turnSuffix} {
		if !found[suffix] {
			t.Errorf("no file %q was looked at, only %v", suffix, found)
		}
	}
}

// TestOneLedgerByTwoNames holds a ledger through a symbolic link.
func TestOneLedgerByTwoNames(t *testing.T) {
	l := openNew(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(l.Place(), link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	release, err := l.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if _, err := openAt(t, link).Hold(t.Context()); !errors.Is(err, batch.ErrHeld) {
		t.Errorf("a held ledger was held by another name: %v", err)
	}
}

// TestRefusedFiles tries what is no ledger, or none that can be used. None of
// it may be changed.
func TestRefusedFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := filepath.Join(dir, "foreign.db")
	run(t, impatient(t, foreign), "CREATE TABLE cookie (id INTEGER)")
	marked := filepath.Join(dir, "marked.db")
	run(t, impatient(t, marked), "PRAGMA application_id = 7")
	for _, c := range []struct{ name, path, want string }{
		{"a text file", write("text.db", strings.Repeat("請求書番号,金額\n", 100)), "the file is not a ledger: name another one in ledger.url"},
		{"another program's database", foreign, "it is the database of another program"},
		{"another program's empty database", marked, "it is the database of another program"},
		{"a folder", dir, "is a directory"},
		{"no folder", filepath.Join(dir, "missing", "konbill.db"), "make the folder " + filepath.Join(dir, "missing")},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := content(c.path)
			_, err := Open(t.Context(), scheme+c.path)
			wantText(t, err, c.want)
			if !strings.HasPrefix(err.Error(), "open the ledger") || !strings.Contains(err.Error(), filepath.Dir(c.path)) {
				t.Errorf("the error doesn't say what was opened: %v", err)
			}
			if c.path != foreign && c.path != marked && content(c.path) != before {
				t.Error("the file was changed")
			}
		})
	}
	var tables int
	if err := impatient(t, foreign).QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil || tables != 1 {
		t.Errorf("another program's database has %d tables now, %v", tables, err)
	}
}

func content(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}

func run(t *testing.T, c *sql.Conn, statement string) {
	t.Helper()
	if _, err := c.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want: %s", err, want)
	}
}

func TestUnwritableFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	if probe, err := os.Create(filepath.Join(dir, "probe")); err == nil {
		_ = probe.Close()
		if runtime.GOOS != "linux" {
			t.Skip("this user may write everywhere")
		}
		dir = "/sys" // where not even root makes files
	}
	_, err := Open(t.Context(), scheme+filepath.Join(dir, "konbill.db"))
	wantText(t, err, "Konbill must be able to write the file and its folder")
}

func TestNewerLedger(t *testing.T) {
	l := openNew(t)
	run(t, connection(t, l.writer), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	_, err := Open(t.Context(), scheme+l.Place())
	wantText(t, err, "it was written by a newer Konbill (its tables are version 99, this one knows 15): use that one")
}

// TestFullDisk lets SQLite find no more room, in the middle of opening a job.
func TestFullDisk(t *testing.T) {
	l := openNew(t)
	acceptedIn(t, l, 1)
	c := connection(t, l.writer)
	var pages int
	if err := c.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	run(t, c, fmt.Sprintf("PRAGMA max_page_count = %d", pages+5))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	job := batch.Job{Account: account, StartedAt: opened}
	_, _, err := ledgertest.OpenJob(t.Context(), l, job, invoices(1000))
	wantText(t, err, "open a job: the disk is full: make room and try again")
	if n := count(t, l); n != 1 {
		t.Errorf("%d invoices after a full disk, want the one from before", n)
	}
	c = connection(t, l.writer)
	run(t, c, fmt.Sprintf("PRAGMA max_page_count = %d", 1_000_000))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ledgertest.OpenJob(t.Context(), l, job, invoices(1000)); err != nil {
		t.Errorf("after making room: %v", err)
	}
	if err := l.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func count(t *testing.T, l *Ledger) (n int) {
	t.Helper()
	if err := l.Entries(t.Context(), batch.Query{}, func(batch.Entry) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDamage overwrites half of a ledger: it is found at the opening, or by whoever
// looks.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "konbill.db")
	l, err := Open(t.Context(), scheme+path)
	if err != nil {
		t.Fatal(err)
	}
	acceptedIn(t, l, 200)
	if err := l.Check(t.Context()); err != nil {
		t.Errorf("a sound ledger: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, info.Size()/2), info.Size()/2); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	l, err = Open(t.Context(), scheme+path)
	if err == nil {
		err = errors.Join(l.Check(t.Context()), l.Close())
	}
	wantText(t, err, "damaged")
}

// TestMigrationsOnlyAdd keeps a ledger from being dropped by a migration back.
func TestMigrationsOnlyAdd(t *testing.T) {
	l := openNew(t)
	acceptedIn(t, l, 1)
	provider, err := goose.NewProvider(goose.DialectSQLite3, l.writer, os.DirFS("migrations/sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = provider.DownTo(t.Context(), 0)
	if n := count(t, l); n != 1 {
		t.Errorf("%d invoices are left", n)
	}
}
