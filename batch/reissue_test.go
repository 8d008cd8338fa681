package batch_test

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
)

// month is longer than the bills of the tests can be paid.
const month = 31 * 24 * time.Hour

// reissue runs a file with --reissue-expired.
func (s *shop) reissue(path string) *batch.Report {
	s.Helper()
	s.runner.Reissue = true
	defer func() { s.runner.Reissue = false }()
	return s.run(path)
}

// expired issues a number and lets it expire, which the ledger doesn't hear.
func (s *shop) expired(number string) (path string, first batch.Entry) {
	s.Helper()
	path = s.file("first.csv", number+",1000")
	s.run(path)
	s.must(s.clock.wait(s.Context(), month))
	return path, s.latest(number)
}

func (s *shop) latest(number string) batch.Entry {
	s.Helper()
	account, err := s.runner.Identify(s.Context())
	s.must(err)
	e, err := s.ledger.Latest(s.Context(), account, number)
	s.must(err)
	return e
}

// hear has the ledger take a charge for something, as if the API had said so.
func (s *shop) hear(e batch.Entry, status string) {
	s.Helper()
	_, err := s.ledger.Move(s.Context(), batch.Move{Key: e.Key, From: e.State, To: e.State, At: s.clock.now(), Who: "test", Why: "heard"},
		func(e *batch.Entry) { e.Charge.Status = status })
	s.must(err)
}

// only wants a report of one row, and returns it as the results have it.
func (s *shop) only(r *batch.Report, result batch.Result, codes string) map[string]string {
	s.Helper()
	rows := s.results(r)
	if len(rows) != 1 || rows[0]["result"] != string(result) || rows[0]["codes"] != codes {
		s.Fatalf("results: %q, want %s with %q", rows, result, codes)
	}
	return rows[0]
}

// bills counts the charges under a number that can be paid, or are.
func (s *shop) bills(number string) int {
	n := 0
	for _, c := range s.api.Charges() {
		if c.Metadata["invoice_no"] == number && (c.Status == "pending" || c.Status == "successful") {
			n++
		}
	}
	return n
}

// TestReissue: a bill that expired is issued again, with what the row says now,
// and the customer is told that it takes the place of another. Nobody needs to
// sync before.
func TestReissue(t *testing.T) {
	bothFlows(t, func(s *shop) {
		path, first := s.expired("R-1")
		s.only(s.run(path), batch.AlreadyIssued, "")
		path = s.file("again.csv", "R-1,1200,other@example.jp")
		row := s.only(s.reissue(path), batch.Issued, "reissued")
		second := s.latest("R-1")
		if second.Revision != 2 || second.Charge.ID == first.Charge.ID || second.Invoice.Amount != 1200 || row["charge_id"] != second.Charge.ID {
			s.Errorf("the second revision: %+v", second)
		}
		if !strings.Contains(row["message"], first.Charge.ID) {
			s.Errorf("the message: %s", row["message"])
		}
		made := s.api.Charges()
		if len(made) != 2 || made[1].Metadata["konbill_revision"] != "2" || made[1].Metadata["konbill_key"] != string(second.Key) || s.bills("R-1") != 1 {
			s.Errorf("charges: %+v", made)
		}
		mails := s.mail.Messages()
		if last := mails[len(mails)-1]; last.To != "other@example.jp" || !strings.Contains(s.subject(last.Data), "再発行") {
			s.Errorf("%d mails, the last to %s: %s", len(mails), last.To, s.subject(last.Data))
		}
		before, err := s.ledger.Entry(s.Context(), second.Previous())
		s.must(err)
		if before.Charge.Status != "expired" {
			s.Errorf("the first is %s in the ledger", before.Charge.Status)
		}
		s.only(s.reissue(path), batch.AlreadyIssued, "")
		if len(s.api.Charges()) != 2 {
			s.Errorf("once more: %d charges", len(s.api.Charges()))
		}
	})
}

func (s *shop) subject(data []byte) string {
	s.Helper()
	read, err := mail.ReadMessage(bytes.NewReader(data))
	s.must(err)
	subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
	s.must(err)
	return subject
}

