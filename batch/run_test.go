package batch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
	"konbill/mailer"
	"konbill/mailer/mailertest"
)

func TestRunIssuesEveryRowInOrder(t *testing.T) {
	s := newShop(t)
	var rows []string
	for i := range 40 {
		rows = append(rows, fmt.Sprintf("N-%d,%d", i, 1000+i))
	}
	rows[7] = "N-7,1" // too small
	report := s.run(s.file("many.csv", rows...))
	for i, row := range s.results(report) {
		want := "issued"
		if i == 7 {
			want = "rejected"
		}
		if number := fmt.Sprintf("N-%d", i); row["invoice_no"] != number || row["result"] != want {
			t.Errorf("row %d is %s %s, want %s %s", i, row["invoice_no"], row["result"], number, want)
		}
		if want == "issued" {
			if _, err := os.Stat(filepath.Join(report.Dir, row["slip"])); err != nil || row["slip"] == "" {
				t.Errorf("row %d has no slip: %v", i, err)
			}
		}
	}
	if len(s.charged()) != 39 || len(s.mail.Messages()) != 39 {
		t.Errorf("%d charges and %d mails, want 39 of each", len(s.charged()), len(s.mail.Messages()))
	}
	s.neverTwice()
}

func TestRunningAgainDoesNothingTwice(t *testing.T) {
	s := newShop(t)
	path := s.file("a.csv", "A-1,1000", "A-2,2000")
	first := s.results(s.run(path))
	asked := len(s.api.Requests())
	second := s.results(s.run(path))
	for i := range second {
		if second[i]["result"] != "already_issued" {
			t.Errorf("row %d is %s", i, second[i]["result"])
		}
		for _, column := range []string{"charge_id", "payment_code", "authorize_uri", "expires_at", "slip", "mail", "mailed_at"} {
			if first[i][column] != second[i][column] || first[i][column] == "" {
				t.Errorf("row %d, %s: %q, then %q", i, column, first[i][column], second[i][column])
			}
		}
	}
	if now := len(s.api.Requests()); now != asked {
		t.Errorf("the second run made %d requests", now-asked)
	}
	if n := len(s.mail.Messages()); n != 2 {
		t.Errorf("%d mails", n)
	}
}

// TestFaultsOfTheAPI orders each fault for the request that charges: whatever
// happened, the invoice ends charged once, and is asked for again only if it
// had not been.
func TestFaultsOfTheAPI(t *testing.T) {
	for _, c := range []struct {
		fault omisetest.FaultKind
		posts int
	}{
		{omisetest.CutBefore, 2},
		{omisetest.CutAfter, 1},
		{omisetest.Error500Before, 2},
		{omisetest.Error500After, 1},
		{omisetest.BadGateway, 1},
		{omisetest.Truncated, 1},
		{omisetest.HugeBody, 1},
		{omisetest.BackendError, 2},
		{omisetest.Redirect307, 2},
		{omisetest.WrongAmount, 1},
		{omisetest.TooManyRequests, 2},
		{omisetest.NullPaymentCode, 1},
		{omisetest.ForeignAuthorizeURI, 1},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			bothFlows(t, func(s *shop) {
				s.api.Order(omisetest.Fault{Kind: c.fault, Method: "POST", Path: "/charges"})
				path := s.file("f.csv", "F-1,1000")
				row := s.results(s.run(path))[0]
				if row["result"] != "issued" {
					s.Errorf("the row is %s (%s)", row["result"], row["message"])
				}
				s.run(path)
				s.neverTwice()
				if charges := len(s.api.Charges()); charges != 1 || s.posts() != c.posts {
					s.Errorf("%d charges after %d requests, want %d", charges, s.posts(), c.posts)
				}
			})
		})
	}
}

// TestUnknownOutcomeIsNeverAskedForAgain gives no chance to learn what became
// of a request: the list can't be read either.
func TestUnknownOutcomeIsNeverAskedForAgain(t *testing.T) {
	for _, fault := range []omisetest.FaultKind{
		omisetest.CutBefore, omisetest.CutAfter, omisetest.Error500Before, omisetest.BadGateway, omisetest.Truncated,
		omisetest.HugeBody, omisetest.BackendError, omisetest.Redirect307, omisetest.WrongAmount,
	} {
		t.Run(string(fault), func(t *testing.T) {
			bothFlows(t, func(s *shop) {
				path := s.file("f.csv", "F-1,1000")
				s.leaveUnknown(path, fault)
				for range 2 {
					report, err := s.runner.Run(s.Context(), path, "")
					if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopUnreachable {
						s.Fatalf("error: %v", err)
					}
					s.accounts(report)
					if row := s.results(report)[0]; row["result"] != "unknown" || row["codes"] != "charge_unknown" {
						s.Errorf("%s, %s", row["result"], row["codes"])
					}
				}
				if s.posts() != 1 {
					s.Errorf("%d requests", s.posts())
				}
			})
		})
	}
}

