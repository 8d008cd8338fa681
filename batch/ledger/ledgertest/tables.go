package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

// tables is what a Memory stores. Each of its operations checks everything
// before it changes anything, so that it happens wholly or not at all.
type tables struct {
	owners   map[bool]string // account ids, by mode: live or not
	swept    map[bool]time.Time
	passed   time.Time
	keys     map[string]batch.Account    // by fingerprint
	jobs     []batch.Job                 // job n is the n-th
	entries  []batch.Entry               // as they were accepted
	index    map[batch.Key]int           // into entries
	numbers  map[accountNumber]batch.Key // of the latest revision
	charges  map[string]batch.Key        // by charge id
	messages map[string]batch.Key        // by Message-ID
	events   map[batch.Key][]batch.Event
	webhooks map[string]time.Time // by id, when remembered
	notices  map[batch.Key][]batch.Notice
	listed   map[batch.Key][]int64 // jobs that list an invoice of another's
	outdated map[int64]time.Time   // by job, the latest change that its results may not tell
}

type accountNumber struct {
	account batch.Account
	number  string
}

func newTables() tables {
	return tables{
		owners: map[bool]string{}, swept: map[bool]time.Time{}, keys: map[string]batch.Account{},
		index: map[batch.Key]int{}, numbers: map[accountNumber]batch.Key{}, charges: map[string]batch.Key{}, messages: map[string]batch.Key{},
		events: map[batch.Key][]batch.Event{}, webhooks: map[string]time.Time{},
		notices: map[batch.Key][]batch.Notice{}, outdated: map[int64]time.Time{}, listed: map[batch.Key][]int64{},
	}
}

func (t *tables) clone() tables {
	c := tables{
		owners: maps.Clone(t.owners), swept: maps.Clone(t.swept), passed: t.passed, keys: maps.Clone(t.keys),
		jobs: slices.Clone(t.jobs), entries: slices.Clone(t.entries), index: maps.Clone(t.index),
		numbers: maps.Clone(t.numbers), charges: maps.Clone(t.charges), messages: maps.Clone(t.messages), events: maps.Clone(t.events),
		webhooks: maps.Clone(t.webhooks), notices: maps.Clone(t.notices), outdated: maps.Clone(t.outdated),
	}
	c.listed = maps.Clone(t.listed)
	for key, jobs := range c.listed {
		c.listed[key] = slices.Clone(jobs)
	}
	for key, notices := range c.notices {
		c.notices[key] = slices.Clone(notices)
	}
	for key, events := range c.events {
		c.events[key] = slices.Clone(events)
	}
	return c
}

// mayBelongTo refuses an account when the store has another one in its mode.
func (t *tables) mayBelongTo(a batch.Account) error {
	if owner, bound := t.owners[a.Live]; bound && owner != a.ID {
		return batch.ErrOtherAccount
	}
	return nil
}

func (t *tables) remember(fingerprint string, a batch.Account) error {
	if err := t.mayBelongTo(a); err != nil {
		return err
	}
	if bound, known := t.keys[fingerprint]; known && bound != a {
		return batch.ErrOtherAccount
	}
	t.owners[a.Live], t.keys[fingerprint] = a.ID, a
	return nil
}

func (t *tables) recordSweep(a batch.Account, began time.Time) error {
	if err := t.mayBelongTo(a); err != nil {
		return err
	}
	t.owners[a.Live] = a.ID
	if began := rounded(began); began.After(t.swept[a.Live]) {
		t.swept[a.Live] = began
	}
	return nil
}

func (t *tables) recordPass(due time.Time) {
	if due := rounded(due); due.After(t.passed) {
		t.passed = due
	}
}

func (t *tables) rememberWebhook(id string, at, since time.Time) {
	if _, known := t.webhooks[id]; !known {
		t.webhooks[id] = rounded(at)
	}
	maps.DeleteFunc(t.webhooks, func(_ string, at time.Time) bool { return at.Before(rounded(since)) })
}

