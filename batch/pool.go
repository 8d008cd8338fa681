package batch

import (
	"context"
	"errors"
	"maps"
	"sync"

	"konbill/invoice"
	"konbill/templates"
	"konbill/templates/slip"
)

// press draws slips.
type press interface {
	Draw(templates.Instructions) ([]byte, error)
}

func cutPress(m templates.Merchant, invoices []invoice.Invoice) (press, error) {
	return slip.NewPress(m, invoices)
}

// settler prepares to settle a job: it looks up the job's characters in the
// fonts.
func (r *Runner) settler(j *job) (*settler, error) {
	var invoices []invoice.Invoice
	for _, o := range j.outcomes {
		if o.known() {
			invoices = append(invoices, o.Entry.Invoice)
		}
	}
	newPress := r.newPress
	if newPress == nil {
		newPress = cutPress
	}
	press, err := newPress(r.Settings.Merchant, invoices)
	return &settler{
		Runner: r, press: press, mailedBefore: j.started, breaker: &breaker{}, unsent: &streak{},
	}, err
}

// settleAll looks for charges that the ledger doesn't know, settles the accepted
// invoices of a job and then the outcomes left unknown, and tries once more the
// mails that were put off. It returns why it stopped early, or nil.
func (s *settler) settleAll(ctx context.Context, j *job, out *output) *Stop {
	if stop := s.sweepFirst(ctx, j); stop != nil {
		return stop
	}
	// Rows that want nothing but their slip come last: a run that is killed
	// again and again must get on with the others.
	finished := j.where(func(o *RowOutcome) bool { return o.known() && s.finished(o.Entry) })
	stopped := s.pool(ctx, out, j.where(func(o *RowOutcome) bool { return o.known() && !s.finished(o.Entry) }))
	if stopped != nil && stopped.Reason != StopUnknown {
		return stopped
	}
	if stop := s.settleUnknown(ctx, j, out); stop != nil {
		return stop
	}
	if stop := s.mailAgain(ctx, j, out); stop != nil {
		return stop
	}
	if stop := s.pool(ctx, out, finished); stop != nil {
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
	return s.pool(ctx, out, putOff)
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

// pool settles outcomes with a bounded number of workers. After the first
// *Stop, or once draining, none is begun.
func (s *settler) pool(ctx context.Context, out *output, outcomes []*RowOutcome) *Stop {
	var (
		workers  sync.WaitGroup
		once     sync.Once
		stop     *Stop
		stopped  = make(chan struct{})
		todo     = make(chan *RowOutcome)
		progress = &tally{tell: s.Progress, sofar: Progress{Total: len(outcomes), Sums: Totals{}}}
	)
	halt := func(because *Stop) {
		once.Do(func() { stop = because; close(stopped) })
	}
	for range min(max(s.Settings.Workers, 1), len(outcomes)) {
		workers.Go(func() {
			for o := range todo {
				if err := s.settleRow(ctx, o, out); err != nil {
					halt(err)
				}
				progress.settled(o)
			}
		})
	}
	begun := s.feed(ctx, todo, stopped, outcomes)
	close(todo)
	workers.Wait()
	if stop == nil && begun < len(outcomes) {
		return &Stop{Reason: StopInterrupted}
	}
	return stop
}

// feed hands out the outcomes to the workers and returns how many it got rid
// of before it was stopped.
func (s *settler) feed(ctx context.Context, todo chan<- *RowOutcome, stopped <-chan struct{}, outcomes []*RowOutcome) int {
	for i, o := range outcomes {
		if s.ended(ctx, stopped) {
			return i
		}
		select {
		case todo <- o:
		case <-stopped:
			return i
		case <-s.Drain:
			return i
		}
	}
	return len(outcomes)
}

// ended reports whether nothing more is to be begun.
func (s *settler) ended(ctx context.Context, stopped <-chan struct{}) bool {
	select {
	case <-stopped:
	case <-s.Drain:
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
	s.leaveSlip(o, out, done.slip)
	var stop *Stop
	if err != nil && !errors.As(err, &stop) {
		stop = &Stop{Reason: StopLedger, Err: err}
	}
	return stop
}

// leaveSlip stores the slip of an invoice that can be paid.
func (s *settler) leaveSlip(o *RowOutcome, out *output, drawn []byte) {
	if o.Entry.State.HasCharge() && s.payable(o.Entry) {
		o.Slip, o.slipErr = out.slip(s, o.Entry, drawn)
	}
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
