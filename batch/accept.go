package batch

import (
	"fmt"
	"time"

	"konbill/invoice"
)

// Accept decides what becomes of a row of a job, by what a ledger has under its
// key; known is nil when that is nothing. With an event, the verdict's entry
// must be stored together with it; without one, nothing changes. The row's due
// date must have the precision with which the ledger stores it, or it would
// differ from itself.
func Accept(known *Entry, job Job, row invoice.Invoice) (Verdict, *Event) {
	switch {
	case known == nil:
		return acceptNew(job, row)
	case known.State == Accepted, known.State == Declined:
		return acceptAgain(*known, job, row)
	}
	if field := Differs(known.Invoice, row); field != "" {
		return Verdict{Outcome: Conflict, Entry: *known, Conflict: field}, nil
	}
	return describe(*known, job, row)
}

func acceptNew(job Job, row invoice.Invoice) (Verdict, *Event) {
	e := Entry{
		Key: KeyOf(job.Account, row.Number), Account: job.Account, State: Accepted, Invoice: row, Job: job.ID,
		AcceptedAt: job.StartedAt, UpdatedAt: job.StartedAt,
	}
	return Verdict{Outcome: New, Entry: e}, job.event(e, "", "accepted")
}

// acceptAgain gives an invoice that surely has no charge to a new job, with the
// newest content. One that was declined as it is stays declined: to ask for the
// same again is pointless.
func acceptAgain(known Entry, job Job, row invoice.Invoice) (Verdict, *Event) {
	outcome, what := Corrected, "corrected"
	if sameContent(known.Invoice, row) {
		if known.State == Declined {
			return Verdict{Outcome: Known, Entry: known}, nil
		}
		outcome, what = Known, "accepted again"
	}
	e := known
	e.State, e.Invoice, e.Job, e.UpdatedAt = Accepted, row, job.ID, job.StartedAt
	e.Refusal = Refusal{}
	e.MissedAt, e.Retries = time.Time{}, 0 // from here on it is this job's to charge
	return Verdict{Outcome: outcome, Entry: e}, job.event(e, known.State, what)
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
func describe(known Entry, job Job, row invoice.Invoice) (Verdict, *Event) {
	described := known
	if inv := &described.Invoice; known.Elsewhere && (inv.Name == "" || inv.Name == inv.SentName) {
		inv.Name, inv.Company, inv.Description = row.Name, row.Company, row.Description
		inv.Language, inv.TaxRate, inv.Tax = row.Language, row.TaxRate, row.Tax
	}
	if described.Invoice == known.Invoice {
		return Verdict{Outcome: Known, Entry: known}, nil
	}
	described.UpdatedAt = job.StartedAt
	return Verdict{Outcome: Known, Entry: described}, job.event(described, known.State, "described")
}

func (j Job) event(e Entry, from State, what string) *Event {
	return &Event{Key: e.Key, At: e.UpdatedAt, Who: j.Who, From: from, To: e.State, Why: fmt.Sprintf("%s by job %d", what, j.ID)}
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
	after.Key, after.Account, after.Invoice.Number = before.Key, before.Account, before.Invoice.Number
	after.State, after.AcceptedAt, after.UpdatedAt = m.To, before.AcceptedAt, m.At
	return after, nil
}

// Event is what the history of the invoice says about the step.
func (m Move) Event() Event {
	return Event{Key: m.Key, At: m.At, Who: m.Who, From: m.From, To: m.To, Why: m.Why}
}

// Adopted returns an invoice as Adopt stores it, and its first event.
func Adopted(e Entry, who, why string) (Entry, Event) {
	e.State, e.Job, e.Elsewhere = Charged, 0, true
	return e, Event{Key: e.Key, At: e.AcceptedAt, Who: who, To: Charged, Why: why}
}
