package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Kinds of fault that stand as Refusal.Code when the API itself gave no code.
const (
	faultLeft        = "no_outcome"        // a run ended between intent and outcome
	faultNotRecorded = "not_recorded"      // the answer came but couldn't be stored
	faultNoAnswer    = "no_answer"         // timeout or cut
	faultInterrupted = "interrupted"       // nothing was sent, since the run was to end
	faultStatus      = "unexpected_answer" // an answer that says nothing certain

	// Of a bill that was to be replaced; nothing was asked for in its place. Their
	// message is the id of its charge.
	faultOldPaid    = "old_bill_paid"    // it is paid after all
	faultOldOpen    = "old_bill_open"    // it can still be paid
	faultOldUnclear = "old_bill_unclear" // the API doesn't tell
)

// charge asks the API for the charge of an accepted invoice, and records what
// came of it, unless the run has come to its end meanwhile.
func (s *settler) charge(ctx context.Context, done *settled) error {
	if err := s.sitDown(ctx); err != nil {
		return &Stop{Reason: StopInterrupted}
	}
	defer s.standUp()
	if s.breaker.open() || s.over.Load() { // since this one began to wait
		done.left = true
		return nil
	}
	err := s.chargeNow(ctx, done)
	s.noteEnd(unlessStale(err)) // before the next one sits down
	return err
}

// chargeNow asks the API for the charge. Requests that surely created nothing are
// sent again for a while, each after an intent of its own: absence is later proved
// from the latest.
func (s *settler) chargeNow(ctx context.Context, done *settled) error {
	pause := newPause(s.Now)
	for {
		if err := s.turn(ctx); err != nil {
			return &Stop{Reason: StopInterrupted}
		}
		refused, err := s.attempt(ctx, done)
		if err != nil || refused == nil {
			return err
		}
		if stop := s.stopFor(ctx, done.entry.State, refused, pause); stop != nil || done.left || done.entry.State != Accepted {
			return stop
		}
	}
}

// attempt asks for the charge once, unless the bill that it takes the place of
// forbids it, and records what came of it.
func (s *settler) attempt(ctx context.Context, done *settled) (*GatewayError, error) {
	if refused, err := s.mayFollow(ctx, done); refused != nil || err != nil || done.left {
		return refused, err
	}
	s.at(ChargeIntending)
	if err := s.intendCharge(ctx, done); err != nil {
		return nil, err
	}
	s.at(ChargeIntended)
	charge, refused, err := s.request(ctx, done)
	switch {
	case err != nil:
		return nil, err
	case refused == nil:
		return nil, s.recordCharge(ctx, done, charge)
	}
	return refused, s.recordRefusal(ctx, done, charge, refused)
}

// intendCharge makes the intent durable before any byte leaves.
func (s *settler) intendCharge(ctx context.Context, done *settled) error {
	done.intended = time.Now()
	return s.intend(ctx, done, Charging, "about to ask for the charge", func(e *Entry) {
		e.Attempt++
		e.IntentAt = s.Now()
		e.SourceID = ""
		e.Refusal, e.MissedAt = Refusal{}, time.Time{}
		e.Retries = done.retries
	})
}

// turn waits for the next request's turn, and no longer once nothing new is to
// be begun.
func (s *settler) turn(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.Drain:
			cancel()
		case <-ctx.Done():
		}
	}()
	return s.Gateway.Turn(ctx)
}

// request makes the one or two requests of a charge. A source is made durable
// before it is charged, since an unknown outcome is looked up by it; the intent
// then counts from there. The error is the ledger's.
func (s *settler) request(ctx context.Context, done *settled) (Charge, *GatewayError, error) {
	r := requestFor(done.entry)
	r.Intended = done.intended
	if s.Settings.SourceFirst {
		s.at(SourceAsking)
		source, err := s.Gateway.CreateSource(ctx, r)
		s.at(SourceAnswered)
		if err != nil {
			return Charge{}, sourceFailed(err), nil
		}
		if err := s.turn(ctx); err != nil {
			return Charge{}, &GatewayError{Outcome: NotSent, Code: faultInterrupted, Err: err}, nil
		}
		r.Intended = time.Now()
		err = s.record(ctx, done, Charging, "source made, about to charge it", func(e *Entry) {
			e.SourceID = source
			e.IntentAt = s.Now()
		})
		if err != nil {
			return Charge{}, nil, err
		}
		s.at(SourceRecorded)
		r.SourceID = source
	}
	s.at(ChargeAsking)
	charge, err := s.Gateway.CreateCharge(ctx, r)
	s.at(ChargeAnswered)
	if err != nil {
		return charge, gatewayError(err), nil
	}
	return charge, nil, nil
}

func gatewayError(err error) *GatewayError {
	var g *GatewayError
	if errors.As(err, &g) {
		return g
	}
	return &GatewayError{Outcome: OutcomeOf(err), Err: err}
}

// sourceFailed turns a source of unknown fate into a charge that surely
// doesn't exist: a source alone is not a bill.
func sourceFailed(err error) *GatewayError {
	g := gatewayError(err)
	if g.Outcome != UnknownOutcome {
		return g
	}
	return &GatewayError{Outcome: NotSent, Status: g.Status, Code: g.Code, Message: g.Message, Err: err}
}

