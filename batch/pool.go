package batch

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"konbill/invoice"
	"konbill/templates"
	"konbill/templates/slip"
)

// press draws slips.
type press interface {
	Draw(templates.Instructions) ([]byte, error)
	PrintFile([]templates.Instructions) ([]byte, error)
}

func (r *Runner) cutPress(m templates.Merchant, invoices iter.Seq[invoice.Invoice]) (press, error) {
	return slip.NewPress(m, r.Settings.Slip, invoices)
}

// settler prepares to settle a job.
func (r *Runner) settler(j *job) (*settler, error) {
	return r.settlerOf(contentOf(j.where((*standing).known)), j.started)
}

func invoicesOf(entries []Entry) iter.Seq[invoice.Invoice] {
	return mapped(entries, func(e Entry) invoice.Invoice { return e.Invoice })
}

// mapped yields what f makes of each.
func mapped[S, T any](each []S, f func(S) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, one := range each {
			if !yield(f(one)) {
				return
			}
		}
	}
}

// settlerOf prepares to settle invoices: it looks up their characters in the
// fonts. Mails last tried at or after an instant are not tried again.
func (r *Runner) settlerOf(invoices iter.Seq[invoice.Invoice], mailedBefore time.Time) (*settler, error) {
	newPress := r.newPress
	if newPress == nil {
		newPress = r.cutPress
	}
	press, err := newPress(r.Settings.Merchant, invoices)
	return &settler{
		Runner: r, press: press, mailedBefore: mailedBefore, breaker: &breaker{}, over: new(atomic.Bool), unsent: &streak{},
		desks: newDesks(r.Settings.Charging),
	}, err
}

// settleAll settles the invoices of a job as far as they will go. It returns why
// it stopped early, or nil.
func (s *settler) settleAll(ctx context.Context, j *job, out *output) *Stop {
	if stop := s.settleInTurn(ctx, j, out); stop != nil {
		if failed := s.handBack(ctx, j); failed != nil {
			return failed
		}
		return stop
	}
	return nil
}

// handBack leaves the invoices that were proved to have no charge, and that a
// run which stopped didn't get to charge, to whoever runs the file again: the
// results say that they are not charged.
func (s *settler) handBack(ctx context.Context, j *job) *Stop {
	left := j.where(func(o *standing) bool { return o.state == Accepted })
	entries, err := s.entriesOf(ctx, left)
	if err != nil {
		return stopOf(ledgerStop(err))
	}
	for _, o := range left {
		done := settled{entry: entries[o.key]}
		if !done.entry.provedAbsent() {
			continue
		}
		err := s.record(ctx, &done, Accepted, "not charged: the run stopped before", func(e *Entry) {
			e.MissedAt, e.Retries = time.Time{}, 0
		})
		if unlessStale(err) != nil {
			return stopOf(err)
		}
		o.see(done.entry)
	}
	return nil
}

// settleInTurn looks for charges that the ledger doesn't know, settles the
// accepted invoices of a job and then the outcomes left unknown, and tries once
// more the mails that were put off.
func (s *settler) settleInTurn(ctx context.Context, j *job, out *output) *Stop {
	if stop := s.sweepFirst(ctx, j); stop != nil {
		return stop
	}
	// Rows that want nothing but their slip come last: a run that is killed
	// again and again must get on with the others.
	finished := j.where(func(o *standing) bool { return o.known() && s.finished(o.state) })
	stopped := s.settleTogether(ctx, j, out, j.where(func(o *standing) bool { return o.known() && !s.finished(o.state) }), 0)
	if stopped != nil && stopped.Reason != StopUnknown {
		return stopped
	}
	if stop := s.settleUnknown(ctx, j, out); stop != nil {
		return stop
	}
	if stop := s.mailAgain(ctx, j, out); stop != nil {
		return stop
	}
	if stop := s.leaveSlips(ctx, out, finished); stop != nil {
		return stop
	}
	return stopped
}

// finished reports a state from which there is no step to take by itself.
func (s *settler) finished(at State) bool {
	switch at {
	case Mailed, Refused:
		return true
	case Held:
		return !s.Settings.ResendHeld
	case Charged:
		return s.Settings.MailOff
	}
	return false
}

// mailAgain tries the mails that were put off, or not begun for want of a mail
// server, once more.
func (s *settler) mailAgain(ctx context.Context, j *job, out *output) *Stop {
	putOff := j.where(func(o *standing) bool { return o.state == Deferred || o.state == Charged && !s.Settings.MailOff })
	entries, err := s.entriesOf(ctx, putOff)
	if err != nil {
		return stopOf(ledgerStop(err))
	}
	putOff = slices.DeleteFunc(putOff, func(o *standing) bool { return !s.mailable(entries[o.key]) })
	if len(putOff) == 0 {
		return nil
	}
	if s.Crew == nil {
		if err := s.Wait(ctx, mailRetryAfter); err != nil {
			return &Stop{Reason: StopInterrupted}
		}
	}
	s.mailedBefore = s.Now()
	s.unsent.forget()
	return s.settleTogether(ctx, j, out, putOff, mailRetryAfter)
}

