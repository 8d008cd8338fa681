package batch_test

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
	"konbill/mailer/mailertest"
)

// resend mails numbers again, and returns what became of the only one.
func (s *shop) resend(to string, number string) batch.Resent {
	s.Helper()
	reports, err := s.runner.Resend(s.Context(), []string{number}, to)
	s.must(err)
	if len(reports) != 1 || reports[0].Number != number {
		s.Fatalf("reports: %+v", reports)
	}
	return reports[0]
}

// mailsTo counts the mails that arrived at an address.
func (s *shop) mailsTo(address string) int {
	n := 0
	for _, m := range s.mail.Messages() {
		if m.To == address {
			n++
		}
	}
	return n
}

// TestResend mails again what became of mails in every way, charges nothing, and
// says in the history that a person wanted it.
func TestResend(t *testing.T) {
	for state, fault := range map[batch.State]*mailertest.Fault{
		batch.Mailed:   nil,
		batch.Refused:  {At: mailertest.AtRCPT, Code: 550, Recipient: "r-1@example.jp"},
		batch.Deferred: {At: mailertest.AtRCPT, Code: 450, Recipient: "r-1@example.jp"},
		batch.Held:     {At: mailertest.AfterDot, Recipient: "r-1@example.jp"},
	} {
		t.Run(string(state), func(t *testing.T) {
			s := newShop(t)
			if fault != nil {
				s.mail.Order(*fault)
			}
			s.run(s.file("r.csv", "R-1,3000"))
			s.mail.Forgive()
			before, charges, arrived := s.entry("R-1"), s.posts(), s.mailsTo("r-1@example.jp")
			if before.State != state {
				t.Fatalf("it is %s", before.State)
			}
			got := s.resend("", "R-1")
			if got.NotSent != "" || got.Entry.State != batch.Mailed || got.Entry.MessageID == before.MessageID || got.Entry.Charge != before.Charge {
				t.Errorf("report: %+v", got)
			}
			if n := s.mailsTo("r-1@example.jp"); n != arrived+1 || s.posts() != charges {
				t.Errorf("%d mails after %d, %d requests for a charge after %d", n, arrived, s.posts(), charges)
			}
			events, err := s.ledger.Events(t.Context(), got.Entry.Key)
			s.must(err)
			if !slices.ContainsFunc(events, func(e batch.Event) bool { return e.To == batch.Mailing && strings.Contains(e.Why, "person") }) {
				t.Errorf("the history: %+v", events)
			}
		})
	}
}

// TestResentIsMarked: the second mail says that it is one, and holds the same
// bill; the first doesn't.
func TestResentIsMarked(t *testing.T) {
	s := newShop(t)
	s.run(s.file("r.csv", "R-1,3000"))
	s.resend("", "R-1")
	var subjects []string
	for _, m := range s.mail.Messages() {
		read, err := mail.ReadMessage(bytes.NewReader(m.Data))
		s.must(err)
		subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
		s.must(err)
		subjects = append(subjects, subject)
	}
	if len(subjects) != 2 || strings.Contains(subjects[0], "再送") || subjects[1] != "【再送】"+subjects[0] {
		t.Errorf("subjects: %q", subjects)
	}
}

// TestResendElsewhere: another address gets the mail this once, also when it has
// to be tried again by itself; the invoice's own stays as it is.
func TestResendElsewhere(t *testing.T) {
	s := newShop(t)
	s.run(s.file("r.csv", "R-1,3000"))
	s.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 450, Recipient: "other@example.jp"})
	if got := s.resend("other@example.jp", "R-1"); got.Entry.State != batch.Deferred || got.Entry.MailedTo != "other@example.jp" {
		t.Fatalf("report: %+v", got)
	}
	s.mail.Forgive()
	s.sleep("R-1")
	s.want(s.retry(), map[string]int{"Mailed": 1})
	if s.mailsTo("other@example.jp") != 1 || s.mailsTo("r-1@example.jp") != 1 {
		t.Errorf("%d mails to the other address, %d to the invoice's", s.mailsTo("other@example.jp"), s.mailsTo("r-1@example.jp"))
	}
	if e := s.entry("R-1"); e.Invoice.Email != "r-1@example.jp" {
		t.Errorf("the invoice's address is %s now", e.Invoice.Email)
	}
}

