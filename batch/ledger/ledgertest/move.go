package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"konbill/batch"
)

func number(i int) string { return fmt.Sprintf("INV-%05d", i) }

func testMove(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	for i, from := range states {
		for j, to := range states {
			e := b.walk(b.accept(sample(number(i*len(states) + j)))[0], from)
			t.Run(fmt.Sprintf("%s to %s", from, to), func(t *testing.T) {
				b := book{b.Ledger, t}
				if from != to && !from.CanBecome(to) {
					testRefused(b, e, to)
				} else {
					testAllowed(b, e, to)
				}
				if from != to && !from.CanBecome(to) && from.CanBecomeByPerson(to) {
					testByPerson(b, e, to)
				}
			})
		}
	}
	t.Run("stale", func(t *testing.T) { testStale(t, newStore) })
	t.Run("without proof", func(t *testing.T) { testProofs(t, newStore) })
	t.Run("cancelled", func(t *testing.T) { testCancelled(t, newStore) })
	t.Run("panic", func(t *testing.T) { testPanic(t, newStore) })
}

// testAllowed wants an allowed step to be stored, with exactly one event.
func testAllowed(b book, e batch.Entry, to batch.State) {
	history := b.history(e.Key)
	m := move(e, to)
	m.At = at(5)
	moved, err := b.Move(b.t.Context(), m, proofs(e, to))
	if err != nil {
		b.t.Fatal(err)
	}
	if moved.State != to || !moved.UpdatedAt.Equal(stored(at(5))) || !moved.AcceptedAt.Equal(e.AcceptedAt) {
		b.t.Errorf("moved to %s at %v, accepted at %v", moved.State, moved.UpdatedAt, moved.AcceptedAt)
	}
	same(b.t, "the entry read again", b.entry(e.Key), moved)
	want := batch.Event{Key: e.Key, At: stored(at(5)), Who: m.Who, From: m.From, To: m.To, Why: m.Why}
	same(b.t, "history", b.history(e.Key), append(history, want))
}

// testByPerson wants a step that a person alone may ask for to be stored.
func testByPerson(b book, e batch.Entry, to batch.State) {
	m := move(e, to)
	m.ByPerson = true
	moved, err := b.Move(b.t.Context(), m, proofs(e, to))
	if err != nil {
		b.t.Fatal(err)
	}
	same(b.t, "the entry read again", b.entry(e.Key), moved)
}

// testRefused wants a step that the diagram of batch.State doesn't have to
// change nothing, even with all proofs.
func testRefused(b book, e batch.Entry, to batch.State) {
	b.unchanged(e.Key, func() {
		_, err := b.Move(b.t.Context(), move(e, to), func(edited *batch.Entry) {
			edited.IntentAt, edited.Charge.ID, edited.MessageID = at(1), "chrg_any", "any@example.jp"
		})
		if err == nil {
			b.t.Errorf("an invoice went from %s to %s", e.State, to)
		}
	})
}

// testStale wants every step from a state that the invoice isn't in to say so
// and to change nothing.
func testStale(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	for i, have := range states {
		e := b.walk(b.accept(sample(number(i)))[0], have)
		for _, want := range states {
			if want == have {
				continue
			}
			b.unchanged(e.Key, func() { b.wantStale(e, want) })
		}
	}
	testStaleAttempt(b)
	testStalePayment(b)
	missing := batch.Entry{Key: "kb_nobody", State: batch.Accepted}
	if _, err := b.Move(t.Context(), move(missing, batch.Charging), proofs(missing, batch.Charging)); !errors.Is(err, batch.ErrNotFound) {
		t.Errorf("moving an unknown invoice: %v", err)
	}
}

// testStaleAttempt wants a step that is about one attempt to say nothing of the
// next, though the invoice is in the same state again.
func testStaleAttempt(b book) {
	e := b.walk(b.accept(sample("asked twice"))[0], batch.Unknown)
	first := move(e, batch.Accepted)
	first.Attempt = e.Attempt
	for _, to := range []batch.State{batch.Accepted, batch.Charging, batch.Unknown} {
		e = b.step(e, to)
	}
	b.unchanged(e.Key, func() {
		var stale *batch.StaleError
		if _, err := b.Move(b.t.Context(), first, func(*batch.Entry) {}); !errors.As(err, &stale) {
			b.t.Errorf("the absence of the first attempt's charge, after the second: %v, want a *StaleError", err)
		}
	})
	second := first
	second.Attempt = e.Attempt
	if after, err := b.Move(b.t.Context(), second, func(*batch.Entry) {}); err != nil || after.State != batch.Accepted {
		b.t.Errorf("of the second: %s, %v", after.State, err)
	}
}

