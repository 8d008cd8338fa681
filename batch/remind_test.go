package batch_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"mime"
	"mime/multipart"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
	"konbill/mailer"
	"konbill/mailer/mailertest"
)

// The bills of these tests can be paid until December 31, 24:00.
var (
	jst       = time.FixedZone("JST", 9*60*60)
	remindDay = time.Date(2026, 12, 28, 0, 0, 0, 0, jst) // three days before
)

// newReminding is a shop that reminds three days before, and has issued numbers.
func newReminding(t *testing.T, numbers ...string) *shop {
	t.Helper()
	s := newShop(t)
	s.runner.Settings.RemindDays = []int{3}
	var rows []string
	for _, n := range numbers {
		rows = append(rows, n+",3000")
	}
	s.run(s.file("r.csv", rows...))
	return s
}

// until lets the time pass until an instant.
func (s *shop) until(at time.Time) {
	s.Helper()
	s.must(s.clock.wait(s.Context(), at.Sub(s.clock.now())))
}

// remind makes a pass, and returns what became of each reminder, by number.
func (s *shop) remind() map[string]batch.Noticed {
	s.Helper()
	noticed, err := s.runner.Remind(s.Context())
	s.must(err)
	return byNumber(noticed)
}

func byNumber(noticed []batch.Noticed) map[string]batch.Noticed {
	found := map[string]batch.Noticed{}
	for _, n := range noticed {
		found[n.Entry.Invoice.Number] = n
	}
	return found
}

// subjects are those of the mails to an address, in order.
func (s *shop) subjects(address string) []string {
	s.Helper()
	var subjects []string
	for _, m := range s.mail.Messages() {
		if m.To != address {
			continue
		}
		read, err := mail.ReadMessage(bytes.NewReader(m.Data))
		s.must(err)
		subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
		s.must(err)
		subjects = append(subjects, subject)
	}
	return subjects
}

func (s *shop) notices(number string) []batch.Notice {
	s.Helper()
	notices, err := s.ledger.Notices(s.Context(), s.entry(number).Key)
	s.must(err)
	return notices
}

// TestRemind: once, on the day and not before, marked, and in the history.
func TestRemind(t *testing.T) {
	s := newReminding(t, "R-1", "R-2")
	s.until(remindDay.Add(-time.Second))
	if got := s.remind(); len(got) != 0 {
		t.Fatalf("a second before the day: %+v", got)
	}
	s.until(remindDay)
	due, err := s.runner.RemindersDue(t.Context())
	s.must(err)
	if len(due) != 2 || due[0].Notice.MailedTo != "r-1@example.jp" || due[0].Days != 3 {
		t.Errorf("due: %+v", due)
	}
	before := s.entry("R-1")
	got := s.remind()
	for _, number := range []string{"R-1", "R-2"} {
		n := got[number]
		if n.NotSent != "" || n.Notice.State != batch.Mailed || n.Notice.Kind != "remind-3d" || n.NeedsPerson() {
			t.Errorf("%s: %+v", number, n)
		}
		subjects := s.subjects(strings.ToLower(number) + "@example.jp")
		if len(subjects) != 2 || strings.Contains(subjects[0], "お知らせ") || subjects[1] != "【お支払い期限のお知らせ】"+subjects[0] {
			t.Errorf("%s: subjects %q", number, subjects)
		}
	}
	if after := s.entry("R-1"); after != before {
		t.Errorf("the invoice has become %+v", after)
	}
	events, err := s.ledger.Events(t.Context(), before.Key)
	s.must(err)
	if n := len(events); events[n-2].Why != "about to mail: remind-3d" || events[n-1].Why != "mail mailed: remind-3d" {
		t.Errorf("the history: %+v", events[n-2:])
	}
	for range 2 {
		s.must(s.clock.wait(t.Context(), 26*time.Hour))
		if got := s.remind(); len(got) != 0 {
			t.Errorf("once more: %+v", got)
		}
	}
	if n := len(s.mail.Messages()); n != 4 || s.posts() != 2 {
		t.Errorf("%d mails, %d requests for a charge", n, s.posts())
	}
}

