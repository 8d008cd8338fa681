package ledgertest

import (
	"context"
	"errors"
	"testing"

	"konbill/batch"
	"konbill/invoice"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	Run(t, func(*testing.T) func() batch.Ledger {
		m := NewMemory()
		return func() batch.Ledger { return m.Another() }
	})
}

// TestReopen crashes a process that holds the ledger, and one that doesn't.
func TestReopen(t *testing.T) {
	crashing := NewMemory()
	other := crashing.Another()
	release, err := crashing.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := book{crashing, t}.accept(sample("1"))[0]

	other = other.Reopen()
	if _, err := other.Hold(t.Context()); !errors.Is(err, batch.ErrHeld) {
		t.Errorf("the crash of another process freed the lock: %v", err)
	}
	next := crashing.Reopen()
	if _, err := next.Hold(t.Context()); err != nil {
		t.Errorf("a crash leaves the lock: %v", err)
	}
	release() // by a deferred call of the dead process: not its lock any more
	if _, err := other.Hold(t.Context()); !errors.Is(err, batch.ErrHeld) {
		t.Errorf("a dead process freed the lock of the next: %v", err)
	}
	same(t, "what was answered before the crash", book{next, t}.entry(e.Key), e)
	if _, err := crashing.Move(t.Context(), move(e, batch.Charging), proofs(e, batch.Charging)); !errors.Is(err, errGone) {
		t.Errorf("a dead process writes: %v", err)
	}
}

// TestFail lets every writing operation fail, before it stores and after.
func TestFail(t *testing.T) {
	full := errors.New("the disk is full")
	adopted := foreign("adopted")
	for operation, try := range map[string]func(context.Context, *Memory, batch.Entry) error{
		"RememberAccount": func(ctx context.Context, m *Memory, _ batch.Entry) error {
			return m.RememberAccount(ctx, "key", account)
		},
		"OpenJob": func(ctx context.Context, m *Memory, _ batch.Entry) error {
			_, _, err := OpenJob(ctx, m, job(account), []invoice.Invoice{sample("2")})
			return err
		},
		"CloseJob": func(ctx context.Context, m *Memory, e batch.Entry) error {
			return m.CloseJob(ctx, e.Job, at(1), nil)
		},
		"Adopt": func(ctx context.Context, m *Memory, _ batch.Entry) error {
			_, err := m.Adopt(ctx, adopted, "run", "found")
			return err
		},
		"RecordSweep": func(ctx context.Context, m *Memory, _ batch.Entry) error {
			return m.RecordSweep(ctx, account, at(1))
		},
		"RecordPass": func(ctx context.Context, m *Memory, _ batch.Entry) error {
			return m.RecordPass(ctx, at(1))
		},
		"RememberWebhook": func(ctx context.Context, m *Memory, _ batch.Entry) error {
			return m.RememberWebhook(ctx, "evnt_1", at(1), at(0))
		},
		"Move": func(ctx context.Context, m *Memory, e batch.Entry) error {
			_, err := m.Move(ctx, move(e, batch.Charging), proofs(e, batch.Charging))
			return err
		},
	} {
		t.Run(operation, func(t *testing.T) {
			m := NewMemory()
			e := book{m, t}.accept(sample("1"))[0]
			empty := m.Snapshot()
			var before, after error
			m.Fail = func(called string) (error, error) {
				same(t, "operation", called, operation)
				return before, after
			}
			before = full
			if err := try(t.Context(), m, e); !errors.Is(err, full) {
				t.Errorf("on a full disk: %v", err)
			}
			same(t, "stored on a full disk", m.Snapshot(), empty)
			before, after = nil, full
			if err := try(t.Context(), m, e); !errors.Is(err, full) {
				t.Errorf("with a failing disk: %v", err)
			}
			stored := m.Snapshot()
			m.Restore(empty)
			after = nil
			if err := try(t.Context(), m, e); err != nil {
				t.Errorf("with a sound disk: %v", err)
			}
			same(t, "stored in spite of the error", stored, m.Snapshot())
		})
	}
}

// TestSnapshot restores a backup twice: what came after it is gone each time.
func TestSnapshot(t *testing.T) {
	m := NewMemory()
	b := book{m, t}
	e := b.accept(sample("1"))[0]
	history := b.history(e.Key)
	backup := m.Snapshot()
	for range 2 {
		b.walk(e, batch.Mailed)
		b.accept(sample("2"))
		m.Restore(backup)
		same(t, "entry", b.entry(e.Key), e)
		same(t, "history", b.history(e.Key), history)
		same(t, "numbers", b.numbers(batch.Query{}), []string{"1"})
	}
	b.walk(e, batch.Held) // more than one event, so that there is room behind the last
	backup = m.Snapshot()
	copied := NewMemory()
	copied.Restore(backup)
	e = b.entry(e.Key)
	b.step(e, batch.Mailing)
	history = b.history(e.Key)
	book{copied, t}.step(e, batch.Held)
	same(t, "history beside that of a copy", b.history(e.Key), history)
}

func BenchmarkMemoryMove(b *testing.B) {
	m := NewMemory()
	_, verdicts, err := OpenJob(b.Context(), m, job(account), []invoice.Invoice{sample("1")})
	if err != nil {
		b.Fatal(err)
	}
	e := verdicts[0].Entry
	for b.Loop() {
		if _, err := m.Move(b.Context(), move(e, batch.Accepted), func(*batch.Entry) {}); err != nil {
			b.Fatal(err)
		}
	}
}
