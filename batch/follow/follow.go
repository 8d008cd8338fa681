// Package follow keeps up with what becomes of charges once they are issued.
//
// Who has paid is for the payment API to say; the ledger only remembers what it
// last said. These are the promises:
//
//   - Following changes nothing but what the API says of a payment: never a
//     state, a charge's id, or anything that a run writes. It therefore doesn't
//     hold the ledger, and goes on while a run has it.
//   - Every change is stored together with an event, and only while the invoice
//     has the state and the payment status from which the change was judged. Of
//     two that follow at once, one stores it and the other finds it stored.
//   - Lists may lag. What a list says is taken only when it goes on from what is
//     known: a charge that was paid never becomes pending again. What doesn't go
//     on from there, or isn't listed, is asked for by its id, which is never late.
//   - A webhook is believed in nothing but that a charge is worth asking for. It
//     may come twice, late, in any order, or never: a sync finds the same.
//   - What can't be brought in accord is reported to a person and left alone:
//     a charge that the account doesn't have, one that the ledger doesn't have,
//     an answer that can't follow from an earlier one, and a bill that is paid
//     although it was issued again.
//
// All of it may be cut short and begun again at any time.
//
// What goes wrong ends like this:
//
//	two syncs at once             each change is stored, reported and has its event once
//	a webhook during a sync       likewise, whichever is first; a later answer is never undone
//	webhooks twice, late, mixed   the charge is asked for, not the event believed: the same end
//	webhooks that never come      the next sync finds it
//	a charge of another system    nobody's concern: no entry, no event, nothing reported
//	a charge with our metadata    reported as a stray as long as it may be, or was, paid;
//	 that the ledger lacks         while its invoice is being charged it is the run's to find
//	a charge that vanished        stays pending here; reported as missing by every sync
//	an answer that can't follow   stays as it was; reported as contradicted by every sync
//	our clock is wrong            syncs go by the API's times; webhooks are refused beyond
//	                               five minutes, and a sync finds what they were about
//	a list that breaks off        what was read before is stored and reported, with the error
//	one charge can't be asked     the others are; after three in a row the API is left alone
//	the ledger fails              what was stored before stays; the error ends the sync
package follow

import (
	"context"
	"time"

	"konbill/batch"
)

// Gateway is what is asked of the payment API. Reading is safe to repeat: it
// does so by itself for a while, and its error then is a *batch.GatewayError.
type Gateway interface {
	// Charges is as in batch.Gateway.
	Charges(ctx context.Context, since time.Time, visit func(batch.Found) error) error
	// Charge asks for one charge by its id. Of one that the account doesn't have
	// the error has status 404.
	Charge(ctx context.Context, id string) (batch.Found, error)
	// Expire asks once for a charge that waits for payment to expire now. What
	// became of it is for Charge to say. A refusal is a DeclinedOutcome.
	Expire(ctx context.Context, id string) error
}

// Follower follows the charges of one account. Its fields are set once and then
// only read.
type Follower struct {
	Ledger  batch.Ledger
	Gateway Gateway
	Account batch.Account // whose open charges Sync looks for; a webhook needs none
	Who     string        // for the events
	Now     func() time.Time
}

func (f *Follower) payments() batch.Payments {
	return batch.Payments{Ledger: f.Ledger, Who: f.Who, Now: f.Now}
}
