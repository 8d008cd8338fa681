package follow_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/follow"
	"konbill/batch/omise/omisetest"
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
