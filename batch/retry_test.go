package batch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
	"konbill/mailer"
	"konbill/mailer/mailertest"
)

// sleep waits until Retry has something to do, as serve does, and returns how
// long that was since the invoice was last touched.
func (s *shop) sleep(number string) time.Duration {
	s.Helper()
	next, err := s.runner.NextRetry(s.Context())
	s.must(err)
	if next.IsZero() {
		s.Fatal("nothing is to be tried again")
	}
	since := next.Sub(s.entry(number).UpdatedAt)
	s.must(s.clock.wait(s.Context(), next.Sub(s.clock.now())))
	return since
}

// retry tries again what is due.
func (s *shop) retry() *batch.Retried {
	s.Helper()
	retried, err := s.runner.Retry(s.Context())
	s.must(err)
	return retried
}

// nothingLeft makes sure that Retry will do nothing more, whatever the time.
func (s *shop) nothingLeft() {
	s.Helper()
	if next, err := s.runner.NextRetry(s.Context()); err != nil || !next.IsZero() {
		s.Errorf("something is to be tried again at %v, %v", next, err)
	}
	requests, mails := len(s.api.Requests()), s.mail.Commands("MAIL")
	s.must(s.clock.wait(s.Context(), 48*time.Hour))
	if retried := s.retry(); !reflect.DeepEqual(*retried, batch.Retried{}) {
		s.Errorf("tried again: %+v", retried)
	}
	if asked, mailed := len(s.api.Requests())-requests, s.mail.Commands("MAIL")-mails; asked != 0 || mailed != 0 {
		s.Errorf("%d requests and %d mails more", asked, mailed)
	}
}

// want compares how many invoices stand in each list of a Retried.
func (s *shop) want(r *batch.Retried, want map[string]int) {
	s.Helper()
	have := map[string]int{}
	lists := reflect.ValueOf(*r)
	for i := range lists.NumField() {
		if n := lists.Field(i).Len(); n > 0 {
			have[lists.Type().Field(i).Name] = n
		}
	}
	if !reflect.DeepEqual(have, want) {
		s.Errorf("tried again: %v, want %v", have, want)
	}
}

func TestRetryLeavesWhatIsDoneAlone(t *testing.T) {
	s := newShop(t)
	s.nothingLeft() // the ledger is new, and the key's account not known
	s.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 550, Recipient: "a-2@example.jp"})
	s.mail.Order(mailertest.Fault{At: mailertest.AfterDot, Recipient: "a-3@example.jp"})
	s.api.Order(omisetest.Fault{Kind: omisetest.ForeignAuthorizeURI, Method: "POST", Path: "/charges"})
	s.runner.Settings.Workers = 1
	s.run(s.file("a.csv", "A-1,1000", "A-2,1000", "A-3,1000", "A-4,1000"))
	for number, state := range map[string]batch.State{"A-1": batch.Charged, "A-2": batch.Refused, "A-3": batch.Held, "A-4": batch.Mailed} {
		if e := s.entry(number); e.State != state {
			t.Errorf("%s is %s", number, e.State)
		}
	}
	s.nothingLeft()
	s.runner.Settings.ResendHeld = true
	s.sleep("A-3")
	s.mail.Forgive()
	s.want(s.retry(), map[string]int{"Mailed": 1})
	s.nothingLeft()
}

// TestRetryFollowsItsPlanForMails lets a mail be put off for ever. The ledger
// is opened again between the tries: nothing is kept but what it has.
func TestRetryFollowsItsPlanForMails(t *testing.T) {
	s := newShop(t)
	s.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 451, Recipient: "m-1@example.jp"})
	path := s.file("m.csv", "M-1,1000", "M-2,1000")
	s.run(path)
	tries := s.entry("M-1").MailAttempt
	for i, delay := range []time.Duration{15 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour} {
		s.want(s.retry(), map[string]int{}) // too early
		if after := s.sleep("M-1"); after != delay {
			t.Errorf("try %d is due after %v, want %v", i, after, delay)
		}
		s.must(s.ledger.Close())
		s.reopen()
		want := map[string]int{"Deferred": 1}
		if i == 3 {
			want = map[string]int{"GivenUpMails": 1}
		}
		s.want(s.retry(), want)
		if e := s.entry("M-1"); e.Retries != i+1 || e.MailAttempt != tries+i+1 {
			t.Errorf("try %d: %d retries, %d mails begun", i, e.Retries, e.MailAttempt)
		}
	}
	s.nothingLeft()
	// Run again, the file begins the plan anew.
	s.run(path)
	if after := s.sleep("M-1"); after != 15*time.Minute {
		t.Errorf("after another run it is due after %v", after)
	}
	s.mail.Forgive()
	s.want(s.retry(), map[string]int{"Mailed": 1})
	s.nothingLeft()
	if n := len(s.mail.Messages()); n != 2 {
		t.Errorf("%d mails", n)
	}
}

