package batch

// State is how far an invoice has come. Every change is a guarded update in
// the ledger: it applies only while the invoice is still in the state that was
// expected, together with an event that says who, when, from, to and why.
//
//	accepted ──► charging ──► charged ──► mailing ──► mailed
//	   ▲            │  │         ▲         │ ▲ │ └──► refused
//	   │ unsent     │  └► declined         │ │ └────► held ──(a person)──► mailing
//	   ├────────────┤            │         ▼ │
//	   │            └► unknown ──┘      deferred
//	   └── proved absent ──┘ found
//
// By a person's word, what is mailed or refused may be mailed again, too.
//
// A sweep that finds a charge under the key of an invoice that is accepted or
// declined here makes it charged, too: another ledger has issued it.
type State string

const (
	// Accepted: the row passed its checks. Set when the file is accepted, when
	// a request surely never left, and when a charge is proved absent.
	Accepted State = "accepted"
	// Charging: the intent to charge is durable; the request may have left.
	// After a crash it is as good as Unknown.
	Charging State = "charging"
	// Unknown: no trustworthy answer came. Only finding the charge, or proving
	// its absence, leads out of it; never a second request.
	Unknown State = "unknown"
	// Declined: the API refused definitely. A corrected row may be accepted
	// again under the same key.
	Declined State = "declined"
	// Charged: charge id, payment code, link and expiry are durable.
	Charged State = "charged"
	// Mailing: the intent to mail and its Message-ID are durable.
	// After a crash it is as good as Held.
	Mailing State = "mailing"
	// Mailed: the mail server took responsibility for the message.
	Mailed State = "mailed"
	// Deferred: not sent, or refused for now (4xx); may be tried again.
	Deferred State = "deferred"
	// Refused: the mail server refused the message for good (5xx).
	Refused State = "refused"
	// Held: the answer after the final dot was lost. Only a person sends again.
	Held State = "held"
)

// next lists where each state may lead.
var next = map[State][]State{
	Accepted: {Accepted, Charging, Charged},
	Charging: {Charging, Charged, Declined, Unknown, Accepted},
	Unknown:  {Unknown, Charged, Accepted},
	Declined: {Accepted, Charged},
	Charged:  {Mailing},
	Mailing:  {Mailed, Deferred, Refused, Held},
	Deferred: {Mailing},
	Held:     {Mailing},
}

// CanBecome reports whether an invoice in state s may move to state to.
func (s State) CanBecome(to State) bool {
	for _, n := range next[s] {
		if n == to {
			return true
		}
	}
	return false
}

// CanBecomeByPerson reports whether a person may have an invoice in state s
// moved to state to, beyond what CanBecome says: a mail that arrived, or that
// the server refused, is sent again by nobody else.
func (s State) CanBecomeByPerson(to State) bool {
	return s.CanBecome(to) || to == Mailing && (s == Mailed || s == Refused)
}

// HasCharge reports whether the charge of an invoice in state s is durable.
func (s State) HasCharge() bool {
	switch s {
	case Charged, Mailing, Mailed, Deferred, Refused, Held:
		return true
	}
	return false
}
