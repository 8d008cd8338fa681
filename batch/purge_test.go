package batch_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
	"konbill/invoice"
)

// purgedTexts are what must be gone of a customer.
var purgedTexts = []string{"r-1@example.jp", "鈴木花子", "09022223333"}

// purgeShop has R-1 paid, R-2 open and R-3 called back.
func purgeShop(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	path := filepath.Join(s.dir, "r.csv")
	s.must(os.WriteFile(path, []byte("invoice_no,amount,email,name,phone\n"+
		"R-1,3000,r-1@example.jp,鈴木花子,09022223333\nR-2,4000,r-2@example.jp,山田太郎,09011112222\nR-3,5000,r-3@example.jp,山田太郎,09011112222\n"), 0o600))
	s.run(path)
	s.pay(s.entry("R-1").Charge.ID)
	s.resend("", "R-1") // asks, and learns that it is paid
	s.mark(s.entry("R-3").Charge.ID, "expire")
	s.resend("", "R-3")
	s.must(s.clock.wait(t.Context(), 45*24*time.Hour))
	return s
}

func nothing(batch.Entry) error { return nil }

// TestPurge: what is closed for long loses its person and keeps all else.
func TestPurge(t *testing.T) {
	s := purgeShop(t)
	before := s.clock.now()
	plan, err := s.runner.PlanPurge(t.Context(), before)
	s.must(err)
	want := map[string]batch.Sum{"successful": {Rows: 1, Yen: 3000}, "expired": {Rows: 1, Yen: 5000}}
	if !maps.Equal(plan.Purged, want) || !maps.Equal(plan.Kept, map[batch.Kept]batch.Sum{batch.KeptOpen: {Rows: 1, Yen: 4000}}) {
		t.Errorf("the plan: %+v", plan)
	}
	if e := s.entry("R-1"); e.Invoice.Name == "" {
		t.Error("the plan has purged")
	}
	issued := map[string]batch.Entry{"R-1": s.entry("R-1"), "R-2": s.entry("R-2")}
	done, err := s.runner.Purge(t.Context(), before, nothing)
	s.must(err)
	if !maps.Equal(done.Purged, want) || done.All() != (batch.Sum{Rows: 2, Yen: 8000}) {
		t.Errorf("done: %+v", done)
	}
	e := s.entry("R-1")
	if e.Invoice.Name+e.Invoice.Email+e.Invoice.Phone+e.Invoice.SentName+e.MailedTo != "" || e.Charge != issued["R-1"].Charge || e.Invoice.Amount != 3000 {
		t.Errorf("purged: %+v", e)
	}
	if e := s.entry("R-2"); e != issued["R-2"] {
		t.Errorf("the open one: %+v", e)
	}
	done, err = s.runner.Purge(t.Context(), before, nothing)
	s.must(err)
	if done.All().Rows != 0 {
		t.Errorf("again: %+v", done)
	}
	report := s.run(filepath.Join(s.dir, "r.csv"))
	for _, row := range s.results(report) {
		if row["result"] != "already_issued" {
			t.Errorf("run again: %s is %s, %s", row["invoice_no"], row["result"], row["message"])
		}
	}
	if s.posts() != 3 {
		t.Errorf("%d requests for a charge", s.posts())
	}
}

// TestPurgeIsForGood: nothing of a purged customer is in the ledger's files, and
// all of another is.
func TestPurgeIsForGood(t *testing.T) {
	s := purgeShop(t)
	has := func(text string) bool {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(s.dir, "konbill.db*"))
		s.must(err)
		found := false
		for _, file := range files {
			data, err := os.ReadFile(file)
			s.must(err)
			found = found || bytes.Contains(data, []byte(text))
		}
		return found
	}
	for _, text := range purgedTexts {
		if !has(text) {
			t.Fatalf("%s is not there to begin with", text)
		}
	}
	_, err := s.runner.Purge(t.Context(), s.clock.now(), nothing)
	s.must(err)
	if whole, err := s.ledger.Scrub(t.Context()); !whole || err != nil {
		t.Fatalf("scrubbed: %v, %v", whole, err)
	}
	for _, text := range purgedTexts {
		if has(text) {
			t.Errorf("%s is still in the files", text)
		}
	}
	if !has("r-2@example.jp") {
		t.Error("another customer is gone, too")
	}
}

