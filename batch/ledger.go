package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"konbill/invoice"
)

// Ledger is the durable memory of every invoice. What it has answered is on
// the disk and survives a crash or a power cut; every guard against a second
// charge is kept here and holds however many processes use it.
//
// Errors other than the ones named are failures of the ledger itself; they
// stop a run, since nothing may be charged that can't be recorded.
type Ledger interface {
	// Hold takes the ledger for one run. It returns ErrHeld within a
	// moment when another process has it. A holder's death releases it.
	Hold(ctx context.Context) (release func(), err error)

	// AccountOf returns the account remembered for an API key, by the key's
	// fingerprint, and whether there is one.
	AccountOf(ctx context.Context, fingerprint string) (Account, bool, error)
	// RememberAccount binds an API key to its account. It returns
	// ErrOtherAccount when the ledger already belongs to another account in
	// the same mode, since its numbers would then be charged to the wrong one.
	RememberAccount(ctx context.Context, fingerprint string, a Account) error

	// OpenJob records that a file is about to be settled, and accepts its
	// invoices in one transaction: all or none. judge hears the verdict on the
	// i-th of them, for each; perhaps more than once, should the transaction be
	// tried again, of which the last counts, and for nothing when OpenJob returns
	// an error. That is ErrOtherAccount as from RememberAccount; a number named
	// twice is one, too. judge must not touch the ledger.
	OpenJob(ctx context.Context, job Job, invoices iter.Seq[invoice.Invoice], judge func(i int, v Verdict)) (id int64, err error)
	// CloseJob stores the counts of a finished job, or returns ErrNotFound.
	CloseJob(ctx context.Context, id int64, finishedAt time.Time, t Totals) error
	// Jobs lists the latest jobs, newest first.
	Jobs(ctx context.Context, limit int) ([]Job, error)
	// JobsOfFile returns the jobs of the file with this SHA-256, newest first.
	JobsOfFile(ctx context.Context, sha256 string) ([]Job, error)
	// Outdated returns the jobs of which an invoice has changed since their results
	// were written, oldest first.
	Outdated(ctx context.Context) ([]Job, error)
	// RecordUpdated stores that the results of a job tell what was so when the job
	// was read from the ledger. Changes since leave it outdated, whatever the clocks
	// of those who made them say.
	RecordUpdated(ctx context.Context, job Job) error

	// Adopt stores an invoice that the API has a charge for and the ledger
	// doesn't know: charged and issued elsewhere, in no job, with an event. It
	// returns a *StaleError when the key is known, and changes nothing then.
	Adopt(ctx context.Context, e Entry, who, why string) (Entry, error)
	// SweptAt returns when the account's latest complete sweep began; zero when
	// there was none.
	SweptAt(ctx context.Context, a Account) (time.Time, error)
	// RecordSweep stores when a complete sweep began. An earlier instant than
	// the one stored changes nothing. Whatever the ledger had forgotten before it knows
	// again.
	RecordSweep(ctx context.Context, a Account, began time.Time) error

	// PassedAt returns the due instant of the latest scheduled pass that came to
	// its end; zero when none did.
	PassedAt(ctx context.Context) (time.Time, error)
	// RecordPass stores the due instant of a pass that came to its end. An
	// earlier instant than the one stored changes nothing.
	RecordPass(ctx context.Context, due time.Time) error

	// WebhookKnown reports whether a webhook event, by the API's id, is remembered
	// as one that has done its work.
	WebhookKnown(ctx context.Context, id string) (bool, error)
	// RememberWebhook remembers a webhook event, unless it is, and forgets those
	// remembered before since.
	RememberWebhook(ctx context.Context, id string, at, since time.Time) error

	// Entry returns one invoice, or ErrNotFound.
	Entry(ctx context.Context, key Key) (Entry, error)
	// Latest returns the latest revision under an invoice number, or ErrNotFound.
	Latest(ctx context.Context, a Account, number string) (Entry, error)
	// Entries yields the invoices q selects, ordered by when they were
	// accepted, to f; it stops at f's first error and returns it. f may change
	// the ledger; an invoice that moves meanwhile comes at most once.
	Entries(ctx context.Context, q Query, f func(Entry) error) error
	// Sums adds up the invoices q selects by what the API last said of their charge;
	// "" stands for those without one.
	Sums(ctx context.Context, q Query) (map[string]Sum, error)
	// Events returns the history of an invoice, oldest first.
	Events(ctx context.Context, key Key) ([]Event, error)

	// Move takes an invoice from one state to another: change edits the entry,
	// which is stored together with an event, durably, in one transaction, and
	// only if the entry is still in state from. Otherwise nothing happens and
	// the error is a *StaleError. From and to may be equal, to store more about
	// an entry that stays where it is. change may set every field but the key,
	// the account, the number, the state, AcceptedAt and UpdatedAt, and must not
	// keep the pointer. What a state can't be without is required: an intent its
	// time, a charge its id, which never changes again, and a mail its
	// Message-ID. An unknown key is ErrNotFound. To ask for the charge of a later
	// revision while the charge of the one before isn't over unpaid is stale, and so
	// is asking for one that a later revision has the place of. It is ErrNotSwept where the
	// ledger may have forgotten charges since the account's latest sweep.
	Move(ctx context.Context, m Move, change func(*Entry)) (Entry, error)

	// Notices returns the notices of an invoice, in the order in which they were
	// begun.
	Notices(ctx context.Context, key Key) ([]Notice, error)
	// MoveNotice takes a notice from one state to another, guarded and recorded as
	// Move does it. One of the same kind is there once for each invoice.
	MoveNotice(ctx context.Context, m NoticeMove) error

	// Purge takes the personal data out of an invoice and of its notices, for good,
	// and otherwise is as a Move that leaves it in its state.
	Purge(ctx context.Context, m Move) (Entry, error)
}

