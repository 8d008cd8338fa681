package follow_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/follow"
	"konbill/batch/ledger/ledgertest"
	"konbill/batch/omise/omisetest"
	"konbill/invoice"
)

// recall calls one number back.
func (o *office) recall(number string) follow.Recalled {
	o.Helper()
	reports, err := o.follower.Recall(o.Context(), []string{number})
	o.must(err)
	if len(reports) != 1 || reports[0].Number != number {
		o.Fatalf("reports: %+v", reports)
	}
	return reports[0]
}

func (o *office) expireRequests() int {
	n := 0
	for _, r := range o.api.Requests() {
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/expire") {
			n++
		}
	}
	return n
}

// TestRecall: a charge that waits for payment can't be paid any more, the ledger
// says so, and the history says that a person wanted it.
func TestRecall(t *testing.T) {
	o := newOffice(t)
	o.issue("R-1")
	if got := o.recall("R-1"); got.Outcome != follow.RecallDone || got.Entry.Charge.Status != "expired" {
		t.Errorf("report: %+v", got)
	}
	e, err := o.ledger.Entry(t.Context(), batch.KeyOf(o.account, "R-1"))
	o.must(err)
	events, err := o.ledger.Events(t.Context(), e.Key)
	o.must(err)
	if e.Charge.Status != "expired" || !slices.ContainsFunc(events, func(e batch.Event) bool { return strings.Contains(e.Why, "person") }) {
		t.Errorf("the ledger: %s, %+v", e.Charge.Status, events)
	}
	if got := o.recall("R-1"); got.Outcome != follow.RecallTooLate || o.expireRequests() != 1 {
		t.Errorf("once more: %+v after %d requests", got, o.expireRequests())
	}
}

// TestRecallLeavesThePaidAlone: what was paid since the ledger last heard of it
// is not called back, and is known to be paid afterwards.
func TestRecallLeavesThePaidAlone(t *testing.T) {
	o := newOffice(t)
	o.post(o.issue("R-1"), "mark_as_paid")
	if got := o.recall("R-1"); got.Outcome != follow.RecallTooLate || got.Entry.Charge.Status != "successful" || o.expireRequests() != 0 {
		t.Errorf("report: %+v after %d requests", got, o.expireRequests())
	}
}

// TestRecallOfNothing: there may be nothing to call back.
func TestRecallOfNothing(t *testing.T) {
	o := newOffice(t)
	if got := o.recall("R-9"); got.Outcome != follow.RecallNotFound {
		t.Errorf("report: %+v", got)
	}
}

// TestRecallOfWhatIsNoBill: an outcome that isn't known is for reconcile, and what
// the account doesn't have is for a person. Nothing is asked to expire.
func TestRecallOfWhatIsNoBill(t *testing.T) {
	o := newOffice(t)
	e := o.accept("U-1")
	for _, state := range []batch.State{batch.Charging, batch.Unknown} {
		e = o.move(e, state, func(e *batch.Entry) { e.IntentAt = o.now() })
		if got := o.recall("U-1"); got.Outcome != follow.RecallUnknown || got.Entry.State != state {
			t.Errorf("%s: %+v", state, got)
		}
	}
	o.accept("U-2")
	if got := o.recall("U-2"); got.Outcome != follow.RecallNoCharge {
		t.Errorf("accepted: %+v", got)
	}
	gone := o.charge("U-3")
	gone.ID = "chrg_test_5gone"
	o.record("U-3", gone)
	if got := o.recall("U-3"); got.Outcome != follow.RecallUnrelated || got.Entry.Charge.Status != "pending" {
		t.Errorf("vanished: %+v", got)
	}
	if n := o.expireRequests(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// accept has the ledger accept an invoice that isn't charged.
func (o *office) accept(number string) batch.Entry {
	o.Helper()
	row := invoice.Invoice{Number: number, Amount: 3000, Due: o.now().AddDate(0, 0, 30)}
	_, verdicts, err := ledgertest.OpenJob(o.Context(), o.ledger, batch.Job{Account: o.account, StartedAt: o.now()}, []invoice.Invoice{row})
	o.must(err)
	return verdicts[0].Entry
}

// move takes an invoice to a state, as a run does.
func (o *office) move(e batch.Entry, to batch.State, change func(*batch.Entry)) batch.Entry {
	o.Helper()
	moved, err := o.ledger.Move(o.Context(), batch.Move{Key: e.Key, From: e.State, To: to, At: o.now(), Who: "run", Why: "test"}, change)
	o.must(err)
	return moved
}

// meanwhile is a gateway at which something happens around a request to expire.
type meanwhile struct {
	follow.Gateway
	before, after func()
}

func (g meanwhile) Expire(ctx context.Context, id string) error {
	if g.before != nil {
		g.before()
	}
	err := g.Gateway.Expire(ctx, id)
	if g.after != nil {
		g.after()
	}
	return err
}

// TestRecallOfWhatIsBeingPaid: the customer may pay between the question and the
// request, or while that is lost on its way. Then it is paid, and said to be.
func TestRecallOfWhatIsBeingPaid(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprintf("request lost=%v", lost), func(t *testing.T) {
			o := newOffice(t)
			charge := o.issue("R-1")
			pay := func() { o.post(charge, "mark_as_paid") }
			around := meanwhile{Gateway: o.client, before: pay}
			if lost {
				around = meanwhile{Gateway: o.client, after: pay}
				o.api.Order(omisetest.Fault{Kind: omisetest.CutBefore, Method: http.MethodPost, Path: "/charges/" + charge.ID + "/expire"})
			}
			o.follower.Gateway = around
			if got := o.recall("R-1"); got.Outcome != follow.RecallTooLate || got.Entry.Charge.Status != "successful" {
				t.Errorf("report: %+v", got)
			}
			o.equalsAPI()
		})
	}
}