// TestReissueLeavesBillsAlone: one that can be paid, or is, is not issued again.
func TestReissueLeavesBillsAlone(t *testing.T) {
	s := newShop(t)
	path := s.file("a.csv", "A-1,1000", "A-2,1000")
	s.run(path)
	s.pay(s.latest("A-1").Charge.ID)
	report := s.reissue(path)
	for _, row := range s.results(report) {
		if row["result"] != "already_issued" || row["codes"] != "" {
			t.Errorf("%s: %s, %s", row["invoice_no"], row["result"], row["codes"])
		}
	}
	s.must(s.clock.wait(t.Context(), month))
	s.reissue(path)
	if got := s.charged(); got["A-1"] != 1 || got["A-2"] != 2 || s.latest("A-1").Charge.Status != "successful" {
		t.Errorf("charges: %v; the paid one is %s", got, s.latest("A-1").Charge.Status)
	}
}

// TestEndedUnpaidIsTold: without being asked to, a run issues nothing again, and
// says how that is done, or whom to ask.
func TestEndedUnpaidIsTold(t *testing.T) {
	s := newShop(t)
	path, first := s.expired("R-1")
	s.hear(first, "expired")
	report := s.run(path)
	if row := s.only(report, batch.AlreadyIssued, "ended_unpaid"); !strings.Contains(row["message"], "--reissue-expired") {
		t.Errorf("the message: %s", row["message"])
	}
	if report.NeedsPerson != 0 {
		t.Error("somebody has to look at it")
	}
	s.runner.Settings.Unattended = true
	if row := s.only(s.run(path), batch.AlreadyIssued, "ended_unpaid"); strings.Contains(row["message"], "--reissue") || !strings.Contains(row["message"], "システム担当者") {
		t.Errorf("the message to those without a command line: %s", row["message"])
	}
	other := s.only(s.run(s.file("other.csv", "R-1,1300")), batch.Rejected, "conflict;ended_unpaid")
	if !strings.Contains(other["message"], first.Charge.ID) {
		t.Errorf("the message of a conflict: %s", other["message"])
	}
	if len(s.api.Charges()) != 1 {
		t.Errorf("%d charges", len(s.api.Charges()))
	}
}

// TestReissueNeedsADueDateToCome: a row whose own due date has passed can't be
// issued again as it is, whether or not the ledger has heard how its bill ended.
func TestReissueNeedsADueDateToCome(t *testing.T) {
	s := newShop(t)
	path := filepath.Join(s.dir, "due.csv")
	s.must(os.WriteFile(path, []byte("invoice_no,amount,email,name,phone,due\nD-1,1000,d@example.jp,山田太郎,09011112222,2026-12-10\n"), 0o600))
	s.run(path)
	s.must(s.clock.wait(t.Context(), month))
	s.only(s.run(path), batch.AlreadyIssued, "due_past")
	row := s.only(s.reissue(path), batch.Rejected, "due_past;ended_unpaid")
	if !strings.Contains(row["message"], "これから先の日付") {
		t.Errorf("the message: %s", row["message"])
	}
	s.only(s.run(path), batch.AlreadyIssued, "due_past;ended_unpaid")
	if len(s.api.Charges()) != 1 {
		t.Errorf("%d charges", len(s.api.Charges()))
	}
}

// TestReissueAsksFirst: whatever the ledger has heard, right before a later bill
// is asked for the API says whether the one before is over unpaid.
func TestReissueAsksFirst(t *testing.T) {
	for code, truth := range map[string]func(*shop, batch.Charge){
		"old_bill_paid":    func(s *shop, c batch.Charge) { s.api.ReportLate(c.ID) },
		"old_bill_open":    func(*shop, batch.Charge) {},
		"old_bill_unclear": func(s *shop, c batch.Charge) { s.garble(c) },
	} {
		t.Run(code, func(t *testing.T) {
			bothFlows(t, func(s *shop) {
				path := s.file("a.csv", "A-1,1000")
				s.run(path)
				first := s.latest("A-1")
				s.hear(first, "expired")
				truth(s, first.Charge)
				report := s.reissue(path)
				row := s.only(report, batch.Failed, code)
				if !strings.Contains(row["message"], first.Charge.ID) || report.NeedsPerson != 1 {
					s.Errorf("the message: %s", row["message"])
				}
				if s.posts() != 1 || s.requests("POST", "/sources") > 1 {
					s.Errorf("%d requests for a charge", s.posts())
				}
				s.only(s.run(path), batch.Failed, code) // a plain run asks, too
				s.api.Forgive()
				s.must(s.clock.wait(s.Context(), month))
				if code == "old_bill_paid" {
					s.only(s.run(path), batch.Failed, code)
				} else {
					s.only(s.run(path), batch.Issued, "reissued")
				}
				if s.bills("A-1") != 1 {
					s.Errorf("%d bills", s.bills("A-1"))
				}
			})
		})
	}
}

