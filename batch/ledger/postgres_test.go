//go:build unix

package ledger

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
	"konbill/samples/peertest"
)

// TestPostgres keeps the contract on a real server, and what else only one can show.
func TestPostgres(t *testing.T) {
	server := peertest.StartPostgres(t)
	t.Run("contract", func(t *testing.T) {
		ledgertest.Run(t, func(t *testing.T) func() batch.Ledger {
			url := server.NewDatabase()
			return func() batch.Ledger { return openURL(t, url) }
		})
	})
	t.Run("many open it at once", func(t *testing.T) { testOpenedAtOnce(t, server.NewDatabase()) })
	t.Run("guards of the tables", func(t *testing.T) { testPostgresGuards(t, server.NewDatabase()) })
	t.Run("another program's database", func(t *testing.T) {
		url := server.NewDatabase()
		server.Exec(url, "CREATE TABLE theirs (id integer)")
		_, err := Open(t.Context(), url)
		wantText(t, err, "another program")
	})
	t.Run("a newer Konbill's", func(t *testing.T) {
		url := server.NewDatabase()
		openURL(t, url)
		server.Exec(url, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)")
		_, err := Open(t.Context(), url)
		wantText(t, err, "newer Konbill (its tables are version 99, this one knows 17)")
	})
	t.Run("the password stays hidden", func(t *testing.T) { testPasswordHidden(t, server) })
	t.Run("people", func(t *testing.T) { testPeople(t, openURL(t, server.NewDatabase())) })
	t.Run("recent", func(t *testing.T) { testRecent(t, openURL(t, server.NewDatabase())) })
	t.Run("counts", func(t *testing.T) { testCounts(t, openURL(t, server.NewDatabase())) })
	t.Run("turns", func(t *testing.T) { testTurns(t, server) })
	t.Run("a connection is cut", func(t *testing.T) { testConnectionCut(t, server) })
	t.Run("scrub and check", func(t *testing.T) {
		l := openURL(t, server.NewDatabase())
		if whole, err := l.Scrub(t.Context()); !whole || err != nil {
			t.Error(whole, err)
		}
		if err := l.Check(t.Context()); err != nil {
			t.Error(err)
		}
		// As if the same server, which has no certificate, stood elsewhere.
		l.engine.(*postgres).config.Host = "db.example.com"
		wantText(t, l.Check(t.Context()), "isn't encrypted")
	})
	t.Run("on this machine", func(t *testing.T) {
		for host, here := range map[string]bool{
			"localhost": true, "127.0.0.1": true, "::1": true, "/var/run/postgresql": true, "10.0.0.5": false, "db.example.com": false, "": false,
		} {
			if onThisMachine(host) != here {
				t.Errorf("%q: %v", host, !here)
			}
		}
	})
	t.Run("the server is started anew", func(t *testing.T) { testServerRestarts(t, server) }) // the last: it cuts everybody's connections
}

// BenchmarkPostgres is BenchmarkLedger on a server on loopback.
func BenchmarkPostgres(b *testing.B) {
	server := peertest.StartPostgres(b)
	benchLedger(b, func(t testing.TB) *Ledger { return openURL(t, server.NewDatabase()) })
}

