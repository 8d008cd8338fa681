package follow_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/follow"
	"konbill/batch/ledger"
	"konbill/batch/ledger/ledgertest"
	"konbill/batch/omise"
	"konbill/batch/omise/omisetest"
	"konbill/invoice"
)

const secretKey = "skey_test_follow"

// opening is when the tests' clocks start: 1 December 2026, 10:00 in Japan.
var opening = time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC)

// office is an account with a ledger on disk and a practice API on loopback.
type office struct {
	*testing.T
	api      *omisetest.Server
	client   *omise.Client
	ledger   *ledger.Ledger
	account  batch.Account
	follower *follow.Follower
	elapsed  atomic.Int64 // microseconds; the clock moves by one whenever it is looked at
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t}
	o.api = omisetest.NewServer(omisetest.Options{Now: o.now})
	stop, err := o.api.Start()
	o.must(err)
	t.Cleanup(stop)
	o.client, err = omise.New(omise.Config{
		URL: o.api.URL(), SecretKey: secretKey, RequestsPerSecond: 10_000, Timeout: 10 * time.Second,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	o.must(err)
	o.account, err = o.client.Account(t.Context())
	o.must(err)
	o.ledger, err = ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "konbill.db"))
	o.must(err)
	t.Cleanup(func() { o.ledger.Close() })
	o.follower = &follow.Follower{Ledger: o.ledger, Gateway: o.client, Account: o.account, Who: "sync", Now: o.now}
	return o
}

func (o *office) now() time.Time {
	return opening.Add(time.Duration(o.elapsed.Add(1)) * time.Microsecond)
}

func (o *office) later(d time.Duration) { o.elapsed.Add(d.Microseconds()) }

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// charge makes a charge that can be paid for 30 days, and doesn't tell the
// ledger.
func (o *office) charge(number string) batch.Charge {
	o.Helper()
	c, err := o.client.CreateCharge(o.Context(), batch.ChargeRequest{
		Key: batch.KeyOf(o.account, number), Number: number, Amount: 3000, Name: "山田太郎",
		Email: "taro@example.jp", Phone: "09011112222", ExpiresAt: o.now().AddDate(0, 0, 30),
	})
	o.must(err)
	return c
}

// issue makes a charge that the ledger knows.
func (o *office) issue(number string) batch.Charge {
	o.Helper()
	c := o.charge(number)
	o.record(number, c)
	return c
}

func (o *office) record(number string, c batch.Charge) {
	o.Helper()
	_, err := o.ledger.Adopt(o.Context(), batch.Entry{
		Key: batch.KeyOf(o.account, number), Account: o.account, Charge: c, AcceptedAt: o.now(), UpdatedAt: o.now(),
		Invoice: invoice.Invoice{Number: number, Amount: c.Amount},
	}, "test", "issued")
	o.must(err)
}

// post plays the customer, or the merchant at the dashboard.
func (o *office) post(c batch.Charge, action string) {
	o.Helper()
	request, err := http.NewRequestWithContext(o.Context(), http.MethodPost, o.api.URL()+"/charges/"+c.ID+"/"+action, nil)
	o.must(err)
	request.SetBasicAuth(secretKey, "")
	answer, err := http.DefaultClient.Do(request)
	o.must(err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		o.Fatalf("%s: %s", action, answer.Status)
	}
}

// sync runs one that nothing stops.
func (o *office) sync() *follow.Synced {
	o.Helper()
	s, err := o.follower.Sync(o.Context())
	o.must(err)
	return s
}

// want compares what a sync did with numbers: changed to their status, and how
// many remain open or need a person.
func (o *office) want(s *follow.Synced, changed map[string]string, open, person int) {
	o.Helper()
	got := map[string]string{}
	for _, e := range s.Changed {
		got[e.Invoice.Number] = e.Charge.Status
	}
	if fmt.Sprint(got) != fmt.Sprint(changed) || s.Open.Rows != open || s.Open.Yen != invoice.Yen(3000*open) || s.NeedsPerson() != person {
		o.Errorf("changed %v, open %+v, for a person %d %d %d; want %v, %d, %d",
			got, s.Open, len(s.Missing), len(s.Contradicted), len(s.Strays), changed, open, person)
	}
}