// garble has the API answer about a charge in a way that can't be read.
func (s *shop) garble(c batch.Charge) {
	s.api.Order(omisetest.Fault{Kind: omisetest.BadGateway, Method: "GET", Path: "/charges/" + c.ID, Count: 1000})
}

// TestReissueMindsDuplicates: of a key that somebody charged once more, every charge
// must be over.
func TestReissueMindsDuplicates(t *testing.T) {
	s := newShop(t)
	path := s.file("a.csv", "A-1,1000")
	s.run(path)
	first := s.latest("A-1")
	other, err := s.runner.Gateway.CreateCharge(t.Context(), batch.ChargeRequest{
		Key: first.Key, Number: "A-1", Amount: 1000, Name: "山田太郎", Email: "a@example.jp", Phone: "09011112222",
		Description: "A-1", ExpiresAt: first.Charge.ExpiresAt.Add(month),
	})
	s.must(err)
	s.must(s.clock.wait(t.Context(), month))
	row := s.only(s.reissue(path), batch.Failed, "old_bill_open")
	if !strings.Contains(row["message"], other.ID) {
		t.Errorf("the message: %s", row["message"])
	}
	s.api.ReportLate(other.ID)
	s.only(s.run(path), batch.Failed, "old_bill_paid")
	if s.bills("A-1") != 1 {
		t.Errorf("%d bills", s.bills("A-1"))
	}
}

// TestReissueBeyondOneThatIsNoBill: another ledger may have gone on with a number
// that has no bill here. What isn't known to be one keeps the next from being made.
func TestReissueBeyondOneThatIsNoBill(t *testing.T) {
	for state, want := range map[batch.State]batch.Result{batch.Accepted: batch.Issued, batch.Unknown: batch.Failed} {
		t.Run(string(state), func(t *testing.T) {
			s := newShop(t)
			path := s.file("a.csv", "A-1,1000")
			drained := make(chan struct{})
			close(drained)
			s.runner.Drain = drained
			if _, err := s.runner.Run(t.Context(), path, ""); err == nil {
				t.Fatal("not interrupted")
			}
			s.runner.Drain = nil
			first := s.latest("A-1")
			var steps []batch.State
			if state == batch.Unknown {
				steps = []batch.State{batch.Charging, batch.Unknown}
			}
			for _, to := range steps {
				moved, err := s.ledger.Move(t.Context(), batch.Move{Key: first.Key, From: first.State, To: to, At: s.clock.now(), Who: "test", Why: "test"},
					func(e *batch.Entry) { e.IntentAt = s.clock.now() })
				s.must(err)
				first = moved
			}
			second := first
			second.Key, second.Revision = batch.KeyOfRevision(first.Account, "A-1", 2), 2
			var err error
			second.Charge, err = s.runner.Gateway.CreateCharge(t.Context(), batch.ChargeRequest{
				Key: second.Key, Number: "A-1", Revision: 2, Amount: 1000, Name: "山田太郎", Email: "a@example.jp", Phone: "09011112222",
				Description: "A-1", ExpiresAt: s.clock.now().Add(time.Hour),
			})
			s.must(err)
			_, err = s.ledger.Adopt(t.Context(), second, "test", "issued elsewhere")
			s.must(err)
			s.must(s.clock.wait(t.Context(), 2*time.Hour))
			if got := s.results(s.reissue(path))[0]; got["result"] != string(want) {
				t.Errorf("%s, %s: %s", got["result"], got["codes"], got["message"])
			}
			s.must(s.clock.wait(t.Context(), time.Hour)) // a second look proves that there is no bill
			if s.run(path); s.latest("A-1").Revision != 3 || s.bills("A-1") != 1 {
				t.Errorf("afterwards: revision %d, %d bills", s.latest("A-1").Revision, s.bills("A-1"))
			}
		})
	}
}