// acceptance is a verdict that changes the store.
type acceptance struct {
	entry   batch.Entry
	events  []batch.Event // none: the entry is as it was
	listing int64         // a job that lists it beside its own
}

func (t *tables) openJob(job batch.Job, invoices []invoice.Invoice) (int64, []batch.Verdict, error) {
	if err := t.mayBelongTo(job.Account); err != nil {
		return 0, nil, err
	}
	job.ID, job.StartedAt = int64(len(t.jobs))+1, rounded(job.StartedAt)
	job.FinishedAt, job.Totals = time.Time{}, nil
	stored := job
	stored.Reissue = false
	verdicts, changes, err := t.judge(job, invoices)
	if err != nil {
		return 0, nil, err
	}
	t.owners[job.Account.Live] = job.Account.ID
	t.jobs = append(t.jobs, stored)
	for _, c := range changes {
		if len(c.events) > 0 {
			t.put(c.entry, c.events...)
		}
		t.list(c.entry.Key, c.listing, c.entry.Job)
	}
	return job.ID, verdicts, nil
}

func (t *tables) judge(job batch.Job, invoices []invoice.Invoice) ([]batch.Verdict, []acceptance, error) {
	verdicts := make([]batch.Verdict, len(invoices))
	var changes []acceptance
	seen := make(map[string]bool, len(invoices))
	for i, row := range invoices {
		if seen[row.Number] {
			return nil, nil, errors.New("a job names one invoice twice")
		}
		seen[row.Number] = true
		row.Due = rounded(row.Due)
		var events []batch.Event
		known := t.latest(job.Account, row.Number)
		verdicts[i], events = batch.Accept(known, job, row)
		if listing := verdicts[i].Listing(known, job); listing != 0 || len(events) > 0 {
			changes = append(changes, acceptance{verdicts[i].Entry, events, listing})
		}
	}
	return verdicts, changes, nil
}

func (t *tables) closeJob(id int64, finishedAt time.Time, totals batch.Totals) error {
	if id < 1 || id > int64(len(t.jobs)) {
		return batch.ErrNotFound
	}
	job := &t.jobs[id-1]
	job.FinishedAt, job.Totals = rounded(finishedAt), maps.Clone(totals)
	return nil
}

// latestJobs returns at most limit of the jobs wanted, newest first.
func (t *tables) latestJobs(limit int, wanted func(batch.Job) bool) []batch.Job {
	var latest []batch.Job
	for _, j := range slices.Backward(t.jobs) {
		if len(latest) >= limit {
			break
		}
		if wanted(j) {
			j.Totals, j.OutdatedAt = maps.Clone(j.Totals), t.outdated[j.ID]
			latest = append(latest, j)
		}
	}
	return latest
}

func (t *tables) adopt(e batch.Entry, who, why string) (batch.Entry, error) {
	if err := t.mayBelongTo(e.Account); err != nil {
		return batch.Entry{}, err
	}
	if known := t.known(e.Key); known != nil {
		return batch.Entry{}, &batch.StaleError{Key: e.Key, Have: known.State}
	}
	adopted, event := batch.Adopted(e, who, why)
	roundTimes(&adopted)
	if err := t.check(batch.Entry{}, adopted); err != nil {
		return batch.Entry{}, err
	}
	t.owners[e.Account.Live] = e.Account.ID
	t.put(adopted, event)
	return adopted, nil
}

func (t *tables) move(ctx context.Context, m batch.Move, change func(*batch.Entry)) (batch.Entry, error) {
	before, err := t.entry(m.Key)
	if err != nil {
		return batch.Entry{}, err
	}
	if err := m.Waits(before, t.known(before.Previous()), *t.latest(before.Account, before.Invoice.Number)); err != nil {
		return batch.Entry{}, err
	}
	after, err := m.Apply(before, change)
	if err != nil {
		return batch.Entry{}, err
	}
	roundTimes(&after)
	if err := t.check(before, after); err != nil {
		return batch.Entry{}, err
	}
	if err := ctx.Err(); err != nil { // it may have ended during change
		return batch.Entry{}, err
	}
	t.put(after, m.Event())
	t.outdate(before, after)
	return after, nil
}