// TestRetryWithoutMailServer leaves mails that were never begun. While there is
// no server most of them aren't tried; all of them wait for the next time.
func TestRetryWithoutMailServer(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.Workers = 1
	post := s.runner.Mailer
	down := &counting{Mailer: unreachable{}}
	s.runner.Mailer = down
	var rows []string
	for i := range 30 {
		rows = append(rows, fmt.Sprintf("M-%d,1000", i))
	}
	s.run(s.file("m.csv", rows...))
	if e := s.entry("M-29"); e.State != batch.Charged {
		t.Fatalf("the last is %s", e.State)
	}
	s.must(s.clock.wait(t.Context(), 16*time.Minute))
	down.n = 0
	s.want(s.retry(), map[string]int{"Deferred": 30})
	if down.n != 5 {
		t.Errorf("the mail server was tried %d times", down.n)
	}
	if after := s.sleep("M-29"); after > time.Hour || after < 59*time.Minute {
		t.Errorf("the next try is %v after that", after)
	}
	s.must(s.clock.wait(t.Context(), time.Minute))
	s.runner.Mailer = post
	s.want(s.retry(), map[string]int{"Mailed": 30})
	s.nothingLeft()
}

type unreachable struct{ batch.Mailer }

func (unreachable) Deliver(context.Context, mailer.Envelope) (string, error) {
	return "", &mailer.Error{Kind: mailer.NotSent, Stage: mailer.StageConnect}
}

// TestMailSwitchedOnLater: who issued slips without mail has handed them out;
// their customers hear nothing when mail is switched on one day.
func TestMailSwitchedOnLater(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.MailOff = true
	path := s.file("a.csv", "A-1,1000")
	s.leaveUnknown(path, omisetest.CutAfter)
	s.api.Forgive()
	s.run(s.file("b.csv", "A-2,1000"))
	if e := s.entry("A-1"); e.State != batch.Charged {
		t.Errorf("the lost answer: %s", e.State)
	}
	s.runner.Ledger = neverCharged{s.ledger, t}
	s.nothingLeft()
	s.runner.Ledger = s.ledger
	s.runner.Settings.MailOff = false
	s.nothingLeft()
}

// neverCharged wants the charged invoices, which with mail off are all there
// ever were, not to be read.
type neverCharged struct {
	batch.Ledger
	t *testing.T
}

func (l neverCharged) Entries(ctx context.Context, q batch.Query, f func(batch.Entry) error) error {
	if len(q.States) == 0 || slices.ContainsFunc(q.States, batch.State.HasCharge) {
		l.t.Errorf("all of these are read: %v", q.States)
	}
	return l.Ledger.Entries(ctx, q, f)
}

func TestRetryFindsALostAnswer(t *testing.T) {
	bothFlows(t, func(s *shop) {
		s.leaveUnknown(s.file("a.csv", "A-1,1000"), omisetest.CutAfter)
		s.api.Forgive()
		if after := s.sleep("A-1"); after != 5*time.Minute {
			s.Errorf("it is due after %v", after)
		}
		s.want(s.retry(), map[string]int{"Found": 1, "Mailed": 1})
		if s.posts() != 1 || len(s.mail.Messages()) != 1 {
			s.Errorf("%d requests, %d mails", s.posts(), len(s.mail.Messages()))
		}
		s.nothingLeft()
	})
}

