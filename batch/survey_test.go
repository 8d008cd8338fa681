package batch_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
	"konbill/mailer"
)

// posts counts the requests that ask for a charge.
func (s *shop) posts() int { return s.requests("POST", "/charges") }

func (s *shop) requests(method, path string) int {
	n := 0
	for _, r := range s.api.Requests() {
		if r.Method == method && r.Path == path {
			n++
		}
	}
	return n
}

// bothFlows runs a test for one request a charge, and for a source first.
func bothFlows(t *testing.T, test func(*shop)) {
	for _, sourceFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("source-first=%v", sourceFirst), func(t *testing.T) {
			s := newShop(t)
			s.runner.Settings.SourceFirst = sourceFirst
			test(s)
		})
	}
}

func TestLostAnswerIsFound(t *testing.T) {
	bothFlows(t, func(s *shop) {
		s.api.Order(omisetest.Fault{Kind: omisetest.CutAfter, Method: "POST", Path: "/charges"})
		row := s.results(s.run(s.file("a.csv", "A-1,1000")))[0]
		if row["result"] != "issued" || row["mail"] != "mailed" || row["payment_code"] == "" {
			s.Errorf("%s, mail %q, code %q", row["result"], row["mail"], row["payment_code"])
		}
		if s.posts() != 1 || len(s.api.Charges()) != 1 || len(s.mail.Messages()) != 1 {
			s.Errorf("%d requests, %d charges, %d mails", s.posts(), len(s.api.Charges()), len(s.mail.Messages()))
		}
	})
}

func TestAbsentChargeIsAskedForAgain(t *testing.T) {
	bothFlows(t, func(s *shop) {
		s.api.Order(omisetest.Fault{Kind: omisetest.CutBefore, Method: "POST", Path: "/charges"})
		began := s.clock.now()
		row := s.results(s.run(s.file("a.csv", "A-1,1000")))[0]
		if row["result"] != "issued" || row["mail"] != "mailed" {
			s.Errorf("%s, mail %q: %s", row["result"], row["mail"], row["message"])
		}
		if s.posts() != 2 || len(s.api.Charges()) != 1 {
			s.Errorf("%d requests, %d charges", s.posts(), len(s.api.Charges()))
		}
		if waited := s.clock.now().Sub(began); waited < 2*s.runner.Settings.SettleAfter {
			s.Errorf("asked again after %v", waited)
		}
	})
}

// TestLateChargeIsNotDoubled has the API make the charge long after its client
// was cut off, but before it must have.
func TestLateChargeIsNotDoubled(t *testing.T) {
	bothFlows(t, func(s *shop) {
		commit := make(chan struct{})
		s.api.Order(omisetest.Fault{Kind: omisetest.LateCommit, Method: "POST", Path: "/charges", Release: commit})
		s.runner.Waiting = func(w batch.Waiting) {
			if w.Left < 10*time.Second && commit != nil {
				close(commit)
				commit = nil
				s.awaitCharges(1)
			}
		}
		s.run(s.file("a.csv", "A-1,1000"))
		s.neverTwice()
		if s.posts() != 1 {
			s.Errorf("%d requests", s.posts())
		}
	})
}

// awaitCharges waits until the API has made so many charges.
func (s *shop) awaitCharges(n int) {
	s.Helper()
	for len(s.api.Charges()) < n {
		if s.Context().Err() != nil {
			s.Fatal("the API never made the charge")
		}
	}
}

// TestChargeThatIsListedLate has the list show a charge only after a first
// complete scan that didn't have it.
func TestChargeThatIsListedLate(t *testing.T) {
	bothFlows(t, func(s *shop) {
		s.api.SetListLag(70 * time.Second)
		s.api.Order(omisetest.Fault{Kind: omisetest.CutAfter, Method: "POST", Path: "/charges"})
		row := s.results(s.run(s.file("a.csv", "A-1,1000")))[0]
		s.neverTwice()
		if row["result"] != "issued" || s.posts() != 1 {
			s.Errorf("%s after %d requests", row["result"], s.posts())
		}
	})
}

