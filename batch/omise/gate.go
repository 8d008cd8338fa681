package omise

import (
	"context"
	"errors"
	"time"

	"konbill/batch"
)

// longestWait is how long a request that creates something waits at the gate. Its
// intent is stored already, and others may judge it lost once it is older than a
// request can be: settle_after is at least ten seconds longer than timeout.
const longestWait = 5 * time.Second

// gate lets a number of requests through at once; nil lets all. It belongs to the
// client and not to the run, so that a run, its reading of lists and whatever else
// shares the client keep to the number together.
type gate chan struct{}

func newGate(atOnce int) gate {
	if atOnce <= 0 {
		return nil
	}
	return make(gate, atOnce)
}

var errCrowded = errors.New("no other request has ended in time")

// enter waits for a place, to be left with leave. The error is a
// *batch.GatewayError: nothing was sent.
func (g gate) enter(ctx context.Context, q question) error {
	if g == nil {
		return nil
	}
	select {
	case g <- struct{}{}:
		return nil
	default:
	}
	wait, cancel := ctx, context.CancelFunc(func() {})
	if q.form != nil {
		wait, cancel = context.WithTimeoutCause(ctx, longestWait, errCrowded)
	}
	defer cancel()
	select {
	case g <- struct{}{}:
		return nil
	case <-wait.Done():
		return &batch.GatewayError{Outcome: batch.NotSent, Code: "crowded", Err: context.Cause(wait)}
	}
}

func (g gate) leave() {
	if g != nil {
		<-g
	}
}
