package batch

import (
	"context"
	"maps"
	"sync"
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

func (r *Runner) cutPress(m templates.Merchant, invoices []invoice.Invoice) (press, error) {
	return slip.NewPress(m, r.Settings.Slip, invoices)
}

// settler prepares to settle a job.
func (r *Runner) settler(j *job) (*settler, error) {
	known := j.where((*RowOutcome).known)
	return r.settlerOf(entriesOf(known), j.started)
}

// settlerOf prepares to settle invoices: it looks up their characters in the
// fonts. Mails last tried at or after an instant are not tried again.
func (r *Runner) settlerOf(entries []Entry, mailedBefore time.Time) (*settler, error) {
	invoices := make([]invoice.Invoice, len(entries))
	for i, e := range entries {
		invoices[i] = e.Invoice
	}
	newPress := r.newPress
	if newPress == nil {
		newPress = r.cutPress
	}
	press, err := newPress(r.Settings.Merchant, invoices)
	return &settler{
		Runner: r, press: press, mailedBefore: mailedBefore, breaker: &breaker{}, unsent: &streak{},
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
	for _, o := range j.where(func(o *RowOutcome) bool { return o.Entry.State == Accepted && o.Entry.provedAbsent() }) {
		done := settled{entry: o.Entry}
		err := s.record(ctx, &done, Accepted, "not charged: the run stopped before", func(e *Entry) {
			e.MissedAt, e.Retries = time.Time{}, 0
		})
		if unlessStale(err) != nil {
			return stopOf(err)
		}
		o.Entry = done.entry
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
	finished := j.where(func(o *RowOutcome) bool { return o.known() && s.finished(o.Entry) })
	stopped := s.settleRows(ctx, out, j.where(func(o *RowOutcome) bool { return o.known() && !s.finished(o.Entry) }))
	if stopped != nil && stopped.Reason != StopUnknown {
		return stopped
	}
	if stop := s.settleUnknown(ctx, j, out); stop != nil {
		return stop
	}
	if stop := s.mailAgain(ctx, j, out); stop != nil {
		return stop
	}
	if stop := s.settleRows(ctx, out, finished); stop != nil {
		return stop
	}
	return stopped
}

// finished reports whether an invoice is charged and there is no step to take.
func (s *settler) finished(e Entry) bool { return e.State.HasCharge() && s.next(e) == nil }

// mailAgain tries the mails that were put off, or not begun for want of a mail
// server, once more.
func (s *settler) mailAgain(ctx context.Context, j *job, out *output) *Stop {
	putOff := j.where(func(o *RowOutcome) bool {
		return (o.Entry.State == Deferred || o.Entry.State == Charged) && s.mailable(o.Entry)
	})
	if len(putOff) == 0 {
		return nil
	}
	if err := s.Wait(ctx, mailRetryAfter); err != nil {
		return &Stop{Reason: StopInterrupted}
	}
	s.mailedBefore = s.Now()
	s.unsent.forget()
	return s.settleRows(ctx, out, putOff)
}

// where lists the outcomes that is holds for.
func (j *job) where(is func(*RowOutcome) bool) []*RowOutcome {
	var found []*RowOutcome
	for i := range j.outcomes {
		if is(&j.outcomes[i]) {
			found = append(found, &j.outcomes[i])
		}
	}
	return found
}

// known reports whether the ledger has the row's invoice.
func (o *RowOutcome) known() bool { return o.Entry.Key != "" }

// settleRows settles the invoices of rows, and tells whoever listens how far it
// has come.
func (s *settler) settleRows(ctx context.Context, out *output, outcomes []*RowOutcome) *Stop {
	progress := &tally{tell: s.Progress, sofar: Progress{Total: len(outcomes), Sums: Totals{}}}
	return s.pool(ctx, len(outcomes), func(i int) *Stop {
		defer progress.settled(outcomes[i])
		return s.settleRow(ctx, outcomes[i], out)
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
		if r.ended(ctx, stopped) {
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
func (s *settler) settleRow(ctx context.Context, o *RowOutcome, out *output) *Stop {
	done, err := s.settle(ctx, o.Entry.Key)
	if done.entry.Key != "" {
		o.Entry = done.entry
	}
	o.chargedIn = o.chargedIn || done.chargedIn
	o.Result = resultOf(o.Entry.State, o.chargedIn)
	slip := s.leaveSlip(o, out, done.slip)
	if err == nil && slip != nil {
		err = s.rememberSlip(ctx, o, slip)
	}
	return s.noteEnd(err)
}

// leaveSlip stores the slip of an invoice that can be paid, and returns it. Of
// one that can't be paid any more the results keep the slip they have.
func (s *settler) leaveSlip(o *RowOutcome, out *output, drawn []byte) (slip []byte) {
	switch {
	case !o.Entry.State.HasCharge():
	case s.payable(o.Entry):
		o.Slip, slip, o.slipErr = out.slip(s, o.Entry, drawn)
	default:
		o.Slip, _ = out.stored(o.Entry)
	}
	return slip
}

// rememberSlip notes which slip was given out, unless one was mailed.
func (s *settler) rememberSlip(ctx context.Context, o *RowOutcome, slip []byte) error {
	if o.Entry.SlipSHA256 != "" {
		return nil
	}
	done := settled{entry: o.Entry}
	err := s.record(ctx, &done, o.Entry.State, "its slip is in the results", func(e *Entry) { e.SlipSHA256 = digest(slip) })
	if unlessStale(err) == nil {
		o.Entry = done.entry
	}
	return unlessStale(err)
}

// tally counts settled invoices and tells the one who listens.
type tally struct {
	mu    sync.Mutex
	tell  func(Progress)
	sofar Progress
}

func (t *tally) settled(o *RowOutcome) {
	if t.tell == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sofar.Done++
	t.sofar.Sums.Add(o.Result, o.Entry.Invoice.Amount)
	t.tell(Progress{Done: t.sofar.Done, Total: t.sofar.Total, Sums: maps.Clone(t.sofar.Sums)})
}
