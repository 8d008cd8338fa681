package batch_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
	"konbill/invoice"
	"konbill/mailer"
)

var (
	errDead      = errors.New("the process has died")
	errNoSpace   = errors.New("no space left on device")
	errNotSynced = errors.New("fsync: input/output error")
)

// process is one konbill at work: what it reaches of the world, it reaches
// through here. Once it is dead nothing it does has an effect, and every call
// fails, so that its goroutines run out.
type process struct {
	*world
	name   string
	book   *book
	handle *ledgertest.Memory // on the book
	rows   []content          // of its file
	fuses  []fuse
	fatal  batch.Point // may be its last; empty: none is
	dead   bool
	report *batch.Report
	told   []batch.RowOutcome // by the report
	err    error
	ended  bool

	ctx     context.Context
	cancel  context.CancelFunc
	drain   chan struct{}
	drained bool

	lockless  bool // its ledger's lock keeps nobody out
	reissue   bool // its run issues again what ended unpaid
	reconcile bool // in place of a run
	retry     bool // likewise
	retried   *batch.Retried
	holding   bool          // the ledger
	refused   bool          // another holds it
	left      time.Duration // that a countdown still shows
	diskFails bool
	asked     map[batch.Key]bool // for a charge
}

// fuse does something to a process at one of its boundaries.
type fuse struct {
	left int // boundaries until then
	burn func()
}

// boundary is a moment between two things of which one may be the last.
func (p *process) boundary() {
	for i := range p.fuses {
		if p.fuses[i].left--; p.fuses[i].left == 0 {
			p.fuses[i].burn()
		}
	}
}

// at hears of the named boundaries.
func (p *process) at(point batch.Point) {
	if p.dead {
		return
	}
	p.tell("%s: at %s", p.name, point)
	p.census["point: "+string(point)]++
	if point == p.fatal && p.chance(0.5) {
		p.die()
		p.census["death at: "+string(point)]++
		return
	}
	p.boundary()
}

func (p *process) die() {
	p.tell("%s: dies", p.name)
	p.census["death"]++
	p.dead, p.holding = true, false
	p.handle.Reopen()
	p.hasten(p)
}

func (p *process) interrupt() {
	p.tell("%s: is cancelled", p.name)
	p.census["cancel"]++
	p.cancel()
	p.hasten(p)
}

func (p *process) finishUp() {
	p.tell("%s: is asked to finish", p.name)
	p.census["drain"]++
	p.drained = true
	close(p.drain)
}

// act waits for the moment in which a call takes effect. It reports whether the
// process lives to see it.
func (p *process) act(label string, least, most time.Duration) bool {
	if p.dead {
		return false
	}
	p.pass(p, p.name+" "+label, least, most)
	if p.dead {
		return false
	}
	p.judge.acts(p, label)
	p.boundary()
	return !p.dead
}

// survives reports whether the process learns of an effect it had.
func (p *process) survives() bool {
	if !p.dead {
		p.boundary()
	}
	return !p.dead
}

func (p *process) nowIs() time.Time { return p.now }

