package batch

import "context"

// desks are where invoices are charged. There are a few more than requests that
// may be under way at once, so that the next intent is stored while others wait
// for their answers; and fewer than workers, so that drawing and mailing go on
// meanwhile. An intent that is stored waits for its request's turn: more desks
// would make them wait longer. nil: as many as workers.
type desks chan struct{}

// handsPerRequest is how many invoices are worked on for each request that may be
// under way: while one waits for the API, others are stored, drawn or mailed.
const handsPerRequest = 3

// WorkersFor returns the Settings.Workers and Settings.Charging that keep so many
// requests under way; the gateway is to let no more through. Who wants one request
// at a time has one invoice worked on at a time, each to its end.
func WorkersFor(requests int) (workers, charging int) {
	if requests == 1 {
		return 1, 1
	}
	return handsPerRequest * requests, requests + requests/2
}

func newDesks(n int) desks {
	if n <= 0 {
		return nil
	}
	return make(desks, n)
}

// sitDown waits for a desk, and no longer once nothing new is to be begun.
func (s *settler) sitDown(ctx context.Context) error {
	if s.desks == nil {
		return nil
	}
	select {
	case s.desks <- struct{}{}:
		return nil
	case <-s.Drain:
		return context.Canceled
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *settler) standUp() {
	if s.desks != nil {
		<-s.desks
	}
}

// noteEnd returns err as what it ends the run with. From then on nobody who
// waited for a desk begins; where outcomes are unknown, the breaker sees to that.
func (s *settler) noteEnd(err error) *Stop {
	stop := stopOf(err)
	if stop != nil && stop.Reason != StopUnknown {
		s.over.Store(true)
	}
	return stop
}