// TestReminderIsTheSameBill: link, code and slip are those of the first mail.
func TestReminderIsTheSameBill(t *testing.T) {
	s := newReminding(t, "R-1")
	s.until(remindDay)
	s.remind()
	mails := s.mail.Messages()
	first, reminder := mailParts(t, mails[0].Data), mailParts(t, mails[1].Data)
	e := s.entry("R-1")
	for _, want := range []string{e.Charge.PaymentCode, e.Charge.AuthorizeURI} {
		if !strings.Contains(first["text/plain"], want) || !strings.Contains(reminder["text/plain"], want) {
			t.Errorf("%q is not in both texts", want)
		}
	}
	if first["application/pdf"] == "" || first["application/pdf"] != reminder["application/pdf"] {
		t.Error("another slip is attached")
	}
}

// mailParts are the bodies of a mail, decoded, by content type.
func mailParts(t *testing.T, data []byte) map[string]string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	var walk func(contentType, encoding string, body []byte)
	walk = func(contentType, encoding string, body []byte) {
		kind, params, err := mime.ParseMediaType(contentType)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(kind, "multipart/") {
			if strings.EqualFold(encoding, "base64") {
				plain, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(string(body)))
				if err != nil {
					t.Fatal(err)
				}
				body = plain
			}
			parts[kind] = string(body)
			return
		}
		reader := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for {
			part, err := reader.NextRawPart()
			if err != nil {
				return
			}
			var inner bytes.Buffer
			if _, err := inner.ReadFrom(part); err != nil {
				t.Fatal(err)
			}
			walk(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), inner.Bytes())
		}
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(m.Body); err != nil {
		t.Fatal(err)
	}
	walk(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), body.Bytes())
	return parts
}

// TestWhoHasPaidIsNotReminded: whether it is paid is asked for right before the
// mail, and nothing is mailed without an answer.
func TestWhoHasPaidIsNotReminded(t *testing.T) {
	s := newReminding(t, "R-1", "R-2")
	s.until(remindDay)
	s.pay(s.entry("R-1").Charge.ID)
	got := s.remind()
	if got["R-1"].NotSent != batch.NotPayable || s.entry("R-1").Charge.Status != "successful" || len(s.notices("R-1")) != 0 {
		t.Errorf("paid: %+v", got["R-1"])
	}
	if got["R-2"].Notice.State != batch.Mailed {
		t.Errorf("the other: %+v", got["R-2"])
	}
	if got := s.remind(); len(got) != 0 {
		t.Errorf("once more: %+v", got)
	}
}

// paidMeanwhile has a payment heard of between the question and the mail.
type paidMeanwhile struct {
	batch.Ledger
	hear func()
}

func (l paidMeanwhile) MoveNotice(ctx context.Context, m batch.NoticeMove) error {
	if m.Notice.State == batch.Mailing {
		l.hear()
	}
	return l.Ledger.MoveNotice(ctx, m)
}

// TestPaidRightBeforeTheReminder: a payment that a webhook tells of after the API
// was asked keeps the reminder from being sent.
func TestPaidRightBeforeTheReminder(t *testing.T) {
	s := newReminding(t, "R-1")
	s.until(remindDay)
	s.runner.Ledger = paidMeanwhile{s.ledger, func() {
		e := s.entry("R-1")
		paid := e.Charge
		paid.Status, paid.PaidAt = "successful", s.clock.now()
		_, err := batch.Payments{Ledger: s.ledger, Who: "webhook", Now: s.clock.now}.Learn(t.Context(), e, paid, true)
		s.must(err)
	}}
	if got := s.remind()["R-1"]; got.NotSent != batch.NotAttempted || len(s.mail.Messages()) != 1 {
		t.Errorf("%+v after %d mails", got, len(s.mail.Messages()))
	}
}

