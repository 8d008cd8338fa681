// Package ledgertest is the contract of batch.Ledger as a test suite: every
// implementation must pass it. It says nothing about how a ledger is stored;
// what a crash may do to it is for each implementation to prove.
package ledgertest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

// Store makes a new, empty store and returns what opens a ledger on it. Each
// call opens another handle, as another process would. The store and its
// handles end with the test.
type Store func(t *testing.T) (open func() batch.Ledger)

// Run tests that the ledgers on a store keep the contract.
func Run(t *testing.T, newStore Store) {
	for _, group := range []struct {
		name string
		test func(*testing.T, Store)
	}{
		{"Move", testMove},
		{"OpenJob", testOpenJob},
		{"Adopt", testAdopt},
		{"Sweeps", testSweeps},
		{"Passes", testPasses},
		{"Webhooks", testWebhooks},
		{"Accounts", testAccounts},
		{"Hold", testHold},
		{"Entries", testEntries},
		{"Jobs", testJobs},
		{"Outdated", testOutdated},
		{"Listed", testListed},
		{"Revisions", testRevisions},
		{"Notices", testNotices},
		{"Purge", testPurge},
		{"Values", testValues},
		{"Concurrency", testConcurrency},
	} {
		t.Run(group.name, func(t *testing.T) { group.test(t, newStore) })
	}
}

// The account and the clock of the tests. Times have more digits than a ledger
// keeps, and a zone that it doesn't.
var (
	account = batch.Account{ID: "account_test_1", Live: false}
	japan   = time.FixedZone("JST", 9*60*60)
	opened  = time.Date(2026, 11, 20, 10, 0, 0, 123456789, japan)
)

// at is the n-th second after the job was opened.
func at(n int) time.Time { return opened.Add(time.Duration(n) * time.Second) }

// stored is a time as a ledger gives it back.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// states lists every state there is.
var states = []batch.State{
	batch.Accepted, batch.Charging, batch.Unknown, batch.Declined, batch.Charged,
	batch.Mailing, batch.Mailed, batch.Deferred, batch.Refused, batch.Held,
}

// paths lead from accepted to each state.
var paths = map[batch.State][]batch.State{
	batch.Accepted: {},
	batch.Charging: {batch.Charging},
	batch.Unknown:  {batch.Charging, batch.Unknown},
	batch.Declined: {batch.Charging, batch.Declined},
	batch.Charged:  {batch.Charging, batch.Charged},
	batch.Mailing:  {batch.Charging, batch.Charged, batch.Mailing},
	batch.Mailed:   {batch.Charging, batch.Charged, batch.Mailing, batch.Mailed},
	batch.Deferred: {batch.Charging, batch.Charged, batch.Mailing, batch.Deferred},
	batch.Refused:  {batch.Charging, batch.Charged, batch.Mailing, batch.Refused},
	batch.Held:     {batch.Charging, batch.Charged, batch.Mailing, batch.Held},
}

// book is a ledger under test.
type book struct {
	batch.Ledger
	t *testing.T
}

func newBook(t *testing.T, newStore Store) book {
	t.Helper()
	return book{Ledger: newStore(t)(), t: t}
}

// accept opens a job with the invoices and wants all of them to be new.
func (b book) accept(invoices ...invoice.Invoice) []batch.Entry {
	b.t.Helper()
	_, verdicts := b.open(invoices...)
	var entries []batch.Entry
	for _, v := range verdicts {
		if v.Outcome != batch.New {
			b.t.Fatalf("invoice %s is %s, want new", v.Entry.Invoice.Number, v.Outcome)
		}
		entries = append(entries, v.Entry)
	}
	return entries
}

func (b book) open(invoices ...invoice.Invoice) (int64, []batch.Verdict) {
	b.t.Helper()
	id, verdicts, err := OpenJob(b.t.Context(), b, job(account), invoices)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(verdicts) != len(invoices) {
		b.t.Fatalf("%d verdicts on %d invoices", len(verdicts), len(invoices))
	}
	return id, verdicts
}

// OpenJob opens a job and returns the verdicts in the order of the invoices.
func OpenJob(ctx context.Context, l batch.Ledger, job batch.Job, invoices []invoice.Invoice) (int64, []batch.Verdict, error) {
	verdicts := make([]batch.Verdict, len(invoices))
	id, err := l.OpenJob(ctx, job, slices.Values(invoices), func(i int, v batch.Verdict) { verdicts[i] = v })
	if err != nil {
		return 0, nil, err
	}
	return id, verdicts, nil
}