func (o *office) entry(number string) batch.Entry {
	o.Helper()
	e, err := o.ledger.Entry(o.Context(), batch.KeyOf(o.account, number))
	o.must(err)
	return e
}

func (o *office) events(number string) []batch.Event {
	o.Helper()
	events, err := o.ledger.Events(o.Context(), batch.KeyOf(o.account, number))
	o.must(err)
	return events
}

// equalsAPI makes sure that the ledger says of every charge what the API says.
func (o *office) equalsAPI() {
	o.Helper()
	for _, c := range o.api.Charges() {
		if e := o.entry(c.Metadata["invoice_no"]); e.Charge.Status != c.Status {
			o.Errorf("%s is %s, in the ledger %s", e.Invoice.Number, c.Status, e.Charge.Status)
		}
	}
}

// reads counts requests, for the list and for single charges.
func (o *office) reads() (lists, singles int) {
	for _, r := range o.api.Requests() {
		switch {
		case r.Method != http.MethodGet:
		case r.Path == "/charges":
			lists++
		case strings.HasPrefix(r.Path, "/charges/"):
			singles++
		}
	}
	return lists, singles
}

func TestSync(t *testing.T) {
	o := newOffice(t)
	o.want(o.sync(), nil, 0, 0)
	if lists, singles := o.reads(); lists+singles != 0 {
		t.Errorf("%d requests for nothing", lists+singles)
	}
	paid, failed, recalled := o.issue("A-paid"), o.issue("A-failed"), o.issue("A-recalled")
	o.issue("A-open")
	o.want(o.sync(), nil, 4, 0)
	o.later(time.Hour)
	o.post(paid, "mark_as_paid")
	o.post(failed, "mark_as_failed")
	o.post(recalled, "expire")
	o.want(o.sync(), map[string]string{"A-paid": "successful", "A-failed": "failed", "A-recalled": "expired"}, 1, 0)
	o.equalsAPI()

	e := o.entry("A-paid")
	if c := e.Charge; !c.PaidAt.Equal(opening.Add(time.Hour)) || c.Fee != 165 || c.FeeVAT != 17 || c.Net != 2818 || e.State != batch.Charged {
		t.Errorf("paid: %s %+v", e.State, c)
	}
	if code := o.entry("A-failed").Charge.FailureCode; code != "failed_processing" {
		t.Errorf("failed with %q", code)
	}
	events := o.events("A-paid")
	if last := events[len(events)-1]; len(events) != 2 || last.Who != "sync" || last.Why != "the payment is successful, was pending" {
		t.Errorf("events %+v", events)
	}
	o.want(o.sync(), nil, 1, 0)
	if n := len(o.events("A-paid")); n != 2 {
		t.Errorf("another sync left %d events", n)
	}

	o.later(31 * 24 * time.Hour)
	o.want(o.sync(), map[string]string{"A-open": "expired"}, 0, 0)
	o.equalsAPI()
}

// TestSyncAsksOnceForAHundred counts requests for ten thousand charges.
func TestSyncAsksOnceForAHundred(t *testing.T) {
	o := newOffice(t)
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	for i := range n {
		c := o.issue(fmt.Sprintf("B-%05d", i))
		if i%100 == 0 {
			o.post(c, "mark_as_paid")
		}
	}
	s := o.sync()
	if len(s.Changed) != n/100 || s.Open.Rows != n-n/100 || s.NeedsPerson() != 0 {
		t.Errorf("%d changed, %d open, %d for a person", len(s.Changed), s.Open.Rows, s.NeedsPerson())
	}
	if lists, singles := o.reads(); lists+singles > n/100+n/1000 {
		t.Errorf("%d pages and %d charges were asked for", lists, singles)
	}
}

