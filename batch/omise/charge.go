package omise

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

// charge is what is read of a charge object.
type charge struct {
	Object       string            `json:"object"`
	ID           string            `json:"id"`
	Live         bool              `json:"livemode"`
	Amount       invoice.Yen       `json:"amount"`
	Currency     string            `json:"currency"`
	Fee          invoice.Yen       `json:"fee"`
	FeeVAT       invoice.Yen       `json:"fee_vat"`
	Net          invoice.Yen       `json:"net"`
	Status       string            `json:"status"`
	FailureCode  string            `json:"failure_code"`
	FailureText  string            `json:"failure_message"`
	AuthorizeURI string            `json:"authorize_uri"`
	CreatedAt    time.Time         `json:"created_at"`
	ExpiresAt    time.Time         `json:"expires_at"`
	PaidAt       time.Time         `json:"paid_at"`
	Metadata     map[string]string `json:"metadata"`
	Source       source            `json:"source"`
}

type source struct {
	Object     string      `json:"object"`
	ID         string      `json:"id"`
	Live       bool        `json:"livemode"`
	Amount     invoice.Yen `json:"amount"`
	Currency   string      `json:"currency"`
	References struct {
		PaymentCode string `json:"payment_code"`
	} `json:"references"`
}

// The metadata by which a charge is known as ours, and found again.
const (
	metadataKey      = "konbill_key"
	metadataNumber   = "invoice_no"
	metadataRevision = "konbill_revision" // of second and later ones only
)

// CreateSource implements batch.Gateway.
func (c *Client) CreateSource(ctx context.Context, r batch.ChargeRequest) (string, error) {
	form := url.Values{"type": {"econtext"}, "name": {r.Name}, "email": {r.Email}, "phone_number": {r.Phone}}
	setMoney(form, r)
	var made source
	_, err := c.ask(ctx, question{
		method: http.MethodPost, path: "/sources", key: cmp.Or(c.config.PublicKey, c.config.SecretKey), form: form, intended: r.Intended,
	}, &made)
	switch {
	case err != nil:
		return "", err
	case made.Object != "source" || !batch.IsID(sourceID, made.ID) || !isMoney(made.Amount, made.Currency, r):
		return "", mismatch("unexpected_answer", "the answer is not about this source")
	case made.Live != c.Live():
		return "", wrongMode()
	}
	return made.ID, nil
}

// CreateCharge implements batch.Gateway.
//
// The charge returned with a nil error is pending, or already paid. It is what
// the API says, not what was asked: ExpiresAt above all may differ from
// r.ExpiresAt, or be zero. Such a charge exists and is the customer's bill all
// the same, so it is kept, and the API's date is the one to print.
//
// A charge that failed at once can't be paid and is a DeclinedOutcome. One that
// is expired or reversed from the start, or in a state nobody documents, is an
// UnknownOutcome: the API made it and only a person can tell why.
//
// With any other error than a decline, Charge.ID is set, and nothing else, if
// the answer names a charge, even one that was cut, unreadable or about
// something else: the charge must then not be taken for absent.
func (c *Client) CreateCharge(ctx context.Context, r batch.ChargeRequest) (batch.Charge, error) {
	var made charge
	a, err := c.ask(ctx, question{
		method: http.MethodPost, path: "/charges", key: c.config.SecretKey, form: chargeForm(r), intended: r.Intended,
	}, &made)
	if err == nil {
		err = c.examine(made, r)
	}
	switch {
	case err == nil:
		return made.kept(), nil
	case batch.OutcomeOf(err) == batch.DeclinedOutcome:
		return batch.Charge{}, err
	}
	return batch.Charge{ID: a.namedCharge()}, err
}

