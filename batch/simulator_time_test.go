package batch_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// timeline is the simulated time, its chances, and the order in which things happen in it.
// Whoever calls the simulated world waits in the timeline until the moment for
// the call to take effect; of all who wait, the earliest goes on, alone, until
// everybody waits again (synctest tells). So a seed decides the whole history,
// although the processes it is about use as many goroutines as they like.
type timeline struct {
	*rand.Rand
	now     time.Time
	mu      sync.Mutex
	arrived []*moment // since the latest look
	ahead   []*moment
	seen    int // moments so far: the order among simultaneous ones
}

// moment is something that happens when its time has come.
type moment struct {
	label       string // tells it from others that come up at the same time
	process     *process
	least, most time.Duration // until it is due
	due         time.Time
	number      int
	happen      func() // lets a call go on, or is an event of the world itself
}

func newTimeline(seed uint64) *timeline {
	return &timeline{Rand: rand.New(rand.NewPCG(seed, 0)), now: opening}
}

// between draws a duration.
func (t *timeline) between(least, most time.Duration) time.Duration {
	return least + time.Duration(t.Int64N(int64(most-least)+1))
}

// chance is true with a probability.
func (t *timeline) chance(p float64) bool { return t.Float64() < p }

// pass makes the caller wait for its moment, which the seed chooses.
func (t *timeline) pass(p *process, label string, least, most time.Duration) {
	come := make(chan struct{})
	t.mu.Lock()
	t.arrived = append(t.arrived, &moment{label: label, process: p, least: least, most: most, happen: func() { close(come) }})
	t.mu.Unlock()
	<-come
}

// later has something happen in the world by itself.
func (t *timeline) later(after time.Duration, happen func()) {
	t.seen++
	t.ahead = append(t.ahead, &moment{due: t.now.Add(after), number: t.seen, happen: happen})
}

// hasten lets everything that a process waits for happen now.
func (t *timeline) hasten(p *process) {
	for _, m := range t.ahead {
		if m.process == p {
			m.due = t.now
		}
	}
}

// play lets moments happen until over says so, or until the time given is
// reached (zero: no end).
func (t *timeline) play(over func() bool, until time.Time) {
	for {
		synctest.Wait()
		t.admit()
		if over != nil && over() {
			return
		}
		next := t.earliest()
		if next == nil && until.IsZero() {
			panic("nobody goes on, and the run isn't over")
		}
		if next == nil || !until.IsZero() && next.due.After(until) {
			t.now = until
			return
		}
		t.ahead = slices.DeleteFunc(t.ahead, func(m *moment) bool { return m == next })
		if next.due.After(t.now) {
			t.now = next.due
		}
		next.happen()
	}
}

// admit draws the time of what has come up, in an order that doesn't depend on
// who was faster.
func (t *timeline) admit() {
	t.mu.Lock()
	arrived := t.arrived
	t.arrived = nil
	t.mu.Unlock()
	slices.SortStableFunc(arrived, func(a, b *moment) int { return cmp.Compare(a.label, b.label) })
	for _, m := range arrived {
		t.seen++
		m.number = t.seen
		m.due = t.now.Add(t.between(m.least, m.most))
		t.ahead = append(t.ahead, m)
	}
}

func (t *timeline) earliest() *moment {
	var first *moment
	for _, m := range t.ahead {
		if first == nil || m.due.Before(first.due) || m.due.Equal(first.due) && m.number < first.number {
			first = m
		}
	}
	return first
}

// stamp is the time as traces show it.
func (t *timeline) stamp() string { return fmt.Sprintf("%9.3fs", t.now.Sub(opening).Seconds()) }