// TestChargesThatListsDontShow are asked for by their ids.
func TestChargesThatListsDontShow(t *testing.T) {
	o := newOffice(t)
	o.issue("C-1")
	o.later(2 * time.Hour)
	paid := o.issue("C-2")
	o.post(paid, "mark_as_paid")
	o.api.SetListLag(time.Hour)
	s := o.sync()
	o.want(s, map[string]string{"C-2": "successful"}, 1, 0)
	if lists, singles := o.reads(); lists != 1 || singles != 1 || s.Fetched != 1 {
		t.Errorf("%d pages and %d charges were asked for", lists, singles)
	}
}

// TestForgottenCharges: one that is long overdue and still pending here doesn't
// have everything listed that was made since; a hundred do.
func TestForgottenCharges(t *testing.T) {
	for _, c := range []struct{ overdue, lists, singles int }{{1, 1, 1}, {100, 2, 0}} {
		o := newOffice(t)
		want := map[string]string{}
		for i := range c.overdue {
			o.issue(fmt.Sprint("D-", i))
			want[fmt.Sprint("D-", i)] = "expired"
		}
		o.later(40 * 24 * time.Hour)
		o.issue("D-new")
		o.want(o.sync(), want, 1, 0)
		if lists, singles := o.reads(); lists != c.lists || singles != c.singles {
			t.Errorf("%d overdue: %d pages and %d charges were asked for", c.overdue, lists, singles)
		}
	}
}

// TestWhatDoesntFit is reported, and left alone.
func TestWhatDoesntFit(t *testing.T) {
	o := newOffice(t)
	known := o.issue("E-1")
	o.record("E-gone", batch.Charge{
		ID: "chrg_test_gone", Amount: 3000, Status: "pending", CreatedAt: known.CreatedAt, ExpiresAt: known.ExpiresAt,
	})
	stray, second := o.charge("E-stray"), o.charge("E-1")
	o.post(o.charge("E-over"), "expire") // over unpaid: nobody's concern
	s := o.sync()
	o.want(s, nil, 2, 3)
	if len(s.Missing) != 1 || s.Missing[0].Invoice.Number != "E-gone" {
		t.Errorf("missing: %+v", s.Missing)
	}
	if len(s.Strays) != 2 || s.Strays[0].ID != stray.ID || s.Strays[1].ID != second.ID {
		t.Errorf("strays: %+v", s.Strays)
	}
	if e := o.entry("E-gone"); e.Charge.Status != "pending" || len(o.events("E-gone")) != 1 {
		t.Errorf("a missing charge became %+v", e.Charge)
	}
	o.post(second, "mark_as_paid")
	if s := o.sync(); len(s.Strays) != 2 || s.Strays[1].Status != "successful" {
		t.Errorf("a second charge that was paid: %+v", s.Strays)
	}
}

// TestInvoiceBeingCharged: a charge whose answer is still under way is no stray.
func TestInvoiceBeingCharged(t *testing.T) {
	o := newOffice(t)
	o.issue("F-1")
	job := batch.Job{Who: "run", File: "f.csv", SHA256: "ff", Account: o.account, StartedAt: o.now()}
	_, _, err := ledgertest.OpenJob(o.Context(), o.ledger, job, []invoice.Invoice{{Number: "F-2", Amount: 3000}})
	o.must(err)
	key := batch.KeyOf(o.account, "F-2")
	_, err = o.ledger.Move(o.Context(), batch.Move{Key: key, From: batch.Accepted, To: batch.Charging, At: o.now(), Who: "run"},
		func(e *batch.Entry) { e.Attempt, e.IntentAt = 1, o.now() })
	o.must(err)
	o.charge("F-2")
	o.want(o.sync(), nil, 1, 0)
	if e := o.entry("F-2"); e.State != batch.Charging || e.Charge.ID != "" {
		t.Errorf("%s, charge %q", e.State, e.Charge.ID)
	}
}

// oldLists says in lists what the charges were like at first, and of single ones
// whatever it is told to.
type oldLists struct {
	*omise.Client
	single func(*batch.Found)
}