func TestUnsafeLinkReachesNobody(t *testing.T) {
	s := newShop(t)
	s.api.Order(omisetest.Fault{Kind: omisetest.ForeignAuthorizeURI, Method: "POST", Path: "/charges"})
	report := s.run(s.file("f.csv", "F-1,1000"))
	row := s.results(report)[0]
	if row["codes"] != "link_unsafe" || row["slip"] != "" || row["mail"] != "" {
		t.Errorf("codes %q, slip %q, mail %q", row["codes"], row["slip"], row["mail"])
	}
	if n := len(s.mail.Messages()); n != 0 {
		t.Errorf("%d mails", n)
	}
	if report.NeedsPerson != 1 {
		t.Error("nobody is asked to look at it")
	}
}

func TestWrongModeStopsTheRun(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.Workers = 1
	s.api.Order(omisetest.Fault{Kind: omisetest.WrongLivemode, Method: "POST", Path: "/charges"})
	report, err := s.runner.Run(t.Context(), s.file("w.csv", "W-1,1000", "W-2,1000"), "")
	if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopUnauthorized {
		t.Fatalf("error: %v", err)
	}
	s.accounts(report)
	rows := s.results(report)
	if rows[0]["result"] != "unknown" || rows[1]["codes"] != "not_attempted" {
		t.Errorf("%s, %s", rows[0]["result"], rows[1]["codes"])
	}
	if n := len(s.api.Charges()); n != 1 {
		t.Errorf("%d charges", n)
	}
}

// TestWhoWaitsIsNotCharged: workers that wait for a desk when the run stops, or
// the breaker opens, have not begun.
func TestWhoWaitsIsNotCharged(t *testing.T) {
	for _, c := range []struct {
		name     string
		fault    omisetest.FaultKind
		requests int
	}{{"stop", omisetest.WrongLivemode, 1}, {"breaker", omisetest.Error500Before, 5}} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t)
			s.runner.Settings.Workers, s.runner.Settings.Charging = 20, 1
			s.api.Order(omisetest.Fault{Kind: c.fault, Method: "POST", Path: "/charges", Count: 20})
			var rows []string
			for i := range 20 {
				rows = append(rows, fmt.Sprintf("W-%d,1000", i))
			}
			if _, err := s.runner.Run(t.Context(), s.file("w.csv", rows...), ""); err == nil {
				t.Error("the run didn't stop")
			}
			sent := 0
			for _, r := range s.api.Requests() {
				if r.Method == "POST" {
					sent++
				}
			}
			if sent != c.requests {
				t.Errorf("%d charges were asked for", sent)
			}
		})
	}
}

// witness looks into the ledger at the moment the network is touched.
type witness struct {
	batch.Gateway
	post   batch.Mailer
	shop   *shop
	number string
}

func (w *witness) CreateCharge(ctx context.Context, r batch.ChargeRequest) (batch.Charge, error) {
	if e := w.shop.entry(r.Number); e.State != batch.Charging || e.Attempt == 0 || e.IntentAt.IsZero() || e.SourceID != r.SourceID {
		w.shop.Errorf("charging %s while the ledger says %s, attempt %d, source %q", r.Number, e.State, e.Attempt, e.SourceID)
	}
	return w.Gateway.CreateCharge(ctx, r)
}

func (w *witness) Deliver(ctx context.Context, envelope mailer.Envelope) (string, error) {
	if e := w.shop.entry(w.number); e.State != batch.Mailing || e.MessageID == "" || e.MailAttempt == 0 || e.Charge.ID == "" {
		w.shop.Errorf("mailing while the ledger says %s, Message-ID %q, charge %q", e.State, e.MessageID, e.Charge.ID)
	}
	return w.post.Deliver(ctx, envelope)
}

func TestIntentsAreDurableBeforeTheNetwork(t *testing.T) {
	for _, sourceFirst := range []bool{false, true} {
		s := newShop(t)
		s.runner.Settings.SourceFirst = sourceFirst
		w := &witness{Gateway: s.runner.Gateway, post: s.runner.Mailer, shop: s, number: "I-1"}
		s.runner.Gateway, s.runner.Mailer = w, w
		s.run(s.file("i.csv", "I-1,1000"))
		if e := s.entry("I-1"); e.State != batch.Mailed {
			t.Errorf("the invoice is %s", e.State)
		}
	}
}

// brittle is a ledger whose nth change fails, as on a full disk.
type brittle struct {
	batch.Ledger
	left atomic.Int64
}

