package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"konbill/mailer"
	"konbill/templates"
)

// Noticed is what became of one notice, or what is to become of it.
type Noticed struct {
	Entry   Entry         // as it now stands
	Notice  Notice        // as it now stands; of one that is only due, who would get it
	Days    int           // of a reminder: how many days before the last one to pay
	NotSent NotSentReason // empty: a mail was tried, and Notice.State says how that went
}

// NeedsPerson reports whether somebody has to see to it: nobody else sends a
// notice again that was refused, or of which it isn't known whether it arrived.
func (n Noticed) NeedsPerson() bool {
	return n.NotSent == NotAnswered || n.NotSent == "" && (n.Notice.State == Refused || n.Notice.State == Held)
}

// errand is a notice to send.
type errand struct {
	entry  Entry
	kind   NoticeKind
	days   int     // of a reminder
	begun  *Notice // as it was left; nil: it isn't begun
	status string  // what the payment must be
}

func (t errand) noticed(n Notice, why NotSentReason) Noticed {
	return Noticed{Entry: t.entry, Notice: n, Days: t.days, NotSent: why}
}

// undone is the errand before anything is done about it, or since nothing was.
func (t errand) undone(why NotSentReason) Noticed {
	return t.noticed(Notice{Key: t.entry.Key, Kind: t.kind, MailedTo: t.recipient()}, why)
}

// recipient is where the customer was mailed before; of one that nothing was
// mailed to, the address in the invoice.
func (t errand) recipient() string { return cmp.Or(t.entry.MailedTo, t.entry.Invoice.Email) }

// wanted reports whether a notice of a kind is to be begun, or tried again, by
// what was stored of it. One that a dead process has left is given up first.
func (r *Runner) wanted(n *Notice, now time.Time) bool {
	switch {
	case n == nil, n.State == Mailing:
		return true
	case n.State == Deferred, n.State == Held && r.Settings.ResendHeld:
		return n.Attempt <= len(mailDelays) && !now.Before(n.UpdatedAt.Add(mailDelays[n.Attempt-1]))
	}
	return false
}

// notify sends notices, as many at once as there are workers. The error is as
// Run's; those that were not begun say so.
func (r *Runner) notify(ctx context.Context, errands []errand) ([]Noticed, error) {
	entries := make([]Entry, len(errands))
	noticed := make([]Noticed, len(errands))
	for i, t := range errands {
		entries[i] = t.entry
		noticed[i] = t.undone(NotAttempted)
	}
	s, err := r.settlerOf(invoicesOf(entries), r.Now())
	if err != nil {
		return noticed, err
	}
	stop := s.pool(ctx, len(errands), func(i int) *Stop {
		if s.unsent.tooLong() {
			return nil
		}
		done, err := s.send(ctx, errands[i])
		noticed[i] = done
		return stopOf(err)
	})
	return noticed, stopError(stop)
}

// send composes one notice whole, records the intent, delivers it, and records
// what the server said. What it tells of a payment is asked for right before.
func (s *settler) send(ctx context.Context, t errand) (Noticed, error) {
	if t.begun != nil && t.begun.State == Mailing {
		return s.giveUpNotice(ctx, t)
	}
	if why, err := s.unwanted(ctx, &t); why != "" || err != nil {
		return t.undone(why), err
	}
	n := Notice{Key: t.entry.Key, Kind: t.kind, State: Mailing, Attempt: 1, MailedTo: t.recipient()}
	from := State("")
	if t.begun != nil {
		n.Attempt, from = t.begun.Attempt+1, t.begun.State
	}
	n.MessageID = mailer.MessageID(fmt.Sprint(t.entry.Key, " ", t.kind), n.Attempt, s.Settings.MailFrom)
	envelope, composeErr := s.composeNotice(t, n)
	s.at(NoticeIntending)
	if err := s.moveNotice(ctx, &n, from, t.status, "about to mail: "+string(t.kind)); err != nil {
		return t.undone(NotAttempted), unlessStale(err) // someone else sends it, or it is paid
	}
	s.at(NoticeIntended)
	if composeErr != nil {
		n.State, n.Reply = composeState(composeErr), composeErr.Error()
		return s.recordNotice(ctx, t, n)
	}
	s.at(NoticeSending)
	reply, err := s.Mailer.Deliver(ctx, envelope)
	s.at(NoticeAnswered)
	s.unsent.note(err != nil && mailer.KindOf(err) == mailer.NotSent)
	n.State, n.Reply = Mailed, reply
	if err != nil {
		n.State, n.Reply = mailState(err), err.Error()
	}
	return s.recordNotice(ctx, t, n)
}