func (t *tables) outdate(before, after batch.Entry) {
	payment := before.Charge.Status != "" && before.Charge != after.Charge
	for _, job := range append([]int64{after.Job}, t.listed[after.Key]...) {
		if job == 0 || !payment && t.jobs[job-1].FinishedAt.IsZero() {
			continue
		}
		at := after.UpdatedAt
		if was := t.outdated[job]; !at.After(was) {
			at = was.Add(time.Microsecond)
		}
		t.outdated[job] = at
	}
}

// list notes that a job lists an invoice of another's, unless that is one of the
// same file.
func (t *tables) list(key batch.Key, job, own int64) {
	if job == 0 || own != 0 && t.jobs[own-1].SHA256 == t.jobs[job-1].SHA256 {
		return
	}
	if !slices.Contains(t.listed[key], job) {
		t.listed[key] = append(t.listed[key], job)
	}
}

func (t *tables) recordUpdated(job batch.Job) {
	if t.outdated[job.ID].Equal(job.OutdatedAt) {
		delete(t.outdated, job.ID)
	}
}

func (t *tables) moveNotice(m batch.NoticeMove) error {
	e, err := t.entry(m.Notice.Key)
	if err != nil {
		return err
	}
	stored := batch.NoticeOf(t.notices[e.Key], m.Notice.Kind)
	event, err := m.Apply(e, stored)
	if err != nil {
		return err
	}
	n := m.Notice
	n.UpdatedAt, event.At = rounded(n.UpdatedAt), rounded(event.At)
	if stored != nil {
		*stored = n
	} else {
		t.notices[e.Key] = append(t.notices[e.Key], n)
	}
	t.events[e.Key] = append(t.events[e.Key], event)
	return nil
}

func (t *tables) purge(ctx context.Context, m batch.Move) (batch.Entry, error) {
	purged, err := t.move(ctx, m, func(e *batch.Entry) { *e = e.Purged(m.At) })
	if err != nil {
		return batch.Entry{}, err
	}
	for i := range t.notices[m.Key] {
		t.notices[m.Key][i].MailedTo, t.notices[m.Key][i].Reply = "", ""
	}
	return purged, nil
}

// check wants what a state can't be without, what is there once, and what never
// changes again.
func (t *tables) check(before, after batch.Entry) error {
	state := after.State
	switch {
	case state == batch.Charging && after.IntentAt.IsZero():
		return errors.New("an intent without its time")
	case state.HasCharge() && after.Charge.ID == "":
		return fmt.Errorf("an invoice %s without a charge", state)
	case state.HasCharge() && state != batch.Charged && after.MessageID == "":
		return fmt.Errorf("an invoice %s without a Message-ID", state)
	case !state.HasCharge() && after.Job == 0:
		return fmt.Errorf("an invoice %s without a job", state)
	case after.Job < 0 || after.Job > int64(len(t.jobs)):
		return fmt.Errorf("an invoice of job %d, which isn't there", after.Job)
	case before.Charge.ID != "" && after.Charge.ID != before.Charge.ID:
		return errors.New("a charge is never replaced or forgotten")
	case taken(t.charges, after.Charge.ID, after.Key):
		return errors.New("a charge of another invoice")
	case taken(t.messages, after.MessageID, after.Key):
		return errors.New("a Message-ID of another invoice")
	}
	return nil
}

func taken(owners map[string]batch.Key, id string, by batch.Key) bool {
	owner, there := owners[id]
	return there && owner != by
}

