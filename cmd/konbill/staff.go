package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/batch/schedule"
	"konbill/invoice"
	"konbill/mailer"
	"konbill/templates/staff"
)

// staffPost mails staff. A mail that can't be sent now is kept and tried again:
// on the night the mail server is down, staff want to hear of it most.
type staffPost struct {
	*app      // speaks the language of the mails
	sender    staff.Sender
	from      string
	signer    *mailer.Signer
	to        []string
	deliverer batch.Mailer
	log       *slog.Logger

	mu      sync.Mutex
	count   int // of mails composed by this process
	unsent  []mailer.Envelope
	tryAt   time.Time
	patient int // tries of the unsent so far
}

// A mail that was put off is tried again so long after, the last one again and
// again; no more than mostUnsent are kept.
var sendAgainAfter = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

const mostUnsent = 100

func (a *app) newStaffPost(c config, r *batch.Runner, log *slog.Logger) *staffPost {
	speaker := *a
	if c.Notify.Lang != "" {
		speaker.lang = invoice.Language(c.Notify.Lang)
	}
	p := &staffPost{
		app: &speaker, from: c.SMTP.From, signer: r.Settings.MailSigner, deliverer: r.Mailer, log: log,
		sender: staff.Sender{Language: speaker.lang, Merchant: c.Merchant.Name, Live: r.Live},
	}
	if to, err := mail.ParseAddressList(c.Notify.To); err == nil { // else it is empty: the configuration was checked
		for _, address := range to {
			p.to = append(p.to, address.Address)
		}
	}
	return p
}

// send mails what was written to everybody who wants to know.
func (p *staffPost) send(m staff.Message, err error, attached ...mailer.Attachment) {
	if err != nil {
		p.log.Error("a mail to staff could not be written", "reason", err.Error())
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, to := range p.to {
		p.count++
		now := p.now()
		envelope, err := mailer.Compose(mailer.Message{
			ID:   mailer.MessageID(fmt.Sprintf("staff %d %d %s", now.UnixNano(), os.Getpid(), to), p.count, p.from),
			From: p.from, To: to, Subject: m.Subject, Text: m.Text, Language: string(p.lang), Date: now, Attachments: attached,
			Signer: p.signer,
		})
		if err != nil {
			p.log.Error("a mail to staff could not be composed", "reason", err.Error())
			continue
		}
		p.unsent = append(p.unsent, envelope)
	}
	if over := len(p.unsent) - mostUnsent; over > 0 {
		p.log.Error("too many mails to staff can't be sent; the oldest are dropped", "dropped", over)
		p.unsent = p.unsent[over:]
	}
	p.patient = 0
	p.deliver(context.Background())
}

// sendAgain tries what could not be sent, when it is time.
func (p *staffPost) sendAgain(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.unsent) > 0 && !p.now().Before(p.tryAt) {
		p.deliver(ctx)
	}
}

// waiting reports whether a mail has not gone yet.
func (p *staffPost) waiting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.unsent) > 0
}

// deliver sends what is unsent and keeps what may be sent again.
func (p *staffPost) deliver(ctx context.Context) {
	var kept []mailer.Envelope
	for _, envelope := range p.unsent {
		_, err := p.deliverer.Deliver(ctx, envelope)
		switch kind := mailer.KindOf(err); {
		case err == nil:
			p.log.Info("staff told by mail")
		case kind == mailer.NotSent, kind == mailer.Deferred:
			kept = append(kept, envelope)
			p.log.Warn("a mail to staff can't be sent now", "kind", kind.String())
		default:
			p.log.Error("a mail to staff was not accepted; see notify.to", "kind", kind.String())
		}
	}
	p.unsent = kept
	p.tryAt = p.now().Add(sendAgainAfter[min(p.patient, len(sendAgainAfter)-1)])
	p.patient++
}

// sentence says why something went wrong, and what to do, as staff read it.
func (p *staffPost) sentence(err error) string {
	reason, hint := p.explain(err)
	if hint == "" {
		return reason
	}
	if p.lang == invoice.English {
		return reason + " " + strings.ToUpper(hint[:1]) + hint[1:] + "."
	}
	return reason + hint + "。"
}

// inBoth says it in Japanese and in English.
func (p *staffPost) inBoth(err error) (japanese, english string) {
	say := func(lang invoice.Language) string {
		speaker := *p.app
		speaker.lang = lang
		in := staffPost{app: &speaker}
		return in.sentence(err)
	}
	return say(invoice.Japanese), say(invoice.English)
}

