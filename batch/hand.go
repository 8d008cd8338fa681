package batch

import (
	"context"
	"sync"
	"time"
)

// Hand settles invoices of a run that another machine leads, or this one. What it needs
// to know of the run is in the ledger.
type Hand struct {
	runner *Runner

	mu       sync.Mutex
	run      Job       // the latest one
	asked    time.Time // when the ledger was asked for it
	settler  *settler  // for that run
	stop     *Stop     // why nothing more of it is charged here; nil: it goes on
	stopped  time.Time // when that was
	unmailed time.Time // when there was first no use in trying to mail; zero: there is
}

// How long a hand goes by what it has seen.
const (
	askAgainAfter = 500 * time.Millisecond // which run is on, unless an invoice tells of a later one
	tryAgainAfter = 10 * time.Second       // a ledger that failed, or a mail server that couldn't be reached
)

// Hand makes a hand. It works with as much of the Runner as isn't about one file.
func (r *Runner) Hand() *Hand { return &Hand{runner: r} }

// Settle moves one invoice as far as it will go, from wherever it was left. The error is
// a *Stop. With StopInterrupted it wasn't this one's fault, and others may settle it;
// with any other reason nothing else of the run will fare better here, and this hand
// charges none of it any more: with StopLedger for a while, else for as long as the run
// lasts. Of a run that is over nothing is settled.
func (h *Hand) Settle(ctx context.Context, key Key) error {
	s, err := h.take(ctx, askAgainAfter)
	if err != nil || s == nil {
		return err
	}
	done, err := s.settle(ctx, key)
	if err == nil && done.entry.State == Accepted && done.entry.Job > s.run { // of a run that has just begun
		if s, err = h.take(ctx, 0); err != nil || s == nil {
			return err
		}
		done, err = s.settle(ctx, key)
	}
	stop := h.lay(s, s.noteEnd(unlessStale(err)))
	if stop == nil && done.entry.State == Accepted && (s.over.Load() || s.breaker.open()) {
		stop = h.refuse()
	}
	return stopError(stop)
}

// take returns who settles for the run that is on, as it was known so long ago at most; nil
// where none is. A new run begins with trust in the API, and may mail again what an
// earlier one put off.
func (h *Hand) take(ctx context.Context, known time.Duration) (*settler, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ask(ctx, known); err != nil {
		return nil, err
	}
	if h.stop != nil || !h.run.FinishedAt.IsZero() { // another may have begun since
		if err := h.ask(ctx, 0); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	switch {
	case !h.run.FinishedAt.IsZero():
		return nil, nil
	case h.stop == nil:
	case h.stop.Reason == StopLedger && now.Sub(h.stopped) >= tryAgainAfter:
		h.stop = nil
		h.settler.over.Store(false)
	default:
		return nil, h.stop
	}
	h.mailAgain(now)
	return h.settler, nil
}

// ask asks the ledger which run is on, unless that was known so long ago at most.
func (h *Hand) ask(ctx context.Context, known time.Duration) error {
	now := time.Now()
	if h.settler != nil && now.Sub(h.asked) < known {
		return nil
	}
	jobs, err := h.runner.Ledger.Jobs(ctx, 1)
	switch {
	case err != nil:
		return ledgerStop(err)
	case len(jobs) == 0:
		return ledgerStop(ErrNotFound)
	}
	h.asked = now
	return h.follow(jobs[0])
}

func (h *Hand) follow(run Job) error {
	same := h.settler != nil && run.ID == h.run.ID
	h.run = run
	if same {
		return nil
	}
	s, err := h.runner.settlerOf(nil, run.StartedAt)
	if err != nil {
		return &Stop{Reason: StopLedger, Err: err}
	}
	s.run, s.putOffFor = run.ID, mailRetryAfter
	h.settler, h.stop, h.unmailed = s, nil, time.Time{}
	return nil
}

// noteUnmailed notes since when the mail server couldn't be reached.
func (h *Hand) noteUnmailed(now time.Time) {
	switch {
	case !h.settler.unsent.tooLong():
		h.unmailed = time.Time{}
	case h.unmailed.IsZero():
		h.unmailed = now
	}
}

// mailAgain has mails tried again after a while for which the server couldn't be reached.
func (h *Hand) mailAgain(now time.Time) {
	if h.noteUnmailed(now); !h.unmailed.IsZero() && now.Sub(h.unmailed) >= tryAgainAfter {
		h.settler.unsent.forget()
		h.unmailed = time.Time{}
	}
}

// lay takes in how a settling ended. One that was interrupted says nothing of others.
func (h *Hand) lay(s *settler, stop *Stop) *Stop {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.settler == s {
		h.noteUnmailed(time.Now())
	}
	switch {
	case stop == nil || h.settler != s:
	case stop.Reason == StopInterrupted && h.stop == nil:
		s.over.Store(false)
	case h.stop == nil:
		h.stop, h.stopped = stop, time.Now()
	}
	return stop
}

// refuse is why an invoice wasn't charged that another's stop has kept from it.
func (h *Hand) refuse() *Stop {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stop != nil {
		return h.stop
	}
	return &Stop{Reason: StopInterrupted}
}
