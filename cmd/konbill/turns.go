package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/batch/ledger"
)

// Machines that share a ledger take turns: of those that see one inbox, one runs its
// files, and the others help to settle them (see batch/fleet), answer webhooks and wait
// for it to fall silent.
//
// Which one that is the database decides (see ledger.TakeTurn). The one tells of
// itself several times a term. It stops at once when it couldn't for most of a term,
// so that it has stopped before another begins; if it was itself stopped, it finds out
// when it wakes. What both may do in that moment charges nothing twice and mails
// nothing twice: each step of an invoice is guarded in the ledger.

// errTurnLost is the cause of the context of a turn that went to another machine.
var errTurnLost = errors.New("another machine has taken over")

// beat is how often a machine tells of itself and looks whether its turn has come:
// several times before it would be taken for gone.
func (s *service) beat() time.Duration { return min(s.config.Serve.TakeOverAfter/4, 5*time.Second) }

// standingBy is what a machine says that waits for its turn.
const standingBy = "standing by"

// takeTurns serves the inbox whenever it is this machine's turn.
func (s *service) takeTurns(ctx context.Context) error {
	defer s.leave(ctx)
	var helping sync.WaitGroup
	defer helping.Wait()
	helping.Go(func() { s.help(ctx) })
	helping.Go(func() { s.watchFleet(ctx) })
	beats := time.NewTicker(s.beat())
	defer beats.Stop()
	said := "" // it isn't said again and again
	for {
		turn, err := s.takeTurn(ctx)
		if s.stopping(ctx) {
			return nil
		}
		if err == nil && turn {
			said, err = "", s.serveInTurn(ctx)
		}
		switch {
		case err != nil && said != err.Error():
			said = err.Error()
			s.log.Error("not serving", "reason", s.reason(err))
		case err == nil && !turn && said != standingBy:
			said = standingBy
			s.log.Info(said, "inbox", s.config.Inbox.Folder)
		}
		select {
		case <-beats.C:
		case <-s.drain:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// help settles invoices of files that other machines run, until nothing more is to be
// begun.
func (s *service) help(ctx context.Context) {
	if err := s.workUntilDrained(ctx, s.shop); err != nil {
		s.log.Error("not working for other machines", "reason", s.reason(err))
	}
}

// fleetLook is how often /metrics learns what there is for the machines to settle.
const fleetLook = 5 * time.Second

func (s *service) watchFleet(ctx context.Context) {
	looks := time.NewTicker(fleetLook)
	defer looks.Stop()
	for {
		if work, err := s.shop.fleet.Seen(ctx); err == nil { // /healthz tells of the ledger
			s.monitor.seeFleet(work, s.shop.keeper.Share().Machines)
		}
		select {
		case <-looks.C:
		case <-s.drain:
			return
		case <-ctx.Done():
			return
		}
	}
}

// serveInTurn serves the inbox until the turn is lost, or nothing more is to be begun.
func (s *service) serveInTurn(ctx context.Context) error {
	ctx, end := s.keepTurn(ctx)
	defer end()
	s.forget()
	if err := s.takeInbox(); err != nil {
		return err
	}
	err := errors.Join(s.work(ctx), s.inbox.Close())
	if lostTurn(ctx) {
		err = errTurnLost
	}
	return err
}

// takeTurnNow is for a single pass: the error is inbox.ErrHeld when another machine
// serves the inbox.
func (s *service) takeTurnNow(ctx context.Context) (during context.Context, pass func(), err error) {
	if !s.ledger.Shared() {
		return ctx, func() {}, nil
	}
	turn, err := s.takeTurn(ctx)
	if err == nil && !turn {
		err = inbox.ErrHeld
	}
	if err != nil {
		s.leave(ctx)
		return nil, nil, err
	}
	during, end := s.keepTurn(ctx)
	return during, func() { end(); s.leave(ctx) }, nil
}

// takeTurn tells of this machine and asks whether it is its turn.
func (s *service) takeTurn(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.beat())
	defer cancel()
	identity, err := inbox.Identity(s.config.Inbox.Folder)
	if !s.hasTurn.Load() { // else the watch looks, and says it once
		s.inboxUnreadable.Store(err != nil)
	}
	if err != nil {
		return false, err
	}
	turn, err := s.ledger.TakeTurn(ctx, ledger.Machine{Name: hostName(), Inbox: identity, Doing: s.running.file()}, s.config.Serve.TakeOverAfter)
	if err == nil {
		s.setTurn(turn)
	}
	return turn, err
}

// keepTurn tells of this machine until end. The context ends when the turn is lost, or
// couldn't be kept for most of a term.
func (s *service) keepTurn(ctx context.Context) (during context.Context, end func()) {
	during, lose := context.WithCancelCause(ctx)
	enough := s.config.Serve.TakeOverAfter * 3 / 4
	silent := time.AfterFunc(enough, func() { lose(errTurnLost) })
	ended := make(chan struct{})
	var keeping sync.WaitGroup
	keeping.Go(func() {
		beats := time.NewTicker(s.beat())
		defer beats.Stop()
		for {
			select {
			case <-beats.C:
			case <-during.Done():
				return
			case <-ended:
				return
			}
			began := time.Now()
			turn, err := s.takeTurn(ctx)
			switch {
			case err != nil:
				s.log.Warn("other machines couldn't be told that this one works", "reason", s.reason(err))
			case !turn:
				lose(errTurnLost)
			default:
				silent.Reset(enough - time.Since(began))
			}
		}
	})
	return during, func() {
		close(ended)
		keeping.Wait()
		silent.Stop()
		lose(nil)
		s.setTurn(false)
	}
}

func (s *service) setTurn(turn bool) {
	s.hasTurn.Store(turn)
	s.monitor.turn.Set(map[bool]float64{true: 1}[turn])
}

// lostTurn reports whether a turn ended because another machine has it.
func lostTurn(during context.Context) bool {
	return errors.Is(context.Cause(during), errTurnLost)
}

// leave lets another machine begin at once.
func (s *service) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.beat())
	defer cancel()
	if err := s.ledger.Leave(ctx); err != nil {
		s.log.Warn("the turn could not be given up; another machine takes it when this one is silent", "reason", s.reason(err))
	}
}

// forget drops what was known of an earlier turn: others have worked since.
func (s *service) forget() {
	s.busy.Lock()
	defer s.busy.Unlock()
	s.fromBefore, s.untold, s.failed, s.waitingFor = nil, nil, failedPass{}, nil
	s.retryFrom, s.syncFrom, s.noticesFrom = time.Time{}, time.Time{}, time.Time{}
}

// inTurn is nil while what a pass does is its own to do.
func inTurn(during context.Context) error {
	if lostTurn(during) {
		return &batch.Stop{Reason: batch.StopInterrupted, Err: errTurnLost}
	}
	return nil
}