// TestReissueOfAChargeThatVanished: what the account doesn't have was perhaps
// never over; a person sees to it.
func TestReissueOfAChargeThatVanished(t *testing.T) {
	s := newShop(t)
	_, first := s.expired("R-1")
	gone := first.Invoice
	gone.Number = "R-2"
	e, err := s.ledger.Adopt(t.Context(), batch.Entry{
		Key: batch.KeyOf(first.Account, "R-2"), Account: first.Account, AcceptedAt: s.clock.now(), UpdatedAt: s.clock.now(),
		Invoice: gone, Charge: batch.Charge{ID: "chrg_test_5gone", Amount: 1000, Status: "pending", ExpiresAt: first.Charge.ExpiresAt},
	}, "test", "issued")
	s.must(err)
	path := s.file("gone.csv", "R-2,1000")
	if got := s.results(s.reissue(path))[0]; got["result"] != "already_issued" || !strings.Contains(got["codes"], "old_bill_open") {
		t.Errorf("pending, and gone: %s, %s", got["result"], got["codes"])
	}
	s.hear(e, "expired")
	s.only(s.reissue(path), batch.Failed, "old_bill_unclear")
	if s.posts() != 1 {
		t.Errorf("%d requests for a charge", s.posts())
	}
}

// speechless is a gateway that asks for no single charge.
type speechless struct{ batch.Gateway }

func (speechless) Charge(context.Context, string) (batch.Found, error) {
	return batch.Found{}, &batch.GatewayError{Outcome: batch.NotSent, Err: errors.New("no route to host")}
}

// TestReissueWithoutTheAPI: one that can't be reached stops the run, before
// anything is opened or at the question that comes before a charge.
func TestReissueWithoutTheAPI(t *testing.T) {
	for what, heard := range map[string]bool{"before the run": false, "before the charge": true} {
		t.Run(what, func(t *testing.T) {
			s := newShop(t)
			path, first := s.expired("R-1")
			if heard {
				s.hear(first, "expired")
			}
			gateway := s.runner.Gateway
			s.runner.Gateway, s.runner.Reissue = speechless{gateway}, true
			report, err := s.runner.Run(t.Context(), path, "")
			var stop *batch.Stop
			if !errors.As(err, &stop) || stop.Reason != batch.StopUnreachable || (report != nil) != heard {
				t.Errorf("a report: %v, %v", report != nil, err)
			}
			s.runner.Gateway, s.runner.Reissue = gateway, !heard // what was accepted needs no flag
			s.only(s.run(path), batch.Issued, "reissued")
			if s.bills("R-1") != 1 {
				t.Errorf("%d bills", s.bills("R-1"))
			}
		})
	}
}

// TestReissueGoesOn: what an interrupted run has accepted is issued by the next,
// whatever its flags.
func TestReissueGoesOn(t *testing.T) {
	s := newShop(t)
	path, _ := s.expired("R-1")
	drained := make(chan struct{})
	close(drained)
	s.hear(s.latest("R-1"), "expired")
	s.runner.Reissue, s.runner.Drain = true, drained
	if _, err := s.runner.Run(t.Context(), path, ""); err == nil || s.latest("R-1").State != batch.Accepted {
		t.Fatalf("interrupted: %v; it is %s", err, s.latest("R-1").State)
	}
	s.runner.Reissue, s.runner.Drain = false, nil
	s.only(s.run(path), batch.Issued, "reissued")
}

// TestReissueOfUnknownOutcome: a later bill's charge is looked for as any other,
// and its absence is proved before it is asked for again.
func TestReissueOfUnknownOutcome(t *testing.T) {
	for fault, posts := range map[omisetest.FaultKind]int{omisetest.CutAfter: 2, omisetest.CutBefore: 3} {
		t.Run(string(fault), func(t *testing.T) {
			bothFlows(t, func(s *shop) {
				path, _ := s.expired("R-1")
				s.api.Order(omisetest.Fault{Kind: fault, Method: "POST", Path: "/charges"})
				row := s.only(s.reissue(path), batch.Issued, "reissued")
				if row["mail"] != "mailed" || s.posts() != posts || s.bills("R-1") != 1 {
					s.Errorf("mail %s, %d requests, %d bills", row["mail"], s.posts(), s.bills("R-1"))
				}
			})
		})
	}
}

// mistaken is a gateway that takes a charge for expired that can still be paid.
type mistaken struct{ batch.Gateway }

func (g mistaken) Charge(ctx context.Context, id string) (batch.Found, error) {
	found, err := g.Gateway.Charge(ctx, id)
	found.Status = "expired"
	return found, err
}