// wait is Runner.Wait. Those who back off wait for about as long as they meant
// to: their jitter isn't the seed's.
func (p *process) wait(ctx context.Context, d time.Duration) error {
	if p.left > 0 {
		d, p.left = p.left, 0
	} else {
		d = max(d, 30*time.Second)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !p.act("waits", d, d) {
		return errDead
	}
	return ctx.Err()
}

// waiting hears of a countdown: its seconds can be waited for at one go.
func (p *process) waiting(w batch.Waiting) { p.left = w.Left }

// network is the way to the API and the mail server.
type network struct{ *process }

// send brings a request on its way.
func (n network) send(ctx context.Context, label string) error {
	if !n.act("-> "+label, time.Millisecond, 300*time.Millisecond) {
		return errDead
	}
	if ctx.Err() != nil {
		return &batch.GatewayError{Outcome: batch.NotSent, Code: "interrupted", Err: ctx.Err()}
	}
	return nil
}

// hear brings the answer back.
func (n network) hear(ctx context.Context, label string, a answer) (batch.Charge, error) {
	if !n.act("<- "+label, a.after, a.after) {
		return batch.Charge{}, errDead
	}
	if ctx.Err() != nil && batch.OutcomeOf(a.err) != batch.NotSent {
		return batch.Charge{}, &batch.GatewayError{Outcome: batch.UnknownOutcome, Code: "interrupted", Err: ctx.Err()}
	}
	return a.charge, a.err
}

func (n network) Turn(ctx context.Context) error {
	switch {
	case n.dead:
		return errDead
	case n.drained || ctx.Err() != nil:
		return context.Canceled
	}
	return nil
}

func (n network) Account(ctx context.Context) (batch.Account, error) {
	const label = "GET /account"
	if err := n.send(ctx, label); err != nil {
		return batch.Account{}, err
	}
	var a answer
	if n.strikes(accountFails) {
		a.err = n.api.refusal(batch.UnknownOutcome, 503, "service_unavailable")
	}
	_, err := n.hear(ctx, label, a)
	return simulatedAccount, err
}

func (n network) CreateSource(ctx context.Context, r batch.ChargeRequest) (string, error) {
	label := "POST /sources " + r.Number
	if err := n.send(ctx, label); err != nil {
		return "", err
	}
	id, a := n.api.source(r)
	_, err := n.hear(ctx, label, a)
	return id, err
}

func (n network) CreateCharge(ctx context.Context, r batch.ChargeRequest) (batch.Charge, error) {
	label := "POST /charges " + r.Number
	if !n.dead {
		n.judge.asks(n.process, r)
	}
	if err := n.send(ctx, label); err != nil {
		return batch.Charge{}, err
	}
	return n.hear(ctx, label, n.api.charge(r, n.book.life))
}

func (n network) Charges(ctx context.Context, since time.Time, visit func(batch.Found) error) error {
	const (
		label = "GET /charges"
		limit = 2 // so that there are several pages
	)
	for offset := 0; ; offset += limit {
		if err := n.send(ctx, label); err != nil {
			return err
		}
		page := n.api.page(since, offset, limit)
		a := answer{after: n.between(20*time.Millisecond, 4*time.Second)}
		if n.strikes(pageFails) {
			a.err = n.api.refusal(batch.UnknownOutcome, 502, "bad_gateway")
		}
		if _, err := n.hear(ctx, label, a); err != nil {
			return err
		}
		for _, f := range page {
			if err := visit(f); err != nil {
				return err
			}
		}
		if len(page) < limit {
			return nil
		}
	}
}

func (n network) SourceUsed(ctx context.Context, sourceID string) (bool, error) {
	label := "GET /sources/" + sourceID
	if err := n.send(ctx, label); err != nil {
		return false, err
	}
	used := n.api.used(sourceID)
	var a answer
	if n.strikes(lookupFails) {
		a.err = n.api.refusal(batch.UnknownOutcome, 502, "bad_gateway")
	}
	_, err := n.hear(ctx, label, a)
	return used, err
}

func (n network) Charge(ctx context.Context, id string) (batch.Found, error) {
	label := "GET /charges/" + id
	if err := n.send(ctx, label); err != nil {
		return batch.Found{}, err
	}
	var a answer
	if n.strikes(lookupFails) {
		a.err = n.api.refusal(batch.UnknownOutcome, 502, "bad_gateway")
	}
	found, there := n.api.byID(id)
	if !there {
		a.err = n.api.refusal(batch.DeclinedOutcome, 404, "not_found")
	}
	_, err := n.hear(ctx, label, a)
	return found, err
}

func (n network) Deliver(ctx context.Context, e mailer.Envelope) (string, error) {
	label := "mail to " + e.To
	if !n.act("-> "+label, time.Millisecond, 300*time.Millisecond) {
		return "", errDead
	}
	if ctx.Err() != nil {
		return "", &mailer.Error{Kind: mailer.NotSent, Stage: mailer.StageConnect}
	}
	err := n.mail.take(e, n.judge.mailed(n.process, e), n.book.life)
	if !n.act("<- "+label, 20*time.Millisecond, 5*time.Second) {
		return "", errDead
	}
	if err == nil && ctx.Err() != nil {
		err = &mailer.Error{Kind: mailer.Unknown, Stage: mailer.StageAnswer}
	}
	return "250 ok", err
}

// files are the disk as a process reaches it.
type files struct{ *process }

const diskTime = 5 * time.Millisecond

func (f files) Read(path string) ([]byte, error) {
	if !f.act("read "+path, 0, diskTime) {
		return nil, errDead
	}
	return f.read(path)
}

func (f files) SHA256(path string) (string, error) {
	data, err := f.Read(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(data)), nil
}

func (f files) MakeFolder(path string) error {
	if !f.act("make "+path, 0, diskTime) || !f.survives() {
		return errDead
	}
	return nil
}

func (f files) Write(path string, data []byte) error {
	if !f.act("write "+path, 0, diskTime) {
		return errDead
	}
	err := f.write(path, data)
	if err != nil {
		f.tell("%s: write %s: %v", f.name, path, err)
		f.diskFails = true
	}
	if !f.survives() {
		return errDead
	}
	return err
}

func (f files) WriteFrom(path string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	return f.Write(path, b.Bytes())
}

func (f files) Remove(path string) error {
	if !f.act("remove "+path, 0, diskTime) {
		return errDead
	}
	delete(f.disk, path)
	if !f.survives() {
		return errDead
	}
	return nil
}

// memory is the ledger as a process reaches it: slow, on a disk that may fill
// up or fail, and of which a dying process doesn't hear the last answer.
type memory struct{ *process }

const ledgerTime = 20 * time.Millisecond

// change makes one transaction.
func (m memory) change(ctx context.Context, label string, commit func() error) error {
	if !m.act("ledger: "+label, 0, ledgerTime) {
		return errDead
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err := commit()
	m.tell("%s: %s: %v", m.name, label, err)
	if !m.survives() {
		return errDead
	}
	return err
}

// fail is Memory.Fail.
func (m memory) fail(string) (before, after error) {
	if m.strikes(ledgerFull) {
		before = errNoSpace
	}
	if m.strikes(ledgerNoSync) {
		after = errNotSynced
	}
	return before, after
}

// look reads.
func (m memory) look(ctx context.Context, label string) error {
	if !m.act("ledger: "+label, 0, ledgerTime) {
		return errDead
	}
	return ctx.Err()
}

func (m memory) Hold(ctx context.Context) (func(), error) {
	var release func()
	err := m.change(ctx, "hold", func() (err error) {
		release = func() {}
		if !m.lockless {
			release, err = m.handle.Hold(ctx)
		}
		m.judge.holds(m.process, err)
		return err
	})
	if err != nil {
		return nil, err
	}
	return func() {
		if !m.dead {
			m.holding = false
			release()
		}
	}, nil
}

func (m memory) AccountOf(ctx context.Context, fingerprint string) (batch.Account, bool, error) {
	if err := m.look(ctx, "account"); err != nil {
		return batch.Account{}, false, err
	}
	return m.handle.AccountOf(ctx, fingerprint)
}

func (m memory) RememberAccount(ctx context.Context, fingerprint string, a batch.Account) error {
	return m.change(ctx, "remember account", func() error { return m.handle.RememberAccount(ctx, fingerprint, a) })
}

func (m memory) OpenJob(ctx context.Context, job batch.Job, invoices iter.Seq[invoice.Invoice], judge func(int, batch.Verdict)) (id int64, err error) {
	err = m.change(ctx, "open job", func() (err error) {
		id, err = m.handle.OpenJob(ctx, job, invoices, judge)
		return err
	})
	return id, err
}

func (m memory) CloseJob(ctx context.Context, id int64, at time.Time, t batch.Totals) error {
	return m.change(ctx, "close job", func() error { return m.handle.CloseJob(ctx, id, at, t) })
}

func (m memory) Jobs(ctx context.Context, limit int) ([]batch.Job, error) {
	if err := m.look(ctx, "jobs"); err != nil {
		return nil, err
	}
	return m.handle.Jobs(ctx, limit)
}

func (m memory) JobsOfFile(ctx context.Context, sha256 string) ([]batch.Job, error) {
	if err := m.look(ctx, "jobs"); err != nil {
		return nil, err
	}
	return m.handle.JobsOfFile(ctx, sha256)
}

func (m memory) Adopt(ctx context.Context, e batch.Entry, who, why string) (adopted batch.Entry, err error) {
	err = m.change(ctx, "adopt "+e.Invoice.Number, func() (err error) {
		adopted, err = m.handle.Adopt(ctx, e, who, why)
		return err
	})
	return adopted, err
}

func (m memory) SweptAt(ctx context.Context, a batch.Account) (time.Time, error) {
	if err := m.look(ctx, "swept"); err != nil {
		return time.Time{}, err
	}
	return m.handle.SweptAt(ctx, a)
}

func (m memory) RecordSweep(ctx context.Context, a batch.Account, began time.Time) error {
	return m.change(ctx, "record sweep", func() error { return m.handle.RecordSweep(ctx, a, began) })
}

func (m memory) PassedAt(ctx context.Context) (time.Time, error) {
	if err := m.look(ctx, "passed"); err != nil {
		return time.Time{}, err
	}
	return m.handle.PassedAt(ctx)
}

func (m memory) RecordPass(ctx context.Context, due time.Time) error {
	return m.change(ctx, "record pass", func() error { return m.handle.RecordPass(ctx, due) })
}

func (m memory) WebhookKnown(ctx context.Context, id string) (bool, error) {
	if err := m.look(ctx, "webhook "+id); err != nil {
		return false, err
	}
	return m.handle.WebhookKnown(ctx, id)
}

func (m memory) RememberWebhook(ctx context.Context, id string, at, since time.Time) error {
	return m.change(ctx, "remember webhook "+id, func() error { return m.handle.RememberWebhook(ctx, id, at, since) })
}

func (m memory) Entry(ctx context.Context, key batch.Key) (batch.Entry, error) {
	if err := m.look(ctx, "entry "+string(key)); err != nil {
		return batch.Entry{}, err
	}
	return m.handle.Entry(ctx, key)
}

func (m memory) Entries(ctx context.Context, q batch.Query, f func(batch.Entry) error) error {
	if err := m.look(ctx, "entries"); err != nil {
		return err
	}
	return m.handle.Entries(ctx, q, f)
}

func (m memory) Sums(ctx context.Context, q batch.Query) (map[string]batch.Sum, error) {
	if err := m.look(ctx, "sums"); err != nil {
		return nil, err
	}
	return m.handle.Sums(ctx, q)
}

func (m memory) Events(ctx context.Context, key batch.Key) ([]batch.Event, error) {
	if err := m.look(ctx, "events"); err != nil {
		return nil, err
	}
	return m.handle.Events(ctx, key)
}

func (m memory) Move(ctx context.Context, move batch.Move, change func(*batch.Entry)) (moved batch.Entry, err error) {
	label := strings.Join([]string{"move", m.judge.numberOf(move.Key), string(move.From), string(move.To)}, " ")
	err = m.change(ctx, label, func() (err error) {
		moved, err = m.handle.Move(ctx, move, change)
		return err
	})
	return moved, err
}

func (m memory) Latest(ctx context.Context, a batch.Account, number string) (batch.Entry, error) {
	if err := m.look(ctx, "the latest of "+number); err != nil {
		return batch.Entry{}, err
	}
	return m.handle.Latest(ctx, a, number)
}

func (m memory) Notices(ctx context.Context, key batch.Key) ([]batch.Notice, error) {
	if err := m.look(ctx, "the notices of "+string(key)); err != nil {
		return nil, err
	}
	return m.handle.Notices(ctx, key)
}

func (m memory) MoveNotice(ctx context.Context, move batch.NoticeMove) error {
	return m.change(ctx, "move a notice", func() error { return m.handle.MoveNotice(ctx, move) })
}

func (m memory) Purge(ctx context.Context, move batch.Move) (purged batch.Entry, err error) {
	err = m.change(ctx, "purge", func() (err error) {
		purged, err = m.handle.Purge(ctx, move)
		return err
	})
	return purged, err
}

func (m memory) Outdated(ctx context.Context) ([]batch.Job, error) {
	if err := m.look(ctx, "outdated jobs"); err != nil {
		return nil, err
	}
	return m.handle.Outdated(ctx)
}

func (m memory) RecordUpdated(ctx context.Context, job batch.Job) error {
	return m.change(ctx, "results are up to date", func() error { return m.handle.RecordUpdated(ctx, job) })
}
