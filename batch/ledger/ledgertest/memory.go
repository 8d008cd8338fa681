package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

// Memory is a handle on a batch.Ledger in memory, for simulations: a process
// that crashes drops its handle, and what the ledger has answered stays for the
// next one. It is safe for concurrent use.
type Memory struct {
	// Fail, if set, is called with the name of its method, such as "Move", at
	// the start of every operation that writes. With an error in before nothing
	// is stored, as on a full disk; with one in after the operation is stored
	// and fails all the same, as when the disk breaks behind a commit. Set it
	// before the handle is used.
	Fail func(operation string) (before, after error)

	store *memoryStore
	gone  bool // guarded by the store's mutex
}

// memoryStore is what all handles share: the "disk" and the lock of a run.
type memoryStore struct {
	mutex  sync.Mutex
	tables tables
	held   *memoryHold
}

type memoryHold struct{ by *Memory }

// errGone is what a crashed process, still running on some goroutine, gets to
// hear.
var errGone = errors.New("this handle's process has crashed")

// NewMemory returns a handle on a new, empty store.
func NewMemory() *Memory {
	return &Memory{store: &memoryStore{tables: newTables()}}
}

// Another returns a further handle on the same store, as another process has
// it.
func (m *Memory) Another() *Memory {
	return &Memory{Fail: m.Fail, store: m.store}
}

// Reopen crashes the process of this handle, which frees its lock and is of no
// use any more, and returns the handle of the next one.
func (m *Memory) Reopen() *Memory {
	m.store.mutex.Lock()
	defer m.store.mutex.Unlock()
	m.gone = true
	if m.store.held != nil && m.store.held.by == m {
		m.store.held = nil
	}
	return m.Another()
}

// Snapshot is a backup of a store.
type Snapshot struct{ tables tables }

// Snapshot returns a copy of all that is stored now.
func (m *Memory) Snapshot() Snapshot {
	m.store.mutex.Lock()
	defer m.store.mutex.Unlock()
	return Snapshot{m.store.tables.clone()}
}

// Restore puts a backup in the place of what is stored, for all handles. It may
// be used again.
func (m *Memory) Restore(s Snapshot) {
	m.store.mutex.Lock()
	defer m.store.mutex.Unlock()
	m.store.tables = s.tables.clone()
}

