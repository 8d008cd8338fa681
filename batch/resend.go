package batch

import (
	"context"
	"errors"
)

// resend is a person's wish to mail again.
type resend struct {
	to string // another address than the invoice's; empty: that one
}

// Resent is what became of one wish to mail an invoice again.
type Resent struct {
	Number  string
	Entry   Entry         // as it now stands; zero when the ledger doesn't have the number
	NotSent NotSentReason // empty: a mail was tried, and Entry.State says how that went
}

// NotSentReason is why no mail was tried. Reasons are stable.
type NotSentReason string

// The reasons.
const (
	NotInLedger  NotSentReason = "not_in_ledger"
	NotCharged   NotSentReason = "not_charged"   // there is nothing to pay yet
	NotPayable   NotSentReason = "not_payable"   // paid, expired, or otherwise no longer to be paid
	NoSafeLink   NotSentReason = "link_unsafe"   // its link leads elsewhere
	NotAnswered  NotSentReason = "not_answered"  // the API can't tell whether it was paid
	MailIsOff    NotSentReason = "mail_off"      // smtp.mode = "off"
	NotAttempted NotSentReason = "not_attempted" // it was interrupted before
)

// Resend mails invoices again, by a person's word and whatever became of their
// mails before: also what is held, refused, or was issued elsewhere. It charges
// nothing. With to, the mails go to that address this once. The reports stand
// in the order of the numbers; the error is as Run's, and those that were not
// begun then say so.
func (r *Runner) Resend(ctx context.Context, numbers []string, to string) ([]Resent, error) {
	release, err := r.Ledger.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	account, err := r.Identify(ctx)
	if err != nil {
		return nil, err
	}
	reports := make([]Resent, len(numbers))
	for i, number := range numbers {
		reports[i] = Resent{Number: number, NotSent: NotAttempted}
	}
	for i := range reports {
		if r.ended(ctx, nil) {
			return reports, &Stop{Reason: StopInterrupted}
		}
		if err := r.resend(ctx, account, &reports[i], to); err != nil {
			return reports, err
		}
	}
	return reports, nil
}

func (r *Runner) resend(ctx context.Context, a Account, report *Resent, to string) error {
	e, err := r.Ledger.Latest(ctx, a, report.Number)
	if errors.Is(err, ErrNotFound) {
		report.NotSent = NotInLedger
		return nil
	}
	if err != nil {
		return ledgerStop(err)
	}
	report.Entry = e
	if report.NotSent = r.whyNotSent(e); report.NotSent != "" {
		return nil
	}
	if e, err = r.stillToPay(ctx, report); err != nil || report.NotSent != "" {
		return err
	}
	s, err := r.settlerOf(invoicesOf([]Entry{e}), r.Now())
	if err != nil {
		return err
	}
	s.resend = &resend{to: to}
	done := settled{entry: e}
	if e.State == Mailing { // left by a process that died
		err = s.giveUpMail(ctx, &done)
	}
	if err == nil {
		err = s.mail(ctx, &done)
	}
	report.Entry = done.entry
	if stale := new(StaleError); errors.As(err, &stale) {
		return r.tooLate(ctx, report, err)
	}
	return err
}

// tooLate takes over what somebody else did to an invoice at the very moment in
// which it was to be mailed: it may have been paid or called back.
func (r *Runner) tooLate(ctx context.Context, report *Resent, stale error) error {
	e, err := r.Ledger.Entry(ctx, report.Entry.Key)
	if err != nil {
		return ledgerStop(err)
	}
	report.Entry = e
	if report.NotSent = r.whyNotSent(e); report.NotSent == "" {
		return stale
	}
	return nil
}

// stillToPay asks the API right before a mail: the customer may just have paid.
// Without its answer nothing is mailed.
func (r *Runner) stillToPay(ctx context.Context, report *Resent) (Entry, error) {
	learnt, err := r.askPayment(ctx, report.Entry)
	if g := new(GatewayError); errors.As(err, &g) && g.Outcome != Unauthorized && ctx.Err() == nil {
		report.NotSent = NotAnswered
		return report.Entry, nil
	}
	if err != nil {
		return report.Entry, surveyStop(ctx, err)
	}
	report.Entry = learnt.After
	if report.NotSent = r.whyNotSent(learnt.After); learnt.Verdict == Contradiction {
		report.NotSent = NotAnswered
	}
	return learnt.After, nil
}

func (r *Runner) whyNotSent(e Entry) NotSentReason {
	switch {
	case !e.State.HasCharge():
		return NotCharged
	case r.Settings.MailOff:
		return MailIsOff
	case !linkIsSafe(e.Charge.AuthorizeURI, r.Settings.LoopbackAPI):
		return NoSafeLink
	case !e.Charge.payable(r.Now()):
		return NotPayable
	}
	return ""
}

// recipient is the address that a mail goes to. One that was put off goes where
// it was to go, which a person may have said.
func (s *settler) recipient(e Entry) string {
	switch {
	case s.resend != nil && s.resend.to != "":
		return s.resend.to
	case s.resend == nil && e.State == Deferred:
		return e.MailedTo
	}
	return e.Invoice.Email
}

// whyMail is what the history says of the intent to mail.
func (s *settler) whyMail() string {
	switch {
	case s.resend == nil:
		return "about to mail"
	case s.resend.to != "":
		return "about to mail again, by a person's word, to another address"
	}
	return "about to mail again, by a person's word"
}