var errDiskFull = errors.New("disk full")

func (b *brittle) Move(ctx context.Context, m batch.Move, change func(*batch.Entry)) (batch.Entry, error) {
	if b.left.Add(-1) < 0 {
		return batch.Entry{}, errDiskFull
	}
	return b.Ledger.Move(ctx, m, change)
}

// TestLedgerFailsAnywhere lets every change of the ledger in turn be the first
// to fail. The run stops and accounts for every row; when the disk has room
// again nothing is charged or mailed twice.
func TestLedgerFailsAnywhere(t *testing.T) {
	for n := int64(0); ; n++ {
		s := newShop(t)
		s.runner.Settings.Workers = 1
		b := &brittle{Ledger: s.ledger}
		b.left.Store(n)
		s.runner.Ledger = b
		path := s.file("b.csv", "B-1,1000", "B-2,2000")
		report, err := s.runner.Run(t.Context(), path, "")
		s.accounts(report)
		if err == nil {
			if n < 8 {
				t.Errorf("only %d changes for two invoices", n)
			}
			return
		}
		if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopLedger || !errors.Is(err, errDiskFull) {
			t.Fatalf("after %d changes: %v", n, err)
		}
		// What the API charged stands in the results, even what couldn't be stored.
		for _, c := range s.api.Charges() {
			found := false
			for _, row := range s.results(report) {
				found = found || row["charge_id"] == c.ID
			}
			if !found {
				t.Errorf("after %d changes: charge %s is not in the results", n, c.ID)
			}
		}
		s.runner.Ledger = s.ledger
		for row := range s.run(path).Rows {
			if row.Entry.Elsewhere {
				t.Errorf("after %d changes: our own charge of %s passes for another ledger's", n, row.Invoice.Number)
			}
		}
		s.neverTwice()
		if mails := len(s.mail.Messages()); mails > 2 {
			t.Errorf("after %d changes: %d mails", n, mails)
		}
	}
}

func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.Workers = 1
	drain := make(chan struct{})
	s.runner.Drain = drain
	var once sync.Once
	s.runner.Progress = func(batch.Progress) { once.Do(func() { close(drain) }) }
	path := s.file("d.csv", "D-1,1000", "D-2,1000", "D-3,1000", "D-4,1000")
	report, err := s.runner.Run(t.Context(), path, "")
	if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopInterrupted {
		t.Fatalf("error: %v", err)
	}
	s.accounts(report)
	rows := s.results(report)
	if rows[0]["mail"] != "mailed" || rows[3]["codes"] != "not_attempted" || rows[3]["result"] != "failed" {
		t.Errorf("first %s, last %s %s", rows[0]["mail"], rows[3]["result"], rows[3]["codes"])
	}
	s.runner.Drain, s.runner.Progress = nil, nil
	for _, row := range s.results(s.run(path)) {
		if row["mail"] != "mailed" {
			t.Errorf("%s is %s, mail %q", row["invoice_no"], row["result"], row["mail"])
		}
	}
	s.neverTwice()
}

// TestInterruptedInFlight ends the context while the API is at work: what
// became of the charge is not known, and it is not made again.
func TestInterruptedInFlight(t *testing.T) {
	s := newShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.api.Order(omisetest.Fault{Kind: omisetest.Late, Method: "POST", Path: "/charges"})
	s.runner.Gateway = &cancelling{Gateway: s.runner.Gateway, api: s.api, cancel: cancel}
	path := s.file("l.csv", "L-1,1000")
	report, err := s.runner.Run(ctx, path, "")
	if stop := new(batch.Stop); !errors.As(err, &stop) || stop.Reason != batch.StopInterrupted {
		t.Fatalf("error: %v", err)
	}
	s.accounts(report)
	if row := s.results(report)[0]; row["result"] != "unknown" {
		t.Errorf("the row is %s", row["result"])
	}
	if e := s.entry("L-1"); e.State != batch.Unknown {
		t.Errorf("the invoice is %s", e.State)
	}
	s.run(path)
	s.neverTwice()
}

// cancelling ends a context once the API has made the charge.
type cancelling struct {
	batch.Gateway
	api    *omisetest.Server
	cancel context.CancelFunc
}

func (c *cancelling) CreateCharge(ctx context.Context, r batch.ChargeRequest) (batch.Charge, error) {
	go func() {
		for len(c.api.Charges()) == 0 && ctx.Err() == nil {
		}
		c.cancel()
	}()
	return c.Gateway.CreateCharge(ctx, r)
}