func job(a batch.Account) batch.Job {
	return batch.Job{Who: "run", File: "請求書 11月.csv", SHA256: "5e9c", Account: a, StartedAt: opened}
}

// sample is an invoice that can be charged.
func sample(number string) invoice.Invoice {
	return invoice.Invoice{
		Number: number, Name: "山田　太郎", SentName: "山田太郎", Email: "taro@example.jp", Phone: "09012345678",
		Amount: 3000, Due: time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC), DueGiven: true,
		Description: "11月分", Language: invoice.Japanese, TaxRate: 10, Tax: 272,
	}
}

// walk moves an invoice along the path to a state, with the proofs that the
// states want.
func (b book) walk(e batch.Entry, to batch.State) batch.Entry {
	b.t.Helper()
	for _, next := range paths[to] {
		e = b.step(e, next)
	}
	return e
}

func (b book) step(e batch.Entry, to batch.State) batch.Entry {
	b.t.Helper()
	moved, err := b.Move(b.t.Context(), move(e, to), proofs(e, to))
	if err != nil {
		b.t.Fatalf("%s to %s: %v", e.State, to, err)
	}
	return moved
}

func move(e batch.Entry, to batch.State) batch.Move {
	return batch.Move{Key: e.Key, From: e.State, To: to, At: at(1), Who: "run", Why: "because of " + string(to)}
}

// proofs sets what must be durable together with a state.
func proofs(before batch.Entry, to batch.State) func(*batch.Entry) {
	return func(e *batch.Entry) {
		switch to {
		case batch.Charging:
			e.Attempt, e.IntentAt = before.Attempt+1, at(1)
		case batch.Charged:
			e.Charge = batch.Charge{ID: "chrg_" + string(before.Key), Amount: before.Invoice.Amount, ExpiresAt: before.Invoice.Due}
		case batch.Mailing:
			e.MailAttempt, e.MessageID = before.MailAttempt+1, string(before.Key)+"@example.jp"
		}
	}
}