func (g oldLists) Charges(ctx context.Context, since time.Time, visit func(batch.Found) error) error {
	return g.Client.Charges(ctx, since, func(f batch.Found) error {
		f.Status, f.PaidAt = "pending", time.Time{}
		return visit(f)
	})
}

func (g oldLists) Charge(ctx context.Context, id string) (batch.Found, error) {
	f, err := g.Client.Charge(ctx, id)
	if g.single != nil {
		g.single(&f)
	}
	return f, err
}

// TestLaggingListUndoesNothing: what a payment was found to be stays; the charge
// itself is asked, and only what it says can puzzle a person.
func TestLaggingListUndoesNothing(t *testing.T) {
	o := newOffice(t)
	paid := o.issue("G-1")
	o.issue("G-2")
	o.post(paid, "mark_as_paid")
	o.want(o.sync(), map[string]string{"G-1": "successful"}, 1, 0)
	before := o.entry("G-1")

	o.follower.Gateway = oldLists{Client: o.client}
	s := o.sync()
	o.want(s, nil, 1, 0)
	if s.Fetched != 1 {
		t.Errorf("%d charges were asked for", s.Fetched)
	}
	o.follower.Gateway = oldLists{o.client, func(f *batch.Found) { f.Status = "expired" }}
	s = o.sync()
	o.want(s, nil, 1, 1)
	if len(s.Contradicted) != 1 || s.Contradicted[0].Key != before.Key {
		t.Errorf("contradicted: %+v", s.Contradicted)
	}
	if after := o.entry("G-1"); after != before {
		t.Errorf("became %+v", after)
	}
	o.follower.Gateway = oldLists{o.client, func(f *batch.Found) { f.Status = "reversed" }}
	o.want(o.sync(), map[string]string{"G-1": "reversed"}, 1, 0)
	if e := o.entry("G-1"); !e.Charge.PaidAt.Equal(before.Charge.PaidAt) {
		t.Errorf("paid back, and paid at %v", e.Charge.PaidAt)
	}
}

// TestAnswerAboutAnotherInvoice proves nothing.
func TestAnswerAboutAnotherInvoice(t *testing.T) {
	o := newOffice(t)
	paid := o.issue("H-1")
	o.post(paid, "mark_as_paid")
	o.api.SetListLag(time.Hour)
	o.follower.Gateway = oldLists{o.client, func(f *batch.Found) { f.Key = "kb_another" }}
	s := o.sync()
	o.want(s, nil, 1, 1)
	if len(s.Contradicted) != 1 || o.entry("H-1").Charge.Status != "pending" {
		t.Errorf("contradicted %d, %s", len(s.Contradicted), o.entry("H-1").Charge.Status)
	}
}

// TestPaidWhileAskedFor: an answer that comes after a later one was stored by
// somebody else changes nothing and puzzles nobody.
func TestPaidWhileAskedFor(t *testing.T) {
	o := newOffice(t)
	late := o.issue("L-1")
	o.api.SetListLag(time.Hour)
	other := &follow.Follower{Ledger: o.ledger, Gateway: o.client, Account: o.account, Who: "webhook", Now: o.now}
	o.follower.Gateway = oldLists{o.client, func(f *batch.Found) {
		f.Status = "expired"
		o.post(late, "mark_as_paid")
		_, err := other.Sync(o.Context())
		o.must(err)
	}}
	o.want(o.sync(), nil, 0, 0)
	if e := o.entry("L-1"); e.Charge.Status != "successful" || len(o.events("L-1")) != 2 {
		t.Errorf("%s, %d events", e.Charge.Status, len(o.events("L-1")))
	}
}

