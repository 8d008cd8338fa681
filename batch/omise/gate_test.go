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
		g := newGate(1)
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
		g := newGate(1)
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