// TestPurgeIsCutShort: what was done is done, and the next goes on.
func TestPurgeIsCutShort(t *testing.T) {
	s := purgeShop(t)
	enough := errors.New("enough")
	n := 0
	done, err := s.runner.Purge(t.Context(), s.clock.now(), func(batch.Entry) error {
		if n++; n == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || done.All().Rows != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	done, err = s.runner.Purge(t.Context(), s.clock.now(), nothing)
	s.must(err)
	if done.All().Rows != 1 {
		t.Errorf("the next: %+v", done)
	}
	release, err := s.ledger.Hold(t.Context())
	s.must(err)
	defer release()
	if _, err := s.runner.Purge(t.Context(), s.clock.now(), nothing); !errors.Is(err, batch.ErrHeld) {
		t.Errorf("while another holds the ledger: %v", err)
	}
}

// TestPurgeKeepsWhatIsOpen: one that a person must see to, and one whose number
// was billed again.
func TestPurgeKeepsWhatIsOpen(t *testing.T) {
	s := purgeShop(t)
	e := s.entry("R-1")
	_, err := s.ledger.Move(t.Context(), batch.Move{Key: e.Key, From: e.State, To: e.State, At: e.UpdatedAt}, func(e *batch.Entry) {
		e.Duplicates = "chrg_test_other"
	})
	s.must(err)
	n := batch.Notice{Key: s.entry("R-3").Key, Kind: "remind-3d", State: batch.Mailing, Attempt: 1, MessageID: "n"}
	s.must(s.ledger.MoveNotice(t.Context(), batch.NoticeMove{Notice: n}))
	plan, err := s.runner.PlanPurge(t.Context(), s.clock.now())
	s.must(err)
	if plan.Kept[batch.KeptOpen].Rows != 2 {
		t.Errorf("with a mail on its way: %+v", plan)
	}
	n.State = batch.Mailed
	s.must(s.ledger.MoveNotice(t.Context(), batch.NoticeMove{Notice: n, From: batch.Mailing}))
	s.runner.Reissue = true
	s.run(s.file("again.csv", "R-3,5000"))
	plan, err = s.runner.PlanPurge(t.Context(), s.clock.now())
	s.must(err)
	want := map[batch.Kept]batch.Sum{
		batch.KeptPerson: {Rows: 1, Yen: 3000}, batch.KeptOpen: {Rows: 2, Yen: 9000}, batch.KeptRevised: {Rows: 1, Yen: 5000},
	}
	if len(plan.Purged) != 0 || !maps.Equal(plan.Kept, want) {
		t.Errorf("the plan: %+v", plan)
	}
}

// TestPurgedRowRunsAgain: one that was never charged gets its data from the row.
func TestPurgedRowRunsAgain(t *testing.T) {
	s := newShop(t)
	s.run(s.file("d.csv", "D-1,1000"))
	account := s.entry("D-1").Account
	_, verdicts, err := ledgertest.OpenJob(t.Context(), s.ledger, batch.Job{Account: account, StartedAt: s.clock.now()}, []invoice.Invoice{{
		Number: "D-2", Name: "山田太郎", SentName: "山田太郎", Email: "d-2@example.jp", Phone: "09011112222", Amount: 1000, Due: opening.AddDate(0, 1, 0),
	}})
	s.must(err)
	declined := verdicts[0].Entry
	for _, to := range []batch.State{batch.Charging, batch.Declined} {
		declined, err = s.ledger.Move(t.Context(), batch.Move{Key: declined.Key, From: declined.State, To: to, At: s.clock.now()}, func(e *batch.Entry) {
			e.IntentAt = s.clock.now()
		})
		s.must(err)
	}
	s.must(s.clock.wait(t.Context(), 24*time.Hour))
	done, err := s.runner.Purge(t.Context(), s.clock.now(), nothing)
	s.must(err)
	if done.All().Rows != 1 || s.entry("D-2").Invoice.Email != "" {
		t.Fatalf("%+v", done)
	}
	s.run(s.file("again.csv", "D-2,1000"))
	if e := s.entry("D-2"); e.State != batch.Mailed || e.Invoice.Email != "d-2@example.jp" || !e.PurgedAt.IsZero() {
		t.Errorf("run again: %+v", e)
	}
}