// night begins what staff are told of a pass.
func (s *service) night(o occasion) staff.Night {
	n := staff.Night{
		Sender: s.staff.sender, Due: o.due, Began: s.now(), CaughtUp: o.caughtUp, Once: o.once,
		Inbox: s.config.Inbox.Folder, Outbox: filepath.Join(s.config.Inbox.Folder, "outbox"),
	}
	if _, ends := s.times.Warning(s.now()); ends {
		n.HolidayListEnds = schedule.LastYear()
	}
	return n
}

// mostAttached bounds the attachments of a mail, in bytes: mail servers take
// about 10 MB, and Base64 makes them a third larger.
const mostAttached = 5 << 20

// describe says what became of a file's rows, and attaches what staff work with.
func (p *pass) describe(what *staff.File, r *batch.Report) {
	receipt := r.Receipt
	what.Rows = staff.Sum(receipt.RowsIn)
	for _, result := range batch.Results {
		if sum := receipt.Results[result]; sum.Rows > 0 {
			what.Results = append(what.Results, staff.ResultSum{Result: staff.Result(result), Sum: staff.Sum(sum)})
		}
	}
	what.Mail = staff.Mails{
		Mailed: receipt.Mail[string(batch.Mailed)], Deferred: receipt.Mail[string(batch.Deferred)],
		Refused: receipt.Mail[string(batch.Refused)], Held: receipt.Mail[string(batch.Held)], Off: receipt.Mail["off"],
	}
	if r.NeedsPerson == 0 {
		return
	}
	for o := range r.Rows {
		p.describeRow(what, o, r.Reach)
	}
}

func (p *pass) describeRow(what *staff.File, o batch.RowOutcome, reach batch.Reach) {
	said := staff.Numbered{Number: o.Invoice.Number, Message: o.Message(p.staff.lang, reach)}
	switch o.Result {
	case batch.Rejected:
		what.Rejected = append(what.Rejected, staff.Reject{Line: o.Line, Number: said.Number, Message: said.Message})
	case batch.Failed:
		what.NotIssued = append(what.NotIssued, said)
	case batch.UnknownResult:
		what.Unknown = append(what.Unknown, staff.Numbered{Number: said.Number}) // the mail says what is done about it
	default:
		if mail := o.Mail(reach.MailOff); mail == string(batch.Refused) || mail == string(batch.Held) {
			what.MailTrouble = append(what.MailTrouble, said)
		}
	}
}

// attach adds the results and errors files to the mail, as long as it stays
// small enough.
func (p *pass) attach(what *staff.File, paths ...string) {
	for _, path := range paths {
		if path == "" {
			continue
		}
		name := filepath.Base(path)
		data, err := os.ReadFile(path)
		if err != nil || p.attachedBytes+len(data) > mostAttached {
			what.NotAttached = append(what.NotAttached, name)
			continue
		}
		p.attachedBytes += len(data)
		p.attached = append(p.attached, mailer.Attachment{Name: name, ContentType: "text/csv", Data: data})
		what.Attached = append(what.Attached, name)
	}
}

// keepWaiting notes which files the pass leaves in the inbox.
func (p *pass) keepWaiting(waiting []inbox.Waiting) {
	before := p.waiting
	p.waiting, p.night.Waiting = map[string]inbox.Reason{}, nil
	for _, w := range waiting {
		if p.waitingFor[w.Name] != w.Reason && before[w.Name] != w.Reason {
			p.log.Info("file waits", "file", w.Name, "reason", string(w.Reason), "since", w.Since)
		}
		p.waiting[w.Name] = w.Reason
		p.night.Waiting = append(p.night.Waiting, staff.Waiting{Name: w.Name, Why: whyWaiting[w.Reason]})
	}
}

var whyWaiting = map[inbox.Reason]staff.Why{
	inbox.InUse: staff.OpenInExcel, inbox.Changing: staff.StillChanging, inbox.Unopenable: staff.CannotOpen,
	inbox.TotalMissing: staff.NoTotal, inbox.SeveralTotals: staff.TwoTotals, inbox.SharedTotal: staff.SharedTotal,
	inbox.Unapproved: staff.NoApproval,
}

// newsOfWaiting reports whether a file waits that staff have not been told of,
// or for another reason; a schedule of every minute must not mail every minute.
func (p *pass) newsOfWaiting() bool {
	news := false
	for name, reason := range p.waiting {
		news = news || p.waitingFor[name] != reason
	}
	if p.waiting != nil {
		p.waitingFor = p.waiting
	}
	return news
}
