// Package fleet has several machines settle the invoices of one run: each invoice is a
// job of River (riverqueue/river), in the database that has the ledger.
//
// Data flows one way. The machine that runs a file, the leader, stores a job with each
// invoice that it accepts, and lets it be taken once it has looked for charges that the
// ledger doesn't know. Every machine, the leader too, takes jobs and settles by a
// [batch.Hand]. The leader sees in River's table which jobs are done, reads in the ledger
// what became of their invoices, and writes slips and results. A job holds the invoice's
// key and nothing else; of how it went it keeps at most why its run must stop.
//
// It promises that a job which is taken twice, late, or after its machine was given up
// does nothing wrong: what may be done is the ledger's to say, and its guards hold
// however many machines ask. So River's queue may lose its memory, and be started anew,
// without harm.
//
// All machines together keep to one pace, of which each has a [ledger.Share]. A machine
// that has none, since it can't reach the database, asks nothing of the payment API. One
// that has lost its share is silent: the leader settles itself what it was at.
package fleet

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/batch/places"
)

var _ batch.Crew = (*Fleet)(nil)

// Config says what a fleet works with.
type Config struct {
	Ledger  *ledger.Ledger
	Keeper  *Keeper
	Account func(context.Context) (batch.Account, error) // whose invoices are settled
	Hand    *batch.Hand
	Workers int // invoices that one machine settles at a time, at most
	Log     *slog.Logger
}

// Fleet is this machine's part of it. It is a batch.Crew.
type Fleet struct {
	config Config
	hands  places.Places
	taken  atomic.Int64 // jobs that River has given to this machine
	leads  atomic.Bool

	start    sync.Mutex            // held while it is started or closed
	client   *river.Client[pgx.Tx] // nil: it isn't started
	intake   *river.Client[*sql.Tx]
	pool     *pgxpool.Pool
	queue    string
	work     context.Context    // that of what is under way
	cut      context.CancelFunc // ends it
	stopping chan struct{}      // closed: no more jobs are begun
	pauses   pauses

	// For the leader alone.
	stored   map[batch.Key]int64 // the pending jobs of the run's invoices; nil: no run is on
	suspects map[int64]time.Time // jobs that seem to be with nobody, and since when
}

// New makes a fleet that nobody works for yet.
func New(c Config) *Fleet {
	f := &Fleet{config: c, stopping: make(chan struct{}), suspects: map[int64]time.Time{}}
	c.Ledger.StoreBeside(f.storeBeside)
	c.Keeper.serve(func(s ledger.Share, until time.Time) {
		f.hands.Offer(c.handsFor(s.AtOnce), until)
	}, func() (int, bool) { return int(f.taken.Load()), f.leads.Load() })
	return f
}

// handsFor is how many invoices are settled at a time for so many requests under way:
// while one waits for its answer, others are stored, drawn or mailed. Where one machine
// works on one invoice at a time, so does each of several.
func (c Config) handsFor(atOnce int) int {
	if atOnce <= 0 || c.Workers == 1 {
		return atOnce
	}
	return 2*atOnce + 1
}

// How River works here.
const (
	connections = 8
	// fetchEvery bounds how often a machine takes jobs.
	fetchEvery = 10 * time.Millisecond
	// pollEvery is how long jobs wait at most that became available by the leader's word,
	// of which River tells nobody.
	pollEvery = 200 * time.Millisecond
	// rescueAfter is for jobs whose machine was lost while nobody led: longer than any
	// invoice takes (see batch, which tries for 15 minutes where the API is too busy). A
	// leader doesn't wait for it.
	rescueAfter = 20 * time.Minute
	// keptFor is how long River keeps jobs that are done.
	keptFor = time.Hour
	// attempts are more than a job can have: each fails for the database's sake, and the
	// leader gives up before.
	attempts = 10_000
)

// Migrate makes River's tables, or brings them up to date.
func Migrate(ctx context.Context, book *ledger.Ledger) error {
	pool, err := book.Pool(ctx, 2)
	if err != nil {
		return err
	}
	defer pool.Close()
	return migrate(ctx, book, pool)
}

func migrate(ctx context.Context, book *ledger.Ledger, pool *pgxpool.Pool) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	err = book.WithFleetLock(ctx, func() error {
		_, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("make the tables of the job queue: %w", err)
	}
	return nil
}

// Start has this machine take jobs until Close. ctx cuts what is under way short once it
// ends.
func (f *Fleet) Start(ctx context.Context) error {
	f.start.Lock()
	defer f.start.Unlock()
	if f.client != nil {
		return nil
	}
	account, err := f.config.Account(ctx)
	if err != nil {
		return err
	}
	pool, err := f.config.Ledger.Pool(ctx, connections)
	if err != nil {
		return err
	}
	if err := f.startWith(ctx, pool, queueOf(account)); err != nil {
		pool.Close()
		return err
	}
	return nil
}

// startWith takes jobs of a queue, once the others know of this machine.
func (f *Fleet) startWith(ctx context.Context, pool *pgxpool.Pool, queue string) error {
	if err := migrate(ctx, f.config.Ledger, pool); err != nil {
		return err
	}
	client, err := f.newClient(pool, queue)
	if err != nil {
		return err
	}
	if err := f.config.Keeper.waitJoined(ctx); err != nil {
		return err
	}
	if f.intake, err = f.newIntake(); err != nil {
		return err
	}
	f.pool, f.client, f.queue = pool, client, queue // workers need them from the first job on
	f.work, f.cut = context.WithCancel(ctx)
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		f.cut()
		f.client = nil
		return fmt.Errorf("work with other machines: %w", err)
	}
	return nil
}

func (f *Fleet) newClient(pool *pgxpool.Pool, queue string) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{fleet: f})
	return river.NewClient(riverpgxv5.New(pool), &river.Config{
		ID:                          f.config.Ledger.Process(),
		Queues:                      map[string]river.QueueConfig{queue: {MaxWorkers: max(f.config.Workers, 1)}},
		Workers:                     workers,
		FetchCooldown:               fetchEvery,
		FetchPollInterval:           pollEvery,
		JobTimeout:                  -1, // what an invoice waits for has bounds of its own
		RescueStuckJobsAfter:        rescueAfter,
		MaxAttempts:                 attempts,
		RetryPolicy:                 soon{},
		CompletedJobRetentionPeriod: keptFor,
		CancelledJobRetentionPeriod: keptFor,
		DiscardedJobRetentionPeriod: keptFor,
		Logger:                      f.riverLog(),
	})
}

func (f *Fleet) riverLog() *slog.Logger { return slog.New(warnings{f.config.Log.Handler()}) }

// warnings are what operators hear of River: how it is doing is told by its tables.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// queueOf names the queue for an account's invoices, which no key of another charges.
func queueOf(a batch.Account) string {
	sum := sha256.Sum256([]byte(a.ID))
	return "konbill_" + a.Mode() + "_" + hex.EncodeToString(sum[:8])
}

// Close takes no more jobs, and returns once those under way have ended.
func (f *Fleet) Close() error {
	f.start.Lock()
	defer f.start.Unlock()
	if f.client == nil {
		return nil
	}
	close(f.stopping)
	defer f.cut()
	err := f.client.Stop(f.work)
	if err != nil { // what is under way is to be cut short
		ctx, cancel := context.WithTimeout(context.Background(), cutWithin)
		defer cancel()
		err = f.client.StopAndCancel(ctx)
	}
	f.pool.Close()
	f.client = nil
	return err
}

// cutWithin is how long it takes at most to end what is cut short.
const cutWithin = 10 * time.Second
