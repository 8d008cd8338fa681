package fleet

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivertype"

	"konbill/batch"
)

// An invoice gets its job in the transaction that accepts it, so that neither is there
// without the other. The job is pending, which River lets nobody take: the account is
// looked through first. Only what is then left to be charged becomes available.

// newIntake makes the client that stores jobs in the ledger's own transactions.
func (f *Fleet) newIntake() (*river.Client[*sql.Tx], error) {
	return river.NewClient(riverdatabasesql.New(nil), &river.Config{MaxAttempts: attempts, Logger: f.riverLog()})
}

// storeBeside is a ledger.Beside. Nothing is stored for a fleet that hasn't gathered.
func (f *Fleet) storeBeside(ctx context.Context, tx *sql.Tx, accepted []batch.Key) error {
	if f.stored == nil {
		return nil
	}
	for some := range slices.Chunk(accepted, insertAtOnce) {
		inserted, err := f.intake.InsertManyTx(ctx, tx, f.jobsFor(some, river.InsertOpts{Pending: true}))
		if err != nil {
			return fmt.Errorf("store jobs: %w", err)
		}
		for i, key := range some {
			f.stored[key] = inserted[i].Job.ID
		}
	}
	return nil
}

// insertAtOnce is how many jobs one statement stores.
const insertAtOnce = 1000

func (f *Fleet) jobsFor(keys []batch.Key, opts river.InsertOpts) []river.InsertManyParams {
	opts.Queue = f.queue
	params := make([]river.InsertManyParams, len(keys))
	for i, key := range keys {
		params[i] = river.InsertManyParams{Args: settling{key}, InsertOpts: &opts}
	}
	return params
}

// Gather implements batch.Crew.
func (f *Fleet) Gather(ctx context.Context) (dismiss func(), err error) {
	if err := f.Start(ctx); err != nil {
		return nil, err
	}
	if err := f.quiet(ctx, nil); err != nil {
		return nil, err
	}
	f.stored = map[batch.Key]int64{}
	return func() { f.dismiss(context.WithoutCancel(ctx)) }, nil
}

// dismiss takes back the jobs of invoices that were not to be settled after all. Those
// that it can't take back nobody can take, and who gathers next does it.
func (f *Fleet) dismiss(ctx context.Context) {
	f.stored = nil
	ctx, cancel := context.WithTimeout(ctx, dismissWithin)
	defer cancel()
	if _, err := f.recall(ctx); err != nil {
		f.config.Log.Warn("jobs that nobody needs are left in the queue until the next run", "reason", err)
	}
}

const dismissWithin = 5 * time.Second

// handOut has a job of each invoice be taken after a while: all or none. It returns their
// ids, in the order of the keys.
func (f *Fleet) handOut(ctx context.Context, keys []batch.Key, after time.Duration) ([]int64, error) {
	tx, err := f.pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing is left to undo after a commit
	stored := f.stored
	f.stored = map[batch.Key]int64{} // they are handed out once
	var from time.Time               // zero: at once
	if after > 0 {
		from = time.Now().Add(after)
	}
	ids, err := f.offer(ctx, tx, keys, stored, from)
	if err != nil {
		return nil, err
	}
	if err := f.insertMissing(ctx, tx, keys, ids, river.InsertOpts{ScheduledAt: from}); err != nil {
		return nil, err
	}
	return ids, tx.Commit(ctx)
}

// offer lets jobs be taken, from an instant on, that were stored with their invoices. It
// returns the id of each; 0 where there is none.
func (f *Fleet) offer(ctx context.Context, tx pgx.Tx, keys []batch.Key, stored map[batch.Key]int64, from time.Time) ([]int64, error) {
	ids := make([]int64, len(keys))
	place := map[int64]int{}
	var pending []int64
	for i, key := range keys {
		if id, is := stored[key]; is {
			place[id] = i
			pending = append(pending, id)
		}
	}
	// River has no call for it: who made a job pending is to say when it isn't any more.
	state, scheduledAt := rivertype.JobStateAvailable, (*time.Time)(nil)
	if !from.IsZero() {
		state, scheduledAt = rivertype.JobStateScheduled, &from
	}
	rows, err := tx.Query(ctx, "UPDATE river_job SET state = $1, scheduled_at = COALESCE($2, scheduled_at) WHERE id = ANY ($3) AND state = $4 RETURNING id",
		state, scheduledAt, pending, rivertype.JobStatePending)
	if err != nil {
		return nil, err
	}
	available, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	for _, id := range available {
		ids[place[id]] = id
	}
	return ids, err
}

// insertMissing stores a job for each invoice that has none, and notes its id.
func (f *Fleet) insertMissing(ctx context.Context, tx pgx.Tx, keys []batch.Key, ids []int64, opts river.InsertOpts) error {
	var without []int
	for i, id := range ids {
		if id == 0 {
			without = append(without, i)
		}
	}
	for some := range slices.Chunk(without, insertAtOnce) {
		theirs := make([]batch.Key, len(some))
		for i, at := range some {
			theirs[i] = keys[at]
		}
		inserted, err := f.client.InsertManyTx(ctx, tx, f.jobsFor(theirs, opts))
		if err != nil {
			return err
		}
		for i, at := range some {
			ids[at] = inserted[i].Job.ID
		}
	}
	return nil
}

// left are the jobs whose invoices aren't settled, as far as the leader knows.
type left struct {
	place map[int64]int // among the keys, by job
	order []int64       // jobs as River takes them; those no longer in place are done
}

func newLeft(ids []int64) left {
	l := left{place: make(map[int64]int, len(ids)), order: slices.Sorted(slices.Values(ids))}
	for i, id := range ids {
		l.place[id] = i
	}
	return l
}

// window are the first of them.
func (l *left) window() []int64 {
	var window []int64
	for i, id := range l.order {
		if _, is := l.place[id]; !is {
			continue
		}
		if len(window) == 0 {
			l.order = l.order[i:]
		}
		if window = append(window, id); len(window) == windowSize {
			break
		}
	}
	return window
}
