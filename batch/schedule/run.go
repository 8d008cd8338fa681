package schedule

import (
	"context"
	"time"

	"github.com/robfig/cron/v3"
)

// heartbeat is how often the clock is looked at while nothing is due. Timers
// stand still while a computer sleeps: without it, a run that came in its sleep
// would start as much later as the sleep was long.
const heartbeat = time.Minute

// Observer hears of runs that did not go as planned. Its functions must not be
// nil, and may be called while work goes on.
type Observer struct {
	// Skipped tells of a run that was due while the one before was at work.
	Skipped func(due time.Time)

	// Panicked tells of a run that panicked, and where. Both texts may quote
	// anything that the run had in hand.
	Panicked func(due time.Time, err error, stack string)
}

// Run calls work for every run that is due, one at a time, until ctx ends or
// drain is closed; it then waits for the work in progress and returns. Work gets
// the instant its run was due at, in UTC.
//
// last is the run that was worked last, before this start: one missed since is
// caught up at once. It is zero at the first start. One in the future, left by a
// clock that was wrong, counts as now.
func (s *Schedule) Run(ctx context.Context, drain <-chan struct{}, last time.Time, observer Observer, work func(ctx context.Context, due time.Time)) {
	if now := time.Now(); last.IsZero() || last.After(now) {
		last = now
	}
	w := &watch{schedule: s, last: last, due: make(chan time.Time, 1), observer: observer}
	job := cron.FuncJob(func() { w.begin(ctx, drain, work) })
	// Skipping is outermost: it must see every run end, and a panic that passes
	// through it would leave it waiting for that end for ever.
	chain := cron.NewChain(cron.SkipIfStillRunning(w), cron.Recover(w))

	c := cron.New(cron.WithLocation(time.UTC), cron.WithLogger(cron.DiscardLogger))
	c.Schedule(w, chain.Then(job))
	c.Schedule(cron.Every(heartbeat), cron.FuncJob(func() {}))
	c.Start()
	select {
	case <-ctx.Done():
	case <-drain:
	}
	<-c.Stop().Done()
}

// ended reports whether nothing more is to be begun.
func ended(ctx context.Context, drain <-chan struct{}) bool {
	select {
	case <-ctx.Done():
	case <-drain:
	default:
		return false
	}
	return true
}

// watch is a schedule as cron asks for it. Cron tells a job neither which
// instant it is for nor, in its logger, which was skipped; so the instant of
// each run it starts passes through due, to whichever of the two takes it.
type watch struct {
	schedule *Schedule
	last     time.Time // the last run started, or the one to count from
	asked    bool
	due      chan time.Time
	working  time.Time // of the one run at work
	observer Observer
}

// Next implements cron.Schedule. Cron calls it at the start and then each time
// it has started the job. An instant in the past is run at once.
func (w *watch) Next(now time.Time) time.Time {
	if w.asked {
		// Cron may be late by any time: of several runs that came, the latest is
		// the one at work.
		if due, came := w.schedule.Missed(w.last, now); came {
			w.last = due
		}
		w.due <- w.last
	}
	w.asked = true
	return w.schedule.Next(w.last)
}

// begin works the run that cron just started, unless nothing more is to be begun:
// cron may start one while it is being stopped.
func (w *watch) begin(ctx context.Context, drain <-chan struct{}, work func(ctx context.Context, due time.Time)) {
	w.working = <-w.due
	if !ended(ctx, drain) {
		work(ctx, w.working)
	}
}

// Info implements cron.Logger. SkipIfStillRunning says nothing but skips.
func (w *watch) Info(string, ...any) { w.observer.Skipped(<-w.due) }

// Error implements cron.Logger. Recover says nothing but panics, with the stack
// as its last value.
func (w *watch) Error(err error, _ string, about ...any) {
	stack, _ := about[len(about)-1].(string)
	w.observer.Panicked(w.working, err, stack)
}
