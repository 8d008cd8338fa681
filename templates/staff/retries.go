package staff

import "time"

// Retries is what was tried again between the runs, and how it ended.
type Retries struct {
	Mailed        []string   // invoice numbers whose mail has gone now
	StillDeferred []string   // whose mail will be tried again
	MailGivenUp   []Numbered // whose mail a person must see to now: tried often enough, refused or held

	FoundCharged  []string   // the charge of unknown outcome had been made
	Charged       []string   // it had not been made, and was made now
	NotCharged    []Numbered // it had not been made, and was declined now
	StillUnknown  []string   // not settled yet: will be tried again
	UnknownToStay []Numbered // tried often enough: a person must see to them now
}

func (r *Retries) urgency() Urgency {
	switch {
	case r == nil:
		return NothingToDo
	case r.Errors() > 0:
		return ToBeDone
	case r.Open() > 0:
		return ToBeRead
	}
	return NothingToDo
}

// Settled counts the invoices that are done with.
func (r *Retries) Settled() int { return len(r.Mailed) + len(r.FoundCharged) + len(r.Charged) }

// Open counts the invoices that are tried again by themselves.
func (r *Retries) Open() int { return len(r.StillDeferred) + len(r.StillUnknown) }

// Errors counts the invoices that somebody must see to.
func (r *Retries) Errors() int {
	return len(r.MailGivenUp) + len(r.NotCharged) + len(r.UnknownToStay)
}

// RetriesDone is what serve settled or gave up between two runs.
type RetriesDone struct {
	Sender
	At      time.Time
	Retries *Retries
}

// Urgency is what the mail asks of staff.
func (d RetriesDone) Urgency() Urgency { return d.Retries.urgency() }

// RetriesReport writes the mail about deferred mails and charges of unknown
// outcome that were tried again between runs.
func RetriesReport(d RetriesDone) (Message, error) {
	return mail(d.Language, "retries", d)
}