// TestManySyncsAtOnce leave one event for each change, while a run holds the
// ledger and mails.
func TestManySyncsAtOnce(t *testing.T) {
	o := newOffice(t)
	release, err := o.ledger.Hold(o.Context())
	o.must(err)
	defer release()
	const n = 40
	for i := range n {
		o.post(o.issue(fmt.Sprint("I-", i)), "mark_as_paid")
	}
	var group sync.WaitGroup
	var changed atomic.Int64
	for range 4 {
		group.Go(func() {
			s, err := o.follower.Sync(o.Context())
			if err != nil {
				o.Error(err)
				return
			}
			changed.Add(int64(len(s.Changed)))
		})
	}
	group.Go(func() {
		for i := range n {
			key := batch.KeyOf(o.account, fmt.Sprint("I-", i))
			if _, err := o.ledger.Move(o.Context(), batch.Move{Key: key, From: batch.Charged, To: batch.Mailing, At: o.now(), Who: "run"},
				func(e *batch.Entry) { e.MailAttempt, e.MessageID = 1, string(key)+"@sakura.example" }); err != nil {
				o.Error(err)
			}
		}
	})
	group.Wait()
	if changed.Load() != n {
		t.Errorf("%d changes reported of %d", changed.Load(), n)
	}
	for i := range n {
		number := fmt.Sprint("I-", i)
		e, events := o.entry(number), o.events(number)
		bySync := slices.DeleteFunc(events, func(e batch.Event) bool { return e.Who != "sync" })
		if e.State != batch.Mailing || e.MessageID == "" || e.Charge.Status != "successful" || len(bySync) != 1 {
			t.Errorf("%s: %s, %s, %d events of syncs", number, e.State, e.Charge.Status, len(bySync))
		}
	}
}

// TestSyncThatIsCutShort: what was learnt before is stored, nothing is taken for
// missing, and the next one does the rest.
func TestSyncThatIsCutShort(t *testing.T) {
	o := newOffice(t)
	for i := range 150 {
		o.post(o.issue(fmt.Sprintf("J-%03d", i)), "mark_as_paid")
	}
	o.api.Order(omisetest.Fault{Kind: omisetest.BadGateway, Method: "GET", Path: "/charges", Count: 100, Match: func(r *http.Request) bool {
		return r.URL.Query().Get("offset") == "100"
	}})
	s, err := o.follower.Sync(o.Context())
	if g := new(batch.GatewayError); !errors.As(err, &g) || g.Status != http.StatusBadGateway {
		t.Fatalf("%v", err)
	}
	if len(s.Changed) != 100 || s.Open.Rows != 50 || s.NeedsPerson() != 0 {
		t.Errorf("%d changed, %d open, %d for a person", len(s.Changed), s.Open.Rows, s.NeedsPerson())
	}
	o.api.Forgive()
	if s := o.sync(); len(s.Changed) != 50 || s.Open.Rows != 0 || s.NeedsPerson() != 0 {
		t.Errorf("then %d changed, %d open, %d for a person", len(s.Changed), s.Open.Rows, s.NeedsPerson())
	}
	o.equalsAPI()
}

// TestSyncWhileSingleChargesFail: the others are asked for all the same, as long
// as the API seems to be there.
func TestSyncWhileSingleChargesFail(t *testing.T) {
	o := newOffice(t)
	var charges []batch.Charge
	for i := range 10 {
		c := o.issue(fmt.Sprint("M-", i))
		o.post(c, "mark_as_paid")
		o.later(time.Second) // they are asked for in the order in which they were made
		charges = append(charges, c)
	}
	o.api.SetListLag(time.Hour)
	failsFor := func(changed int, failing ...batch.Charge) {
		t.Helper()
		for _, c := range failing {
			o.api.Order(omisetest.Fault{Kind: omisetest.BadGateway, Method: "GET", Path: "/charges/" + c.ID, Count: 100})
		}
		s, err := o.follower.Sync(o.Context())
		if g := new(batch.GatewayError); !errors.As(err, &g) || g.Status != http.StatusBadGateway || s == nil {
			t.Fatalf("%v, %v", s, err)
		}
		if len(s.Changed) != changed || s.Open.Rows != 10-changed || s.NeedsPerson() != 0 {
			t.Errorf("%d fail: %d changed, %d open, %d for a person", len(failing), len(s.Changed), s.Open.Rows, s.NeedsPerson())
		}
		o.api.Forgive()
	}
	failsFor(0, charges[:3]...)
	failsFor(8, charges[0], charges[5])
	o.want(o.sync(), map[string]string{"M-0": "successful", "M-5": "successful"}, 0, 0)
	o.equalsAPI()
}