// TestRetryBeginsThePlanForMailAnew: what the look for a charge has cost isn't
// taken from its mail.
func TestRetryBeginsThePlanForMailAnew(t *testing.T) {
	for _, fault := range []omisetest.FaultKind{omisetest.CutAfter, omisetest.CutBefore} {
		s := newShop(t)
		s.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 451, Recipient: "a-1@example.jp"})
		s.leaveUnknown(s.file("a.csv", "A-1,1000"), fault)
		s.api.Forgive()
		for s.entry("A-1").State == batch.Unknown {
			s.sleep("A-1")
			s.retry()
		}
		if e := s.entry("A-1"); e.State != batch.Deferred || e.Retries != 0 {
			t.Errorf("%s: it is %s after %d retries", fault, e.State, e.Retries)
		}
		if after := s.sleep("A-1"); after != 15*time.Minute {
			t.Errorf("%s: its mail is due after %v", fault, after)
		}
	}
}

func TestRetryChargesWhatHasNoCharge(t *testing.T) {
	bothFlows(t, func(s *shop) {
		s.leaveUnknown(s.file("a.csv", "A-1,1000"), omisetest.CutBefore)
		s.api.Forgive()
		s.sleep("A-1")
		s.want(s.retry(), map[string]int{"Unknown": 1}) // one look proves nothing
		if after := s.sleep("A-1"); after != time.Hour {
			s.Errorf("the second look is due after %v", after)
		}
		if s.posts() != 1 {
			s.Errorf("%d requests", s.posts())
		}
		s.want(s.retry(), map[string]int{"Charged": 1, "Mailed": 1})
		if s.posts() != 2 || len(s.api.Charges()) != 1 {
			s.Errorf("%d requests, %d charges", s.posts(), len(s.api.Charges()))
		}
		s.nothingLeft()
	})
}

// TestRetryWaitsForSettleAfter: looks that come too early prove nothing, so
// none is made.
func TestRetryWaitsForSettleAfter(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.SettleAfter = 3 * time.Hour
	s.leaveUnknown(s.file("a.csv", "A-1,1000"), omisetest.CutBefore)
	s.api.Forgive()
	for range 2 {
		if after := s.sleep("A-1"); after != 3*time.Hour {
			t.Errorf("a look is due after %v", after)
		}
		s.retry()
	}
	if e := s.entry("A-1"); e.State != batch.Mailed {
		t.Errorf("it ends %s", e.State)
	}
}

// TestRetryFollowsItsPlanForCharges lets no list be read: after the last look
// it is for a person.
func TestRetryFollowsItsPlanForCharges(t *testing.T) {
	s := newShop(t)
	s.leaveUnknown(s.file("a.csv", "A-1,1000"), omisetest.CutBefore)
	const day = 24 * time.Hour
	for i, delay := range []time.Duration{5 * time.Minute, time.Hour, day, day, day, day, day} {
		if after := s.sleep("A-1"); after != delay {
			t.Errorf("look %d is due after %v, want %v", i, after, delay)
		}
		retried, err := s.runner.Retry(t.Context())
		if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopUnreachable {
			t.Fatalf("look %d: %v", i, err)
		}
		want := map[string]int{"Unknown": 1}
		if i == 6 {
			want = map[string]int{"GivenUpCharges": 1}
		}
		s.want(retried, want)
	}
	s.nothingLeft()
	if s.posts() != 1 {
		t.Errorf("%d requests", s.posts())
	}
	// Another's look proves it absent; it stays with the person.
	s.api.Forgive()
	_, err := s.runner.Reconcile(t.Context())
	s.must(err)
	if e := s.entry("A-1"); e.State != batch.Accepted {
		t.Errorf("reconciled, it is %s", e.State)
	}
	s.nothingLeft()
}

