package places

import (
	"testing"
	"testing/synctest"
	"time"
)

func in(asked chan struct{}) bool {
	select {
	case <-asked:
		return true
	default:
		return false
	}
}

// TestPlaces: who came first is let in first, as there are places, and nobody is lost who
// goes away.
func TestPlaces(t *testing.T) {
	var p Places
	first, second, third := p.Ask(), p.Ask(), p.Ask()
	are := func(want ...bool) {
		t.Helper()
		for i, asked := range []chan struct{}{first, second, third} {
			if in(asked) != want[i] {
				t.Errorf("%d is in: %v, want %v", i+1, !want[i], want[i])
			}
		}
	}
	are(false, false, false)
	p.Offer(1, time.Time{})
	are(true, false, false)
	p.Withdraw(second)
	p.Leave()
	are(true, false, true)
	p.Offer(0, time.Time{})
	if fourth := p.Ask(); in(fourth) || p.Taken() != 1 || !p.Wanted() {
		t.Errorf("with no place left a fourth is in: %v; %d are", in(fourth), p.Taken())
	} else {
		p.Offer(2, time.Time{})
		p.Withdraw(fourth) // it was let in meanwhile, and didn't look
	}
	p.Withdraw(third)
	if p.Taken() != 0 || p.Wanted() {
		t.Errorf("all have left, and %d are in", p.Taken())
	}
}

// TestPlacesForATime: nobody is let in once the time is over for which there were places.
func TestPlacesForATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Places
		p.Offer(3, time.Now().Add(time.Second))
		if !in(p.Ask()) || p.Over() {
			t.Error("nobody is let in")
		}
		time.Sleep(time.Second) // of the bubble's clock
		late := p.Ask()
		if in(late) || !p.Over() {
			t.Error("somebody is let in after the time")
		}
		p.Offer(3, time.Time{})
		if !in(late) || p.Over() {
			t.Error("nobody is let in though there are places again")
		}
	})
}