// ErrNotSwept says that another database server has taken the ledger over since the
// account was last looked through. What the one before wrote last may be lost, so nothing
// is charged before the next complete sweep.
var ErrNotSwept = errors.New("another database server has taken over in the middle of the run, and may not know the latest charges")

// Move is one guarded step of an invoice.
type Move struct {
	Key      Key
	From, To State
	// Attempt is the charge attempt that the step is about; one of another
	// attempt is as stale as one from another state. 0 is about any.
	Attempt int
	// ChargeStatus is the payment status that the step starts from; with any
	// other it is as stale. Empty is any.
	ChargeStatus string
	// ByPerson says that a person asked for just this; see
	// State.CanBecomeByPerson.
	ByPerson bool

	At       time.Time
	Who, Why string // for the event; no personal data
}

// DayCount is what became of bills on a day.
type DayCount struct {
	Day           time.Time // its beginning in Japan
	Paid, Expired int
}

// Query selects invoices; its zero value selects all of them.
type Query struct {
	Keys           []Key
	Numbers        []string // these numbers, in either mode
	States         []State
	ChargeStatuses []string  // what the API last said of the charge: pending, ...
	PaidSince      time.Time // paid at or after it
	PaidUntil      time.Time // paid before it
	DueAfter       time.Time // charged, and payable until a time after it
	DueUntil       time.Time // charged, and payable until it or a time before
	SlipSHA256     string    // of the slip that was given out
	Reissued       bool      // revisions after the first
	NumberPrefix   string    // with which the number begins
	NamePrefix     string    // with which the name that was sent begins; see invoice.SearchName
	PhoneEnd       string    // the last four digits of the phone number
	Job            int64     // accepted by this job
}

// Job is one file's passage through a run.
type Job struct {
	ID         int64
	Who        string // the command that runs it, such as "run"
	File       string // base name
	SHA256     string // of the file's bytes, hex
	Account    Account
	StartedAt  time.Time
	FinishedAt time.Time // zero while running, or after a crash
	Totals     Totals    // zero until finished
	// OutdatedAt is the latest change that its results don't tell; zero when they
	// tell all.
	OutdatedAt time.Time

	// Reissue lets OpenJob accept rows as a new revision whose bill is over
	// unpaid. It isn't stored.
	Reissue bool
	// Content is the file, for OpenJob alone: a ledger that machines share keeps it until
	// CloseJob, so that another can finish the job.
	Content []byte
}

// Verdict says what the ledger made of one invoice of a new job.
type Verdict struct {
	Outcome  Acceptance
	Entry    Entry         // as it now stands in the ledger
	Conflict invoice.Field // the first field that differs, for Conflict
}

// Acceptance is the kind of a Verdict.
type Acceptance string

const (
	// New: the key was not known; it is accepted now.
	New Acceptance = "new"
	// Known: the same key with the same content; settle goes on from where it is.
	Known Acceptance = "known"
	// Corrected: the key was known but never charged (declined, or accepted and
	// not begun), with some other content; it is accepted with the new one.
	Corrected Acceptance = "corrected"
	// Reissued: the bill under the number is over unpaid; the row is accepted as
	// its next revision.
	Reissued Acceptance = "reissued"
	// Conflict: the same key with another content, charged or perhaps charged.
	// Nothing was changed and nothing may be charged.
	Conflict Acceptance = "conflict"
)

// Differs returns the first field in which a row of a file conflicts with an
// invoice that was issued under its number, or "" when they are the same
// invoice. A due date the file leaves open matches whatever was issued, and a
// differing e-mail address, full name or description does not change the
// charge. Of one whose personal data were removed, nobody can tell whether they
// differ.
func (e Entry) Differs(row invoice.Invoice) invoice.Field {
	issued, remembered := e.Invoice, e.PurgedAt.IsZero()
	switch {
	case issued.Amount != row.Amount:
		return invoice.FieldAmount
	case remembered && issued.SentName != row.SentName:
		return invoice.FieldName
	case remembered && issued.Phone != row.Phone:
		return invoice.FieldPhone
	case row.DueGiven && !issued.Due.Equal(row.Due):
		return invoice.FieldDue
	}
	return ""
}

// Errors of a ledger that callers act on.
var (
	ErrHeld         = errors.New("another run holds the ledger")
	ErrOtherAccount = errors.New("the ledger belongs to another account")
	ErrNotFound     = errors.New("not in the ledger")
)

// StaleError says that an invoice was no longer in the expected state; nothing
// was changed.
type StaleError struct {
	Key        Key
	Want, Have State
}

func (e *StaleError) Error() string {
	if e.Want == "" {
		return fmt.Sprintf("invoice %s is known: it is %s", e.Key, e.Have)
	}
	return fmt.Sprintf("invoice %s is %s, not %s", e.Key, e.Have, e.Want)
}
