// Package places bounds how many do something at once, where the number changes while
// they do.
//
// It promises that who came first is let in first, that nobody is let in beyond the
// number or after its time, and that who is in stays in until it leaves.
package places

import (
	"slices"
	"sync"
	"time"
)

// Places are what those take who want in. The zero value has none. It may be used by
// many goroutines.
type Places struct {
	mu     sync.Mutex
	most   int
	until  time.Time
	inside int
	queue  []chan struct{} // of those that wait, each closed once it is let in
}

// Offer has so many places from now on, until an instant; the zero time is for ever. Who
// is in may be more.
func (p *Places) Offer(most int, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most, p.until = most, until
	p.letIn()
}

// letIn lets those in who may. Whoever calls it holds the lock.
func (p *Places) letIn() {
	for len(p.queue) > 0 && p.inside < p.most && !Lapsed(p.until) {
		p.inside++
		close(p.queue[0])
		p.queue = p.queue[1:]
	}
}

// Ask waits in the queue: the channel is closed once there is a place. It is to be
// answered with Leave then, or with Withdraw at any time.
func (p *Places) Ask() (in chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in = make(chan struct{})
	p.queue = append(p.queue, in)
	p.letIn()
	return in
}

// Withdraw leaves the queue, or the place that was given meanwhile.
func (p *Places) Withdraw(in chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := slices.Index(p.queue, in); at >= 0 {
		p.queue = slices.Delete(p.queue, at, at+1)
		return
	}
	p.inside--
	p.letIn()
}

// Leave gives a place back.
func (p *Places) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inside--
	p.letIn()
}

// Taken is how many are in.
func (p *Places) Taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inside
}

// Wanted reports whether anybody is in, or wants in.
func (p *Places) Wanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inside+len(p.queue) > 0
}

// Over reports whether the time is over for which there were places.
func (p *Places) Over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Lapsed(p.until)
}

// Lapsed reports whether an instant has come, by the clock that nobody sets, which may
// stand still while a machine sleeps, or by the other. The zero time never does.
func Lapsed(until time.Time) bool {
	return !until.IsZero() && (!time.Now().Before(until) || !time.Now().Round(0).Before(until.Round(0)))
}
