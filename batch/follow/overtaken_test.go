package follow_test

import (
	"net/http"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/follow"
	"konbill/invoice"
)

// issueAgain makes a later bill under a number, which the ledger knows.
func (o *office) issueAgain(number string, revision int) batch.Charge {
	o.Helper()
	key := batch.KeyOfRevision(o.account, number, revision)
	c, err := o.client.CreateCharge(o.Context(), batch.ChargeRequest{
		Key: key, Number: number, Revision: revision, Amount: 3000, Name: "山田太郎",
		Email: "taro@example.jp", Phone: "09011112222", ExpiresAt: o.now().AddDate(0, 0, 30),
	})
	o.must(err)
	_, err = o.ledger.Adopt(o.Context(), batch.Entry{
		Key: key, Account: o.account, Revision: revision, Charge: c, AcceptedAt: o.now(), UpdatedAt: o.now(),
		Invoice: invoice.Invoice{Number: number, Amount: c.Amount},
	}, "test", "issued again")
	o.must(err)
	return c
}

// TestPaidAlthoughIssuedAgain: a person hears of it at every sync while the later
// bill can be paid, or is paid, too.
func TestPaidAlthoughIssuedAgain(t *testing.T) {
	for _, end := range []string{"mark_as_paid", "expire"} {
		t.Run(end, func(t *testing.T) {
			o := newOffice(t)
			first := o.issue("A-1")
			o.post(first, "expire")
			o.sync()
			o.later(time.Hour)
			second := o.issueAgain("A-1", 2)
			o.api.ReportLate(first.ID)
			wantOne := func(s *follow.Synced) {
				t.Helper()
				if len(s.Overtaken) != 1 || s.NeedsPerson() != 1 || s.Overtaken[0].Paid.Charge.ID != first.ID || s.Overtaken[0].Later.Charge.ID != second.ID {
					t.Errorf("overtaken: %+v, %d for a person", s.Overtaken, s.NeedsPerson())
				}
			}
			s := o.sync()
			if len(s.Changed) != 1 || s.Changed[0].Charge.Status != "successful" {
				t.Errorf("changed: %+v", s.Changed)
			}
			wantOne(s)
			wantOne(o.sync())
			o.post(second, end)
			if end == "mark_as_paid" {
				wantOne(o.sync())
				wantOne(o.sync())
			} else if s := o.sync(); s.NeedsPerson() != 0 {
				t.Errorf("called back: %+v", s.Overtaken)
			}
		})
	}
}

// TestReplacedBillIsAskedAbout: for some days after a bill was issued again, the one
// before is asked about, whenever it was made and whether or not it is listed.
func TestReplacedBillIsAskedAbout(t *testing.T) {
	o := newOffice(t)
	first := o.issue("A-1")
	o.later(40 * 24 * time.Hour)
	o.sync()
	second := o.issueAgain("A-1", 2)
	_, before := o.reads()
	o.sync()
	if _, after := o.reads(); after != before+1 {
		t.Errorf("%d questions about single charges", after-before)
	}
	o.later(4 * 24 * time.Hour)
	o.sync()
	if _, after := o.reads(); after != before+1 {
		t.Errorf("long afterwards: %d questions more", after-before-1)
	}
	if e := o.entry("A-1"); e.Charge.ID != first.ID || e.Charge.Status != "expired" || second.Status != "pending" {
		t.Errorf("the first is %s", e.Charge.Status)
	}
}

// TestOvertakenAcrossRevisions finds the paid one wherever it stands, and leaves
// alone what was called back or purged.
func TestOvertakenAcrossRevisions(t *testing.T) {
	o := newOffice(t)
	o.post(o.issue("A-1"), "mark_as_paid")
	o.post(o.issueAgain("A-1", 2), "expire")
	third := o.issueAgain("A-1", 4) // the third isn't known here
	o.issueAgain("A-2", 2)          // nor is the first of another number
	s := o.sync()
	if len(s.Overtaken) != 1 || s.Overtaken[0].Later.Charge.ID != third.ID || s.Overtaken[0].Paid.Revision != 1 {
		t.Errorf("overtaken: %+v", s.Overtaken)
	}
	later := s.Overtaken[0].Later
	_, err := o.ledger.Purge(t.Context(), batch.Move{Key: later.Key, From: later.State, To: later.State, At: o.now(), Who: "purge", Why: "test"})
	o.must(err)
	if s := o.sync(); s.NeedsPerson() != 0 {
		t.Errorf("purged: %+v", s.Overtaken)
	}
}

// TestWebhookOfAnOvertakenBill: whichever of the two is paid last, the notice says
// that it is one of two.
func TestWebhookOfAnOvertakenBill(t *testing.T) {
	h := newHearing(t)
	first := h.issue("A-1")
	h.post(first, "expire")
	h.sync()
	second := h.issueAgain("A-1", 2)
	other := h.issue("A-2")
	h.api.ReportLate(first.ID)
	for _, c := range []batch.Charge{first, second, other} {
		if c.ID != first.ID {
			h.post(c, "mark_as_paid")
		}
		h.send(h.event(c, "charge.complete"), h.now(), http.StatusOK, secret)
		h.work(t.Context())
		n := h.notices[len(h.notices)-1]
		if n.Outcome != follow.Stored || (n.Overtaken != nil) != (c.ID != other.ID) {
			t.Errorf("%s: %+v", c.ID, n)
		}
		if n.Overtaken != nil && (n.Overtaken.Paid.Charge.ID != first.ID || n.Overtaken.Later.Charge.ID != second.ID) {
			t.Errorf("overtaken: %+v", n.Overtaken)
		}
	}
}
