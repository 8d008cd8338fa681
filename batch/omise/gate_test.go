package omise

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"konbill/batch"
)

var (
	creating = question{form: url.Values{}}
	reading  = question{}
)

// TestStoredIntentsDoNotWaitForLong: others judge an intent that is older than a
// request can be, so its request must not leave that late.
func TestStoredIntentsDoNotWaitForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, nil)
		if err := g.enter(t.Context(), creating); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err := g.enter(t.Context(), creating)
		if batch.OutcomeOf(err) != batch.NotSent || !errors.Is(err, errCrowded) || time.Since(began) != longestWait {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestReadingWaits: no intent grows old meanwhile.
func TestReadingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, nil)
		if err := g.enter(t.Context(), reading); err != nil {
			t.Fatal(err)
		}
		var other sync.WaitGroup
		other.Go(func() {
			if err := g.enter(t.Context(), reading); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Minute) // the bubble's
		g.leave()
		other.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := g.enter(ctx, reading); batch.OutcomeOf(err) != batch.NotSent || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestStoredIntentsTurnBack: once the run is to end, what waits at the gate or
// comes there isn't sent, although there is a place.
func TestStoredIntentsTurnBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drain := make(chan struct{})
		g := newGate(1, drain)
		if err := g.enter(t.Context(), creating); err != nil {
			t.Fatal(err)
		}
		var waiting sync.WaitGroup
		turnedBack := func() {
			if err := g.enter(t.Context(), creating); batch.OutcomeOf(err) != batch.NotSent || !errors.Is(err, errDraining) {
				t.Error(err)
			}
		}
		waiting.Go(turnedBack)
		synctest.Wait()
		close(drain)
		waiting.Wait()
		g.leave()
		turnedBack()
		if err := g.enter(t.Context(), reading); err != nil {
			t.Error("the place is lost:", err)
		}
	})
}

// TestLateRequestsDoNotLeaveEncrypted: the API is reached through TLS.
func TestLateRequestsDoNotLeaveEncrypted(t *testing.T) {
	var met atomic.Int64
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		met.Add(1)
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer api.Close()
	c, err := New(Config{URL: api.URL, SecretKey: "skey_test_1", RequestsPerSecond: 1000, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	c.transport.TLSClientConfig = api.Client().Transport.(*http.Transport).TLSClientConfig
	for already := range int64(2) { // over a new connection and over one that was kept
		_, err := c.CreateCharge(t.Context(), batch.ChargeRequest{Intended: time.Now().Add(-c.lateAfter() - time.Second)})
		if batch.OutcomeOf(err) != batch.NotSent || !errors.Is(err, errLate) || met.Load() != already {
			t.Errorf("%v, the API met %d requests", err, met.Load())
		}
		_, err = c.CreateCharge(t.Context(), batch.ChargeRequest{Intended: time.Now().Add(time.Second - c.lateAfter())})
		if batch.OutcomeOf(err) == batch.NotSent || met.Load() != already+1 {
			t.Errorf("in time: %v, the API met %d requests", err, met.Load())
		}
	}
}

// TestWhatHasBegunGoesOn: a request may take several writes, and TLS makes more of them.
func TestWhatHasBegunGoesOn(t *testing.T) {
	server, client := net.Pipe()
	defer server.Close()
	go io.Copy(io.Discard, server) // until the test ends
	conn := &punctualConn{Conn: client}
	defer conn.Close()
	late := false
	expect := func() bool { return late }
	conn.late.Store(&expect)
	if _, err := conn.Write([]byte("begins")); err != nil {
		t.Error(err)
	}
	late = true
	if _, err := conn.Write([]byte("goes on")); err != nil {
		t.Error("half of it is sent:", err)
	}
	conn.late.Store(&expect)
	if n, err := conn.Write([]byte("the next")); n != 0 || !errors.Is(err, errLate) {
		t.Error(n, err)
	}
}

// TestAge: the clock that nobody sets may stand still while a machine sleeps.
func TestAge(t *testing.T) {
	awake, asleep := time.Now().Add(-time.Hour), time.Now().Round(0).Add(-time.Hour)
	if age(awake) < time.Hour || age(asleep) < time.Hour || age(time.Time{}) != 0 {
		t.Error(age(awake), age(asleep), age(time.Time{}))
	}
}
