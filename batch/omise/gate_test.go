package omise

import (
	"context"
	"errors"
	"net/url"
	"sync"
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