func TestMailsPutOffAreTriedOnceMore(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.Workers = 1
	s.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 451, Text: "4.2.0 greylisted"})
	report := s.run(s.file("m.csv", "M-1,1000", "M-2,1000"))
	if row := s.results(report)[0]; row["mail"] != "mailed" {
		t.Errorf("mail %q, %s", row["mail"], row["message"])
	}
	if e := s.entry("M-1"); e.MailAttempt != 2 {
		t.Errorf("%d attempts", e.MailAttempt)
	}
}

func TestRefusedMailIsNotTriedAgain(t *testing.T) {
	s := newShop(t)
	s.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 550, Text: "5.1.1 no such user"})
	path := s.file("m.csv", "M-1,1000")
	s.run(path)
	report := s.run(path)
	if row := s.results(report)[0]; row["mail"] != "refused" || row["codes"] != "mail_refused" {
		t.Errorf("mail %q, codes %q", row["mail"], row["codes"])
	}
	if n := len(s.mail.Messages()); n != 0 {
		t.Errorf("%d mails", n)
	}
}

func TestHeldMailWaitsForAPerson(t *testing.T) {
	s := newShop(t)
	s.mail.Order(mailertest.Fault{At: mailertest.AfterDot})
	path := s.file("h.csv", "H-1,1000")
	for range 2 {
		if row := s.results(s.run(path))[0]; row["mail"] != "held" {
			t.Errorf("mail %q, %s", row["mail"], row["message"])
		}
	}
	if n := len(s.mail.Messages()); n != 1 {
		t.Errorf("%d mails, want the one whose reply was lost", n)
	}
	s.runner.Settings.ResendHeld = true
	if row := s.results(s.run(path))[0]; row["mail"] != "mailed" {
		t.Errorf("mail %q with on_unknown = resend", row["mail"])
	}
}

func TestLimitsComeBeforeEverything(t *testing.T) {
	s := newShop(t)
	path := s.file("x.csv", "X-1,1000", "X-2,2000")
	s.runner.Settings.MaxTotal = 2999
	limit := new(batch.LimitError)
	if _, err := s.runner.Run(t.Context(), path, ""); !errors.As(err, &limit) || limit.Total != 3000 {
		t.Errorf("error: %v", err)
	}
	s.runner.Settings.MaxTotal = 3000
	s.runner.Live = true
	no := errors.New("no")
	s.runner.Confirm = func(total batch.Sum) error {
		if total.Rows != 2 || total.Yen != 3000 {
			t.Errorf("asked about %+v", total)
		}
		return no
	}
	if _, err := s.runner.Run(t.Context(), path, ""); !errors.Is(err, no) {
		t.Errorf("error: %v", err)
	}
	if n := len(s.api.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestOneRunAtATime(t *testing.T) {
	s := newShop(t)
	release, err := s.openLedger().Hold(t.Context())
	s.must(err)
	path := s.file("o.csv", "O-1,1000")
	if _, err := s.runner.Run(t.Context(), path, ""); !errors.Is(err, batch.ErrHeld) {
		t.Errorf("error: %v", err)
	}
	release()
	s.run(path)
}

// lockless is a ledger whose lock keeps nobody out.
type lockless struct{ batch.Ledger }

func (lockless) Hold(context.Context) (func(), error) { return func() {}, nil }

// TestGuardsDoNotRelyOnTheLock runs one file twice at the same time.
func TestGuardsDoNotRelyOnTheLock(t *testing.T) {
	s := newShop(t)
	var rows []string
	for i := range 20 {
		rows = append(rows, fmt.Sprintf("G-%d,1000", i))
	}
	path := s.file("g.csv", rows...)
	var runs sync.WaitGroup
	for i := range 3 {
		other := *s.runner
		other.Ledger = lockless{s.openLedger()}
		runs.Go(func() {
			if _, err := other.Run(t.Context(), path, filepath.Join(s.dir, fmt.Sprint(i))); err != nil {
				t.Errorf("run %d: %v", i, err)
			}
		})
	}
	runs.Wait()
	s.neverTwice()
	if n := len(s.mail.Messages()); n > 20 {
		t.Errorf("%d mails for 20 invoices", n)
	}
}

func TestAnotherAccountsKeyIsRefused(t *testing.T) {
	s := newShop(t)
	s.run(s.file("a.csv", "A-1,1000"))
	s.runner.Fingerprint = "another key"
	s.runner.Gateway = elsewhere{s.runner.Gateway}
	if _, err := s.runner.Run(t.Context(), s.file("b.csv", "A-2,1000"), ""); !errors.Is(err, batch.ErrOtherAccount) {
		t.Errorf("error: %v", err)
	}
	if n := len(s.api.Charges()); n != 1 {
		t.Errorf("%d charges", n)
	}
}

type elsewhere struct{ batch.Gateway }

func (elsewhere) Account(context.Context) (batch.Account, error) {
	return batch.Account{ID: "account_test_elsewhere"}, nil
}
