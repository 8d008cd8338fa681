package ledgertest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"konbill/batch"
	"konbill/invoice"
)

func testConcurrency(t *testing.T, newStore Store) {
	t.Run("one wins each step", func(t *testing.T) { testOneWins(t, newStore) })
	t.Run("one accepts", func(t *testing.T) { testOneAccepts(t, newStore) })
}

// testOneWins lets many goroutines on two handles take the same steps of the
// same invoices at the same time.
func testOneWins(t *testing.T, newStore Store) {
	open := newStore(t)
	handles := []book{{open(), t}, {open(), t}}
	const invoices, goroutines = 10, 16
	for i := range invoices {
		e := handles[0].accept(sample(number(i)))[0]
		for _, to := range paths[batch.Mailed] {
			e = race(t, handles, goroutines, e, to)
		}
		if n := len(handles[1].history(e.Key)); n != 1+len(paths[batch.Mailed]) {
			t.Errorf("%d events after %d steps", n, 1+len(paths[batch.Mailed]))
		}
	}
}

// race lets goroutines take one step at once, and returns the entry as the
// winner got it.
func race(t *testing.T, handles []book, goroutines int, e batch.Entry, to batch.State) batch.Entry {
	var running sync.WaitGroup
	var wins atomic.Int32
	won := make(chan batch.Entry, goroutines)
	start := make(chan struct{})
	for i := range goroutines {
		running.Go(func() {
			<-start
			moved, err := handles[i%len(handles)].Move(t.Context(), move(e, to), proofs(e, to))
			var stale *batch.StaleError
			switch {
			case err == nil:
				wins.Add(1)
				won <- moved
			case !errors.As(err, &stale) || stale.Want != e.State || stale.Have != to:
				t.Errorf("a loser got %v", err)
			}
		})
	}
	close(start)
	running.Wait()
	if wins.Load() != 1 {
		t.Fatalf("%d goroutines moved one invoice from %s to %s", wins.Load(), e.State, to)
	}
	return <-won
}

// testOneAccepts opens jobs with the same invoices at the same time: each is
// new to exactly one.
func testOneAccepts(t *testing.T, newStore Store) {
	open := newStore(t)
	handles := []batch.Ledger{open(), open()}
	var rows []invoice.Invoice
	for i := range 20 {
		rows = append(rows, sample(number(i)))
	}
	var running sync.WaitGroup
	var newOnes atomic.Int32
	for i := range 8 {
		running.Go(func() {
			_, verdicts, err := OpenJob(t.Context(), handles[i%len(handles)], job(account), rows)
			if err != nil {
				t.Error(err)
			}
			for _, v := range verdicts {
				if v.Outcome == batch.New {
					newOnes.Add(1)
				}
			}
		})
	}
	running.Wait()
	if int(newOnes.Load()) != len(rows) {
		t.Errorf("%d invoices were new, want each of %d once", newOnes.Load(), len(rows))
	}
}
