package batch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Payments takes over into the ledger what the API says of charges. It changes
// nothing but what is known of the payment, stored together with an event, and
// only while the invoice has the state and the payment status from which the
// change was judged.
type Payments struct {
	Ledger Ledger
	Who    string // for the events
	Now    func() time.Time
}

// Learnt is what an answer of the API led to.
type Learnt struct {
	Verdict       PaymentVerdict
	Said          Charge // the answer
	Fresh         bool   // whether it was judged as an answer that can't be late
	Before, After Entry  // the invoice by which it was judged, and as it is now
}

// Learn judges what the API says of an invoice's charge, and stores it if it is
// news. A fresh answer is one about this charge alone, which is never late, as
// lists are. When somebody else has moved the invoice meanwhile, it is judged
// anew. The error is the ledger's.
func (p Payments) Learn(ctx context.Context, e Entry, said Charge, fresh bool) (Learnt, error) {
	for {
		l := Learnt{Verdict: judge(e.Charge, said, fresh), Said: said, Fresh: fresh, Before: e, After: e}
		if l.Verdict != News {
			return l, nil
		}
		var err error
		if l.After, err = p.store(ctx, e, said); err == nil {
			return l, nil
		}
		if stale := new(StaleError); !errors.As(err, &stale) {
			return Learnt{}, err
		}
		if e, err = p.Ledger.Entry(ctx, e.Key); err != nil {
			return Learnt{}, err
		}
		fresh = false // what is stored now may be from a later answer
	}
}

// store records a payment, unless the invoice has changed since it was read.
func (p Payments) store(ctx context.Context, e Entry, said Charge) (Entry, error) {
	return p.Ledger.Move(ctx, Move{
		Key: e.Key, From: e.State, To: e.State, ChargeStatus: e.Charge.Status,
		At: p.Now(), Who: p.Who, Why: why(e.Charge, said),
	}, func(e *Entry) { e.Charge = updated(e.Charge, said) })
}

// askPayment asks the API what became of an invoice's charge, and takes it over.
// What it is told can't be late. An answer about another invoice's charge is a
// contradiction. The error is a *GatewayError, see IsMissing, or the ledger's.
func (r *Runner) askPayment(ctx context.Context, e Entry) (Learnt, error) {
	found, err := r.Gateway.Charge(ctx, e.Charge.ID)
	switch {
	case err != nil:
		return Learnt{Before: e, After: e}, err
	case found.Key != e.Key:
		return Learnt{Verdict: Contradiction, Said: found.Charge, Fresh: true, Before: e, After: e}, nil
	}
	return Payments{Ledger: r.Ledger, Who: r.Settings.Who, Now: r.Now}.Learn(ctx, e, found.Charge, true)
}

// IsMissing reports whether an error says that the account doesn't have a charge.
func IsMissing(err error) bool {
	var g *GatewayError
	return errors.As(err, &g) && g.Outcome == DeclinedOutcome && g.Status == http.StatusNotFound
}

// rank orders the payment statuses: a charge goes from a lower to a higher one.
// Money that was paid outweighs that the time was thought to be over, since
// stores report late. A status that nobody documents has rank 0.
var rank = map[string]int{StatusPending: 1, StatusFailed: 2, StatusExpired: 2, StatusSuccessful: 3, StatusReversed: 4}

// PaymentVerdict is what an answer of the API means for what is known.
type PaymentVerdict int

const (
	NothingNew PaymentVerdict = iota
	// News: it goes on from what is known.
	News
	// Contradiction: it can't be what became of the charge since. In a list
	// that may mean that the list lags.
	Contradiction
)

// judge compares what the API says of a charge with what is known. Fresh is an
// answer about this charge alone, which is never late: between statuses of the
// same rank it decides.
func judge(known, said Charge, fresh bool) PaymentVerdict {
	was, is := rank[known.Status], rank[said.Status]
	switch {
	case said.Amount != known.Amount, is == 0, is < was:
		return Contradiction
	case is > was:
		return News
	case samePayment(known, updated(known, said)):
		return NothingNew
	case said.Status == known.Status && !known.Paid():
		return NothingNew // what an unpaid charge would cost is nothing to remember
	case fresh, said.Status == known.Status && !said.PaidAt.Before(known.PaidAt):
		return News
	}
	return Contradiction
}

// updated is a charge after the API's answer.
func updated(known, said Charge) Charge {
	after := known
	after.Status, after.FailureCode = said.Status, said.FailureCode
	after.Fee, after.FeeVAT, after.Net = said.Fee, said.FeeVAT, said.Net
	if !said.PaidAt.IsZero() {
		after.PaidAt = said.PaidAt
	}
	return after
}

func samePayment(a, b Charge) bool {
	return a.Status == b.Status && a.FailureCode == b.FailureCode &&
		a.Fee == b.Fee && a.FeeVAT == b.FeeVAT && a.Net == b.Net && a.PaidAt.Equal(b.PaidAt)
}

// why is what the event says.
func why(known, said Charge) string {
	text := fmt.Sprintf("the payment is %s, was %s", said.Status, known.Status)
	if said.Status == known.Status {
		text = fmt.Sprintf("the payment is %s, with other details", said.Status)
	}
	if said.FailureCode != "" {
		text += ": " + said.FailureCode
	}
	return text
}
