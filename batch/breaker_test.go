package batch

import "testing"

// TestBreakerLooksBack spreads unknown outcomes so thin that there are never
// five in a row: the tenth of any fifty trips the breaker, and one that comes
// too late for that doesn't.
func TestBreakerLooksBack(t *testing.T) {
	for _, c := range []struct {
		name    string
		known   int // outcomes before the tenth that is unknown
		tripped bool
	}{
		{"the tenth of 19", 0, true},
		{"the tenth of 50", 31, true},
		{"the tenth of 51", 32, false},
	} {
		b := &breaker{}
		for range 9 { // 18 outcomes, the first of them unknown
			if b.note(true) || b.note(false) {
				t.Fatalf("%s: it trips early", c.name)
			}
		}
		for range c.known {
			if b.note(false) {
				t.Fatalf("%s: it trips early", c.name)
			}
		}
		if got := b.note(true); got != c.tripped || b.open() != c.tripped {
			t.Errorf("%s: tripped %v", c.name, got)
		}
		if b.note(false) != c.tripped {
			t.Errorf("%s: one good answer decides", c.name)
		}
	}
}

func TestBreakerTripsAtFiveInARow(t *testing.T) {
	b := &breaker{}
	for i := 1; i <= 9; i++ {
		if got, want := b.note(i != 5), i == 10; got != want {
			t.Errorf("outcome %d: tripped %v", i, got)
		}
	}
	if !b.note(true) {
		t.Error("five in a row don't trip it")
	}
}
