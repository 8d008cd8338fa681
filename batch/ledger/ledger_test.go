package ledger

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
	"konbill/invoice"
)

func TestContract(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) func() batch.Ledger {
		path := filepath.Join(t.TempDir(), "konbill.db")
		return func() batch.Ledger { return openAt(t, path) }
	})
}

// openAt opens the ledger in a file until the test ends.
func openAt(t testing.TB, path string) *Ledger {
	t.Helper()
	return openURL(t, scheme+path)
}

// openURL opens a ledger until the test ends.
func openURL(t testing.TB, url string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func openNew(t testing.TB) *Ledger {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "konbill.db"))
}

var (
	account = batch.Account{ID: "account_test_1"}
	opened  = time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)
)

// acceptedIn opens a job with n invoices, numbered from 0.
func acceptedIn(t testing.TB, l *Ledger, n int) []batch.Entry {
	t.Helper()
	_, verdicts, err := ledgertest.OpenJob(t.Context(), l, batch.Job{File: "invoices.csv", SHA256: "aa", Account: account, StartedAt: opened}, invoices(n))
	if err != nil {
		t.Fatal(err)
	}
	entries := make([]batch.Entry, n)
	for i, v := range verdicts {
		entries[i] = v.Entry
	}
	return entries
}

func invoices(n int) []invoice.Invoice {
	rows := make([]invoice.Invoice, n)
	for i := range rows {
		rows[i] = invoice.Invoice{
			Number: fmt.Sprintf("INV-%05d", i), Name: "株式会社　山田商店", SentName: "山田商店", Email: "taro@example.jp",
			Phone: "09012345678", Amount: 3000, Due: opened.AddDate(0, 1, 0), DueGiven: true,
			Description: "11月分のご利用料金", Language: invoice.Japanese,
		}
	}
	return rows
}

func step(e batch.Entry, to batch.State) batch.Move {
	return batch.Move{Key: e.Key, From: e.State, To: to, At: opened, Who: "run", Why: "test"}
}

func intent(e *batch.Entry) { e.Attempt, e.IntentAt = e.Attempt+1, opened }

// TestGuardsOfMove looks at the guards that the tables have, too: here they
// say what is wrong.
func TestGuardsOfMove(t *testing.T) {
	l := openNew(t)
	e := acceptedIn(t, l, 1)[0]
	_, err := l.Move(t.Context(), step(e, batch.Mailed), intent)
	wantText(t, err, "an invoice can't go from accepted to mailed")
	err = l.inTransaction(t.Context(), "update", func(ctx context.Context, tx transaction) error { return tx.update(ctx, &e, batch.Held) })
	wantText(t, err, "an invoice is no longer held")
}