// TestRetryReissues: a later bill of unknown outcome that a run left is charged
// between runs only after the one before was asked for once more.
func TestRetryReissues(t *testing.T) {
	for what, paid := range map[string]bool{"unpaid": false, "paid meanwhile": true} {
		t.Run(what, func(t *testing.T) {
			s := newShop(t)
			path := s.file("a.csv", "A-1,1000")
			s.run(path)
			first, gateway := s.latest("A-1"), s.runner.Gateway
			s.hear(first, "expired")
			s.runner.Gateway, s.runner.Reissue = mistaken{gateway}, true
			s.leaveUnknown(path, omisetest.CutBefore)
			s.api.Forgive()
			if paid {
				s.pay(first.Charge.ID)
				s.runner.Gateway = gateway
			}
			var last *batch.Retried
			for range 2 { // two looks, and what they prove
				next, err := s.runner.NextRetry(t.Context())
				s.must(err)
				s.must(s.clock.wait(t.Context(), next.Sub(s.clock.now())))
				last = s.retry()
			}
			if charged, givenUp := len(last.Charged), len(last.GivenUpCharges); paid == (charged == 1) || paid != (givenUp == 1) {
				t.Errorf("charged %d, given up %d", charged, givenUp)
			}
			if paid {
				s.nothingLeft()
			}
		})
	}
}

// TestReissuedElsewhere: a ledger from before a bill was issued again, and one
// that is new, find the later bill and issue nothing.
func TestReissuedElsewhere(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for _, flag := range []bool{false, true} {
			t.Run(map[bool]string{false: "restored", true: "lost"}[lost]+map[bool]string{false: "", true: ", to be reissued"}[flag], func(t *testing.T) {
				s := newShop(t)
				path := s.file("a.csv", "A-1,1000")
				s.run(path)
				s.hear(s.latest("A-1"), "expired") // called back
				s.must(s.ledger.Close())
				backup, err := os.ReadFile(filepath.Join(s.dir, "konbill.db"))
				s.must(err)
				s.reopen()
				s.must(s.clock.wait(t.Context(), month))
				s.reissue(path)
				truth := s.latest("A-1")
				s.must(s.ledger.Close())
				for _, name := range []string{"konbill.db", "konbill.db-wal", "konbill.db-shm"} {
					_ = os.Remove(filepath.Join(s.dir, name))
				}
				if !lost {
					s.must(os.WriteFile(filepath.Join(s.dir, "konbill.db"), backup, 0o600))
				}
				s.reopen()
				s.runner.Reissue = flag
				rows := s.results(s.run(s.file("more.csv", "A-1,1000", "A-2,1000")))
				if rows[0]["result"] != "already_issued" || rows[0]["charge_id"] != truth.Charge.ID || rows[1]["result"] != "issued" {
					t.Errorf("results: %q", rows)
				}
				if e := s.latest("A-1"); e.Revision != 2 || !e.Elsewhere || s.charged()["A-1"] != 2 {
					t.Errorf("the latest: %+v, %d charges", e, s.charged()["A-1"])
				}
				s.runner.Reissue = false
				s.run(path)
				if s.charged()["A-1"] != 2 {
					t.Errorf("once more: %d charges", s.charged()["A-1"])
				}
			})
		}
	}
}

// TestOldResultsStayTrue: what was issued by one file and again by another, with
// other content, is still what the first file's results tell.
func TestOldResultsStayTrue(t *testing.T) {
	s := newShop(t)
	path, first := s.expired("R-1")
	s.reissue(s.file("again.csv", "R-1,1200"))
	report, err := s.runner.Rewrite(t.Context(), path, "")
	s.must(err)
	row := s.only(report, batch.Issued, "replaced")
	if row["charge_id"] != first.Charge.ID || row["charge_status"] != "expired" || !strings.Contains(row["message"], s.latest("R-1").Charge.ID) {
		t.Errorf("the first file: %q", row)
	}
	report, err = s.runner.Rewrite(t.Context(), filepath.Join(s.dir, "again.csv"), "")
	s.must(err)
	if row := s.only(report, batch.Issued, "reissued"); row["charge_id"] != s.latest("R-1").Charge.ID {
		t.Errorf("the second file: %q", row)
	}
}

// TestNoMailOfABillThatIsCalledBack: between the charge and its mail a person may
// have called it back.
func TestNoMailOfABillThatIsCalledBack(t *testing.T) {
	s := newShop(t)
	s.runner.At = func(p batch.Point) {
		if p == batch.MailIntending {
			s.hear(s.latest("R-1"), "expired")
		}
	}
	s.only(s.run(s.file("a.csv", "R-1,1000")), batch.Issued, "no_longer_payable;ended_unpaid")
	if n := len(s.mail.Messages()); n != 0 {
		t.Errorf("%d mails", n)
	}
}
