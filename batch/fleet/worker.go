package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"konbill/batch"
)

// settling is the job of settling one invoice.
type settling struct {
	Key batch.Key `json:"key"`
}

// Kind implements river.JobArgs.
func (settling) Kind() string { return "konbill_settle" }

// stopped is what a job says of a run that must stop.
type stopped struct {
	Reason  batch.StopReason `json:"reason"`
	Outcome batch.Outcome    `json:"outcome,omitempty"` // of the request that it stops for
	Status  int              `json:"status,omitempty"`
	Code    string           `json:"code,omitempty"`
	Why     string           `json:"why,omitempty"`
}

func stoppedBy(s *batch.Stop) stopped {
	said := stopped{Reason: s.Reason}
	g := new(batch.GatewayError)
	switch {
	case errors.As(s.Err, &g):
		said.Outcome, said.Status, said.Code = g.Outcome, g.Status, g.Code
		if g.Err != nil {
			said.Why = g.Err.Error()
		}
	case s.Err != nil:
		said.Why = s.Err.Error()
	}
	return said
}

// stop is what the leader stops with.
func (s stopped) stop() *batch.Stop {
	stop := &batch.Stop{Reason: s.Reason}
	var why error
	if s.Why != "" {
		why = errors.New(s.Why)
	}
	switch stop.Err = why; {
	case s.Outcome != "":
		stop.Err = &batch.GatewayError{Outcome: s.Outcome, Status: s.Status, Code: s.Code, Err: why}
	case s.Reason == batch.StopLedger:
		stop.Err = batch.ErrNotSwept // of no other failure of the ledger do jobs tell
	}
	return stop
}

// soon has River try a job again that failed for the database's sake.
type soon struct{}

const retryAfter = 4 * time.Second // below River's own rhythm, so that no leader is needed for it

func (soon) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(retryAfter) }

// worker settles what this machine takes.
type worker struct {
	river.WorkerDefaults[settling]
	fleet *Fleet
}

const (
	// handWithin is how long a job waits for a free hand before others may have it.
	handWithin = 5 * time.Second
	// backAfter is when a job may be taken again that was given back.
	backAfter = 300 * time.Millisecond
)

// Work settles one invoice.
func (w *worker) Work(ctx context.Context, job *river.Job[settling]) error {
	f := w.fleet
	f.taken.Add(1)
	defer f.taken.Add(-1)
	if !f.handFree() {
		return river.JobSnooze(backAfter)
	}
	defer f.hands.Leave()
	if f.pauses.paused(f) {
		return river.JobSnooze(time.Second)
	}
	// River's own context ends when a client stops; what is under way ends by itself then.
	err := f.config.Hand.Settle(f.work, job.Args.Key)
	stop := new(batch.Stop)
	if !errors.As(err, &stop) {
		return err
	}
	switch stop.Reason {
	case batch.StopInterrupted:
		return river.JobSnooze(backAfter)
	case batch.StopLedger:
		if !errors.Is(err, batch.ErrNotSwept) {
			return err
		}
	}
	return river.RecordOutput(ctx, stoppedBy(stop))
}

// handFree waits for a free hand, to be let go again.
func (f *Fleet) handFree() bool {
	in := f.hands.Ask()
	timer := time.NewTimer(handWithin)
	defer timer.Stop()
	select {
	case <-f.stopping:
	case <-timer.C:
	case <-in:
		select {
		case <-f.stopping:
		default:
			return true
		}
	}
	f.hands.Withdraw(in)
	return false
}

// pauses remember for a moment whether the queue is paused: jobs that were taken before
// are to wait, too.
type pauses struct {
	mu    sync.Mutex
	asked time.Time
	yes   bool
}

const askPauseEvery = 500 * time.Millisecond

func (p *pauses) paused(f *Fleet) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Sub(p.asked) >= askPauseEvery {
		p.asked = now
		queue, err := f.client.QueueGet(f.work, f.queue)
		p.yes = err == nil && queue.PausedAt != nil
	}
	return p.yes
}
