package batch

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// settler moves invoices on, one at a time. It needs nothing but a key and the
// ledger, so that several of them, in one process or many, can share the work.
type settler struct {
	*Runner
	press   press
	breaker *breaker
	desks   desks
	over    *atomic.Bool // a *Stop was met that nothing more is charged after
	unsent  *streak
	// mailedBefore keeps a mail that was just put off from being tried again in
	// the same breath: only one last tried before this instant is.
	mailedBefore time.Time
	// putOffFor is how long after a mail was put off it may be tried again all the same; 0:
	// it may not.
	putOffFor time.Duration
	run       int64   // the only job whose invoices are charged; 0: of any
	retrying  bool    // what runs have left, for Retry
	resend    *resend // a person's wish to mail again; nil: there is none
}

// settled is how far an invoice has come.
type settled struct {
	entry     Entry
	chargedIn bool      // by this call
	slip      []byte    // when one was drawn for the mail
	retries   int       // that the next intent counts
	intended  time.Time // see ChargeRequest.Intended

	unrecorded bool // it has a charge that the ledger couldn't take
	left       bool // its charge must not be asked for now, although it is accepted
}

// settle moves one invoice as far as it will go, from wherever it was left.
// The error is a *Stop: no other invoice will fare better. What is known of
// this one is returned all the same.
func (s *settler) settle(ctx context.Context, key Key) (settled, error) {
	var done settled
	var err error
	if done.entry, err = s.Ledger.Entry(ctx, key); err != nil {
		return done, ledgerStop(err)
	}
	done.retries = s.retries(done.entry)
	for {
		step := s.next(done.entry)
		if step == nil || done.left {
			return done, nil
		}
		err := step(s, ctx, &done)
		if stale := new(StaleError); errors.As(err, &stale) {
			// Someone else is moving this invoice: it is theirs.
			done.entry, err = s.Ledger.Entry(ctx, key)
			return done, ledgerStop(err)
		}
		if err != nil {
			return done, err
		}
	}
}

// retries is how often an invoice will have been tried again. Only Retry counts,
// and not the first mail of what it has just found.
func (s *settler) retries(e Entry) int {
	if s.retrying && (!e.State.HasCharge() || e.UpdatedAt.Before(s.mailedBefore)) {
		return e.Retries + 1
	}
	return 0
}

// step takes an invoice from one state to the next.
type step func(*settler, context.Context, *settled) error

// next is the step that leads on from where an invoice stands; nil when there
// is none for us to take.
func (s *settler) next(e Entry) step {
	switch e.State {
	case Accepted:
		if !s.breaker.open() && e.PurgedAt.IsZero() && (s.run == 0 || s.run == e.Job) {
			return (*settler).charge
		}
	case Charging:
		return (*settler).giveUpCharge
	case Charged:
		if s.mailable(e) && !s.unsent.tooLong() {
			return (*settler).mail
		}
	case Mailing:
		return (*settler).giveUpMail
	case Deferred, Held:
		if s.mailable(e) && s.mayMailAgain(e) && !s.unsent.tooLong() {
			return (*settler).mail
		}
	}
	return nil
}

// mayMailAgain reports whether a mail that was put off, or whose fate is
// unknown, may be sent once more without a person's word.
func (s *settler) mayMailAgain(e Entry) bool {
	if e.State == Deferred && s.putOffFor > 0 && s.Now().Sub(e.UpdatedAt) >= s.putOffFor {
		return true
	}
	return e.UpdatedAt.Before(s.mailedBefore) && (e.State == Deferred || s.Settings.ResendHeld)
}

// giveUpCharge treats an intent without an outcome, left by a process that
// died, as what it is: nobody knows whether the charge was made.
func (s *settler) giveUpCharge(ctx context.Context, done *settled) error {
	return s.record(ctx, done, Unknown, "no outcome was recorded by an earlier run", func(e *Entry) {
		e.Refusal = Refusal{Code: faultLeft}
	})
}

// giveUpMail does the same for a mail.
func (s *settler) giveUpMail(ctx context.Context, done *settled) error {
	return s.record(ctx, done, Held, "no outcome was recorded by an earlier run", func(e *Entry) {
		e.MailReply = ""
	})
}

// intend stores an intent, durably, before the network is touched. A bill that
// was paid or called back since it was read is not mailed any more.
func (s *settler) intend(ctx context.Context, done *settled, to State, why string, change func(*Entry)) error {
	m := Move{Key: done.entry.Key, From: done.entry.State, To: to, ByPerson: s.resend != nil, At: s.Now(), Who: s.Settings.Who, Why: why}
	if to == Mailing {
		m.ChargeStatus = done.entry.Charge.Status
	}
	e, err := s.Ledger.Move(ctx, m, change)
	if err != nil {
		return ledgerStop(err)
	}
	done.entry = e
	return nil
}

// record stores an outcome. It does so even when ctx has ended: what has
// happened has happened.
func (s *settler) record(ctx context.Context, done *settled, to State, why string, change func(*Entry)) error {
	return s.intend(context.WithoutCancel(ctx), done, to, why, change)
}

// ledgerStop makes a ledger's error a *Stop, unless it is one, and apart from the one
// that concerns a single invoice. An interruption isn't the ledger's fault.
func ledgerStop(err error) error {
	stale, stop := new(StaleError), new(Stop)
	switch {
	case err == nil, errors.As(err, &stale), errors.As(err, &stop):
		return err
	case errors.Is(err, context.Canceled):
		return &Stop{Reason: StopInterrupted}
	}
	return &Stop{Reason: StopLedger, Err: err}
}