// testOpenedAtOnce has the tables made by one of many.
func testOpenedAtOnce(t *testing.T, url string) {
	var opening sync.WaitGroup
	for range 6 {
		opening.Go(func() {
			l, err := Open(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	opening.Wait()
}

// testPostgresGuards tries, past the program, what the tables must refuse.
func testPostgresGuards(t *testing.T, url string) {
	l := openURL(t, url)
	e := acceptedIn(t, l, 1)[0]
	asked, err := l.Move(t.Context(), step(e, batch.Charging), intent)
	if err == nil {
		_, err = l.Move(t.Context(), step(asked, batch.Charged), func(e *batch.Entry) { e.Charge.ID = "chrg_1" })
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ statement, refused string }{
		{"UPDATE invoice SET state = 'accepted'", "can't go from that state"},
		{"UPDATE invoice SET state = 'paid'", "can't go from that state"},
		{"UPDATE invoice SET charge_id = 'chrg_2'", "never replaced"},
		{"UPDATE invoice SET charge_id = ''", "never replaced"},
		{"UPDATE invoice SET number = '2'", "the same invoice"},
		{"UPDATE invoice SET revision = 2", "the same invoice"},
		{"UPDATE invoice SET live = true", "the same invoice"},
		{"UPDATE invoice SET key = 'kb_2'", "the same invoice"},
		{"DELETE FROM invoice", "never deleted"},
		{"TRUNCATE invoice CASCADE", "never emptied"},
		{"UPDATE event SET why = ''", "never changed"},
		{"DELETE FROM event", "never deleted"},
		{"TRUNCATE event", "never emptied"},
		{"INSERT INTO event (key, at, who, from_state, to_state, why) VALUES ('kb_nobody', 1, '', '', '', '')", "event_key_fkey"},
		{"INSERT INTO schedule (id, passed_at) VALUES (2, 0)", "schedule_id_check"},
		{"INSERT INTO account (id, live) VALUES ('another', false)", "account_live_key"},
		{"UPDATE job SET totals = 'x'", "invalid input syntax"},
	} {
		_, err := l.writer.ExecContext(t.Context(), c.statement)
		if err == nil || !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%s: %v, want %q", c.statement, err, c.refused)
		}
	}
}

// testPasswordHidden fails in every way there is, and listens.
func testPasswordHidden(t *testing.T, server *peertest.Postgres) {
	url := server.URL("nowhere")
	for name, c := range map[string]struct{ url, says string }{
		"no such database": {url, "there is no such database"},
		"wrong password":   {strings.Replace(url, peertest.PostgresPassword, peertest.PostgresPassword+"x", 1), "refuses the user or the password"},
		"nobody listens":   {"postgres://konbill:" + peertest.PostgresPassword + "@127.0.0.1:1/x", "can't be reached"},
		"no URL":           {"postgres://konbill:" + peertest.PostgresPassword + "@[", "is written postgres://"},
		"a bad port":       {"postgres://konbill:" + peertest.PostgresPassword + "@host:port/x", "is written postgres://"},
	} {
		_, err := Open(t.Context(), c.url)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), peertest.PostgresPassword) {
			t.Errorf("%s: %v shows the password", name, err)
		}
	}
	if l := openURL(t, server.NewDatabase()); strings.Contains(l.Place(), peertest.PostgresPassword) {
		t.Errorf("%s shows the password", l.Place())
	}
}

// testConnectionCut cuts the connection in the middle of a transaction: it is undone,
// and the next one is made over a new connection. The lock of Hold is free again.
func testConnectionCut(t *testing.T, server *peertest.Postgres) {
	url := server.NewDatabase()
	l := openURL(t, url)
	e := acceptedIn(t, l, 1)[0]
	cut := func() {
		server.Exec(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	}
	release, err := l.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	err = l.inTransaction(t.Context(), "cut", func(ctx context.Context, tx transaction) error {
		e.State = batch.Charging
		e.Attempt, e.IntentAt = 1, opened
		if err := tx.update(ctx, &e, batch.Accepted); err != nil {
			return err
		}
		cut()
		return nil
	})
	if err == nil {
		t.Error("a transaction whose connection was cut has succeeded")
	}
	if now, err := l.Entry(t.Context(), e.Key); err != nil || now.State != batch.Accepted {
		t.Errorf("afterwards it is %s, %v", now.State, err)
	}
	e.State = batch.Accepted
	if _, err := l.Move(t.Context(), step(e, batch.Charging), intent); err != nil {
		t.Errorf("the next step: %v", err)
	}
	again, err := openURL(t, url).Hold(t.Context())
	if err != nil {
		t.Fatalf("the lock of a cut connection: %v", err)
	}
	again()
}

// testServerRestarts stops the server: steps fail and say why; once it is back they
// go on, and what was answered before is there.
func testServerRestarts(t *testing.T, server *peertest.Postgres) {
	l := openURL(t, server.NewDatabase())
	e := acceptedIn(t, l, 1)[0]
	if _, err := l.Move(t.Context(), step(e, batch.Charging), intent); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	e.State = batch.Charging
	_, err := l.Move(t.Context(), step(e, batch.Unknown), func(*batch.Entry) {})
	if err == nil || errors.Is(err, batch.ErrNotFound) {
		t.Errorf("a step without a server: %v", err)
	}
	server.Start()
	for range 2 { // one may still hold a connection of before
		if _, err = l.Move(t.Context(), step(e, batch.Unknown), func(*batch.Entry) {}); err == nil {
			break
		}
	}
	if now, err2 := l.Entry(t.Context(), e.Key); err != nil || err2 != nil || now.State != batch.Unknown || now.Attempt != 1 {
		t.Errorf("afterwards it is %s, %v, %v", now.State, err, err2)
	}
}

// testTurns has processes take turns at two inboxes, and one fall silent while it holds
// the ledger.
func testTurns(t *testing.T, server *peertest.Postgres) {
	url := server.NewDatabase()
	first, second := openURL(t, url), openURL(t, url)
	const term = time.Minute
	turn := func(l *Ledger, inbox string, want bool) {
		t.Helper()
		if got, err := l.TakeTurn(t.Context(), Machine{Name: "host", Inbox: inbox, Doing: "file"}, term); got != want || err != nil {
			t.Errorf("the turn is ours: %v, want %v (%v)", got, want, err)
		}
	}
	turns := func(want ...bool) {
		t.Helper()
		machines, err := second.Machines(t.Context(), term)
		got := []bool{}
		for _, m := range machines {
			got = append(got, m.Turn)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("turns %v, want %v (%v)", got, want, err)
		}
	}
	turn(first, "a", true)
	turn(second, "a", false)
	turn(first, "a", true)
	turns(true, false)
	turn(second, "b", true)
	turns(true, true)
	turn(second, "a", false)

	if _, err := first.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Exec(url, "UPDATE machine SET seen_at = seen_at - INTERVAL '59 seconds' WHERE turn")
	turn(second, "a", false)
	server.Exec(url, "UPDATE machine SET seen_at = seen_at - INTERVAL '2 seconds' WHERE turn")
	turn(second, "a", true)
	turns(true) // the first has been silent for longer than is asked for
	release, err := second.Hold(t.Context())
	if err != nil {
		t.Error("the silent one still holds the ledger:", err)
	} else {
		release()
	}
	turn(first, "a", false) // it wakes
	turns(true, false)
	if err := second.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	turn(first, "a", true)
	turns(true)
}
