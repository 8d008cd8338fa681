package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// A commit that survives a power cut costs a write to the disk, and that costs
// more than all else. So those who write at the same time share one: whoever
// gets hold of the pen does the work of all who queue, in their order, in one
// transaction. Each still has it wholly or not at all, and is told so only once
// it is on the disk.

// writers are those who want to write.
type writers struct {
	pen chan struct{} // holds a token while a transaction writes

	mutex sync.Mutex
	queue []*writing
}

func newWriters() writers { return writers{pen: make(chan struct{}, 1)} }

// writing is something to write.
type writing struct {
	ctx  context.Context
	work func(context.Context, transaction) error
	done chan outcome // takes one
}

// outcome is what became of a writing; panicked is what its work panicked with.
type outcome struct {
	err      error
	panicked any
}

func (w *writers) join(one *writing) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.queue = append(w.queue, one)
}

// leave reports whether the writing was still in the queue.
func (w *writers) leave(one *writing) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	i := slices.Index(w.queue, one)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	return i >= 0
}

func (w *writers) takeAll() []*writing {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	all := w.queue
	w.queue = nil
	return all
}

func (w *writers) waiting() int {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return len(w.queue)
}

// inTransaction runs work in a transaction, and says what for when it fails. It
// is the only way to write: nothing is committed unless work succeeds, and
// everything is on the disk when it returns nil. Errors that callers act on pass
// through. Work must use the context that it is given: once begun it isn't cut
// short, since others may share the transaction; one that ended meanwhile undoes
// it.
func (l *Ledger) inTransaction(ctx context.Context, what string, work func(context.Context, transaction) error) error {
	err := l.write(ctx, work)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		// Databases call a cancelled statement "interrupted", or the like.
		return fmt.Errorf("%s: %w: %w", what, ctx.Err(), err)
	}
	return fmt.Errorf("%s: %w", what, l.engine.explain(err))
}

// write queues, and either gets the pen or finds the work done by who had it.
func (l *Ledger) write(ctx context.Context, work func(context.Context, transaction) error) error {
	one := &writing{ctx: ctx, work: work, done: make(chan outcome, 1)}
	l.writers.join(one)
	select {
	case o := <-one.done:
		return o.tell()
	case l.writers.pen <- struct{}{}:
		defer func() { <-l.writers.pen }()
		if err := l.writeTogether(ctx); err != nil && l.writers.leave(one) {
			return err
		}
	case <-ctx.Done():
		if l.writers.leave(one) {
			return ctx.Err()
		}
	}
	return (<-one.done).tell()
}

func (o outcome) failed() bool { return o.err != nil || o.panicked != nil }

// tell lets a panic go on where it belongs.
func (o outcome) tell() error {
	if o.panicked != nil {
		panic(o.panicked)
	}
	return o.err
}

// writeTogether does, in one transaction, the work of all who queue. Its error
// is that it could not begin: nobody's work was touched then.
func (l *Ledger) writeTogether(ctx context.Context) error {
	if l.writers.waiting() == 0 {
		return nil // who had the pen before has done it all
	}
	tx, end, err := l.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	all := l.writers.takeAll()
	outcomes := make([]outcome, len(all))
	for i, one := range all {
		outcomes[i] = one.in(tx, len(all) > 1)
	}
	// Only one who stood alone may have failed without a savepoint.
	if len(all) == 1 && outcomes[0].failed() {
		err = tx.Rollback()
	} else {
		err = tx.Commit()
	}
	for i, one := range all {
		if !outcomes[i].failed() {
			outcomes[i].err = err
		}
		one.done <- outcomes[i]
	}
	return nil
}

// begin takes the lock for writing. While it waits, ctx may end that; afterwards
// it has no hold on the transaction, which end ends if nothing else did.
func (l *Ledger) begin(ctx context.Context) (tx transaction, end func(), err error) {
	pass, err := l.engine.turn(ctx)
	if err != nil {
		return transaction{}, nil, err
	}
	defer pass()
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	letGo := context.AfterFunc(ctx, cancel)
	begun, err := l.beginTx(lasting)
	if !letGo() && err == nil {
		err = errors.Join(ctx.Err(), begun.Rollback())
	}
	if err != nil {
		cancel()
		return transaction{}, nil, err
	}
	// After a commit, or when SQLite rolled back by itself, there is nothing left
	// to undo.
	return transaction{begun, l.dialect, &l.statements, l.engine.server(), l.swept, map[*sql.Stmt]*sql.Stmt{}}, func() { _ = begun.Rollback(); cancel() }, nil
}

// beginTx begins a transaction beside which no other writes.
func (l *Ledger) beginTx(ctx context.Context) (*sql.Tx, error) {
	begun, err := l.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err := l.engine.begun(ctx, begun); err != nil {
		return nil, errors.Join(err, begun.Rollback())
	}
	return begun, nil
}

// in does the work, beside that of others in the same transaction or alone. One
// that fails leaves nothing.
func (w *writing) in(tx transaction, besideOthers bool) outcome {
	ctx := context.WithoutCancel(w.ctx)
	if err := w.ctx.Err(); err != nil {
		return outcome{err: err}
	}
	if !besideOthers {
		return w.alone(ctx, tx)
	}
	if _, err := tx.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		return outcome{err: err}
	}
	o := w.alone(ctx, tx)
	if o.failed() {
		// When SQLite has undone the whole transaction there is no savepoint, and
		// the commit will fail for the others.
		_, err := tx.ExecContext(ctx, "ROLLBACK TO one")
		o.err = errors.Join(o.err, err)
	}
	if _, err := tx.ExecContext(ctx, "RELEASE one"); err != nil && !o.failed() {
		o.err = err
	}
	return o
}

func (w *writing) alone(ctx context.Context, tx transaction) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o.panicked = p
		}
	}()
	err := w.work(ctx, tx)
	if err == nil {
		err = w.ctx.Err()
	}
	return outcome{err: err}
}