// TestRemindWithoutAnAnswer: an API that can't be reached, or has no such charge,
// is no reason to mail.
func TestRemindWithoutAnAnswer(t *testing.T) {
	s := newReminding(t, "R-1")
	s.until(remindDay)
	s.api.Order(omisetest.Fault{Kind: omisetest.BadGateway, Method: "GET", Path: "/charges/", Count: 1000})
	noticed, err := s.runner.Remind(t.Context())
	var stop *batch.Stop
	if !errors.As(err, &stop) || stop.Reason != batch.StopUnreachable || noticed[0].NotSent != batch.NotAttempted {
		t.Errorf("without an answer: %+v, %v", noticed, err)
	}
	s.api.Forgive()
	if len(s.mail.Messages()) != 1 || len(s.notices("R-1")) != 0 {
		t.Fatalf("%d mails, notices %+v", len(s.mail.Messages()), s.notices("R-1"))
	}
	if got := s.remind()["R-1"]; got.Notice.State != batch.Mailed {
		t.Errorf("afterwards: %+v", got)
	}
}

// TestSeveralReminders: each once; what has come due together is one mail; a
// customer is left alone for a day; a day before the charge was made isn't one.
func TestSeveralReminders(t *testing.T) {
	s := newReminding(t, "R-1")
	s.runner.Settings.RemindDays = []int{40, 30, 7, 3, 0}
	kinds := func() []batch.NoticeKind {
		var kinds []batch.NoticeKind
		for _, n := range s.notices("R-1") {
			kinds = append(kinds, n.Kind)
		}
		return kinds
	}
	at := func(what string, when time.Time, want ...batch.NoticeKind) {
		t.Helper()
		s.until(when)
		s.remind()
		if got := kinds(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	at("the day on which it was charged", opening.Add(10*time.Hour))
	at("7 days before", time.Date(2026, 12, 24, 12, 0, 0, 0, jst), "remind-7d")
	at("3 days before", remindDay, "remind-7d", "remind-3d")
	_, err := s.runner.Resend(t.Context(), []string{"R-1"}, "")
	s.must(err)
	at("the last day, within a day of another mail", time.Date(2026, 12, 31, 0, 0, 0, 0, jst), "remind-7d", "remind-3d", "remind-0d")
	at("afterwards", time.Date(2027, 1, 1, 0, 0, 0, 0, jst), "remind-7d", "remind-3d", "remind-0d")

	s = newReminding(t, "R-1")
	s.runner.Settings.RemindDays = []int{7, 3, 1}
	at("after days without a pass", time.Date(2026, 12, 30, 9, 0, 0, 0, jst), "remind-1d")
	s.must(s.clock.wait(t.Context(), 25*time.Hour))
	if got := s.remind(); len(got) != 0 {
		t.Errorf("those before it: %+v", got)
	}
}

// TestLeftAloneForADay: no reminder within 24 hours of another mail.
func TestLeftAloneForADay(t *testing.T) {
	s := newReminding(t, "R-1")
	s.until(remindDay.Add(-time.Hour))
	_, err := s.runner.Resend(t.Context(), []string{"R-1"}, "")
	s.must(err)
	s.until(remindDay.Add(22 * time.Hour))
	if got := s.remind(); len(got) != 0 {
		t.Errorf("after 23 hours: %+v", got)
	}
	s.until(remindDay.Add(23*time.Hour + time.Minute))
	if got := s.remind(); len(got) != 1 {
		t.Errorf("after 24 hours: %+v", got)
	}
}

// TestWhoIsReminded: those whose instructions went out, where they went.
func TestWhoIsReminded(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.RemindDays = []int{3}
	for _, fault := range []mailertest.Fault{
		{At: mailertest.AtRCPT, Code: 550, Recipient: "refused@example.jp"},
		{At: mailertest.AtRCPT, Code: 450, Recipient: "deferred@example.jp"},
		{At: mailertest.AfterDot, Recipient: "held@example.jp"},
	} {
		s.mail.Order(fault)
	}
	s.run(s.file("r.csv", "R-1,3000", "R-2,3000,refused@example.jp", "R-3,3000,deferred@example.jp", "R-4,3000,held@example.jp", "R-5,3000"))
	s.mail.Forgive()
	s.resend("right@example.jp", "R-5")
	s.until(remindDay)
	got := s.remind()
	if len(got) != 3 || got["R-1"].Notice.MailedTo != "r-1@example.jp" || got["R-4"].Notice.MailedTo != "held@example.jp" ||
		got["R-5"].Notice.MailedTo != "right@example.jp" {
		t.Errorf("reminded: %+v", got)
	}
	s.runner.Settings.MailOff = true
	if _, err := s.runner.Remind(t.Context()); err == nil {
		t.Error("with mail off")
	}
}

// TestReminderThatFails: a mail that was put off is tried again, one that was
// refused or whose fate is unknown is a person's, and none is ever sent twice.
func TestReminderThatFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault mailertest.Fault
		state batch.State
		mails int // in the end
	}{
		{"put off", mailertest.Fault{At: mailertest.AtRCPT, Code: 450, Recipient: "r-1@example.jp"}, batch.Deferred, 2},
		{"refused", mailertest.Fault{At: mailertest.AtRCPT, Code: 550, Recipient: "r-1@example.jp"}, batch.Refused, 1},
		{"answer lost", mailertest.Fault{At: mailertest.AfterDot, Recipient: "r-1@example.jp"}, batch.Held, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newReminding(t, "R-1")
			s.until(remindDay)
			s.mail.Order(c.fault)
			got := s.remind()["R-1"]
			if got.Notice.State != c.state || got.NeedsPerson() != (c.state != batch.Deferred) {
				t.Fatalf("%+v", got)
			}
			s.mail.Forgive()
			s.must(s.clock.wait(t.Context(), 14*time.Minute))
			if got := s.remind(); len(got) != 0 {
				t.Errorf("at once: %+v", got)
			}
			s.must(s.clock.wait(t.Context(), time.Minute))
			s.remind()
			s.must(s.clock.wait(t.Context(), 25*time.Hour))
			s.remind()
			if n := len(s.mail.Messages()); n != c.mails {
				t.Errorf("%d mails, want %d", n, c.mails)
			}
		})
	}
}