// settleRows settles the invoices of rows, and tells whoever listens how far it
// has come.
func (s *settler) settleRows(ctx context.Context, out *output, rows []*standing) *Stop {
	progress := s.newTally(len(rows))
	return s.pool(ctx, len(rows), func(i int) *Stop {
		defer progress.settled(rows[i])
		return s.settleRow(ctx, rows[i], out)
	})
}

// leaveSlips leaves the slips of rows that want nothing else. A file that is run
// again may be all of such, so invoices are read many at a time, and only where the
// folder hasn't the slip that was given out.
func (s *settler) leaveSlips(ctx context.Context, out *output, rows []*standing) *Stop {
	progress := s.newTally(len(rows))
	parts := slices.Collect(slices.Chunk(rows, readTogether))
	return s.pool(ctx, len(parts), func(i int) *Stop {
		var missing []*standing
		for _, o := range parts[i] {
			if o.slip = out.has(o.number, o.given); o.slip {
				progress.settled(o)
			} else {
				missing = append(missing, o)
			}
		}
		return s.noteEnd(ledgerStop(s.withEntries(ctx, missing, func(o *standing, e Entry) error {
			defer progress.settled(o)
			return s.rememberSlip(ctx, e, s.storeSlip(o, out, settled{entry: e}))
		})))
	})
}

// pool settles n things with a bounded number of workers. After the first
// *Stop, or once draining, none is begun.
func (r *Runner) pool(ctx context.Context, n int, settle func(i int) *Stop) *Stop {
	var (
		workers sync.WaitGroup
		once    sync.Once
		stop    *Stop
		stopped = make(chan struct{})
		todo    = make(chan int)
	)
	halt := func(because *Stop) {
		once.Do(func() { stop = because; close(stopped) })
	}
	for range min(max(r.Settings.Workers, 1), n) {
		workers.Go(func() {
			for i := range todo {
				if err := settle(i); err != nil {
					halt(err)
				}
			}
		})
	}
	begun := r.feed(ctx, todo, stopped, n)
	close(todo)
	workers.Wait()
	if stop == nil && begun < n {
		return &Stop{Reason: StopInterrupted}
	}
	return stop
}

// feed hands out n things to the workers and returns how many it got rid of
// before it was stopped.
func (r *Runner) feed(ctx context.Context, todo chan<- int, stopped <-chan struct{}, n int) int {
	for i := range n {
		if r.Begin != nil && r.Begin(ctx) != nil || r.ended(ctx, stopped) {
			return i
		}
		select {
		case todo <- i:
		case <-stopped:
			return i
		case <-r.Drain:
			return i
		}
	}
	return n
}

// ended reports whether nothing more is to be begun.
func (r *Runner) ended(ctx context.Context, stopped <-chan struct{}) bool {
	select {
	case <-stopped:
	case <-r.Drain:
	case <-ctx.Done():
	default:
		return false
	}
	return true
}

// settleRow settles one row's invoice and leaves its slip in the output.
func (s *settler) settleRow(ctx context.Context, o *standing, out *output) *Stop {
	done, err := s.settle(ctx, o.key)
	if done.entry.Key == "" {
		return s.noteEnd(err)
	}
	o.chargedIn = o.chargedIn || done.chargedIn
	o.see(done.entry)
	if done.unrecorded {
		o.remark().unrecorded = &done.entry
	}
	given := s.storeSlip(o, out, done)
	if err == nil {
		err = s.rememberSlip(ctx, done.entry, given)
	}
	return s.noteEnd(err)
}

// rememberSlip notes which slip was given out, by its SHA-256, unless one was mailed.
func (s *settler) rememberSlip(ctx context.Context, e Entry, sha256 string) error {
	if sha256 == "" || e.SlipSHA256 != "" {
		return nil
	}
	done := settled{entry: e}
	return unlessStale(s.record(ctx, &done, e.State, "its slip is in the results", func(e *Entry) { e.SlipSHA256 = sha256 }))
}

// storeSlip stores the slip of an invoice that can be paid, and returns its SHA-256.
// Of one that can't be paid any more the results keep the slip they have.
func (s *settler) storeSlip(o *standing, out *output, done settled) (sha256 string) {
	switch e := done.entry; {
	case !e.State.HasCharge():
	case s.payable(e):
		var err error
		sha256, err = out.slip(s, e, done.slip)
		if o.slip = err == nil; err != nil || o.remarks != nil {
			o.remark().slipErr = err
		}
	default:
		o.slip = out.stored(o.number) != ""
	}
	return sha256
}

// tally counts settled invoices and tells the one who listens.
type tally struct {
	mu    sync.Mutex
	tell  func(Progress)
	sofar Progress
}

func (r *Runner) newTally(total int) *tally {
	return &tally{tell: r.Progress, sofar: Progress{Total: total, Sums: Totals{}}}
}

func (t *tally) settled(o *standing) {
	if t.tell == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sofar.Done++
	t.sofar.Sums.Add(o.result, o.amount)
	t.tell(Progress{Done: t.sofar.Done, Total: t.sofar.Total, Sums: maps.Clone(t.sofar.Sums)})
}
