package batch

import (
	"fmt"
	"time"

	"konbill/invoice"
)

// Accept decides what becomes of a row of a job, by the latest revision that a
// ledger has under its number; known is nil when that is nothing. With events,
// the verdict's entry must be stored together with them; without, nothing
// changes. The row's due date must have the precision with which the ledger
// stores it, or it would differ from itself.
func Accept(known *Entry, job Job, row invoice.Invoice) (Verdict, []Event) {
	switch {
	case known == nil:
		e := job.accepted(row, 1)
		return Verdict{Outcome: New, Entry: e}, job.events(e, "", "accepted")
	case known.State == Accepted, known.State == Declined:
		return acceptAgain(*known, job, row)
	case job.Reissue && known.State.HasCharge() && known.Charge.OverUnpaid():
		return reissue(*known, job, row)
	}
	if field := known.Differs(row); field != "" {
		return Verdict{Outcome: Conflict, Entry: *known, Conflict: field}, nil
	}
	return describe(*known, job, row)
}

func (j Job) accepted(row invoice.Invoice, revision int) Entry {
	return Entry{
		Key: KeyOfRevision(j.Account, row.Number, revision), Account: j.Account, State: Accepted, Revision: revision,
		Invoice: row, Job: j.ID, AcceptedAt: j.StartedAt, UpdatedAt: j.StartedAt,
	}
}

// reissue accepts a row as the revision after one that is over unpaid, whatever
// it says now. The history of each names the other.
func reissue(over Entry, job Job, row invoice.Invoice) (Verdict, []Event) {
	e := job.accepted(row, over.Revision+1)
	replaced := over
	replaced.UpdatedAt = job.StartedAt
	return Verdict{Outcome: Reissued, Entry: e}, append(
		job.events(e, "", fmt.Sprintf("accepted in the place of %s, which is over unpaid,", over.Charge.ID)),
		job.events(replaced, over.State, fmt.Sprintf("replaced by revision %d,", e.Revision))...)
}

// acceptAgain gives an invoice that surely has no charge to a new job, with the
// newest content. One that was declined as it is stays declined: to ask for the
// same again is pointless.
func acceptAgain(known Entry, job Job, row invoice.Invoice) (Verdict, []Event) {
	outcome, what := Corrected, "corrected"
	if sameContent(known.Invoice, row) {
		if known.State == Declined {
			return Verdict{Outcome: Known, Entry: known}, nil
		}
		outcome, what = Known, "accepted again"
	}
	e := known
	e.State, e.Invoice, e.Job, e.UpdatedAt = Accepted, row, job.ID, job.StartedAt
	e.Refusal, e.PurgedAt = Refusal{}, time.Time{}
	e.MissedAt, e.Retries = time.Time{}, 0 // from here on it is this job's to charge
	return Verdict{Outcome: outcome, Entry: e}, job.events(e, known.State, what)
}

// sameContent reports whether two rows say the same. Due dates that both leave
// open follow from the day on which each was read.
func sameContent(known, row invoice.Invoice) bool {
	if !known.DueGiven && !row.DueGiven {
		row.Due = known.Due
	}
	return known == row
}

// describe lets the row say what the charge of an invoice that was issued
// elsewhere doesn't: the full name and what else the customer sees beside the
// bill. What was charged, and to whom, stays that of the charge.
func describe(known Entry, job Job, row invoice.Invoice) (Verdict, []Event) {
	described := known
	if inv := &described.Invoice; known.Elsewhere && known.PurgedAt.IsZero() && (inv.Name == "" || inv.Name == inv.SentName) {
		inv.Name, inv.Company, inv.Description = row.Name, row.Company, row.Description
		inv.Language, inv.TaxRate, inv.Tax = row.Language, row.TaxRate, row.Tax
	}
	if described.Invoice == known.Invoice {
		return Verdict{Outcome: Known, Entry: known}, nil
	}
	described.UpdatedAt = job.StartedAt
	return Verdict{Outcome: Known, Entry: described}, job.events(described, known.State, "described")
}

func (j Job) events(e Entry, from State, what string) []Event {
	return []Event{{Key: e.Key, At: e.UpdatedAt, Who: j.Who, From: from, To: e.State, Why: fmt.Sprintf("%s by job %d", what, j.ID)}}
}

// Listing returns the job that lists the invoice of a verdict although it is, or
// is now, another job's: the results of both are to be kept true. known is as for
// Accept. It is 0 when there is none.
func (v Verdict) Listing(known *Entry, job Job) int64 {
	switch {
	case known == nil, v.Outcome == Conflict, v.Outcome == Reissued:
		return 0
	case v.Entry.Job == job.ID:
		return known.Job
	}
	return job.ID
}

// Apply returns an invoice as it will be stored after the step, or says why the
// step can't be taken: a *StaleError when the invoice is in another state. What
// makes it this invoice isn't for change to set, and it works on a copy that it
// can't keep.
func (m Move) Apply(before Entry, change func(*Entry)) (Entry, error) {
	switch {
	case m.From != m.To && !m.From.CanBecome(m.To) && !(m.ByPerson && m.From.CanBecomeByPerson(m.To)):
		return Entry{}, fmt.Errorf("an invoice can't go from %s to %s", m.From, m.To)
	case before.State != m.From, m.Attempt != 0 && m.Attempt != before.Attempt,
		m.ChargeStatus != "" && m.ChargeStatus != before.Charge.Status:
		return Entry{}, &StaleError{Key: m.Key, Want: m.From, Have: before.State}
	}
	edited := before
	change(&edited)
	after := edited
	after.Key, after.Account, after.Invoice.Number, after.Revision = before.Key, before.Account, before.Invoice.Number, before.Revision
	after.State, after.AcceptedAt, after.UpdatedAt = m.To, before.AcceptedAt, m.At
	return after, nil
}

// Waits refuses to ask for the charge of an invoice, with a *StaleError, while the
// bill that it takes the place of isn't over unpaid, and once another has taken its
// own place. previous is nil where the ledger doesn't have it; latest is the number's
// latest revision.
func (m Move) Waits(e Entry, previous *Entry, latest Entry) error {
	if m.To == Charging && (previous != nil && !previous.Charge.OverUnpaid() || latest.Revision > e.Revision) {
		return &StaleError{Key: m.Key, Want: m.From, Have: m.From}
	}
	return nil
}

// Event is what the history of the invoice says about the step.
func (m Move) Event() Event {
	return Event{Key: m.Key, At: m.At, Who: m.Who, From: m.From, To: m.To, Why: m.Why}
}

// Adopted returns an invoice as Adopt stores it, and its first event.
func Adopted(e Entry, who, why string) (Entry, Event) {
	e.State, e.Revision, e.Job, e.Elsewhere = Charged, max(e.Revision, 1), 0, true
	return e, Event{Key: e.Key, At: e.AcceptedAt, Who: who, To: Charged, Why: why}
}

// Purged returns an invoice without its personal data. Its number, its yen, its
// charge and its dates remain.
func (e Entry) Purged(at time.Time) Entry {
	e.Invoice = invoice.Invoice{
		Number: e.Invoice.Number, Amount: e.Invoice.Amount, Due: e.Invoice.Due, DueGiven: e.Invoice.DueGiven,
		Language: e.Invoice.Language, TaxRate: e.Invoice.TaxRate, Tax: e.Invoice.Tax,
	}
	e.Refusal.Message, e.MailedTo, e.MailReply = "", "", ""
	e.PurgedAt = at
	return e
}