// TestReminderPutOffForGood: after the last try it is left.
func TestReminderPutOffForGood(t *testing.T) {
	s := newReminding(t, "R-1")
	s.runner.Settings.RemindDays = []int{7}
	s.until(time.Date(2026, 12, 24, 0, 0, 0, 0, jst))
	s.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 450, Recipient: "r-1@example.jp"})
	tries := 0
	for range 10 {
		tries += len(s.remind())
		s.must(s.clock.wait(t.Context(), 13*time.Hour))
	}
	if tries != 5 {
		t.Errorf("%d tries", tries)
	}
}

// TestReminderHeldIsSentAgain where the merchant wants it rather twice than never.
func TestReminderHeldIsSentAgain(t *testing.T) {
	s := newReminding(t, "R-1")
	s.runner.Settings.ResendHeld = true
	s.until(remindDay)
	s.mail.Order(mailertest.Fault{At: mailertest.AtDATA, Recipient: "r-1@example.jp"})
	s.remind()
	s.mail.Forgive()
	s.must(s.clock.wait(t.Context(), 15*time.Minute))
	if got := s.remind()["R-1"]; got.Notice.State != batch.Mailed || got.Notice.Attempt != 2 {
		t.Errorf("%+v", got)
	}
}

// TestReminderOfADeadProcess: what it has begun may have been sent, so it is held.
func TestReminderOfADeadProcess(t *testing.T) {
	for _, point := range batch.NoticePoints {
		t.Run(string(point), func(t *testing.T) {
			s := newReminding(t, "R-1")
			s.until(remindDay)
			d := &dying{Ledger: s.ledger, Mailer: s.runner.Mailer}
			s.runner.Ledger, s.runner.Mailer = d, d
			s.runner.At = func(at batch.Point) { d.dead = d.dead || at == point }
			s.runner.Remind(t.Context())
			s.runner.Ledger, s.runner.Mailer, s.runner.At = d.Ledger, d.Mailer, nil
			for range 3 {
				s.remind()
				s.must(s.clock.wait(t.Context(), time.Hour))
			}
			begun := point != batch.NoticeIntending
			want := batch.Held
			if !begun || point == batch.NoticeRecorded {
				want = batch.Mailed
			}
			notices := s.notices("R-1")
			if len(notices) != 1 || notices[0].State != want {
				t.Errorf("notices %+v, want %s", notices, want)
			}
			if n := len(s.mail.Messages()); n > 2 || want == batch.Mailed && n != 2 {
				t.Errorf("%d mails", n)
			}
		})
	}
}