// TestResendNothing: what is not charged, past its due date, or not ours is not
// mailed, and says why.
func TestResendNothing(t *testing.T) {
	s := newShop(t)
	s.run(s.file("r.csv", "R-1,3000"))
	mails := len(s.mail.Messages())
	if got := s.resend("", "R-2"); got.NotSent != batch.NotInLedger {
		t.Errorf("a number that isn't there: %+v", got)
	}
	s.runner.Settings.MailOff = true
	if got := s.resend("", "R-1"); got.NotSent != batch.MailIsOff {
		t.Errorf("mail is off: %+v", got)
	}
	s.runner.Settings.MailOff = false
	s.must(s.clock.wait(t.Context(), 61*24*time.Hour))
	if got := s.resend("", "R-1"); got.NotSent != batch.NotPayable {
		t.Errorf("past its due date: %+v", got)
	}
	drained := make(chan struct{})
	close(drained)
	s.runner.Drain = drained
	reports, err := s.runner.Resend(t.Context(), []string{"R-1"}, "")
	if stop := new(batch.Stop); !errors.As(err, &stop) || len(reports) != 1 || reports[0].NotSent != batch.NotAttempted {
		t.Errorf("interrupted: %+v, %v", reports, err)
	}
	if n := len(s.mail.Messages()); n != mails {
		t.Errorf("%d mails more", n-mails)
	}
}

// TestResendAsks: whether there is still something to pay is for the API to say,
// right before a mail. The ledger takes over what it says.
func TestResendAsks(t *testing.T) {
	s := newShop(t)
	s.run(s.file("r.csv", "R-1,3000", "R-2,3000"))
	mails := len(s.mail.Messages())
	s.pay(s.entry("R-1").Charge.ID)
	if got := s.resend("", "R-1"); got.NotSent != batch.NotPayable || s.entry("R-1").Charge.Status != "successful" {
		t.Errorf("just paid: %+v, %s in the ledger", got, s.entry("R-1").Charge.Status)
	}
	s.api.Order(omisetest.Fault{Kind: omisetest.BadGateway, Method: "GET", Path: "/charges/", Count: 1000})
	if got := s.resend("", "R-2"); got.NotSent != batch.NotAnswered {
		t.Errorf("without an answer: %+v", got)
	}
	s.api.Forgive()
	if n := len(s.mail.Messages()); n != mails {
		t.Errorf("%d mails more", n-mails)
	}
}

// TestResendOfABillThatIsCalledBack: between the API's answer and the mail a person
// may have called it back.
func TestResendOfABillThatIsCalledBack(t *testing.T) {
	s := newShop(t)
	s.run(s.file("r.csv", "R-1,3000"))
	mails := len(s.mail.Messages())
	s.runner.At = func(p batch.Point) {
		if p == batch.MailIntending {
			s.hear(s.entry("R-1"), "expired")
		}
	}
	if got := s.resend("", "R-1"); got.NotSent != batch.NotPayable || got.Entry.Charge.Status != "expired" {
		t.Errorf("report: %+v", got)
	}
	if n := len(s.mail.Messages()); n != mails {
		t.Errorf("%d mails more", n-mails)
	}
}

// pay has the practice API take a charge as paid.
func (s *shop) pay(id string) {
	s.Helper()
	s.mark(id, "mark_as_paid")
}

// mark has the practice API do something to a charge.
func (s *shop) mark(id, action string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.api.URL()+"/charges/"+id+"/"+action, nil)
	s.must(err)
	r.SetBasicAuth("skey_test_shop", "")
	answer, err := http.DefaultClient.Do(r)
	s.must(err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		s.Fatalf("%s of %s: %s", action, id, answer.Status)
	}
}
