package ledgertest

import (
	"testing"
	"time"

	"konbill/batch"
)

func testPasses(t *testing.T, newStore Store) {
	open := newStore(t)
	first, second := open(), open()
	want := func(due time.Time) {
		t.Helper()
		for name, l := range map[string]batch.Ledger{"it": first, "another": second} {
			if got, err := l.PassedAt(t.Context()); got != due || err != nil {
				t.Errorf("%s says that the latest pass was due at %v, %v; want %v", name, got, err, due)
			}
		}
	}
	record := func(l batch.Ledger, due time.Time) {
		t.Helper()
		if err := l.RecordPass(t.Context(), due); err != nil {
			t.Fatal(err)
		}
	}
	want(time.Time{})
	record(first, at(5))
	want(stored(at(5)))
	record(second, at(4)) // one that took longer
	want(stored(at(5)))
	record(second, at(5))
	record(second, at(6))
	want(stored(at(6)))
	record(first, time.Time{})
	want(stored(at(6)))
	if err := first.RecordPass(cancelled(t), at(9)); err == nil {
		t.Error("recorded under an ended context")
	}
	want(stored(at(6)))
}