// unwanted says why a notice isn't to be sent after all. Of a bill that is to be
// paid the API has the last word, right before the mail.
func (s *settler) unwanted(ctx context.Context, t *errand) (NotSentReason, error) {
	if t.status != StatusPending {
		return "", nil
	}
	learnt, err := s.askPayment(ctx, t.entry)
	switch {
	case IsMissing(err), err == nil && learnt.Verdict == Contradiction:
		return NotAnswered, nil
	case err != nil:
		return NotAttempted, surveyStop(ctx, err)
	}
	if t.entry = learnt.After; !s.mailable(t.entry) {
		return NotPayable, nil
	}
	return "", nil
}

// giveUpNotice treats an intent without an outcome, left by a process that died,
// as what it is: nobody knows whether the mail was sent.
func (s *settler) giveUpNotice(ctx context.Context, t errand) (Noticed, error) {
	n := *t.begun
	n.State, n.Reply = Held, ""
	return s.recordNotice(ctx, t, n)
}

func (s *settler) recordNotice(ctx context.Context, t errand, n Notice) (Noticed, error) {
	// What has happened has happened, even if ctx has ended.
	err := s.moveNotice(context.WithoutCancel(ctx), &n, Mailing, "", fmt.Sprintf("mail %s: %s", n.State, n.Kind))
	if err == nil {
		s.at(NoticeRecorded)
	}
	return t.noticed(n, ""), unlessStale(err)
}

func (s *settler) moveNotice(ctx context.Context, n *Notice, from State, status, why string) error {
	n.UpdatedAt = s.Now()
	return ledgerStop(s.Ledger.MoveNotice(ctx, NoticeMove{
		Notice: *n, From: from, ChargeStatus: status, Who: s.Settings.Who, Why: why,
	}))
}

// composeNotice writes the message of a reminder, which is the bill once more, or
// of a receipt.
func (s *settler) composeNotice(t errand, n Notice) (mailer.Envelope, error) {
	if t.kind == receiptKind {
		text, err := templates.ReceiptOf(templates.Payment{
			Texts: s.Settings.Texts, Merchant: s.Settings.Merchant, Invoice: t.entry.Invoice, PaidAt: t.entry.Charge.PaidAt,
		})
		if err != nil {
			return mailer.Envelope{}, fmt.Errorf("write the mail: %w", err)
		}
		return s.envelope(t.entry, n.MailedTo, n.MessageID, text, nil)
	}
	facts := s.instructions(t.entry)
	facts.Reminder = true
	_, envelope, err := s.compose(facts, t.entry, n.MailedTo, n.MessageID)
	return envelope, err
}

// ofMine lists the invoices of the runner's account that q selects.
func (r *Runner) ofMine(ctx context.Context, q Query, visit func(Entry) error) error {
	account, known, err := r.Ledger.AccountOf(ctx, r.Fingerprint)
	if err != nil {
		return err
	}
	return r.Ledger.Entries(ctx, q, func(e Entry) error {
		if known && e.Account != account || !e.PurgedAt.IsZero() {
			return nil
		}
		return visit(e)
	})
}

// errNoMail says that notices are asked for where no mail is sent.
var errNoMail = errors.New("no mail is sent: smtp.mode is \"off\"")
