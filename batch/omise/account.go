package omise

import (
	"context"
	"net/http"
	"time"

	"konbill/batch"
)

// Account implements batch.Gateway.
func (c *Client) Account(ctx context.Context) (batch.Account, error) {
	var a struct {
		Object string `json:"object"`
		ID     string `json:"id"`
		Live   bool   `json:"livemode"`
	}
	if _, err := c.look(ctx, "/account", &a); err != nil {
		return batch.Account{}, err
	}
	switch {
	case a.Object != "account" || !batch.IsID("", a.ID):
		return batch.Account{}, mismatch("unexpected_answer", "the answer is not an account")
	case a.Live != c.Live():
		return batch.Account{}, wrongMode()
	}
	return batch.Account{ID: a.ID, Live: a.Live}, nil
}

// Capability is what the API offers an account.
type Capability struct {
	Econtext   bool      // konbini payment is enabled
	ServerTime time.Time // by the API's clock, whole seconds; zero when not told
}

// Capability asks what the account may do.
func (c *Client) Capability(ctx context.Context) (Capability, error) {
	var said struct {
		Object         string `json:"object"`
		PaymentMethods []struct {
			Name string `json:"name"`
		} `json:"payment_methods"`
	}
	header, err := c.look(ctx, "/capability", &said)
	if err != nil {
		return Capability{}, err
	}
	if said.Object != "capability" {
		return Capability{}, mismatch("unexpected_answer", "the answer is not a capability")
	}
	var offer Capability
	for _, method := range said.PaymentMethods {
		offer.Econtext = offer.Econtext || method.Name == "econtext"
	}
	if at, err := http.ParseTime(header.Get("Date")); err == nil {
		offer.ServerTime = at.UTC()
	}
	return offer, nil
}

// look takes a turn and asks for an object.
func (c *Client) look(ctx context.Context, path string, into any) (http.Header, error) {
	if err := c.Turn(ctx); err != nil {
		return nil, &batch.GatewayError{Outcome: batch.NotSent, Code: "interrupted", Err: err}
	}
	a, err := c.ask(ctx, question{method: http.MethodGet, path: path, key: c.config.SecretKey, most: maxPage}, into)
	return a.header, err
}
