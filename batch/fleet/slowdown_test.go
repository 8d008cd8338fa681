//go:build unix

package fleet_test

import (
	"testing"
	"time"

	"konbill/batch/omise/omisetest"
	"konbill/samples/peertest"
)

// TestFleetSlowsDown: the API tells one of three machines that requests are too many,
// and all of them ask half as often within seconds; later they ask as often as before.
func TestFleetSlowsDown(t *testing.T) {
	const whole = 24 // requests a second: few enough that nothing else is the limit
	database := peertest.StartPostgres(t)
	f := newMachines(t, omisetest.Options{})
	f.url, f.perSecond = database.NewDatabase(), whole
	f.start("serve", "worker", "worker")
	f.untilWorking()
	f.drop("file.csv", "F", 100*whole)
	f.untilCharged(6 * whole)
	f.api.Order(omisetest.Fault{Kind: omisetest.TooManyRequests, Method: "POST", Path: "/charges"})
	f.wait("a refusal", func() bool { return !f.met.refused().IsZero() })
	refused := f.met.refused()
	// What each stretch saw is counted once it is over. Machines hear of it within two
	// seconds, and go by it for ten.
	f.wait("time", func() bool { return time.Since(refused) > 18*time.Second })
	for _, c := range []struct {
		name        string
		from, to    time.Duration // of the refusal
		least, most float64       // requests a second
	}{
		{"before", -3 * time.Second, 0, 0.7 * whole, whole + 1},
		{"while all are to ask less", 3 * time.Second, 9 * time.Second, 0.25 * whole, whole/2 + 1},
		{"afterwards", 14 * time.Second, 18 * time.Second, 0.7 * whole, whole + 1},
	} {
		rate := float64(f.met.between(refused.Add(c.from), refused.Add(c.to))) / (c.to - c.from).Seconds()
		if rate < c.least || rate > c.most {
			t.Errorf("%s: %.1f requests a second, want %.1f to %.1f", c.name, rate, c.least, c.most)
		}
		t.Logf("%s: %.1f requests a second", c.name, rate)
	}
	f.end()
	// Requests are as far apart as the pace wants them: two may come closer, by what the
	// one is longer on its way.
	if most := f.met.most(time.Second - onTheWay); most > whole+len(f.machines) {
		t.Errorf("%d requests came in a second", most)
	}
}

const onTheWay = 50 * time.Millisecond

func (a *arrivals) refused() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tooMany
}

func (a *arrivals) between(from, to time.Time) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, at := range a.at {
		if !at.Before(from) && at.Before(to) {
			n++
		}
	}
	return n
}
