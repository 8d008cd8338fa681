package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"konbill/batch"
)

// queued has n pieces of work queue behind one that is being written, then lets
// that end and waits for all. It returns how many commits they cost.
func queued(t *testing.T, l *Ledger, n int, write func(i int)) (commits int) {
	t.Helper()
	begun, goOn := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		err := l.inTransaction(t.Context(), "wait", func(ctx context.Context, tx transaction) error {
			close(begun)
			<-goOn
			_, err := tx.ExecContext(ctx, "UPDATE schedule SET passed_at = passed_at + 1")
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	before := commitsOf(t, l)
	for i := range n {
		all.Go(func() { write(i) })
	}
	for l.writers.waiting() < n {
		runtime.Gosched()
	}
	close(goOn)
	all.Wait()
	return commitsOf(t, l) - before - 1
}

// commitsOf counts the commits in SQLite's log: frames that name the size of the
// database (https://www.sqlite.org/fileformat2.html, "The WAL File Format").
func commitsOf(t *testing.T, l *Ledger) int {
	t.Helper()
	log, err := os.ReadFile(l.Place() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	const header, frameHeader = 32, 24
	commits := 0
	pageSize := int(binary.BigEndian.Uint32(log[8:]))
	salts := log[16:24]
	for at := header; at+frameHeader+pageSize <= len(log); at += frameHeader + pageSize {
		frame := log[at:]
		if string(frame[8:16]) != string(salts) {
			break // left from before the log began anew
		}
		if binary.BigEndian.Uint32(frame[4:]) != 0 {
			commits++
		}
	}
	return commits
}

// TestWritersShareACommit: those who queue are written together, and all of it
// is there.
func TestWritersShareACommit(t *testing.T) {
	l := openNew(t)
	const n = 40
	entries := acceptedIn(t, l, n)
	commits := queued(t, l, n, func(i int) {
		if _, err := l.Move(t.Context(), step(entries[i], batch.Charging), intent); err != nil {
			t.Error(err)
		}
	})
	if commits != 1 {
		t.Errorf("%d commits for %d steps", commits, n)
	}
	for _, e := range entries {
		events, err := l.Events(t.Context(), e.Key)
		if err != nil || len(events) != 2 {
			t.Errorf("%s: %d events, %v", e.Invoice.Number, len(events), err)
		}
	}
}

// TestEachHasItsOwnOutcome: of those that share a commit, the ones that fail,
// panic or give up leave nothing, and the others lose nothing.
func TestEachHasItsOwnOutcome(t *testing.T) {
	l := openNew(t)
	const n = 30
	entries := acceptedIn(t, l, n)
	errMine := errors.New("mine")
	commits := queued(t, l, n, func(i int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		defer func() {
			if p := recover(); (p == fmt.Sprint("panic ", i)) != (i%5 == 2) {
				t.Errorf("%d panicked with %v", i, p)
			}
		}()
		err := l.inTransaction(ctx, "try", func(ctx context.Context, tx transaction) error {
			e := entries[i]
			e.State, e.IntentAt = batch.Charging, opened
			if err := tx.update(ctx, &e, batch.Accepted); err != nil {
				return err
			}
			switch i % 5 {
			case 1:
				return errMine
			case 2:
				panic(fmt.Sprint("panic ", i))
			case 3:
				cancel()
			case 4:
				_, err := tx.ExecContext(ctx, "UPDATE invoice SET state = 'paid' WHERE key = ?", e.Key)
				return err
			}
			return nil
		})
		want := map[int]func(error) bool{
			0: func(err error) bool { return err == nil },
			1: func(err error) bool { return errors.Is(err, errMine) },
			3: func(err error) bool { return errors.Is(err, context.Canceled) },
			4: func(err error) bool { return err != nil && strings.Contains(err.Error(), "can't go from that state") },
		}[i%5]
		if !want(err) {
			t.Errorf("%d: %v", i, err)
		}
	})
	if commits != 1 {
		t.Errorf("%d commits", commits)
	}
	for i, e := range entries {
		now, err := l.Entry(t.Context(), e.Key)
		if (now.State == batch.Charging) != (i%5 == 0) || err != nil {
			t.Errorf("%d is %s, %v", i, now.State, err)
		}
	}
}

// TestACommitFailsForAll: what isn't on the disk is nobody's.
func TestACommitFailsForAll(t *testing.T) {
	l := openNew(t)
	const n = 10
	entries := acceptedIn(t, l, n)
	commits := queued(t, l, n, func(i int) {
		err := l.inTransaction(t.Context(), "try", func(ctx context.Context, tx transaction) error {
			e := entries[i]
			e.State, e.IntentAt = batch.Charging, opened
			if i == n/2 {
				return errors.Join(tx.update(ctx, &e, batch.Accepted), tx.Rollback()) // as SQLite does on a full disk
			}
			return tx.update(ctx, &e, batch.Accepted)
		})
		if err == nil {
			t.Errorf("%d was told that it is stored", i)
		}
	})
	if commits != 0 {
		t.Errorf("%d commits", commits)
	}
	for _, e := range entries {
		if now, err := l.Entry(t.Context(), e.Key); now != e || err != nil {
			t.Errorf("%s is %s, %v", e.Invoice.Number, now.State, err)
		}
	}
	if _, err := l.Move(t.Context(), step(entries[0], batch.Charging), intent); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestWhoGivesUpLeavesTheQueue, also when the pen is theirs and the lock isn't.
func TestWhoGivesUpLeavesTheQueue(t *testing.T) {
	l := openNew(t)
	e := acceptedIn(t, l, 1)[0]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Move(ctx, step(e, batch.Charging), intent); !errors.Is(err, context.Canceled) {
		t.Errorf("under an ended context: %v", err)
	}
	if n := l.writers.waiting(); n != 0 {
		t.Errorf("%d in the queue", n)
	}
	if _, err := l.Move(t.Context(), step(e, batch.Charging), intent); err != nil {
		t.Error(err)
	}
}
