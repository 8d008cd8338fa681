package ledger

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
)

// BenchmarkMove measures durable steps: one goroutine, and eight at once as in
// a run.
func BenchmarkMove(b *testing.B) {
	for _, workers := range []int{1, 8} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			l := openNew(b)
			entries := acceptedIn(b, l, workers)
			var left atomic.Int64
			left.Store(int64(b.N))
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
		})
	}
}

// BenchmarkOpenJob accepts 10,000 invoices: new ones, and the same again.
func BenchmarkOpenJob(b *testing.B) {
	const n = 10_000
	rows := invoices(n)
	job := batch.Job{File: "invoices.csv", SHA256: "aa", Account: account, StartedAt: opened}
	b.Run("new", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			l := openNew(b)
			b.StartTimer()
			if _, _, err := ledgertest.OpenJob(b.Context(), l, job, rows); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		l := openNew(b)
		acceptedIn(b, l, n)
		for b.Loop() {
			if _, _, err := ledgertest.OpenJob(b.Context(), l, job, rows); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEntries(b *testing.B) {
	l := openNew(b)
	acceptedIn(b, l, 10_000)
	for b.Loop() {
		n := 0
		err := l.Entries(b.Context(), batch.Query{States: []batch.State{batch.Accepted}}, func(batch.Entry) error { n++; return nil })
		if err != nil || n != 10_000 {
			b.Fatal(n, err)
		}
	}
}
