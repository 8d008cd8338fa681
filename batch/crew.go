package batch

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Crew is the machines that settle invoices together, on a ledger that they share. One
// of them leads: it runs the file, hands out its invoices and writes the results. What
// the others do of a run is what they read in the ledger (see [Hand]).
type Crew interface {
	// Gather makes this machine one of the crew, has nothing more begun that an earlier
	// leader handed out, and waits for what is under way. Invoices that the ledger accepts
	// from then on wait with the crew until they are handed out, or all are dismissed. The
	// error is a *Stop, or the ledger's.
	Gather(ctx context.Context) (dismiss func(), err error)
	// Settle has each invoice settled by whoever is free, and returns when all have been,
	// or once nothing more is to be begun; what was under way has ended then. The error is
	// a *Stop, or the ledger's. It isn't to be called twice at a time.
	Settle(ctx context.Context, keys []Key, h Handout) error
}

// Handout is what a leader does while others settle. None of it is called twice at a time.
// After a *Stop with StopLedger the same may be asked again: the ledger may be back.
type Handout struct {
	After time.Duration   // how long nobody is to begin
	Drain <-chan struct{} // closed: nothing more is to be begun
	// Begin is that of a Runner; nil: there is none.
	Begin func(ctx context.Context) error
	// Settled hears which invoices have been settled, by their place among the keys. The
	// error is a *Stop.
	Settled func(some []int) error
	// Lost settles an invoice whose machine has fallen silent, and reports whether it has:
	// not where that machine is at it after all. The error is a *Stop.
	Lost func(i int) (settled bool, err error)
}

// gather waits until nobody settles what an earlier leader has handed out: all that is
// then without an outcome has none, and nothing of the next run is begun before its time.
func (r *Runner) gather(ctx context.Context) (dismiss func(), err error) {
	if r.Crew == nil {
		return func() {}, nil
	}
	dismiss, err = r.Crew.Gather(ctx)
	return dismiss, ledgerStop(err)
}

// settleTogether settles the invoices of rows, with the crew if there is one, which begins
// after a while.
func (s *settler) settleTogether(ctx context.Context, j *job, out *output, rows []*standing, after time.Duration) *Stop {
	if s.Crew == nil || len(rows) == 0 {
		return s.settleRows(ctx, out, rows)
	}
	progress := s.newTally(len(rows))
	stop := stopOf(ledgerStop(s.Crew.Settle(ctx, keysOf(rows), Handout{
		After: after,
		Drain: s.Drain,
		Begin: s.Begin,
		Settled: func(some []int) error {
			settled := make([]*standing, len(some))
			for i, at := range some {
				settled[i] = rows[at]
			}
			return ledgerStop(s.bringHome(context.WithoutCancel(ctx), j, out, settled, progress))
		},
		Lost: func(i int) (bool, error) {
			if stop := s.settleRow(ctx, rows[i], out); stop != nil {
				return false, stop
			}
			if rows[i].state == Charging || rows[i].state == Mailing {
				return false, nil
			}
			// How far its machine had come shows in the ledger.
			return true, ledgerStop(s.bringHome(ctx, j, out, rows[i:i+1], progress))
		},
	})))
	if stop == nil {
		return s.settleForgotten(ctx, out, rows)
	}
	if stop.Reason == StopUnknown { // another's breaker has tripped: the run's has
		s.breaker.trip()
	}
	return s.noteEnd(stop)
}

// settleForgotten settles what was handed out and came back as it was: nobody has tried.
func (s *settler) settleForgotten(ctx context.Context, out *output, rows []*standing) *Stop {
	rows = slices.DeleteFunc(slices.Clone(rows), func(o *standing) bool { return o.state != Accepted })
	entries, err := s.entriesOf(ctx, rows)
	if err != nil {
		return stopOf(ledgerStop(err))
	}
	return s.settleRows(ctx, out, slices.DeleteFunc(rows, func(o *standing) bool { return entries[o.key].Refusal.Code != "" }))
}

// bringHome takes over what others have made of rows, and leaves their slips in the
// output.
func (s *settler) bringHome(ctx context.Context, j *job, out *output, rows []*standing, progress *tally) error {
	entries, err := s.entriesOf(ctx, rows)
	if err != nil {
		return err
	}
	failed := make([]error, len(rows))
	drawing := make(chan struct{}, runtime.GOMAXPROCS(0))
	var drawn sync.WaitGroup
	for i, o := range rows {
		drawing <- struct{}{}
		drawn.Go(func() {
			defer func() { <-drawing }()
			failed[i] = s.bringOneHome(ctx, j, out, o, entries[o.key])
		})
	}
	drawn.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	for _, o := range rows {
		progress.settled(o)
	}
	return nil
}

func (s *settler) bringOneHome(ctx context.Context, j *job, out *output, o *standing, e Entry) error {
	o.chargedIn = o.chargedIn || o.state == Accepted && e.State.HasCharge() && !e.Elsewhere // whatever the clocks say
	j.refresh(o, e)
	return s.rememberSlip(ctx, e, s.storeSlip(o, out, settled{entry: e}))
}