func chargeForm(r batch.ChargeRequest) url.Values {
	form := url.Values{
		"description":                      {r.Description},
		"expires_at":                       {r.ExpiresAt.UTC().Format("2006-01-02T15:04:05Z")},
		"metadata[" + metadataKey + "]":    {string(r.Key)},
		"metadata[" + metadataNumber + "]": {r.Number},
	}
	if r.Revision > 1 {
		form.Set("metadata["+metadataRevision+"]", strconv.Itoa(r.Revision))
	}
	setMoney(form, r)
	if r.SourceID != "" {
		form.Set("source", r.SourceID)
		return form
	}
	form.Set("source[type]", "econtext")
	form.Set("source[name]", r.Name)
	form.Set("source[email]", r.Email)
	form.Set("source[phone_number]", r.Phone)
	return form
}

func setMoney(form url.Values, r batch.ChargeRequest) {
	form.Set("amount", strconv.FormatInt(int64(r.Amount), 10))
	form.Set("currency", "JPY")
}

// isMoney compares with what was asked. Older versions of the API write the
// currency in lower case.
func isMoney(amount invoice.Yen, currency string, r batch.ChargeRequest) bool {
	return amount == r.Amount && strings.EqualFold(currency, "JPY")
}

// examine compares the answer with what was asked. An answer about something
// else proves nothing, whatever it says.
func (c *Client) examine(made charge, r batch.ChargeRequest) error {
	switch {
	case made.Object != "charge" || !batch.IsID(chargeID, made.ID):
		return mismatch("unexpected_answer", "the answer is not a charge")
	case made.Live != c.Live():
		return wrongMode()
	case made.Metadata[metadataKey] != string(r.Key), r.SourceID != "" && made.Source.ID != r.SourceID:
		return mismatch("not_ours", "the answer is about another charge")
	case !isMoney(made.Amount, made.Currency, r):
		return mismatch("amount_mismatch", "the answer is about another amount or currency")
	case made.absurd():
		return mismatch("unexpected_answer", "the answer holds values that can't be true")
	}
	return made.judged()
}

// judged is what the status means for a charge just made.
func (c charge) judged() error {
	switch c.Status {
	case "pending", "successful":
		return nil
	case "failed":
		return &batch.GatewayError{
			Outcome: batch.DeclinedOutcome, Status: http.StatusOK, Code: cmp.Or(c.FailureCode, "failed_processing"),
			Message: strings.TrimSpace(shorten(c.FailureText) + " (" + c.ID + ")"),
		}
	}
	return mismatch("unexpected_status", "the charge was made, but can't be paid")
}

// Bounds beyond which an answer is not believed.
const (
	maxFee  = invoice.Yen(1_000_000_000)
	maxText = 2_000 // bytes
)

// absurd reports values that would do harm where they are summed or printed.
func (c charge) absurd() bool {
	for _, yen := range []invoice.Yen{c.Fee, c.FeeVAT, c.Net} {
		if yen < -maxFee || yen > maxFee {
			return true
		}
	}
	for _, text := range []string{c.AuthorizeURI, c.Source.ID, c.Source.References.PaymentCode} {
		if len(text) > maxText || strings.ContainsFunc(text, notPrintable) {
			return true
		}
	}
	return c.FailureCode != "" && !errorCode.MatchString(c.FailureCode)
}

func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// mismatch is an answer that isn't about what was asked.
func mismatch(code, message string) *batch.GatewayError {
	return &batch.GatewayError{Outcome: batch.UnknownOutcome, Status: http.StatusOK, Code: code, Message: message}
}

// wrongMode stops everything: a test key whose answers are live, or the other
// way round, is not the service we know.
func wrongMode() *batch.GatewayError {
	return &batch.GatewayError{Outcome: batch.Unauthorized, Status: http.StatusOK, Code: "livemode_mismatch"}
}

// kept is what Konbill keeps of a charge.
func (c charge) kept() batch.Charge {
	return batch.Charge{
		ID: c.ID, SourceID: c.Source.ID, Amount: c.Amount, PaymentCode: c.Source.References.PaymentCode,
		AuthorizeURI: c.AuthorizeURI, Status: c.Status, FailureCode: c.FailureCode,
		Fee: c.Fee, FeeVAT: c.FeeVAT, Net: c.Net, Live: c.Live,
		CreatedAt: c.CreatedAt.UTC(), ExpiresAt: c.ExpiresAt.UTC(), PaidAt: c.PaidAt.UTC(),
	}
}
