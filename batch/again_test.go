package batch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"konbill/batch"
)

// looked counts how a ledger is read, and can be made unreadable.
type looked struct {
	batch.Ledger
	one, many atomic.Int64
	broken    atomic.Bool
}

func (l *looked) Entry(ctx context.Context, key batch.Key) (batch.Entry, error) {
	l.one.Add(1)
	return l.Ledger.Entry(ctx, key)
}

func (l *looked) Latest(ctx context.Context, a batch.Account, number string) (batch.Entry, error) {
	l.one.Add(1)
	return l.Ledger.Latest(ctx, a, number)
}

func (l *looked) Entries(ctx context.Context, q batch.Query, f func(batch.Entry) error) error {
	l.many.Add(1)
	if l.broken.Load() {
		return errDiskFull
	}
	return l.Ledger.Entries(ctx, q, f)
}

// TestAgainReadsManyTogether: a file that is finished costs no look at the ledger
// per row, no request, no mail and no drawing.
func TestAgainReadsManyTogether(t *testing.T) {
	const n = 600
	s := newShop(t)
	s.runner.DrawPlainly()
	s.runner.Settings.MailOff = true
	var rows []string
	for i := range n {
		rows = append(rows, fmt.Sprintf("A-%d,1000", i))
	}
	path := s.file("a.csv", rows...)
	s.run(path)
	requests := len(s.api.Requests())
	l := &looked{Ledger: s.ledger}
	s.runner.Ledger = l
	report, err := s.runner.Run(t.Context(), path, "")
	s.must(err)
	if sum := report.Receipt.Results[batch.AlreadyIssued]; sum.Rows != n {
		t.Fatalf("%d rows are already issued", sum.Rows)
	}
	if one, many := l.one.Load(), l.many.Load(); one != 0 || many > n/200 {
		t.Errorf("the ledger was asked %d times for one invoice and %d times for many", one, many)
	}
	if more := len(s.api.Requests()) - requests; more != 0 {
		t.Errorf("%d requests", more)
	}
}

// TestLedgerUnreadableAtTheEnd: whatever was issued is in the results, which say
// that the rest couldn't be read, and it is all there once the ledger can be.
func TestLedgerUnreadableAtTheEnd(t *testing.T) {
	s := newShop(t)
	l := &looked{Ledger: s.ledger}
	s.runner.Ledger = l
	s.runner.At = func(p batch.Point) { l.broken.Store(p == batch.ResultsWriting || l.broken.Load()) }
	path := s.file("u.csv", "U-1,1000", "U-2,100", "U-3,3000")
	report, err := s.runner.Run(t.Context(), path, "")
	if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopLedger {
		t.Fatalf("the run ends with %v", err)
	}
	s.accounts(report)
	for i, want := range []string{"issued not_read", "rejected amount_too_small", "issued not_read"} {
		row := s.results(report)[i]
		if got := row["result"] + " " + row["codes"]; got != want || row["message"] == "" {
			t.Errorf("row %d is %s, want %s: %q", i, got, want, row["message"])
		}
	}
	s.runner.Ledger, s.runner.At = s.ledger, nil
	report, err = s.runner.Rewrite(t.Context(), path, "")
	s.must(err)
	for _, row := range s.results(report) {
		if (row["result"] == "issued") != (row["charge_id"] != "") {
			t.Errorf("%s is %s with the charge %q", row["invoice_no"], row["result"], row["charge_id"])
		}
	}
	s.neverTwice()
}

// unsweepable can't record that a sweep was complete, as on a full disk.
type unsweepable struct{ batch.Ledger }

func (unsweepable) RecordSweep(context.Context, batch.Account, time.Time) error { return errDiskFull }

// TestSweepCutShort: what a sweep found before it failed may be another bill than the
// row's. The results say so, although nothing was settled.
func TestSweepCutShort(t *testing.T) {
	s := newShop(t)
	s.run(s.file("a.csv", "A-1,1000", "A-2,1000"))
	s.must(s.ledger.Close())
	for _, name := range []string{"konbill.db", "konbill.db-wal", "konbill.db-shm"} {
		_ = os.Remove(filepath.Join(s.dir, name)) // the log is gone with the last connection
	}
	s.reopen()
	s.runner.Ledger = unsweepable{s.ledger}
	report, err := s.runner.Run(t.Context(), s.file("b.csv", "A-1,2000", "A-2,1000", "A-3,1000"), "")
	if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopLedger {
		t.Fatalf("the run ends with %v", err)
	}
	s.accounts(report)
	for i, want := range []string{"rejected conflict", "already_issued issued_elsewhere", "failed not_attempted"} {
		row := s.results(report)[i]
		if got := row["result"] + " " + row["codes"]; got != want {
			t.Errorf("%s is %s, want %s", row["invoice_no"], got, want)
		}
	}
}
