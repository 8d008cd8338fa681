package omise

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"konbill/batch"
)

// turns lets many callers take a turn each, and returns after how long each got
// it, in order. It runs in a bubble with a clock of its own.
func turns(p *pace, callers int) []time.Duration {
	began := time.Now()
	var mu sync.Mutex
	var got []time.Duration
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			if p.turn(context.Background()) != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			got = append(got, time.Since(began))
		})
	}
	all.Wait()
	slices.Sort(got)
	return got
}

func TestTurnsAreSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := turns(newPace(20), 10)
		for i, at := range got {
			if want := time.Duration(i) * 50 * time.Millisecond; (at - want).Abs() > time.Microsecond {
				t.Errorf("turn %d after %v", i, at)
			}
		}
		if len(got) != 10 {
			t.Errorf("%d turns", len(got))
		}
	})
}

// TestIdleTimeIsNotSaved: after a pause requests don't leave in a burst.
func TestIdleTimeIsNotSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(20)
		turns(p, 1)
		time.Sleep(time.Hour) // the bubble's hour
		if got := turns(p, 3); got[2] < 99*time.Millisecond {
			t.Errorf("turns after %v", got)
		}
	})
}

func TestRests(t *testing.T) {
	for _, c := range []struct {
		name string
		said batch.GatewayError
		rest time.Duration
	}{
		{"429 with a time", batch.GatewayError{Status: 429, RetryAfter: 30 * time.Second}, 30 * time.Second},
		{"429 without", batch.GatewayError{Status: 429}, time.Second},
		{"429 with too long a time", batch.GatewayError{Status: 429, RetryAfter: 24 * time.Hour}, 5 * time.Minute},
		{"503 with a time", batch.GatewayError{Status: 503, RetryAfter: 4 * time.Second}, 4 * time.Second},
		{"503 without", batch.GatewayError{Status: 503}, 0},
		{"400", batch.GatewayError{Status: 400}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPace(20)
				p.heed(&c.said)
				p.heed(&batch.GatewayError{Status: 503, RetryAfter: 1}) // never shortens
				got := turns(p, 4)
				for i, at := range got {
					if at < c.rest || i > 0 && at-got[i-1] < 49*time.Millisecond {
						t.Errorf("turns after %v", got)
					}
				}
				if got[3] > c.rest+time.Second {
					t.Errorf("turns after %v", got)
				}
			})
		})
	}
}

// TestRestReachesThoseInTheRow: a 429 also stops callers who were already
// waiting for their place.
func TestRestReachesThoseInTheRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(1)
		time.AfterFunc(1500*time.Millisecond, func() { p.heed(&batch.GatewayError{Status: 429, RetryAfter: time.Minute}) })
		got := turns(p, 5)
		if got[1] > 1100*time.Millisecond || got[2] < 61500*time.Millisecond || got[3]-got[2] < 999*time.Millisecond {
			t.Errorf("turns after %v", got)
		}
	})
}

// TestTooManyHalvesThePace, which comes back by and by. What several requests
// under way are told counts once.
func TestTooManyHalvesThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(20)
		apart := func() time.Duration {
			turns(p, 1)
			got := turns(p, 2)
			return got[1] - got[0]
		}
		near := func(got, want time.Duration) bool { return (got - want).Abs() < time.Millisecond }
		for range 3 {
			p.heed(&batch.GatewayError{Status: 429})
		}
		if got := apart(); !near(got, 100*time.Millisecond) {
			t.Errorf("after one 429 turns are %v apart", got)
		}
		time.Sleep(2 * time.Second) // the bubble's, as all of these
		p.heed(&batch.GatewayError{Status: 429})
		if got := apart(); !near(got, 200*time.Millisecond) {
			t.Errorf("after another one %v", got)
		}
		for _, want := range []time.Duration{100 * time.Millisecond, 50 * time.Millisecond, 50 * time.Millisecond} {
			time.Sleep(recoverTime)
			if got := apart(); !near(got, want) {
				t.Errorf("%v apart, want %v", got, want)
			}
		}
		for range 10 {
			p.heed(&batch.GatewayError{Status: 429})
			time.Sleep(2 * time.Second)
		}
		if got := apart(); !near(got, slowest*50*time.Millisecond) {
			t.Errorf("at the slowest %v apart", got)
		}
	})
}

// TestNoSecondSeesMoreThanThePace: however the pace changes, those who wait for it the
// whole time, as workers do, are never more in any second than the pace of then allows.
func TestNoSecondSeesMoreThanThePace(t *testing.T) {
	const whole, callers = 24, 8
	for name, change := range map[string]func(p *pace){
		"halved and doubled": func(p *pace) {
			time.Sleep(5 * time.Second)
			p.heed(&batch.GatewayError{Outcome: batch.TooMany, Status: http.StatusTooManyRequests})
		},
		"shared and had alone": func(p *pace) {
			for _, perSecond := range []float64{whole / 3, whole, whole / 8, whole / 2, whole} {
				time.Sleep(3*time.Second + 17*time.Millisecond)
				p.share(Share{PerSecond: perSecond})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPace(whole)
				var mu sync.Mutex
				var left []time.Time
				var working sync.WaitGroup
				ctx, end := context.WithTimeout(t.Context(), 30*time.Second) // the bubble's
				defer end()
				for range callers {
					working.Go(func() {
						for p.turn(ctx) == nil {
							mu.Lock()
							left = append(left, time.Now())
							mu.Unlock()
						}
					})
				}
				change(p)
				working.Wait()
				first, most := 0, 0
				for i, at := range left {
					for at.Sub(left[first]) >= time.Second {
						first++
					}
					most = max(most, i-first+1)
				}
				if most > whole || len(left) < 15*whole {
					t.Errorf("%d left in 30 s, up to %d in one", len(left), most)
				}
			})
		})
	}
}

func TestTurnEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(0.01)
		turns(p, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := p.turn(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := p.turn(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a context that has ended: %v", err)
		}
		if next := turns(p, 1)[0]; next > 100*time.Second {
			t.Errorf("the place of who gave up was kept: the next came after %v", next)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	const date = "Tue, 01 Dec 2026 01:00:00 GMT"
	for _, c := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", date, 0},
		{"7", date, 7 * time.Second},
		{"0", date, 0},
		{"-5", date, 0},
		{"1.5", date, 0},
		{"99999999999999999999", date, 0},
		{"2000000000", date, 24 * time.Hour},
		{"Tue, 01 Dec 2026 01:00:30 GMT", date, 30 * time.Second},
		{"Tue, 01 Dec 2026 00:59:30 GMT", date, 0},
		{"Tue, 01 Dec 2099 00:59:30 GMT", date, 24 * time.Hour},
		{"Tue, 01 Dec 2026 01:00:30 GMT", "", 0}, // by which clock?
		{"soon", date, 0},
	} {
		h := http.Header{"Retry-After": {c.value}, "Date": {c.date}}
		if got := retryAfter(h); got != c.want {
			t.Errorf("%q: %v", c.value, got)
		}
	}
}
