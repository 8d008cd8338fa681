//go:build unix

package ledger

import (
	"errors"
	"strings"
	"testing"

	"konbill/batch"
	"konbill/samples/peertest"
)

// TestFailover: where a standby has taken over, nothing is charged before the account was
// looked through; all else goes on. The database's user is an ordinary one.
func TestFailover(t *testing.T) {
	primary := peertest.StartPostgres(t)
	primary.Exec(primary.URL("postgres"), "CREATE ROLE plain LOGIN PASSWORD '"+peertest.PostgresPassword+"'", "CREATE DATABASE house OWNER plain")
	standby := primary.StartStandby(true)
	plain := func(url string) string { return strings.Replace(url, "//konbill:", "//plain:", 1) }
	_, err := Open(t.Context(), plain(standby.URL("house")))
	wantText(t, err, "standby mode")

	l := openURL(t, plain(primary.URLOfBoth(standby, "house")))
	entries := acceptedIn(t, l, 3)
	moves := func(e batch.Entry, to batch.State, want error) {
		t.Helper()
		if _, err := l.Move(t.Context(), step(e, to), intent); !errors.Is(err, want) {
			t.Errorf("from %s to %s: %v, want %v", e.State, to, err, want)
		}
	}
	moves(entries[0], batch.Charging, nil) // of a ledger that was never swept
	swept := func() {
		t.Helper()
		if err := l.RecordSweep(t.Context(), account, opened); err != nil {
			t.Error(err)
		}
	}
	swept()
	moves(entries[1], batch.Charging, nil)
	primary.Crash()
	standby.Promote()
	for range 2 { // connections of before fail once
		if _, err = l.Latest(t.Context(), account, entries[2].Invoice.Number); err == nil {
			_, err = l.Move(t.Context(), step(entries[2], batch.Charging), intent)
		}
	}
	if !errors.Is(err, batch.ErrNotSwept) {
		t.Errorf("the first charge after it: %v", err)
	}
	for _, e := range entries[:2] {
		e.State = batch.Charging
		moves(e, batch.Unknown, nil)
	}
	moves(entries[2], batch.Charging, batch.ErrNotSwept)
	swept()
	moves(entries[2], batch.Charging, nil)
}
