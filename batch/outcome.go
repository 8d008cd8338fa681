package batch

import (
	"slices"
	"time"

	"konbill/invoice"
)

// RowOutcome is what became of one row of a file.
type RowOutcome struct {
	Row
	Entry  Entry  // the invoice as the ledger has it; zero for a rejected row
	Result Result // one of the five
	Slip   string // path of its slip, relative to the results; empty when there is none

	unread bool // the ledger has the invoice, and couldn't tell what is in it
	remarks
}

// Code of an outcome, beside those of the row's findings. Like those they are
// stable.
const (
	codeDeclined     invoice.Code = "charge_declined"   // the API refused definitely
	codeUnknown      invoice.Code = "charge_unknown"    // no trustworthy answer came
	codeNotRecorded  invoice.Code = "not_recorded"      // charged, but the ledger couldn't store it
	codeNotAttempted invoice.Code = "not_attempted"     // the run stopped before
	codeUnsafeLink   invoice.Code = "link_unsafe"       // the payment link leads elsewhere
	codeNotPayable   invoice.Code = "no_longer_payable" // expired or failed before it was mailed
	codeElsewhere    invoice.Code = "issued_elsewhere"  // by another ledger, or before this one was restored
	codeDuplicate    invoice.Code = "charge_duplicate"  // the API has more than one charge under the number
	codeMailNotSent  invoice.Code = "mail_not_sent"     // the run stopped between charge and mail
	codeSlipFailed   invoice.Code = "slip_not_written"  // the slip couldn't be drawn or stored
	codeMailDeferred invoice.Code = "mail_deferred"
	codeMailRefused  invoice.Code = "mail_refused"
	codeMailHeld     invoice.Code = "mail_held"
	codeUnread       invoice.Code = "not_read"      // the ledger couldn't be read for the results
	codeOldPaid      invoice.Code = faultOldPaid    // not issued again, since the bill before is paid
	codeOldOpen      invoice.Code = faultOldOpen    // likewise, since it isn't over
	codeOldUnclear   invoice.Code = faultOldUnclear // likewise, since the API doesn't tell

	// Of these nobody has to do anything.
	CodeReissued    invoice.Code = "reissued"     // in the place of a bill that ended unpaid
	codeReplaced    invoice.Code = "replaced"     // the bill ended unpaid, and another has its place
	CodeEndedUnpaid invoice.Code = "ended_unpaid" // and the number may be billed again
)

// Codes lists what was found in the row and what became of it, without
// repetitions.
func (o RowOutcome) Codes(r Reach) []invoice.Code {
	var codes []invoice.Code
	for _, f := range o.Findings {
		codes = append(codes, f.Code)
	}
	codes = append(append(codes, o.codes(r)...), o.notices()...)
	seen := map[invoice.Code]bool{}
	return slices.DeleteFunc(codes, func(c invoice.Code) bool {
		again := seen[c]
		seen[c] = true
		return again
	})
}

// Reach is what could be done with a charged invoice, and when.
type Reach struct {
	MailOff     bool // smtp.mode = "off"
	LoopbackAPI bool // payment pages may be on loopback
	Unattended  bool // what is left over goes on by itself
	Reissue     bool // bills that are over unpaid were to be issued again
	Now         time.Time
}

func (r *Runner) reach() Reach {
	return Reach{
		MailOff: r.Settings.MailOff, LoopbackAPI: r.Settings.LoopbackAPI, Unattended: r.Settings.Unattended,
		Reissue: r.Reissue, Now: r.Now(),
	}
}

// codes lists what became of the invoice, apart from success.
func (o RowOutcome) codes(r Reach) []invoice.Code {
	if !o.known() {
		if o.Result == Failed {
			return []invoice.Code{codeNotAttempted}
		}
		return nil
	}
	if o.unread {
		return []invoice.Code{codeUnread}
	}
	var codes []invoice.Code
	switch e := o.Entry; {
	case e.State == Declined:
		codes = append(codes, codeDeclined)
	case e.State == Accepted:
		codes = append(codes, whyAccepted(e.Refusal))
	case e.State == Charging && e.Refusal.Code == faultNotRecorded:
		codes = append(codes, codeNotRecorded)
	case !e.State.HasCharge():
		codes = append(codes, codeUnknown)
	case !linkIsSafe(e.Charge.AuthorizeURI, r.LoopbackAPI):
		codes = append(codes, codeUnsafeLink)
	case e.State == Charged && e.Charge.Status == StatusSuccessful:
	case e.State == Charged && e.Elsewhere:
		codes = append(codes, codeElsewhere)
	case e.State == Charged && !r.MailOff && !e.Charge.payable(r.Now):
		codes = append(codes, codeNotPayable)
	case e.State == Charged && !r.MailOff:
		codes = append(codes, codeMailNotSent)
	}
	if r.Reissue && o.Entry.State.HasCharge() && o.Entry.Charge.Status == StatusPending && !o.Entry.Charge.payable(r.Now) {
		codes = append(codes, codeOldOpen)
	}
	if o.Entry.Duplicates != "" {
		codes = append(codes, codeDuplicate)
	}
	if o.slipErr != nil {
		codes = append(codes, codeSlipFailed)
	}
	switch o.Mail(r.MailOff) {
	case string(Deferred):
		codes = append(codes, codeMailDeferred)
	case string(Refused):
		codes = append(codes, codeMailRefused)
	case string(Held):
		codes = append(codes, codeMailHeld)
	}
	return codes
}

// whyAccepted is why an invoice was left accepted.
func whyAccepted(r Refusal) invoice.Code {
	switch r.Code {
	case faultOldPaid, faultOldOpen, faultOldUnclear:
		return invoice.Code(r.Code)
	}
	return codeNotAttempted
}

// notices lists what is worth knowing of the invoice, and asks for nothing.
func (o RowOutcome) notices() []invoice.Code {
	switch {
	case o.replacedBy != "":
		return []invoice.Code{codeReplaced}
	case o.bill().OverUnpaid():
		return []invoice.Code{CodeEndedUnpaid}
	case o.replaces != "":
		return []invoice.Code{CodeReissued}
	}
	return nil
}

// bill is the charge under the row's number, whether or not the row is taken for
// it.
func (o RowOutcome) bill() Charge {
	if o.known() {
		return o.Entry.Charge
	}
	return o.issued
}

// known reports whether the ledger has the row's invoice.
func (o RowOutcome) known() bool { return o.Entry.Key != "" }

// Mail is what became of the row's mail: mailed, deferred, refused, held, off,
// or empty while there is nothing to mail.
func (o RowOutcome) Mail(off bool) string { return mailOf(o.Entry.State, off) }

func mailOf(s State, off bool) string {
	switch s {
	case Mailed, Deferred, Refused, Held:
		return string(s)
	case Mailing:
		return string(Held)
	case Charged:
		if off {
			return "off"
		}
	}
	return ""
}

// NotAttempted reports that nothing but the end of the run kept the row from
// being charged: running the file again is all there is to do.
func (o RowOutcome) NotAttempted(r Reach) bool {
	return o.Result == Failed && slices.Contains(o.codes(r), codeNotAttempted)
}

// NeedsPerson reports whether somebody has to look at the row before it is
// done.
func (o RowOutcome) NeedsPerson(r Reach) bool {
	return o.Result == Rejected || len(o.codes(r)) > 0
}