func requestFor(e Entry) ChargeRequest {
	inv := e.Invoice
	description := inv.Number
	if inv.Description != "" {
		description += " " + inv.Description
	}
	return ChargeRequest{
		Key: e.Key, Number: inv.Number, Revision: e.Revision, Amount: inv.Amount,
		Name: inv.SentName, Email: inv.Email, Phone: inv.Phone,
		Description: description, ExpiresAt: inv.Due,
	}
}

// recordCharge makes the charge durable. When another process has meanwhile
// given our intent up as unknown, the answer still settles it.
func (s *settler) recordCharge(ctx context.Context, done *settled, c Charge) error {
	adopt := func(e *Entry) {
		e.Charge = c
		e.Refusal = Refusal{}
		e.MailOwed = !s.Settings.MailOff
		e.Retries = 0
	}
	err := s.record(ctx, done, Charged, "the API answered with the charge", adopt)
	if stale := new(StaleError); errors.As(err, &stale) && stale.Have == Unknown {
		done.entry.State = Unknown
		err = s.record(ctx, done, Charged, "the answer came after the intent was given up", adopt)
	}
	if err != nil {
		// The results must show the charge that the ledger couldn't take.
		done.entry.Charge = c
		done.entry.Refusal = Refusal{Code: faultNotRecorded}
		done.unrecorded = true
		return err
	}
	s.at(ChargeRecorded)
	s.breaker.note(false)
	done.chargedIn, done.retries = true, 0 // the mail is a matter of its own
	return nil
}

// recordRefusal stores what is known of a charge that was not made, or perhaps
// made. seen is what could be read of an answer that can't be trusted.
func (s *settler) recordRefusal(ctx context.Context, done *settled, seen Charge, g *GatewayError) error {
	to, why := refusalState(g)
	if seen.ID != "" {
		to, why = Unknown, "an answer that can't be trusted named a charge"
	}
	refusal := Refusal{Code: refusalCode(g), Message: g.Message}
	if seen.ID != "" {
		refusal.Message = strings.TrimSpace(fmt.Sprintf("%s (%s)", refusal.Message, seen.ID))
	}
	if err := s.record(ctx, done, to, why, func(e *Entry) { e.Refusal = refusal }); err != nil {
		return err
	}
	s.at(RefusalRecorded)
	return nil
}

// stopFor decides whether a refusal, which left an invoice in a state, is the
// run's concern. It returns nil when the run goes on, after a pause if the request
// may be sent again.
func (s *settler) stopFor(ctx context.Context, state State, g *GatewayError, p *pause) error {
	unknown := state == Unknown || g.Outcome == UnknownOutcome // the latter of an earlier bill, perhaps
	if unknown || state == Declined {
		s.breaker.note(unknown)
	}
	switch {
	case g.Outcome == Unauthorized:
		return &Stop{Reason: StopUnauthorized, Err: g}
	case ctx.Err() != nil:
		return &Stop{Reason: StopInterrupted}
	case unknown && s.breaker.open():
		return &Stop{Reason: StopUnknown, Err: g}
	case g.Outcome != NotSent && g.Outcome != TooMany:
		return nil
	case !p.mayGoOn(g):
		return &Stop{Reason: StopUnreachable, Err: g}
	}
	if err := s.Wait(ctx, p.next); err != nil {
		return &Stop{Reason: StopInterrupted}
	}
	return nil
}

// refusalState is where an invoice goes for an outcome. Only what surely
// created nothing may lead back to accepted.
func refusalState(g *GatewayError) (to State, why string) {
	switch g.Outcome {
	case NotSent:
		return Accepted, "the request never left"
	case TooMany:
		return Accepted, "the API was too busy and made nothing"
	case Unauthorized:
		return Accepted, "the API refused the key"
	case DeclinedOutcome:
		return Declined, "the API declined"
	}
	return Unknown, "no trustworthy answer"
}

func refusalCode(g *GatewayError) string {
	switch {
	case g.Code != "":
		return g.Code
	case g.Status == 0:
		return faultNoAnswer
	}
	return faultStatus
}

// pause spaces the repetitions of a request, growing and with jitter, until
// patience runs out.
type pause struct {
	backoff *backoff.ExponentialBackOff
	now     func() time.Time
	began   time.Time
	next    time.Duration
}

func newPause(now func() time.Time) *pause {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = 500 * time.Millisecond
	b.MaxInterval = 15 * time.Second
	return &pause{backoff: b, now: now, began: now()}
}

// mayGoOn sets the next pause, at least as long as the API asked for, and
// reports whether patience lasts so long.
func (p *pause) mayGoOn(g *GatewayError) bool {
	patience := patienceUnreachable
	if g.Outcome == TooMany {
		patience = patienceTooMany
	}
	p.next = max(p.backoff.NextBackOff(), g.RetryAfter)
	return !p.now().Add(p.next).After(p.began.Add(patience))
}