// TestRetryLeavesToAPersonWhatItGaveUp: looks for another invoice prove at last
// that one has no charge which a person was asked to see to.
func TestRetryLeavesToAPersonWhatItGaveUp(t *testing.T) {
	s := newShop(t)
	s.leaveUnknown(s.file("a.csv", "A-1,1000"), omisetest.CutBefore)
	for range 7 {
		s.sleep("A-1")
		if _, err := s.runner.Retry(t.Context()); err == nil {
			t.Fatal("the list was read")
		}
	}
	s.api.Forgive()
	s.leaveUnknown(s.file("b.csv", "B-1,1000"), omisetest.CutBefore)
	s.api.Forgive()
	s.sleep("B-1")
	s.want(s.retry(), map[string]int{"Unknown": 1, "GivenUpCharges": 1})
	s.sleep("B-1")
	s.want(s.retry(), map[string]int{"Charged": 1, "Mailed": 1})
	if n := s.charged()["A-1"]; n != 0 || s.entry("A-1").State != batch.Accepted {
		t.Errorf("A-1 is %s, with %d charges", s.entry("A-1").State, n)
	}
	s.nothingLeft()
}

// TestRetryAfterTheDueDate: nobody is billed for what was to be paid yesterday.
func TestRetryAfterTheDueDate(t *testing.T) {
	s := newShop(t)
	s.leaveUnknown(s.file("a.csv", "A-1,1000"), omisetest.CutBefore)
	s.api.Forgive()
	s.sleep("A-1")
	s.retry()
	s.must(s.clock.wait(t.Context(), 31*24*time.Hour))
	s.want(s.retry(), map[string]int{"GivenUpCharges": 1})
	s.nothingLeft()
	if e := s.entry("A-1"); e.State != batch.Accepted || s.posts() != 1 {
		t.Errorf("it is %s after %d requests", e.State, s.posts())
	}
}

// TestRetrySweepsFirst: an invoice was proved to have no charge, and before it
// was charged another ledger has issued its number.
func TestRetrySweepsFirst(t *testing.T) {
	s := newShop(t)
	s.leaveUnknown(s.file("a.csv", "A-1,1000"), omisetest.CutBefore)
	s.api.Forgive()
	survey, err := s.runner.Reconcile(t.Context())
	s.must(err)
	if len(survey.Absent) != 1 {
		t.Fatalf("%d absent", len(survey.Absent))
	}
	s.sleep("A-1")
	_, err = s.runner.Gateway.CreateCharge(t.Context(), batch.ChargeRequest{
		Key: s.entry("A-1").Key, Number: "A-1", Amount: 1000, Name: "山田太郎", Email: "a-1@example.jp", Phone: "09011112222",
		Description: "A-1", ExpiresAt: s.entry("A-1").Invoice.Due,
	})
	s.must(err)
	s.want(s.retry(), map[string]int{"Found": 1, "GivenUpMails": 1})
	s.neverTwice()
	s.nothingLeft()
}

// TestRetryGoesOnAfterACrash finds what a process left that died in the middle
// of it, and no file will bring up again.
func TestRetryGoesOnAfterACrash(t *testing.T) {
	s := newShop(t)
	s.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 451, Recipient: "a-1@example.jp"})
	s.run(s.file("a.csv", "A-1,1000"))
	s.leaveUnknown(s.file("b.csv", "B-1,1000"), omisetest.CutBefore)
	s.api.Forgive()
	survey, err := s.runner.Reconcile(t.Context()) // and dies before it charges
	s.must(err)
	if len(survey.Absent) != 1 {
		t.Fatalf("%d absent", len(survey.Absent))
	}
	e := s.entry("A-1")
	_, err = s.ledger.Move(t.Context(), batch.Move{Key: e.Key, From: batch.Deferred, To: batch.Mailing, At: s.clock.now()}, func(*batch.Entry) {})
	s.must(err)
	s.must(s.clock.wait(t.Context(), time.Hour))
	s.want(s.retry(), map[string]int{"Held": 1, "Charged": 1, "Mailed": 1})
	s.nothingLeft()

	// A charge of which only the intent is there is looked for.
	s.leaveUnknown(s.file("c.csv", "C-1,1000"), omisetest.CutBefore)
	s.api.Forgive()
	for _, to := range []batch.State{batch.Accepted, batch.Charging} {
		e = s.entry("C-1")
		_, err = s.ledger.Move(t.Context(), batch.Move{Key: e.Key, From: e.State, To: to, At: s.clock.now()}, func(*batch.Entry) {})
		s.must(err)
	}
	s.sleep("C-1")
	s.want(s.retry(), map[string]int{"Unknown": 1})
	s.sleep("C-1")
	s.want(s.retry(), map[string]int{"Charged": 1, "Mailed": 1})
}