// dying is what a process does to the world: nothing, once it is dead.
type dying struct {
	batch.Ledger
	batch.Mailer
	dead bool
}

var errGone = errors.New("the process is dead")

func (d *dying) MoveNotice(ctx context.Context, m batch.NoticeMove) error {
	if d.dead {
		return errGone
	}
	return d.Ledger.MoveNotice(ctx, m)
}

func (d *dying) Deliver(ctx context.Context, e mailer.Envelope) (string, error) {
	if d.dead {
		return "", errGone
	}
	return d.Mailer.Deliver(ctx, e)
}

// TestOnePassAtATime: a second process finds the ledger held; and one that lacks
// the lock still doesn't send what another has begun.
func TestOnePassAtATime(t *testing.T) {
	s := newReminding(t, "R-1")
	s.until(remindDay)
	release, err := s.ledger.Hold(t.Context())
	s.must(err)
	if _, err := s.runner.Remind(t.Context()); !errors.Is(err, batch.ErrHeld) {
		t.Errorf("while another holds the ledger: %v", err)
	}
	release()
	other := *s.runner
	other.Ledger = lockless{s.openLedger()}
	s.runner.Ledger = lockless{s.ledger}
	var results [2][]batch.Noticed
	done := make(chan error)
	for i, r := range []*batch.Runner{s.runner, &other} {
		go func() {
			var err error
			results[i], err = r.Remind(t.Context())
			done <- err
		}()
	}
	s.must(<-done)
	s.must(<-done)
	if n := len(s.mail.Messages()); n != 2 {
		t.Errorf("%d mails; %+v", n, results)
	}
}

// TestReceiptMail: whoever has paid is told so once, and nobody of long ago.
func TestReceiptMail(t *testing.T) {
	s := newReminding(t, "R-1", "R-2", "R-3")
	receipts := func() map[string]batch.Noticed {
		t.Helper()
		noticed, err := s.runner.MailReceipts(t.Context())
		s.must(err)
		return byNumber(noticed)
	}
	pay := func(number string) {
		s.pay(s.entry(number).Charge.ID)
		s.resend("", number) // asks, and learns that it is paid
	}
	pay("R-1")
	s.must(s.clock.wait(t.Context(), 8*24*time.Hour))
	pay("R-2")
	due, err := s.runner.ReceiptsDue(t.Context())
	s.must(err)
	got := receipts()
	if due != 1 || len(got) != 1 || got["R-2"].Notice.State != batch.Mailed || got["R-2"].Notice.Kind != "receipt" {
		t.Errorf("%d due, told: %+v", due, got)
	}
	if got := receipts(); len(got) != 0 {
		t.Errorf("told again: %+v", got)
	}
	subjects := s.subjects("r-2@example.jp")
	if last := subjects[len(subjects)-1]; !strings.Contains(last, "お支払いを確認いたしました") {
		t.Errorf("subjects %q", subjects)
	}
	mails := s.mail.Messages()
	parts := mailParts(t, mails[len(mails)-1].Data)
	if strings.Contains(parts["text/plain"], s.entry("R-2").Charge.AuthorizeURI) || parts["application/pdf"] != "" || !strings.Contains(parts["text/plain"], "3,000円") {
		t.Errorf("the mail: %q", parts["text/plain"])
	}
}
