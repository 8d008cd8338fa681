package omise

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"konbill/batch"
)

// How long everybody rests after an answer that asks for it. The upper bound
// keeps a server's slip of the pen from stopping a run for a day.
const (
	restUnasked = time.Second // after a 429 that names no time
	maxRest     = 5 * time.Minute
)

// How the pace gives way: a 429 halves it, down to a sixteenth; every so often
// without another it doubles again, up to what is configured.
const (
	slowest     = 16
	recoverTime = 10 * time.Second
)

// pace spaces the requests of all callers.
type pace struct {
	limiter *rate.Limiter
	full    rate.Limit

	mu        sync.Mutex
	restUntil time.Time
	changed   time.Time // when the pace was last halved or doubled
}

func newPace(perSecond float64) *pace {
	return &pace{limiter: rate.NewLimiter(rate.Limit(perSecond), 1), full: rate.Limit(perSecond)}
}

// turn waits for a place in the row. A rest that was ordered meanwhile sends
// everybody back to its end, where the places are given out anew: they must not
// all leave at once.
func (p *pace) turn(ctx context.Context) error {
	for {
		p.recover()
		place := p.limiter.Reserve()
		if err := sleep(ctx, place.Delay()); err != nil {
			place.Cancel()
			return err
		}
		rest := p.rest()
		if rest <= 0 {
			return nil
		}
		if err := sleep(ctx, rest); err != nil {
			return err
		}
	}
}

// rest is how much longer nobody may send; not positive when all may.
func (p *pace) rest() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.restUntil)
}

// heed lets everybody rest when the API is too busy.
func (p *pace) heed(g *batch.GatewayError) {
	rest := g.RetryAfter
	if g.Status == http.StatusTooManyRequests {
		rest = max(rest, restUnasked)
	}
	if rest <= 0 {
		return
	}
	until := time.Now().Add(min(rest, maxRest))
	p.mu.Lock()
	defer p.mu.Unlock()
	if g.Status == http.StatusTooManyRequests {
		p.slow()
	}
	if until.After(p.restUntil) {
		p.restUntil = until
	}
}

// slow halves the pace. Requests that were on their way together are told the same
// thing: it counts once a rest.
func (p *pace) slow() {
	now := time.Now()
	if now.Before(p.restUntil) {
		return
	}
	p.limiter.SetLimit(max(p.limiter.Limit()/2, p.full/slowest))
	p.changed = now
}

// recover doubles the pace when none was too fast for a while.
func (p *pace) recover() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.limiter.Limit() >= p.full || now.Before(p.restUntil) || now.Sub(p.changed) < recoverTime {
		return
	}
	p.limiter.SetLimit(min(2*p.limiter.Limit(), p.full))
	p.changed = now
}

// sleep returns ctx's error when ctx has ended, or ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