// put stores an entry, new or not, with its events.
func (t *tables) put(e batch.Entry, events ...batch.Event) {
	for _, event := range events {
		event.At = rounded(event.At)
		t.events[event.Key] = append(t.events[event.Key], event)
	}
	if i, known := t.index[e.Key]; known {
		delete(t.messages, t.entries[i].MessageID)
		t.entries[i] = e
	} else {
		t.index[e.Key] = len(t.entries)
		t.entries = append(t.entries, e)
		if latest := t.latest(e.Account, e.Invoice.Number); latest == nil || latest.Revision < e.Revision {
			t.numbers[accountNumber{e.Account, e.Invoice.Number}] = e.Key
		}
	}
	if e.Charge.ID != "" {
		t.charges[e.Charge.ID] = e.Key
	}
	if e.MessageID != "" {
		t.messages[e.MessageID] = e.Key
	}
}

// known returns a copy of what is stored under a key, or nil.
func (t *tables) known(key batch.Key) *batch.Entry {
	i, ok := t.index[key]
	if !ok {
		return nil
	}
	e := t.entries[i]
	return &e
}

// latest returns a copy of the latest revision under a number, or nil.
func (t *tables) latest(a batch.Account, number string) *batch.Entry {
	return t.known(t.numbers[accountNumber{a, number}])
}

func (t *tables) entry(key batch.Key) (batch.Entry, error) {
	if known := t.known(key); known != nil {
		return *known, nil
	}
	return batch.Entry{}, batch.ErrNotFound
}

func (t *tables) selected(q batch.Query) []batch.Entry {
	keys := make(map[batch.Key]bool, len(q.Keys))
	for _, k := range q.Keys {
		keys[k] = true
	}
	numbers := make(map[string]bool, len(q.Numbers))
	for _, n := range q.Numbers {
		numbers[n] = true
	}
	var selected []batch.Entry
	for i := range t.entries {
		e := &t.entries[i]
		if (len(keys) == 0 || keys[e.Key]) &&
			(len(numbers) == 0 || numbers[e.Invoice.Number]) &&
			(len(q.States) == 0 || slices.Contains(q.States, e.State)) &&
			(len(q.ChargeStatuses) == 0 || slices.Contains(q.ChargeStatuses, e.Charge.Status)) &&
			(q.SlipSHA256 == "" || q.SlipSHA256 == e.SlipSHA256) &&
			(!q.Reissued || e.Revision > 1) &&
			strings.HasPrefix(e.Invoice.Number, q.NumberPrefix) &&
			strings.HasPrefix(e.Invoice.SentName, q.NamePrefix) &&
			(q.PhoneEnd == "" || e.Invoice.Phone[max(len(e.Invoice.Phone)-4, 0):] == q.PhoneEnd) &&
			(q.PaidSince.IsZero() || !e.Charge.PaidAt.Before(q.PaidSince)) &&
			(q.PaidUntil.IsZero() || !e.Charge.PaidAt.IsZero() && e.Charge.PaidAt.Before(q.PaidUntil)) &&
			(q.DueAfter.IsZero() || e.Charge.ExpiresAt.After(q.DueAfter)) &&
			(q.DueUntil.IsZero() || !e.Charge.ExpiresAt.IsZero() && !e.Charge.ExpiresAt.After(q.DueUntil)) &&
			(q.Job == 0 || q.Job == e.Job) {
			selected = append(selected, *e)
		}
	}
	return selected
}

// rounded is a time as a ledger gives it back: in microseconds, UTC. The first
// instant of 1970 can't be told from none.
func rounded(t time.Time) time.Time {
	if t.IsZero() || t.UnixMicro() == 0 {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

func roundTimes(e *batch.Entry) {
	for _, t := range []*time.Time{
		&e.Invoice.Due, &e.IntentAt, &e.MissedAt, &e.Charge.CreatedAt, &e.Charge.ExpiresAt, &e.Charge.PaidAt,
		&e.MailedAt, &e.PurgedAt, &e.AcceptedAt, &e.UpdatedAt,
	} {
		*t = rounded(*t)
	}
}