func (b book) entry(key batch.Key) batch.Entry {
	b.t.Helper()
	e, err := b.Entry(b.t.Context(), key)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

func (b book) history(key batch.Key) []batch.Event {
	b.t.Helper()
	events, err := b.Events(b.t.Context(), key)
	if err != nil {
		b.t.Fatal(err)
	}
	return events
}

// unchanged wants that do leaves an invoice and its history as they are.
func (b book) unchanged(key batch.Key, do func()) {
	b.t.Helper()
	before, history := b.entry(key), b.history(key)
	do()
	same(b.t, "entry", b.entry(key), before)
	same(b.t, "history", b.history(key), history)
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// numbers lists the numbers of the invoices that a query selects.
func (b book) numbers(q batch.Query) []string {
	b.t.Helper()
	found := []string{}
	err := b.Entries(b.t.Context(), q, func(e batch.Entry) error {
		found = append(found, e.Invoice.Number)
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

func testHold(t *testing.T, newStore Store) {
	open := newStore(t)
	first, second := open(), open()
	release, err := first.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]batch.Ledger{"the holder": first, "another": second} {
		if _, err := l.Hold(t.Context()); !errors.Is(err, batch.ErrHeld) {
			t.Errorf("%s could hold a held ledger: %v", name, err)
		}
	}
	if _, _, err := OpenJob(t.Context(), second, job(account), []invoice.Invoice{sample("1")}); err != nil {
		t.Errorf("a held ledger keeps others from writing: %v", err)
	}
	release()
	again, err := second.Hold(t.Context())
	if err != nil {
		t.Fatalf("a released ledger can't be held: %v", err)
	}
	release() // once more: it must not free the other's
	if _, err := first.Hold(t.Context()); !errors.Is(err, batch.ErrHeld) {
		t.Errorf("releasing twice freed the ledger of another: %v", err)
	}
	again()
}

func testAccounts(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	ctx := t.Context()
	live := batch.Account{ID: "account_1", Live: true}
	bind := func(fingerprint string, a batch.Account, want error) {
		t.Helper()
		if err := b.RememberAccount(ctx, fingerprint, a); !errors.Is(err, want) {
			t.Errorf("binding %s to %v: %v, want %v", fingerprint, a, err, want)
		}
	}
	known := func(fingerprint string, want batch.Account, wantKnown bool) {
		t.Helper()
		if a, ok, err := b.AccountOf(ctx, fingerprint); a != want || ok != wantKnown || err != nil {
			t.Errorf("key %s: %v %v %v, want %v %v", fingerprint, a, ok, err, want, wantKnown)
		}
	}
	known("first", batch.Account{}, false)
	bind("first", account, nil)
	bind("first", account, nil) // again: nothing new
	known("first", account, true)
	bind("rotated", account, nil)
	known("rotated", account, true)
	bind("live", live, nil) // the other mode is apart
	known("live", live, true)

	bind("stranger", batch.Account{ID: "account_test_2"}, batch.ErrOtherAccount)
	known("stranger", batch.Account{}, false)
	bind("first", live, batch.ErrOtherAccount) // a key has one mode for ever
	known("first", account, true)

	other := job(batch.Account{ID: "account_test_2"})
	if _, _, err := OpenJob(ctx, b, other, []invoice.Invoice{sample("1")}); !errors.Is(err, batch.ErrOtherAccount) {
		t.Errorf("a job of another account: %v", err)
	}
	if jobs, err := b.Jobs(ctx, 10); len(jobs) > 0 || err != nil {
		t.Errorf("a refused job left %v, %v", jobs, err)
	}
	for _, a := range []batch.Account{account, live} {
		_, verdicts, err := OpenJob(ctx, b, job(a), []invoice.Invoice{sample("1")})
		if err != nil || verdicts[0].Outcome != batch.New {
			t.Errorf("number 1 in %s mode: %v, %v", a.Mode(), verdicts, err)
		}
	}
	same(t, "number 1 in both modes", b.numbers(batch.Query{Numbers: []string{"1"}}), []string{"1", "1"})
}

func testJobs(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	ctx := t.Context()
	open := func(sha string, n int) batch.Job {
		j := job(account)
		j.SHA256, j.StartedAt = sha, at(n)
		var err error
		if j.ID, _, err = OpenJob(ctx, b, j, nil); err != nil {
			t.Fatal(err)
		}
		j.StartedAt = stored(j.StartedAt)
		return j
	}
	list := func(jobs []batch.Job, err error) []batch.Job {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return jobs
	}
	first, second, third := open("aa", 1), open("bb", 2), open("aa", 3)
	same(t, "jobs", list(b.Jobs(ctx, 10)), []batch.Job{third, second, first})
	same(t, "latest job", list(b.Jobs(ctx, 1)), []batch.Job{third})
	same(t, "jobs of a file", list(b.JobsOfFile(ctx, "aa")), []batch.Job{third, first})
	same(t, "jobs of an unknown file", len(list(b.JobsOfFile(ctx, "cc"))), 0)

	first.Totals = batch.Totals{batch.Issued: {Rows: 2, Yen: 6000}, batch.Rejected: {Rows: 1}}
	first.FinishedAt = stored(at(9))
	if err := b.CloseJob(ctx, first.ID, at(9), first.Totals); err != nil {
		t.Fatal(err)
	}
	same(t, "a closed job", list(b.Jobs(ctx, 10)), []batch.Job{third, second, first})
	if err := b.CloseJob(ctx, third.ID+1, at(9), nil); !errors.Is(err, batch.ErrNotFound) {
		t.Errorf("closing a job that isn't there: %v", err)
	}
}

func testEntries(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	first, _ := b.open(sample("30"), sample("10"), sample("20"))
	second, _ := b.open(sample("40"), sample("05"))
	paid := b.walk(b.entry(batch.KeyOf(account, "10")), batch.Charged)
	if _, err := b.Move(b.t.Context(), move(paid, batch.Charged), func(e *batch.Entry) {
		e.Charge.Status, e.Charge.PaidAt, e.SlipSHA256 = "successful", at(5), "aa"
	}); err != nil {
		t.Fatal(err)
	}
	b.walk(b.entry(batch.KeyOf(account, "05")), batch.Charging)
	due := b.entry(batch.KeyOf(account, "10")).Charge.ExpiresAt

	charged, charging := batch.Charged, batch.Charging
	for _, c := range []struct {
		name string
		q    batch.Query
		want []string
	}{
		{"all, as accepted", batch.Query{}, []string{"30", "10", "20", "40", "05"}},
		{"one state", batch.Query{States: []batch.State{charged}}, []string{"10"}},
		{"two states", batch.Query{States: []batch.State{charging, charged}}, []string{"10", "05"}},
		{"a state nobody is in", batch.Query{States: []batch.State{batch.Held}}, []string{}},
		{"a payment status", batch.Query{ChargeStatuses: []string{"expired", "successful"}}, []string{"10"}},
		{"a payment status nobody has", batch.Query{ChargeStatuses: []string{"expired"}}, []string{}},
		{"paid since", batch.Query{PaidSince: stored(at(5))}, []string{"10"}},
		{"a slip", batch.Query{SlipSHA256: "aa"}, []string{"10"}},
		{"a slip nobody has", batch.Query{SlipSHA256: "bb"}, []string{}},
		{"paid until, and no longer", batch.Query{PaidUntil: stored(at(5))}, []string{}},
		{"paid until later", batch.Query{PaidSince: stored(at(5)), PaidUntil: at(6)}, []string{"10"}},
		{"due until", batch.Query{DueUntil: stored(due)}, []string{"10"}},
		{"due until sooner", batch.Query{DueUntil: due.Add(-time.Microsecond)}, []string{}},
		{"due after, and not at", batch.Query{DueAfter: due}, []string{}},
		{"due between", batch.Query{DueAfter: due.Add(-time.Microsecond), DueUntil: due.Add(time.Hour)}, []string{"10"}},
		{"keys", batch.Query{Keys: []batch.Key{batch.KeyOf(account, "20"), "kb_nobody", batch.KeyOf(account, "30")}}, []string{"30", "20"}},
		{"paid since, too late", batch.Query{PaidSince: at(6)}, []string{}},
		{"a payment status and another's state", batch.Query{ChargeStatuses: []string{"successful"}, States: []batch.State{charging}}, []string{}},
		{"a job", batch.Query{Job: first}, []string{"30", "10", "20"}},
		{"an unknown job", batch.Query{Job: second + 1}, []string{}},
		{"numbers", batch.Query{Numbers: []string{"05", "20", "99", `"`}}, []string{"20", "05"}},
		{"a job's state", batch.Query{Job: second, States: []batch.State{charging, charged}}, []string{"05"}},
		{"number prefix", batch.Query{NumberPrefix: "1"}, []string{"10"}},
		{"number prefix nobody has", batch.Query{NumberPrefix: "1_"}, []string{}},
		{"name prefix", batch.Query{NamePrefix: "山田", Numbers: []string{"10"}}, []string{"10"}},
		{"name prefix nobody has", batch.Query{NamePrefix: "山田太郎子"}, []string{}},
		{"phone end", batch.Query{PhoneEnd: "5678", Numbers: []string{"10"}}, []string{"10"}},
		{"phone end nobody has", batch.Query{PhoneEnd: "678"}, []string{}},
		{"all three", batch.Query{Job: first, States: []batch.State{charged}, Numbers: []string{"10", "20", "05"}}, []string{"10"}},
	} {
		same(t, c.name, b.numbers(c.q), c.want)
		b.addsUp(c.name, c.q)
	}

	stop := errors.New("enough")
	n := 0
	err := b.Entries(t.Context(), batch.Query{}, func(batch.Entry) error { n++; return stop })
	if n != 1 || err != stop {
		t.Errorf("after f's first error: %d calls, %v", n, err)
	}
	if _, err := b.Entry(t.Context(), "kb_nobody"); !errors.Is(err, batch.ErrNotFound) {
		t.Errorf("an unknown key: %v", err)
	}
	same(t, "events of an unknown key", len(b.history("kb_nobody")), 0)
	t.Run("changed while listed", func(t *testing.T) { testChangedWhileListed(t, newStore) })
}

// addsUp compares the sums of a query with what its invoices add up to.
func (b book) addsUp(name string, q batch.Query) {
	b.t.Helper()
	want := map[string]batch.Sum{}
	if err := b.Entries(b.t.Context(), q, func(e batch.Entry) error {
		addUp(want, []batch.Entry{e})
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
	got, err := b.Sums(b.t.Context(), q)
	if err != nil {
		b.t.Fatal(err)
	}
	same(b.t, "the sums of "+name, got, want)
}

// testChangedWhileListed moves every invoice out of the state that is listed,
// from within the list, and back for every other one: each must come once.
func testChangedWhileListed(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	const n = 1500 // more than any implementation reads at once
	var invoices []invoice.Invoice
	var want []string
	for i := range n {
		invoices = append(invoices, sample(number(i)))
		want = append(want, number(i))
	}
	b.open(invoices...)
	var got []string
	err := b.Entries(t.Context(), batch.Query{States: []batch.State{batch.Accepted}}, func(e batch.Entry) error {
		got = append(got, e.Invoice.Number)
		e = b.step(e, batch.Charging)
		if len(got)%2 == 0 {
			b.step(e, batch.Accepted)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d invoices were listed, want each of %d once, in order", len(got), n)
	}
	same(t, "left in accepted", len(b.numbers(batch.Query{States: []batch.State{batch.Accepted}})), n/2)
}

// cancelled is a context that has ended.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
