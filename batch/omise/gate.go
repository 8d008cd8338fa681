package omise

import (
	"context"
	"errors"
	"time"

	"konbill/batch"
	"konbill/batch/places"
)

// longestWait is how long a request that creates something waits at the gate. Its
// intent is stored already, and others may judge it lost once it is older than a
// request can be: settle_after is at least ten seconds longer than timeout.
const longestWait = 5 * time.Second

// gate lets a number of requests through at once; nil lets all. It belongs to the
// client and not to the run, so that a run, its reading of lists and whatever else
// shares the client keep to the number together.
type gate struct {
	places.Places
	drain <-chan struct{} // closed: what would create something turns back
}

func newGate(atOnce int, drain <-chan struct{}) *gate {
	if atOnce <= 0 {
		return nil
	}
	g := &gate{drain: drain}
	g.Offer(atOnce, time.Time{})
	return g
}

var (
	errCrowded  = errors.New("no other request has ended in time")
	errDraining = errors.New("nothing more is to be sent")
)

// enter waits for a place, to be left with leave. The error is a
// *batch.GatewayError: nothing was sent.
func (g *gate) enter(ctx context.Context, q question) error {
	if g == nil {
		return nil
	}
	var drain <-chan struct{}
	if q.form != nil {
		drain = g.drain
	}
	in := g.Ask()
	select {
	case <-in:
		return g.turnBack(drain)
	default:
	}
	wait, cancel := ctx, context.CancelFunc(func() {})
	if q.form != nil {
		wait, cancel = context.WithTimeoutCause(ctx, longestWait, errCrowded)
	}
	defer cancel()
	select {
	case <-in:
		return g.turnBack(drain)
	case <-drain:
		g.Withdraw(in)
		return notSent("interrupted", errDraining)
	case <-wait.Done():
		g.Withdraw(in)
		return notSent("crowded", context.Cause(wait))
	}
}

// turnBack gives a place back when nothing more is to be sent.
func (g *gate) turnBack(drain <-chan struct{}) error {
	select {
	case <-drain:
		g.leave()
		return notSent("interrupted", errDraining)
	default:
		return nil
	}
}

func notSent(code string, why error) error {
	return &batch.GatewayError{Outcome: batch.NotSent, Code: code, Err: why}
}

func (g *gate) leave() {
	if g != nil {
		g.Leave()
	}
}

// closed reports whether the share is over with which requests were let in.
func (g *gate) closed() bool { return g != nil && g.Over() }