// write runs one writing operation. It stores nothing unless it succeeds:
// every operation of tables checks first and changes afterwards.
func (m *Memory) write(ctx context.Context, operation string, work func(*tables) error) error {
	var before, after error
	if m.Fail != nil {
		before, after = m.Fail(operation)
	}
	err := before
	if err == nil {
		err = m.read(ctx, work)
	}
	if err == nil {
		err = after
	}
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// read runs work alone on the store, unless the process or its context has
// ended.
func (m *Memory) read(ctx context.Context, work func(*tables) error) error {
	m.store.mutex.Lock()
	defer m.store.mutex.Unlock()
	if m.gone {
		return errGone
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return work(&m.store.tables)
}

// Hold implements batch.Ledger.
func (m *Memory) Hold(ctx context.Context) (release func(), err error) {
	h := &memoryHold{by: m}
	err = m.read(ctx, func(*tables) error {
		if m.store.held != nil {
			return batch.ErrHeld
		}
		m.store.held = h
		return nil
	})
	if err != nil {
		return nil, err
	}
	return func() { m.store.release(h) }, nil
}

func (s *memoryStore) release(h *memoryHold) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.held == h {
		s.held = nil
	}
}

// AccountOf implements batch.Ledger.
func (m *Memory) AccountOf(ctx context.Context, fingerprint string) (a batch.Account, known bool, err error) {
	err = m.read(ctx, func(t *tables) error {
		a, known = t.keys[fingerprint]
		return nil
	})
	return a, known, err
}

// RememberAccount implements batch.Ledger.
func (m *Memory) RememberAccount(ctx context.Context, fingerprint string, a batch.Account) error {
	return m.write(ctx, "RememberAccount", func(t *tables) error { return t.remember(fingerprint, a) })
}

// OpenJob implements batch.Ledger.
func (m *Memory) OpenJob(ctx context.Context, job batch.Job, invoices iter.Seq[invoice.Invoice], judge func(int, batch.Verdict)) (id int64, err error) {
	var verdicts []batch.Verdict
	err = m.write(ctx, "OpenJob", func(t *tables) (err error) {
		id, verdicts, err = t.openJob(job, slices.Collect(invoices))
		return err
	})
	if err != nil {
		return 0, err
	}
	for i, v := range verdicts {
		judge(i, v)
	}
	return id, nil
}

// CloseJob implements batch.Ledger.
func (m *Memory) CloseJob(ctx context.Context, id int64, finishedAt time.Time, totals batch.Totals) error {
	return m.write(ctx, "CloseJob", func(t *tables) error { return t.closeJob(id, finishedAt, totals) })
}

// Jobs implements batch.Ledger.
func (m *Memory) Jobs(ctx context.Context, limit int) (jobs []batch.Job, err error) {
	err = m.read(ctx, func(t *tables) error {
		jobs = t.latestJobs(limit, func(batch.Job) bool { return true })
		return nil
	})
	return jobs, err
}

// JobsOfFile implements batch.Ledger.
func (m *Memory) JobsOfFile(ctx context.Context, sha256 string) (jobs []batch.Job, err error) {
	err = m.read(ctx, func(t *tables) error {
		jobs = t.latestJobs(len(t.jobs), func(j batch.Job) bool { return j.SHA256 == sha256 })
		return nil
	})
	return jobs, err
}

// Outdated implements batch.Ledger.
func (m *Memory) Outdated(ctx context.Context) (jobs []batch.Job, err error) {
	err = m.read(ctx, func(t *tables) error {
		jobs = t.latestJobs(len(t.jobs), func(j batch.Job) bool { return !t.outdated[j.ID].IsZero() })
		slices.Reverse(jobs)
		return nil
	})
	return jobs, err
}

// RecordUpdated implements batch.Ledger.
func (m *Memory) RecordUpdated(ctx context.Context, job batch.Job) error {
	return m.write(ctx, "RecordUpdated", func(t *tables) error {
		t.recordUpdated(job)
		return nil
	})
}

// Adopt implements batch.Ledger.
func (m *Memory) Adopt(ctx context.Context, e batch.Entry, who, why string) (adopted batch.Entry, err error) {
	err = m.write(ctx, "Adopt", func(t *tables) (err error) {
		adopted, err = t.adopt(e, who, why)
		return err
	})
	if err != nil {
		return batch.Entry{}, err
	}
	return adopted, nil
}

// SweptAt implements batch.Ledger.
func (m *Memory) SweptAt(ctx context.Context, a batch.Account) (began time.Time, err error) {
	err = m.read(ctx, func(t *tables) error {
		began = t.swept[a.Live]
		return t.mayBelongTo(a)
	})
	if err != nil {
		return time.Time{}, err
	}
	return began, nil
}

// RecordSweep implements batch.Ledger.
func (m *Memory) RecordSweep(ctx context.Context, a batch.Account, began time.Time) error {
	return m.write(ctx, "RecordSweep", func(t *tables) error { return t.recordSweep(a, began) })
}

// PassedAt implements batch.Ledger.
func (m *Memory) PassedAt(ctx context.Context) (due time.Time, err error) {
	err = m.read(ctx, func(t *tables) error {
		due = t.passed
		return nil
	})
	return due, err
}

// RecordPass implements batch.Ledger.
func (m *Memory) RecordPass(ctx context.Context, due time.Time) error {
	return m.write(ctx, "RecordPass", func(t *tables) error {
		t.recordPass(due)
		return nil
	})
}

// WebhookKnown implements batch.Ledger.
func (m *Memory) WebhookKnown(ctx context.Context, id string) (known bool, err error) {
	err = m.read(ctx, func(t *tables) error {
		_, known = t.webhooks[id]
		return nil
	})
	return known, err
}

// RememberWebhook implements batch.Ledger.
func (m *Memory) RememberWebhook(ctx context.Context, id string, at, since time.Time) error {
	return m.write(ctx, "RememberWebhook", func(t *tables) error {
		t.rememberWebhook(id, at, since)
		return nil
	})
}

// Entry implements batch.Ledger.
func (m *Memory) Entry(ctx context.Context, key batch.Key) (e batch.Entry, err error) {
	err = m.read(ctx, func(t *tables) (err error) {
		e, err = t.entry(key)
		return err
	})
	return e, err
}

// Latest implements batch.Ledger.
func (m *Memory) Latest(ctx context.Context, a batch.Account, number string) (e batch.Entry, err error) {
	err = m.read(ctx, func(t *tables) error {
		latest := t.latest(a, number)
		if latest == nil {
			return batch.ErrNotFound
		}
		e = *latest
		return nil
	})
	return e, err
}

// Entries implements batch.Ledger.
func (m *Memory) Entries(ctx context.Context, q batch.Query, f func(batch.Entry) error) error {
	var selected []batch.Entry
	err := m.read(ctx, func(t *tables) error {
		selected = t.selected(q)
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range selected {
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

// Sums implements batch.Ledger.
func (m *Memory) Sums(ctx context.Context, q batch.Query) (map[string]batch.Sum, error) {
	sums := map[string]batch.Sum{}
	err := m.read(ctx, func(t *tables) error {
		addUp(sums, t.selected(q))
		return nil
	})
	return sums, err
}

func addUp(sums map[string]batch.Sum, entries []batch.Entry) {
	for _, e := range entries {
		sum := sums[e.Charge.Status]
		sums[e.Charge.Status] = batch.Sum{Rows: sum.Rows + 1, Yen: sum.Yen + e.Invoice.Amount}
	}
}

// Events implements batch.Ledger.
func (m *Memory) Events(ctx context.Context, key batch.Key) (events []batch.Event, err error) {
	err = m.read(ctx, func(t *tables) error {
		events = append(events, t.events[key]...)
		return nil
	})
	return events, err
}

// Move implements batch.Ledger.
func (m *Memory) Move(ctx context.Context, step batch.Move, change func(*batch.Entry)) (moved batch.Entry, err error) {
	err = m.write(ctx, "Move", func(t *tables) (err error) {
		moved, err = t.move(ctx, step, change)
		return err
	})
	if err != nil {
		return batch.Entry{}, err
	}
	return moved, nil
}

// Notices implements batch.Ledger.
func (m *Memory) Notices(ctx context.Context, key batch.Key) (notices []batch.Notice, err error) {
	err = m.read(ctx, func(t *tables) error {
		notices = append(notices, t.notices[key]...)
		return nil
	})
	return notices, err
}

// MoveNotice implements batch.Ledger.
func (m *Memory) MoveNotice(ctx context.Context, step batch.NoticeMove) error {
	return m.write(ctx, "MoveNotice", func(t *tables) error { return t.moveNotice(step) })
}

// Purge implements batch.Ledger.
func (m *Memory) Purge(ctx context.Context, step batch.Move) (purged batch.Entry, err error) {
	err = m.write(ctx, "Purge", func(t *tables) (err error) {
		purged, err = t.purge(ctx, step)
		return err
	})
	if err != nil {
		return batch.Entry{}, err
	}
	return purged, nil
}

var _ batch.Ledger = (*Memory)(nil)