// TestRetryStopsAfterTooManyUnknownOutcomes: those that were not asked for wait.
func TestRetryStopsAfterTooManyUnknownOutcomes(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.Workers = 1
	var rows []string
	for i := range 16 {
		rows = append(rows, fmt.Sprintf("B-%d,1000", i))
	}
	asked := 0
	everyOther := func(r *http.Request) bool { // too few in a row to end the run
		if r.Method == "POST" {
			asked++
		}
		return r.Method == "POST" && asked%2 == 1
	}
	s.api.Order(omisetest.Fault{Kind: omisetest.CutBefore, Match: everyOther, Count: 7})
	s.leaveUnknown(s.file("b.csv", rows...), omisetest.CutBefore)
	s.api.Forgive()
	s.must(s.clock.wait(t.Context(), 5*time.Minute))
	s.want(s.retry(), map[string]int{"Unknown": 8})
	before := s.posts()
	s.api.Order(omisetest.Fault{Kind: omisetest.Error500Before, Method: "POST", Path: "/charges", Count: 100})
	s.must(s.clock.wait(t.Context(), time.Hour))
	retried, err := s.runner.Retry(t.Context())
	if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopUnknown {
		t.Fatalf("error: %v", err)
	}
	s.want(retried, map[string]int{"Unknown": 5, "Uncharged": 3})
	if n := s.posts() - before; n != 5 {
		t.Errorf("%d requests", n)
	}
	s.api.Forgive()
	for range 4 {
		next, err := s.runner.NextRetry(t.Context())
		s.must(err)
		if next.IsZero() {
			break
		}
		s.must(s.clock.wait(t.Context(), next.Sub(s.clock.now())+time.Minute))
		s.retry()
	}
	s.neverTwice()
	if n := len(s.mail.Messages()); n != 16 || len(s.api.Charges()) != 16 {
		t.Errorf("%d charges, %d mails", len(s.api.Charges()), n)
	}
	s.nothingLeft()
}

// TestRetryLeavesAStoppedRunsFileAlone: what a run's results call not charged is
// left to who runs the file again, also when it was asked for in vain.
func TestRetryLeavesAStoppedRunsFileAlone(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.Workers = 1
	var rows []string
	for i := range 6 {
		rows = append(rows, fmt.Sprintf("B-%d,1000", i))
	}
	path := s.file("b.csv", rows...)
	s.api.Order(omisetest.Fault{Kind: omisetest.Error500Before, Method: "POST", Path: "/charges", Count: 5})
	report, err := s.runner.Run(t.Context(), path, "")
	if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopUnknown {
		t.Fatalf("error: %v", err)
	}
	for _, row := range s.results(report) {
		if row["result"] != "failed" || row["codes"] != "not_attempted" {
			t.Errorf("%s is %s, %s", row["invoice_no"], row["result"], row["codes"])
		}
	}
	s.nothingLeft()
	s.run(path)
	if n := len(s.charged()); n != 6 {
		t.Errorf("%d charges", n)
	}
	s.neverTwice()
}

// TestRetryStopsWhenAsked: what was not begun is as it was.
func TestRetryStopsWhenAsked(t *testing.T) {
	s := newShop(t)
	s.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 451, Recipient: "m-1@example.jp"})
	s.run(s.file("m.csv", "M-1,1000"))
	s.sleep("M-1")
	before := s.entry("M-1")
	drained := make(chan struct{})
	close(drained)
	s.runner.Drain = drained
	retried, err := s.runner.Retry(t.Context())
	if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopInterrupted {
		t.Errorf("error: %v", err)
	}
	s.want(retried, map[string]int{})
	if after := s.entry("M-1"); after != before {
		t.Errorf("it was %+v and is %+v", before, after)
	}
}

func TestRetryHoldsTheLedger(t *testing.T) {
	s := newShop(t)
	release, err := s.openLedger().Hold(t.Context())
	s.must(err)
	if _, err := s.runner.Retry(t.Context()); !errors.Is(err, batch.ErrHeld) {
		t.Errorf("error: %v", err)
	}
	release()
	s.retry()
	s.retry() // and gives it back
}
