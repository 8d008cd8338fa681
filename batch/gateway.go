package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"konbill/invoice"
)

// Gateway is the payment API. Its methods make one request each and never
// repeat it by themselves: whether a request may be repeated is decided here,
// from the *GatewayError's Outcome.
type Gateway interface {
	// Turn waits until the pace set for all callers together allows one more
	// request that creates something. It is taken before the intent is stored,
	// so that an intent is older than its request by no more than the request's
	// own timeout and the five seconds that it may wait for those under way. The
	// error is ctx's.
	Turn(ctx context.Context) error
	// Account asks who the key belongs to. It may be repeated freely.
	Account(ctx context.Context) (Account, error)
	// CreateSource makes a source for the source-first flow. A source alone is
	// not a bill: a lost one is harmless.
	CreateSource(ctx context.Context, r ChargeRequest) (sourceID string, err error)
	// CreateCharge makes the charge: on r.SourceID when it is set, else with
	// the source inline. The error is a *GatewayError, or ctx's.
	CreateCharge(ctx context.Context, r ChargeRequest) (Charge, error)
	// Charges yields every charge of the account made at or after an instant,
	// oldest first and whoever made it, to visit; it stops at visit's first
	// error and returns it. It returns nil only when every page was read whole.
	// Reading is safe to repeat, so it takes its turns and repeats by itself
	// for a while; the error then is a *GatewayError.
	Charges(ctx context.Context, since time.Time, visit func(Found) error) error
	// Charge asks for one charge by its id; it is never late, unlike a list. Reading
	// is safe to repeat, so it does so by itself for a while. Of one that the
	// account doesn't have the error has status 404.
	Charge(ctx context.Context, id string) (Found, error)
	// SourceUsed reports whether the API says that a source was charged.
	SourceUsed(ctx context.Context, sourceID string) (bool, error)
}

// Found is a charge that the account has.
type Found struct {
	Charge
	Key      Key    // from our metadata; empty: not made by Konbill
	Number   string // likewise
	Revision int    // likewise; 0 where it says none, which is 1
	Name     string // of the payer, as the API was sent it
	Email    string
	Phone    string
}

// ChargeRequest is what the API is asked for.
type ChargeRequest struct {
	Key         Key
	Number      string
	Revision    int
	Amount      invoice.Yen
	Name        string // at most 10 characters
	Email       string
	Phone       string
	Description string
	ExpiresAt   time.Time
	SourceID    string // source-first flow only

	// Intended is the moment before the intent was stored, by this machine's clock. A
	// process may be stopped after that and wake when others have judged the intent
	// lost: a request that is late for its intent must not leave. Zero: never late.
	Intended time.Time
}

// Outcome is what is known about a request that did not succeed.
type Outcome string

const (
	// NotSent: surely nothing was created: the request never left (DNS, dial,
	// TLS failure). It may be sent again.
	NotSent Outcome = "not_sent"
	// TooMany: status 429, nothing was created. It may be sent again, later.
	TooMany Outcome = "too_many"
	// DeclinedOutcome: a definite refusal of this request (4xx). Sending the
	// same again is pointless.
	DeclinedOutcome Outcome = "declined"
	// Unauthorized: status 401 or 403, or an answer of the wrong mode: no
	// request with this key will do better. It stops the run.
	Unauthorized Outcome = "unauthorized"
	// UnknownOutcome: the request may have been carried out: timeout or cut
	// after bytes were written, 5xx, an unreadable or truncated 2xx, a 400
	// backend_error, an answer that isn't about what was asked.
	UnknownOutcome Outcome = "unknown"
)

// GatewayError is a request that did not succeed, and what is known about it.
type GatewayError struct {
	Outcome    Outcome
	Status     int           // HTTP status, 0 when there was no answer
	Code       string        // the API's error code, or a word for the fault
	Message    string        // the API's message; may repeat what was sent
	RetryAfter time.Duration // from a 429 or 503; 0 when not given
	Err        error         // what the network said, if it did
}

func (e *GatewayError) Error() string {
	s := fmt.Sprintf("payment API: %s", e.Outcome)
	if e.Status != 0 {
		s += fmt.Sprintf(", status %d", e.Status)
	}
	if e.Code != "" {
		s += ", " + e.Code
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *GatewayError) Unwrap() error { return e.Err }

// OutcomeOf returns the outcome err carries. An error that carries none tells
// nothing about the request, so it is unknown.
func OutcomeOf(err error) Outcome {
	var g *GatewayError
	if errors.As(err, &g) {
		return g.Outcome
	}
	return UnknownOutcome
}
