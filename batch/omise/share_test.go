package omise

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"konbill/batch"
)

// TestNothingIsAskedWithoutAShare: a client that shares its pace asks nothing before it
// has a share, nor once that is over.
func TestNothingIsAskedWithoutAShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		joined := 0
		c, err := New(Config{URL: "http://127.0.0.1:1", SecretKey: "skey_test_1", RequestsPerSecond: 100, AtOnce: 8, Timeout: time.Second, Join: func() { joined++ }})
		if err != nil {
			t.Fatal(err)
		}
		waits := func(want bool) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if waited := c.Turn(ctx) != nil; waited != want {
				t.Errorf("it waits: %v, want %v", waited, want)
			}
			in := c.gate.enter(ctx, question{}) != nil
			if !in {
				c.gate.leave()
			}
			if in != want {
				t.Errorf("at the gate it waits: %v, want %v", in, want)
			}
		}
		waits(true)
		c.TakeShare(Share{PerSecond: 50, AtOnce: 4, Until: time.Now().Add(5 * time.Second)})
		waits(false)
		time.Sleep(5 * time.Second) // of the bubble's clock
		waits(true)
		c.TakeShare(Share{PerSecond: 0, AtOnce: 0, Until: time.Now().Add(5 * time.Second)})
		waits(true)
		c.TakeShare(Share{PerSecond: 50, AtOnce: 4, Until: time.Now().Add(5 * time.Second)})
		waits(false)
		if joined != 1 {
			t.Errorf("it joined the others %d times", joined)
		}
	})
}

// TestShareOfThePace: of two clients each keeps to its share, and one that has more from
// now on doesn't wait for the turn that it was given before.
func TestShareOfThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(0)
		p.share(Share{PerSecond: 0.01, Until: time.Now().Add(time.Hour)})
		if err := p.turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		waited := make(chan time.Duration)
		go func() {
			_ = p.turn(t.Context())
			waited <- time.Since(began)
		}()
		synctest.Wait()
		p.share(Share{PerSecond: 10, Until: time.Now().Add(time.Hour)})
		if got := <-waited; got > time.Second {
			t.Errorf("it waited %s for the next turn of ten a second", got)
		}
		began = time.Now()
		for range 20 {
			if err := p.turn(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 1900*time.Millisecond {
			t.Errorf("twenty turns of ten a second took %s", took)
		}
	})
}

// TestRequestsDoNotOutliveTheirShare: a process may be stopped between the gate and the
// network, and wake when others have its share.
func TestRequestsDoNotOutliveTheirShare(t *testing.T) {
	var met atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { met.Add(1); w.WriteHeader(http.StatusBadRequest) }))
	defer api.Close()
	c, err := New(Config{URL: api.URL, SecretKey: "skey_test_1", RequestsPerSecond: 100, Timeout: time.Second, Join: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	c.TakeShare(Share{PerSecond: 100, AtOnce: 1, Until: time.Now().Add(time.Hour)})
	dial := c.transport.DialContext
	c.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c.TakeShare(Share{Until: time.Now()})
		return dial(ctx, network, address)
	}
	_, err = c.CreateCharge(t.Context(), batch.ChargeRequest{Intended: time.Now()})
	if batch.OutcomeOf(err) != batch.NotSent || !errors.Is(err, errLate) || met.Load() != 0 {
		t.Errorf("%v; the API met %d requests", err, met.Load())
	}
}

// TestTooManyIsPassedOn: what the API told one machine, another heeds.
func TestTooManyIsPassedOn(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))
	defer api.Close()
	c, err := New(Config{URL: api.URL, SecretKey: "skey_test_1", RequestsPerSecond: 100, Timeout: time.Second, Join: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	c.TakeShare(Share{PerSecond: 100, AtOnce: 1, Until: time.Now().Add(time.Hour)})
	if c.TooMany() {
		t.Error("nothing was asked, and it is too much")
	}
	if _, err := c.CreateCharge(t.Context(), batch.ChargeRequest{}); batch.OutcomeOf(err) != batch.TooMany {
		t.Error(err)
	}
	if first, again := c.TooMany(), c.TooMany(); !first || again {
		t.Errorf("too many: %v, then %v", first, again)
	}
	other := newPace(0)
	other.share(Share{PerSecond: 100, Until: time.Now().Add(time.Hour)})
	client := &Client{pace: other}
	client.GiveWay()
	if got := other.limiter.Limit(); got != 50 || other.rest() <= 0 {
		t.Errorf("the other goes on at %v a second, and rests %s", got, other.rest())
	}
}
