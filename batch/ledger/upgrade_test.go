package ledger

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"

	"konbill/batch"
)

// TestUpgrade opens a ledger that the first release has made and filled: what
// it holds is there, with nothing in what was added, and goes on.
func TestUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "konbill.db")
	firstRelease(t, path)
	l := openAt(t, path)
	found := map[batch.State]batch.Entry{}
	err := l.Entries(t.Context(), batch.Query{}, func(e batch.Entry) error {
		found[e.State] = e
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range states {
		e := found[state]
		if e.Invoice.Number != string(state) || e.Charge.Amount != 3000 || !e.UpdatedAt.Equal(opened) || e.Retries != 0 || e.MailOwed || e.Revision != 1 {
			t.Errorf("%s: %+v", state, e)
		}
	}
	if due, err := l.PassedAt(t.Context()); !due.IsZero() || err != nil {
		t.Errorf("a pass was due at %v, %v", due, err)
	}
	if err := l.RecordPass(t.Context(), opened); err != nil {
		t.Error(err)
	}
	moved, err := l.Move(t.Context(), step(found[batch.Deferred], batch.Mailing), func(e *batch.Entry) { e.Retries, e.MailOwed = 3, true })
	if err != nil || moved.Retries != 3 || !moved.MailOwed {
		t.Errorf("moved to %+v, %v", moved, err)
	}
	again := openAt(t, path)
	if e, err := again.Entry(t.Context(), moved.Key); e != moved || err != nil {
		t.Errorf("read again: %+v, %v", e, err)
	}
	if err := again.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// firstRelease makes a ledger as the first release did, with an invoice in
// every state, numbered by it.
func firstRelease(t *testing.T, path string) {
	t.Helper()
	tables, err := migrations.ReadFile("migrations/sqlite/00001_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", dataSource(path, forWriting))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := (sqlite{}).claim(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, fstest.MapFS{"00001_ledger.sql": {Data: tables}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := connection(t, db)
	run(t, c, "INSERT INTO account (id, live) VALUES ('"+account.ID+"', 0)")
	run(t, c, "INSERT INTO job (id, who, file, sha256, account, live, started_at) VALUES (1, 'run', 'a.csv', 'aa', '"+account.ID+"', 0, 1)")
	for _, state := range states {
		e := batch.Entry{
			Key: batch.KeyOf(account, string(state)), Account: account, State: state, Job: 1, IntentAt: opened,
			Charge: batch.Charge{ID: "chrg_" + string(state), Amount: 3000}, MessageID: string(state) + "@example.jp", UpdatedAt: opened,
		}
		e.Invoice.Number = string(state)
		insertAsOnce(t, c, &e)
	}
}

// insertAsOnce leaves out what the first release didn't know.
func insertAsOnce(t *testing.T, c *sql.Conn, e *batch.Entry) {
	t.Helper()
	added := []string{"retries", "mail_owed", "revision", "purged_at", "slip_sha256"}
	known := slices.DeleteFunc(columnsOf(e), func(c column) bool { return slices.Contains(added, c.name) })
	names := join(known, ", ", func(c column) string { return c.name })
	values := join(known, ", ", func(column) string { return "?" })
	var args []any
	for _, k := range known {
		args = append(args, k.field)
	}
	if _, err := c.ExecContext(t.Context(), "INSERT INTO invoice ("+names+") VALUES ("+values+")", args...); err != nil {
		t.Fatal(err)
	}
}