// testStalePayment wants a step that starts from a payment status to be taken
// only from there.
func testStalePayment(b book) {
	e := b.walk(b.accept(sample("paying"))[0], batch.Charged)
	pay := move(e, batch.Charged)
	pay.ChargeStatus = "pending"
	paid := func(e *batch.Entry) { e.Charge.Status = "successful" }
	b.unchanged(e.Key, func() {
		var stale *batch.StaleError
		if _, err := b.Move(b.t.Context(), pay, paid); !errors.As(err, &stale) {
			b.t.Errorf("no payment taken for a pending one: %v, want a *StaleError", err)
		}
	})
	pay.ChargeStatus = ""
	if _, err := b.Move(b.t.Context(), pay, func(e *batch.Entry) { e.Charge.Status = "pending" }); err != nil {
		b.t.Fatal(err)
	}
	pay.ChargeStatus = "pending"
	if after, err := b.Move(b.t.Context(), pay, paid); err != nil || after.Charge.Status != "successful" {
		b.t.Errorf("from pending to %s, %v", after.Charge.Status, err)
	}
	b.unchanged(e.Key, func() {
		var stale *batch.StaleError
		if _, err := b.Move(b.t.Context(), pay, paid); !errors.As(err, &stale) {
			b.t.Errorf("paid twice: %v, want a *StaleError", err)
		}
	})
}

// wantStale expects an invoice in state want, in every step that leads on.
func (b book) wantStale(e batch.Entry, want batch.State) {
	b.t.Helper()
	for _, to := range states {
		if want != to && !want.CanBecome(to) {
			continue
		}
		expected := e
		expected.State = want
		got, err := b.Move(b.t.Context(), move(expected, to), proofs(e, to))
		var stale *batch.StaleError
		if !errors.As(err, &stale) {
			b.t.Errorf("%s taken for %s: %v, want a *StaleError", e.State, want, err)
			continue
		}
		same(b.t, "stale", *stale, batch.StaleError{Key: e.Key, Want: want, Have: e.State})
		same(b.t, "entry of a failed move", got, batch.Entry{})
	}
}

// testProofs wants states that stand for something durable to be refused
// without it, and a charge never to be replaced.
func testProofs(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	refuse := func(e batch.Entry, to batch.State, change func(*batch.Entry)) {
		t.Helper()
		b.unchanged(e.Key, func() {
			if _, err := b.Move(t.Context(), move(e, to), change); err == nil {
				t.Errorf("%s became %s without its proof", e.State, to)
			}
		})
	}
	nothing := func(*batch.Entry) {}
	e := b.accept(sample("1"))[0]
	refuse(e, batch.Charging, nothing)
	refuse(e, batch.Accepted, func(e *batch.Entry) { e.Job = 0 }) // only what was issued elsewhere is in no job
	e = b.step(e, batch.Charging)
	refuse(e, batch.Charged, nothing)
	e = b.step(e, batch.Charged)
	refuse(e, batch.Charged, func(e *batch.Entry) { e.Charge.ID = "chrg_other" })
	refuse(e, batch.Charged, func(e *batch.Entry) { e.Charge = batch.Charge{} })
	refuse(e, batch.Mailing, nothing)

	other := b.walk(b.accept(sample("2"))[0], batch.Charging)
	refuse(other, batch.Charged, func(o *batch.Entry) { o.Charge = e.Charge }) // the bill of another invoice
	e = b.step(e, batch.Mailing)
	other = b.step(other, batch.Charged)
	refuse(other, batch.Mailing, func(o *batch.Entry) { o.MessageID = e.MessageID })
}

// testCancelled wants a step under an ended context to change nothing and to
// say that it was cancelled: that is no failure of the ledger.
func testCancelled(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	e := b.accept(sample("1"))[0]
	ended := func(name string, ctx context.Context, change func(*batch.Entry)) {
		b.unchanged(e.Key, func() {
			if _, err := b.Move(ctx, move(e, batch.Charging), change); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled %s: %v", name, err)
			}
		})
	}
	ended("before", cancelled(t), proofs(e, batch.Charging))
	ctx, cancel := context.WithCancel(t.Context())
	ended("in between", ctx, func(edited *batch.Entry) {
		proofs(e, batch.Charging)(edited)
		cancel()
	})
	b.step(e, batch.Charging)
}

// testPanic wants a change that panics to leave nothing behind, least of all a
// ledger that can't be written any more.
func testPanic(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	e := b.accept(sample("1"))[0]
	b.unchanged(e.Key, func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = b.Move(t.Context(), move(e, batch.Charging), func(*batch.Entry) { panic("change") })
	})
	b.step(e, batch.Charging)
}
