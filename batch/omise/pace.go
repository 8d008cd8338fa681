package omise

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"konbill/batch"
	"konbill/batch/places"
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

	tooManyRequests = http.StatusTooManyRequests
)

// pace spaces the requests of all callers.
type pace struct {
	waiting atomic.Int64 // who wait for their turn

	mu        sync.Mutex
	limiter   *rate.Limiter // another one whenever the pace changes
	full      rate.Limit
	slowed    rate.Limit // what the full pace is divided by, from 1 to slowest
	until     time.Time  // when the full pace is over; zero: never
	news      chan struct{}
	restUntil time.Time
	changed   time.Time // when the pace was last halved or doubled
}

// newPace makes a pace. With 0 requests a second nobody sends until there is a share.
func newPace(perSecond float64) *pace {
	full := rate.Limit(perSecond)
	return &pace{limiter: rate.NewLimiter(full, 1), full: full, slowed: 1, news: make(chan struct{})}
}

// share has another pace from now on, until an instant. Those who wait for a place that
// they were given by the one before look for it anew.
func (p *pace) share(s Share) {
	p.mu.Lock()
	defer p.mu.Unlock()
	full, wasOver := rate.Limit(s.PerSecond), places.Lapsed(p.until)
	p.until = s.Until
	if full == p.full && !wasOver {
		return
	}
	p.full = full
	p.change()
}

// change has everybody take a place in another row, at the pace of now. Those who waited
// leave theirs: beside the places of a slower row, which are further apart, there would
// be room for others. Whoever left a moment ago counts.
func (p *pace) change() {
	p.limiter = rate.NewLimiter(p.full/p.slowed, 1)
	p.limiter.Allow()
	close(p.news)
	p.news = make(chan struct{})
}

// hear returns the row that there is now, nil while nobody may send at all, and what is
// closed at the next news.
func (p *pace) hear() (row *rate.Limiter, news <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.full > 0 && !places.Lapsed(p.until) {
		row = p.limiter
	}
	return row, p.news
}

// turn waits for a place in the row. A rest that was ordered meanwhile sends
// everybody back to its end, where the places are given out anew: they must not
// all leave at once.
func (p *pace) turn(ctx context.Context) error {
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	for {
		p.recover()
		row, news := p.hear()
		if row == nil {
			select {
			case <-news:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		place := row.Reserve()
		changed, err := sleepUnless(ctx, place.Delay(), news)
		if err != nil || changed {
			place.Cancel()
		}
		switch {
		case err != nil:
			return err
		case changed:
			continue
		}
		if row, _ := p.hear(); row == nil {
			continue
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
	if g.Status == tooManyRequests {
		rest = max(rest, restUnasked)
	}
	if rest <= 0 {
		return
	}
	until := time.Now().Add(min(rest, maxRest))
	p.mu.Lock()
	defer p.mu.Unlock()
	if g.Status == tooManyRequests {
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
	if now.Before(p.restUntil) || p.full == 0 {
		return
	}
	p.slowed = min(2*p.slowed, slowest)
	p.changed = now
	p.change()
}

// recover doubles the pace when none was too fast for a while.
func (p *pace) recover() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.slowed <= 1 || p.full == 0 || now.Before(p.restUntil) || now.Sub(p.changed) < recoverTime {
		return
	}
	p.slowed = max(p.slowed/2, 1)
	p.changed = now
	p.change()
}

// sleep returns ctx's error when ctx has ended, or ends first.
func sleep(ctx context.Context, d time.Duration) error {
	_, err := sleepUnless(ctx, d, nil)
	return err
}

// sleepUnless is sleep that news end early.
func sleepUnless(ctx context.Context, d time.Duration, news <-chan struct{}) (heard bool, err error) {
	if d <= 0 || ctx.Err() != nil {
		return false, ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false, nil
	case <-news:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