// TestListThatCantBeReadProvesNothing: the outcome stays unknown, and nothing
// is asked for again, in this run and the next.
func TestListThatCantBeReadProvesNothing(t *testing.T) {
	bothFlows(t, func(s *shop) {
		path := s.file("a.csv", "A-1,1000")
		s.api.Order(omisetest.Fault{Kind: omisetest.CutBefore, Method: "POST", Path: "/charges"})
		s.runner.Waiting = func(batch.Waiting) {
			s.api.Order(omisetest.Fault{Kind: omisetest.Error500Before, Method: "GET", Path: "/charges", Count: 1000})
			s.runner.Waiting = nil
		}
		report, err := s.runner.Run(s.Context(), path, "")
		if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopUnreachable {
			s.Errorf("error: %v", err)
		}
		s.accounts(report)
		if row := s.results(report)[0]; row["result"] != "unknown" || !strings.Contains(row["message"], "konbill reconcile") {
			s.Errorf("%s: %s", row["result"], row["message"])
		}
		if _, err := s.runner.Run(s.Context(), path, ""); err == nil {
			s.Error("the next run did without the list")
		}
		if s.posts() != 1 {
			s.Errorf("%d requests", s.posts())
		}
	})
}

// TestAnyLedgerIssuesANumberOnce: a ledger that was lost, one restored from
// before the last run, and a second one beside it all find what was issued.
func TestAnyLedgerIssuesANumberOnce(t *testing.T) {
	for name, replace := range map[string]func(*shop){
		"lost": func(s *shop) { s.must(os.Rename(filepath.Join(s.dir, "konbill.db"), filepath.Join(s.dir, "gone"))) },
		"restored": func(s *shop) {
			backup, err := os.ReadFile(filepath.Join(s.dir, "backup.db"))
			s.must(err)
			s.must(os.WriteFile(filepath.Join(s.dir, "konbill.db"), backup, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.run(s.file("before.csv", "B-1,1000"))
			s.must(s.ledger.Close())
			backup, err := os.ReadFile(filepath.Join(s.dir, "konbill.db"))
			s.must(err)
			s.must(os.WriteFile(filepath.Join(s.dir, "backup.db"), backup, 0o600))
			s.reopen()
			path := s.file("a.csv", "A-1,1000", "A-2,2000")
			s.run(path)
			s.must(s.ledger.Close())
			replace(s)
			s.reopen()
			lists := s.requests("GET", "/charges")
			rows := s.results(s.run(s.file("again.csv", "A-1,1000", "A-2,2222", "A-3,3000")))
			if rows[0]["result"] != "already_issued" || rows[0]["codes"] != "issued_elsewhere" || rows[0]["slip"] == "" {
				t.Errorf("the same: %s, %s, slip %q", rows[0]["result"], rows[0]["codes"], rows[0]["slip"])
			}
			if rows[1]["result"] != "rejected" || rows[1]["codes"] != "conflict" {
				t.Errorf("another amount: %s, %s", rows[1]["result"], rows[1]["codes"])
			}
			if rows[2]["result"] != "issued" || rows[2]["mail"] != "mailed" {
				t.Errorf("a new number: %s, mail %q", rows[2]["result"], rows[2]["mail"])
			}
			s.neverTwice()
			if n := len(s.mail.Messages()); n != 4 {
				t.Errorf("%d mails: B-1, A-1, A-2 and A-3 once each", n)
			}
			if n := s.requests("GET", "/charges") - lists; n != 1 {
				t.Errorf("%d requests for a handful of charges", n)
			}
		})
	}
}

// reopen gives the runner the ledger that lies on the disk now.
func (s *shop) reopen() {
	s.Helper()
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(filepath.Join(s.dir, "konbill.db"+suffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.Fatal(err)
		}
	}
	s.ledger = s.openLedger()
	s.runner.Ledger = s.ledger
}

// TestDuplicateIsFlagged plants a second charge with the first one's metadata.
func TestDuplicateIsFlagged(t *testing.T) {
	s := newShop(t)
	path := s.file("a.csv", "A-1,1000")
	first := s.results(s.run(path))[0]
	e := s.entry("A-1")
	_, err := s.runner.Gateway.CreateCharge(t.Context(), batch.ChargeRequest{
		Key: e.Key, Number: "A-1", Amount: 1000, Name: "山田太郎", Email: "a@example.jp", Phone: "09011112222",
		Description: "A-1", ExpiresAt: e.Charge.ExpiresAt,
	})
	s.must(err)
	survey, err := s.runner.Reconcile(t.Context())
	s.must(err)
	if len(survey.Duplicate) != 1 {
		t.Fatalf("%d duplicates", len(survey.Duplicate))
	}
	row := s.results(s.run(path))[0]
	if row["codes"] != "charge_duplicate" || row["charge_id"] != first["charge_id"] {
		t.Errorf("%s, charge %s, first %s", row["codes"], row["charge_id"], first["charge_id"])
	}
	// Looked at again, it is not flagged again.
	events, err := s.ledger.Events(t.Context(), e.Key)
	s.must(err)
	_, err = s.runner.Reconcile(t.Context())
	s.must(err)
	again, err := s.ledger.Events(t.Context(), e.Key)
	s.must(err)
	if len(again) != len(events) {
		t.Errorf("%d events, then %d", len(events), len(again))
	}
}

func TestReconcileByItselfChargesNothing(t *testing.T) {
	s := newShop(t)
	path := s.file("a.csv", "A-1,1000")
	s.leaveUnknown(path, omisetest.CutBefore)
	s.api.Forgive()
	survey, err := s.runner.Reconcile(t.Context())
	s.must(err)
	if len(survey.Absent) != 1 || len(survey.Open) != 0 || s.posts() != 1 {
		t.Errorf("%d absent, %d open, %d requests", len(survey.Absent), len(survey.Open), s.posts())
	}
	if row := s.results(s.run(path))[0]; row["result"] != "issued" {
		t.Errorf("afterwards: %s", row["result"])
	}
	s.neverTwice()
}

// leaveUnknown runs a file whose charge gets no answer, and is cut off before
// it can be looked for.
func (s *shop) leaveUnknown(path string, kind omisetest.FaultKind) {
	s.Helper()
	s.api.Order(omisetest.Fault{Kind: kind, Method: "POST", Path: "/charges"})
	s.runner.Waiting = func(batch.Waiting) {
		s.api.Order(omisetest.Fault{Kind: omisetest.Error500Before, Method: "GET", Path: "/charges", Count: 1000})
		s.runner.Waiting = nil
	}
	if _, err := s.runner.Run(s.Context(), path, ""); err == nil {
		s.Fatal("nothing was left unknown")
	}
}

func TestTooManyUnknownOutcomesStopTheRun(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.Workers = 1
	var rows []string
	for i := range 20 {
		rows = append(rows, fmt.Sprintf("B-%d,1000", i))
	}
	path := s.file("b.csv", rows...)
	s.api.Order(omisetest.Fault{Kind: omisetest.Error500After, Method: "POST", Path: "/charges", Count: 100})
	report, err := s.runner.Run(t.Context(), path, "")
	if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopUnknown {
		t.Fatalf("error: %v", err)
	}
	s.accounts(report)
	if s.posts() != 5 {
		t.Errorf("%d requests before it stopped", s.posts())
	}
	if row := s.results(report)[5]; row["result"] != "failed" || row["codes"] != "not_attempted" {
		t.Errorf("the next row: %s, %s", row["result"], row["codes"])
	}
	// What the five left unknown was looked for all the same.
	if row := s.results(report)[0]; row["result"] != "issued" || row["mail"] != "mailed" {
		t.Errorf("the first row: %s, mail %q", row["result"], row["mail"])
	}
	s.api.Forgive()
	s.run(path)
	s.neverTwice()
	if n := len(s.api.Charges()); n != 20 {
		t.Errorf("%d charges", n)
	}
}

// hangUp answers a port by cutting every connection at once.
func (s *shop) hangUp(port int) {
	s.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	s.must(err)
	s.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
}

// TestMailServerThatIsDown: the charges are made, and nobody waits for a
// connection once for every row.
func TestMailServerThatIsDown(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.Workers = 1
	asked := &counting{Mailer: s.runner.Mailer}
	s.runner.Mailer = asked
	s.must(s.mail.Close())
	s.hangUp(s.mail.Port()) // or another test's server might get the port
	var rows []string
	for i := range 30 {
		rows = append(rows, fmt.Sprintf("M-%d,1000", i))
	}
	report := s.run(s.file("m.csv", rows...))
	if n := len(s.api.Charges()); n != 30 {
		t.Errorf("%d charges", n)
	}
	if asked.n > 10 {
		t.Errorf("the mail server was tried %d times", asked.n)
	}
	for _, row := range s.results(report) {
		if row["mail"] == "mailed" || row["codes"] != "mail_deferred" && row["codes"] != "mail_not_sent" {
			t.Errorf("%s: mail %q, %s", row["invoice_no"], row["mail"], row["codes"])
		}
	}
}

// counting counts deliveries.
type counting struct {
	batch.Mailer
	n int
}

func (c *counting) Deliver(ctx context.Context, e mailer.Envelope) (string, error) {
	c.n++
	return c.Mailer.Deliver(ctx, e)
}
