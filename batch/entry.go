package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"konbill/invoice"
)

// Account is who the charges belong to: the id that GET /account answers, in
// test or live mode. A rotated key is the same account.
type Account struct {
	ID   string
	Live bool
}

// Mode is "live" or "test".
func (a Account) Mode() string {
	if a.Live {
		return "live"
	}
	return "test"
}

// Key identifies one bill for ever: account, mode, invoice number and revision.
// One key is charged at most once.
type Key string

// KeyOf derives the key of the first bill under an invoice number on an account.
// It is a digest, so that it fits into the charge's metadata whatever the number
// looks like.
func KeyOf(a Account, number string) Key { return KeyOfRevision(a, number, 1) }

// KeyOfRevision derives the key of a bill that was, or is to be, issued under a
// number as its n-th; see [Entry.Revision].
func KeyOfRevision(a Account, number string, n int) Key {
	text := fmt.Appendf(nil, "%s\x00%s\x00%s", a.ID, a.Mode(), number)
	if n > 1 {
		text = fmt.Appendf(text, "\x00%d", n)
	}
	sum := sha256.Sum256(text)
	return Key("kb_" + hex.EncodeToString(sum[:16]))
}

// Entry is one invoice in the ledger.
type Entry struct {
	Key     Key
	Account Account
	State   State
	// Revision is 1 for the first bill under an invoice number. Each of the next
	// takes the place of the one before, which was over unpaid then: the customer
	// has one bill to pay at any time.
	Revision int
	Invoice  invoice.Invoice // as accepted: what was, or will be, charged
	Job      int64           // the job that accepted it

	Attempt  int       // charge attempts begun
	IntentAt time.Time // when the latest attempt's intent was stored; zero before the first
	SourceID string    // the source of the latest attempt, in the source-first flow
	Charge   Charge    // complete once State.HasCharge
	Refusal  Refusal   // why the API declined, or why the outcome is unknown
	MissedAt time.Time // when the first complete scan began that did not find the charge; zero when none did. Still there once absence is proved

	Elsewhere  bool   // charged by another ledger, or by this one before it was restored: whether it was mailed isn't known
	Duplicates string // ids of further charges that the API has under the key, separated by spaces: for a person

	MailOwed    bool      // charged while mail was on: its mail is to be sent, should the run not get to it
	MailAttempt int       // mails begun
	MessageID   string    // of the latest mail, without angle brackets
	MailedTo    string    // the address of the latest mail
	MailedAt    time.Time // when the server accepted it; zero before
	MailReply   string    // what the mail server, or the network, last said

	// SlipSHA256 is the hash, in hex, of the slip that was given out: the one mailed
	// last, else the one that was left in the results first.
	SlipSHA256 string

	// Retries is how often Retry has tried again what a run left: a charge of
	// unknown outcome first, a mail later. A run begins the count anew.
	Retries int

	PurgedAt time.Time // when its personal data were removed; zero while they are there

	AcceptedAt time.Time
	UpdatedAt  time.Time
}

// Previous is the key of the bill that e takes the place of; empty for a first
// revision.
func (e Entry) Previous() Key {
	if e.Revision <= 1 {
		return ""
	}
	return KeyOfRevision(e.Account, e.Invoice.Number, e.Revision-1)
}

// Charge is what Konbill keeps of an Omise charge.
type Charge struct {
	ID           string
	SourceID     string
	Amount       invoice.Yen
	PaymentCode  string // may be empty: the link alone then leads to payment
	AuthorizeURI string
	Status       string // pending, successful, failed, expired, reversed
	FailureCode  string
	Fee          invoice.Yen
	FeeVAT       invoice.Yen
	Net          invoice.Yen
	Live         bool
	CreatedAt    time.Time
	ExpiresAt    time.Time
	PaidAt       time.Time // zero while unpaid
}

// Payment statuses, as the API names them.
const (
	StatusPending    = "pending"    // it can be paid until it expires
	StatusSuccessful = "successful" // it is paid
	StatusFailed     = "failed"
	StatusExpired    = "expired"  // its time is over, or it was called back
	StatusReversed   = "reversed" // it was paid, and paid back
)

// Paid reports whether the customer has paid, whatever came of the money later.
func (c Charge) Paid() bool { return c.Status == StatusSuccessful || c.Status == StatusReversed }

// OverUnpaid reports whether the charge has ended without being paid: it expired,
// was called back, or failed.
func (c Charge) OverUnpaid() bool { return c.Status == StatusExpired || c.Status == StatusFailed }

// payable reports whether a customer can still pay.
func (c Charge) payable(now time.Time) bool {
	return c.Status == StatusPending && c.ExpiresAt.After(now)
}

// Refusal is the API's, or the network's, last word on a charge that has none.
type Refusal struct {
	Code    string // the API's error code, or the kind of fault
	Message string
}

// Event is one line of the append-only history of an invoice.
type Event struct {
	Key  Key
	At   time.Time
	Who  string // the command that did it, such as "run"
	From State  // empty when the invoice was first accepted
	To   State
	Why  string // no personal data
}
