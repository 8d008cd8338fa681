package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofrs/flock"

	"konbill/batch"
)

// The locks are files beside the ledger. The operating system drops a lock when
// its holder dies; the files stay and mean nothing by themselves.
const (
	holdSuffix = "-lock"
	turnSuffix = "-turn"
)

// Hold takes the ledger for one run. A second Hold on the same Ledger is
// refused, too. release may be called more than once.
func (l *Ledger) Hold(context.Context) (release func(), err error) {
	lock := flock.New(l.path + holdSuffix)
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the ledger: %w", err)
	}
	if !got {
		return nil, batch.ErrHeld
	}
	return func() { _ = lock.Unlock() }, nil
}

// turnstilePoll is how often a process looks whether the turnstile is free. It
// is held for microseconds, unless others queue.
const turnstilePoll = 2 * time.Millisecond

// turnstile lets the processes that want to write through one by one: who has
// it waits for SQLite's write lock, and gives it back when he has that. SQLite
// itself keeps no queue. It polls, ever more slowly, so a process that writes
// without pause would leave others hardly a chance until they fail; but now it
// has to stand behind them.
func (l *Ledger) turnstile(ctx context.Context) (pass func(), err error) {
	lock := flock.New(l.path + turnSuffix)
	got, err := lock.TryLockContext(ctx, turnstilePoll)
	if err == nil && !got {
		err = errors.New("not granted")
	}
	if err != nil {
		return nil, fmt.Errorf("wait for a turn at the ledger: %w", err)
	}
	return func() { _ = lock.Unlock() }, nil
}