// TestSyncWhileTheLedgerFails: what was stored before stays, and the next one
// does the rest.
func TestSyncWhileTheLedgerFails(t *testing.T) {
	o := newOffice(t)
	for i := range 10 {
		o.post(o.issue(fmt.Sprint("N-", i)), "mark_as_paid")
	}
	busy := errors.New("the ledger is busy")
	failing := *o.follower
	failing.Ledger = &busyLedger{Ledger: o.ledger, moves: 4, err: busy}
	s, err := failing.Sync(o.Context())
	if !errors.Is(err, busy) || len(s.Changed) != 4 || s.Open.Rows != 6 {
		t.Fatalf("%v, %+v", err, s)
	}
	if s := o.sync(); len(s.Changed) != 6 || s.Open.Rows != 0 || s.NeedsPerson() != 0 {
		t.Errorf("then %d changed, %d open, %d for a person", len(s.Changed), s.Open.Rows, s.NeedsPerson())
	}
	o.equalsAPI()
}

// busyLedger stores some moves, and then none.
type busyLedger struct {
	batch.Ledger
	moves int
	err   error
}

func (l *busyLedger) Move(ctx context.Context, m batch.Move, change func(*batch.Entry)) (batch.Entry, error) {
	if l.moves--; l.moves < 0 {
		return batch.Entry{}, l.err
	}
	return l.Ledger.Move(ctx, m, change)
}

// TestClocksDiffer: a clock of ours that is wrong has webhooks refused, and
// changes nothing of what a sync finds.
func TestClocksDiffer(t *testing.T) {
	for _, off := range []time.Duration{-26 * time.Hour, -3 * time.Hour, -4 * time.Minute, 4 * time.Minute, 3 * time.Hour, 26 * time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			h := newHearing(t)
			wrong := func() time.Time { return h.now().Add(off) }
			h.follower.Now = wrong
			h.heeding.Now = wrong
			near := off.Abs() < 5*time.Minute
			first, second, third := h.issue("O-1"), h.issue("O-2"), h.issue("O-3")
			h.issue("O-4")
			status := http.StatusUnauthorized
			if near {
				status = http.StatusOK
			}
			h.send(h.paid(first), h.now(), status, secret)
			h.work(t.Context())
			if got := h.entry("O-1").Charge.Status; (got == "successful") != near {
				t.Errorf("after the webhook it is %s", got)
			}
			h.post(second, "expire")
			h.later(time.Hour)
			h.post(third, "mark_as_paid")
			s := h.sync()
			if s.NeedsPerson() != 0 || s.Open.Rows != 1 {
				t.Errorf("%d for a person, %d open", s.NeedsPerson(), s.Open.Rows)
			}
			if lists, singles := h.reads(); lists != 1 || singles > 1 {
				t.Errorf("%d pages and %d charges were asked for", lists, singles)
			}
			h.equalsAPI()
			h.want(h.sync(), nil, 1, 0)
		})
	}
}

// TestOtherAccountsChargesAreLeftAlone: a key asks for its own account's only.
func TestOtherAccountsChargesAreLeftAlone(t *testing.T) {
	o := newOffice(t)
	o.issue("K-1")
	live := batch.Account{ID: "account_live", Live: true}
	_, err := o.ledger.Adopt(o.Context(), batch.Entry{
		Key: batch.KeyOf(live, "K-1"), Account: live, Charge: batch.Charge{ID: "chrg_1", Amount: 3000, Status: "pending", Live: true},
		AcceptedAt: o.now(), UpdatedAt: o.now(), Invoice: invoice.Invoice{Number: "K-1", Amount: 3000},
	}, "test", "issued")
	o.must(err)
	o.want(o.sync(), nil, 1, 0)
}