// TestRecallWhileMailing: a run that mails the invoice meanwhile, or another recall,
// moves it. Each gets what it wants, and the ledger has what the API says.
func TestRecallWhileMailing(t *testing.T) {
	o := newOffice(t)
	o.issue("R-1")
	o.move(o.entry("R-1"), batch.Mailing, func(e *batch.Entry) { e.MessageID = "1@example.jp" })
	o.follower.Gateway = meanwhile{Gateway: o.client, before: func() {
		o.move(o.entry("R-1"), batch.Mailed, func(e *batch.Entry) { e.MailedAt = o.now() })
	}}
	if got := o.recall("R-1"); got.Outcome != follow.RecallDone || got.Entry.State != batch.Mailed {
		t.Errorf("report: %+v", got)
	}
	o.equalsAPI()
}

func TestTwoRecallsAtOnce(t *testing.T) {
	o := newOffice(t)
	var numbers []string
	for i := range 10 {
		numbers = append(numbers, fmt.Sprintf("R-%d", i))
		o.issue(numbers[i])
	}
	var both sync.WaitGroup
	reports := make([][]follow.Recalled, 2)
	for i := range reports {
		both.Go(func() {
			var err error
			if reports[i], err = o.follower.Recall(t.Context(), numbers); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	for i := range numbers {
		done := 0
		for _, r := range reports {
			switch outcome := r[i].Outcome; outcome {
			case follow.RecallDone:
				done++
			case follow.RecallTooLate:
			default:
				t.Errorf("%s: %s", numbers[i], outcome)
			}
		}
		if done == 0 {
			t.Errorf("%s was called back by nobody", numbers[i])
		}
	}
	o.equalsAPI()
}

// TestRecallOfTheLatest: of a number that was billed again, the bill that can be
// paid is called back.
func TestRecallOfTheLatest(t *testing.T) {
	o := newOffice(t)
	first := o.issue("R-1")
	o.post(first, "expire")
	o.sync()
	second := o.issueAgain("R-1", 2)
	if got := o.recall("R-1"); got.Outcome != follow.RecallDone || got.Entry.Charge.ID != second.ID || got.Entry.Revision != 2 {
		t.Errorf("report: %+v", got)
	}
}

// TestWaitingOf lists what a run made, and what can be called back of it.
func TestWaitingOf(t *testing.T) {
	o := newOffice(t)
	var runs []int64
	for _, number := range []string{"W-1", "W-2"} {
		e := o.accept(number)
		runs = append(runs, e.Job)
		c := o.charge(number)
		e = o.move(e, batch.Charging, func(e *batch.Entry) { e.IntentAt = o.now() })
		o.move(e, batch.Charged, func(e *batch.Entry) { e.Charge = c })
	}
	numbers, err := o.follower.WaitingOf(t.Context(), runs[1])
	if err != nil || !slices.Equal(numbers, []string{"W-2"}) {
		t.Errorf("%q, %v", numbers, err)
	}
	o.issueAgain("W-2", 2)
	if numbers, err = o.follower.WaitingOf(t.Context(), runs[1]); err != nil || len(numbers) != 0 {
		t.Errorf("billed again elsewhere: %q, %v", numbers, err)
	}
	if _, err := o.follower.WaitingOf(t.Context(), runs[1]+1); !errors.Is(err, batch.ErrNotFound) {
		t.Errorf("of no run: %v", err)
	}
	o.follower.Account.Live = true
	if _, err := o.follower.WaitingOf(t.Context(), runs[0]); !errors.Is(err, batch.ErrNotFound) {
		t.Errorf("of a run in the other mode: %v", err)
	}
}

// TestRecallIsAskedWhatCameOfIt: whatever the answer to the request, the charge
// itself says what became of it.
func TestRecallIsAskedWhatCameOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		fault omisetest.FaultKind
		want  follow.RecallOutcome
	}{
		"answer lost":  {omisetest.CutAfter, follow.RecallDone},
		"request lost": {omisetest.CutBefore, follow.RecallUnclear},
		"server fails": {omisetest.Error500Before, follow.RecallUnclear},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			charge := o.issue("R-1")
			o.api.Order(omisetest.Fault{Kind: c.fault, Method: http.MethodPost, Path: "/charges/" + charge.ID + "/expire"})
			if got := o.recall("R-1"); got.Outcome != c.want || got.Refusal.Code == "" {
				t.Errorf("report: %+v", got)
			}
			o.later(time.Minute)
			if got := o.recall("R-1"); got.Entry.Charge.Status != "expired" {
				t.Errorf("once more: %+v", got)
			}
		})
	}
}
