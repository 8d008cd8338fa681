package batch

import (
	"errors"
	"fmt"
	"time"

	"konbill/invoice"
	"konbill/invoice/csvfile"
	"konbill/mailer"
	"konbill/templates"
	"konbill/templates/slip"
)

// Reading is how files are read and checked. Nothing else is needed to check
// one: no network, no ledger.
type Reading struct {
	File     csvfile.Options
	Rules    invoice.Rules
	Language invoice.Language // of messages to the people who run files
}

// Settings are the choices a merchant makes about runs.
type Settings struct {
	Reading Reading

	Merchant templates.Merchant
	Texts    *templates.Set // of slips and mails to customers; nil: Konbill's own
	Slip     slip.Layout

	PrintFile   bool          // a run leaves one file with all its slips, too
	MaxTotal    invoice.Yen   // per run; 0 is no limit
	SourceFirst bool          // POST /sources, then /charges; else one request
	Workers     int           // invoices settled at the same time, 1 or more
	Charging    int           // so many of them at most are being charged; 0: all
	SettleAfter time.Duration // how long after an intent its charge must be listed; longer than a request may take
	LoopbackAPI bool          // a practice API: its payment pages may be on loopback, too

	MailOff     bool           // no mail is sent: an invoice is finished once charged
	MailFrom    string         // "Name <address>" or a bare address
	MailReplyTo string         // may be empty
	MailSigner  *mailer.Signer // nil: mails are not signed
	RemindDays  []int          // how many days before the last one to pay customers are reminded; none: never
	ReceiptMail bool           // customers are told that their payment has come
	ResendHeld  bool           // smtp.on_unknown = "resend": rather twice than never

	ResultsEncoding csvfile.Encoding
	ConfigHash      string // of the configuration, for the receipt
	Who             string // the command at work, for the event log
	Unattended      bool   // nobody runs files by hand: Retry goes on with what a run leaves over
}

// How long a run keeps trying what may be tried again.
const (
	patienceUnreachable = time.Minute      // with an API that can't be reached, for one invoice
	patienceTooMany     = 15 * time.Minute // with one that is too busy: it is there, and says when
	mailRetryAfter      = 10 * time.Second // before mails that were put off are tried once more
)

// LimitError says that a file asks for more yen than limits.max_total allows.
// Nothing was charged.
type LimitError struct {
	Total, Max invoice.Yen
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the file asks for %s yen, limits.max_total allows %s", e.Total, e.Max)
}

// PrintError says that a file has more rows than a print file holds. Nothing was
// charged.
type PrintError struct{ Rows, Max int }

func (e *PrintError) Error() string {
	return fmt.Sprintf("the file has %d rows to issue, a print file holds %d", e.Rows, e.Max)
}

// StopReason is why a run ended before all its invoices were settled.
type StopReason string

// The reasons to stop a run.
const (
	StopInterrupted  StopReason = "interrupted"  // a person asked for it
	StopUnauthorized StopReason = "unauthorized" // the API refuses the key, or answers in the other mode
	StopUnreachable  StopReason = "unreachable"  // the API can't be reached, or is too busy, for long
	StopLedger       StopReason = "ledger"       // what happens can't be recorded
	StopUnknown      StopReason = "unknown"      // too many requests ended without a trustworthy answer
)

// Stop says that a run ended early. Invoices that were not begun stay accepted
// in the ledger; running the file again goes on with them.
type Stop struct {
	Reason StopReason
	Err    error
}

func (s *Stop) Error() string {
	if s.Err == nil {
		return "the run stopped: " + string(s.Reason)
	}
	return fmt.Sprintf("the run stopped: %s: %v", s.Reason, s.Err)
}

func (s *Stop) Unwrap() error { return s.Err }

// stopOf makes a *Stop of an error that is one, or is the ledger's.
func stopOf(err error) *Stop {
	var stop *Stop
	if err == nil || errors.As(err, &stop) {
		return stop
	}
	return &Stop{Reason: StopLedger, Err: err}
}
