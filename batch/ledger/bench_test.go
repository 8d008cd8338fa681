package ledger

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
)

// BenchmarkLedger measures what a run, a list and a look cost in an SQLite ledger.
func BenchmarkLedger(b *testing.B) { benchLedger(b, openNew) }

func benchLedger(b *testing.B, open func(testing.TB) *Ledger) {
	for _, workers := range []int{1, 8, 24} {
		b.Run(fmt.Sprintf("moves by %d", workers), func(b *testing.B) { benchMoves(b, open(b), workers) })
	}
	b.Run("10,000 new", func(b *testing.B) { benchNew(b, open) })
	b.Run("2,000 known", func(b *testing.B) { benchKnown(b, open(b)) })
	b.Run("10,000 read", func(b *testing.B) {
		benchRead(b, open(b), batch.Query{States: []batch.State{batch.Accepted}}, 10_000)
	})
	b.Run("250 read by key", func(b *testing.B) {
		var keys []batch.Key
		for _, inv := range invoices(250) {
			keys = append(keys, batch.KeyOf(account, inv.Number))
		}
		benchRead(b, open(b), batch.Query{Keys: keys}, 250)
	})
	b.Run("10,000 added up", func(b *testing.B) { benchSums(b, open(b)) })
}

// benchMoves makes durable steps, each goroutine with an invoice of its own.
func benchMoves(b *testing.B, l *Ledger, workers int) {
	entries := acceptedIn(b, l, workers)
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var running sync.WaitGroup
	for _, e := range entries {
		running.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := l.Move(b.Context(), step(e, batch.Accepted), intent); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "moves/s")
}

var benchedJob = batch.Job{File: "invoices.csv", SHA256: "aa", Account: account, StartedAt: opened}

func benchNew(b *testing.B, open func(testing.TB) *Ledger) {
	rows := invoices(10_000)
	b.ReportAllocs()
	for range b.N {
		b.StopTimer()
		l := open(b)
		b.StartTimer()
		if _, _, err := ledgertest.OpenJob(b.Context(), l, benchedJob, rows); err != nil {
			b.Fatal(err)
		}
	}
}

// benchKnown opens a job of invoices that are charged.
func benchKnown(b *testing.B, l *Ledger) {
	for _, e := range acceptedIn(b, l, 2_000) {
		benchCharge(b, l, e)
	}
	rows := invoices(2_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ledgertest.OpenJob(b.Context(), l, benchedJob, rows); err != nil {
			b.Fatal(err)
		}
	}
}

func benchCharge(b *testing.B, l *Ledger, e batch.Entry) {
	asked, err := l.Move(b.Context(), step(e, batch.Charging), intent)
	if err == nil {
		_, err = l.Move(b.Context(), step(asked, batch.Charged), func(e *batch.Entry) { e.Charge.ID = "chrg_" + e.Invoice.Number })
	}
	if err != nil {
		b.Fatal(err)
	}
}

func benchRead(b *testing.B, l *Ledger, q batch.Query, want int) {
	acceptedIn(b, l, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := l.Entries(b.Context(), q, func(batch.Entry) error { n++; return nil }); err != nil || n != want {
			b.Fatal(n, err)
		}
	}
}

func benchSums(b *testing.B, l *Ledger) {
	acceptedIn(b, l, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		sums, err := l.Sums(b.Context(), batch.Query{})
		if err != nil || sums[""].Rows != 10_000 {
			b.Fatal(sums, err)
		}
	}
}
