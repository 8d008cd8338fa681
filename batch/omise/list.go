package omise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/cenkalti/backoff/v5"

	"konbill/batch"
)

const (
	pageSize = 100     // the most charges that a page of a list can have
	maxPage  = 8 << 20 // bound of a page, in bytes; charges of others may carry long metadata
	// readings is how often one page is asked for before the list is given up.
	readings = 5

	chronological = "chronological" // the order: oldest first
)

// chargeList is a page of a list, as far as it is read.
type chargeList struct {
	Object string            `json:"object"`
	Limit  int               `json:"limit"`
	Offset int               `json:"offset"`
	Order  string            `json:"order"`
	Total  int               `json:"total"`
	Data   []json.RawMessage `json:"data"`
}

// listed is what tells whose a charge in a list is. Others may have made it by
// card, in another currency, with metadata of their own: of theirs nothing more
// is read.
type listed struct {
	Object   string   `json:"object"`
	ID       string   `json:"id"`
	Live     bool     `json:"livemode"`
	Currency string   `json:"currency"`
	Metadata metadata `json:"metadata"`
	Source   *struct {
		Type string `json:"type"`
	} `json:"source"`
}

// ours reports whether Konbill made the charge.
func (l listed) ours() bool {
	return l.Metadata.key != "" && strings.EqualFold(l.Currency, "JPY") && l.Source != nil && l.Source.Type == "econtext"
}

// ownCharge is a listed charge that Konbill made.
type ownCharge struct {
	charge
	Metadata metadata `json:"metadata"`
	Source   struct {
		source
		Name  string `json:"name"`
		Email string `json:"email"`
		Phone string `json:"phone_number"`
	} `json:"source"`
}

// metadata is whatever somebody attached to a charge; only ours has a meaning.
type metadata struct {
	key, number string
	revision    int // 0 where it says none
}

// UnmarshalJSON reads ours, and lets any other pass.
func (m *metadata) UnmarshalJSON(data []byte) error {
	var fields map[string]any
	if json.Unmarshal(data, &fields) == nil {
		m.key, _ = fields[metadataKey].(string)
		m.number, _ = fields[metadataNumber].(string)
		revision, _ := fields[metadataRevision].(string)
		m.revision, _ = strconv.Atoi(revision) // what isn't ours has a key that doesn't fit
	}
	return nil
}

// errShifted says that a list changed in a part that was read already.
var errShifted = mismatch("list_shifted", "the list changed while it was read")

// Charges implements batch.Gateway. A page that can't be read is asked for up
// to five times, with growing pauses. Charges made meanwhile come at the end of
// the list. One that is listed late comes in the middle and pushes others back;
// the list is then read again from its beginning, so some charges may come more
// than once.
func (c *Client) Charges(ctx context.Context, since time.Time, visit func(batch.Found) error) error {
	for attempt := 1; ; attempt++ {
		err := c.readList(ctx, since, visit)
		if !errors.Is(err, errShifted) || attempt == readings {
			return err
		}
	}
}

func (c *Client) readList(ctx context.Context, since time.Time, visit func(batch.Found) error) error {
	total := 0
	previous := map[string]bool{} // the ids of the page before
	for offset := 0; ; {
		page, err := c.page(ctx, since, offset)
		if err != nil {
			return err
		}
		if page.Total < total {
			return mismatch("list_shrank", "the list lost charges while it was read")
		}
		total = page.Total
		ids := map[string]bool{}
		for _, raw := range page.Data {
			found, err := c.found(raw)
			if err != nil {
				return err
			}
			if previous[found.ID] || ids[found.ID] {
				return errShifted
			}
			ids[found.ID] = true
			if err := visit(found); err != nil {
				return err
			}
		}
		if offset += len(page.Data); offset >= total {
			return nil
		}
		previous = ids
	}
}

// page reads one page whole.
func (c *Client) page(ctx context.Context, since time.Time, offset int) (chargeList, error) {
	query := url.Values{
		"from":   {since.UTC().Format("2006-01-02T15:04:05Z")},
		"order":  {chronological},
		"limit":  {strconv.Itoa(pageSize)},
		"offset": {strconv.Itoa(offset)},
	}
	var page chargeList
	err := c.repeat(ctx, func() error {
		page = chargeList{}
		_, err := c.look(ctx, "/charges?"+query.Encode(), &page)
		if err == nil {
			err = page.examine(offset)
		}
		return err
	})
	return page, err
}

// repeat reads until it succeeds, five times at most.
func (c *Client) repeat(ctx context.Context, read func() error) error {
	pause := backoff.NewExponentialBackOff()
	for reading := 1; ; reading++ {
		err := read()
		if err == nil || reading == readings || ctx.Err() != nil || !repeatable(err) {
			return err
		}
		if c.wait(ctx, pause.NextBackOff()) != nil {
			return err
		}
	}
}

func (c *Client) wait(ctx context.Context, d time.Duration) error {
	if c.config.Wait != nil {
		return c.config.Wait(ctx, d)
	}
	return sleep(ctx, d)
}

// repeatable reports whether reading again may fare better.
func repeatable(err error) bool {
	switch batch.OutcomeOf(err) {
	case batch.NotSent, batch.TooMany, batch.UnknownOutcome:
		return true
	}
	return false
}

// examine makes sure that a page is the one asked for, and has all that it must
// have: the absence of a charge is concluded from it.
func (p chargeList) examine(offset int) error {
	expected := min(pageSize, max(p.Total-offset, 0))
	if p.Object != "list" || p.Limit != pageSize || p.Offset != offset || p.Order != chronological || len(p.Data) != expected {
		return mismatch("unexpected_answer", fmt.Sprintf("the answer is not the page of the list from %d on", offset))
	}
	return nil
}

// Charge asks for one charge by its id. Reading is safe to repeat, so it takes
// its turns and repeats by itself as Charges does. One that others made has no
// key. The error is a *batch.GatewayError; for a charge that the account doesn't
// have it is a DeclinedOutcome with status 404.
func (c *Client) Charge(ctx context.Context, id string) (batch.Found, error) {
	var raw json.RawMessage
	err := c.repeat(ctx, func() error {
		_, err := c.look(ctx, "/charges/"+url.PathEscape(id), &raw)
		return err
	})
	if err != nil {
		return batch.Found{}, err
	}
	charge, err := c.found(raw)
	if err == nil && charge.ID != id {
		err = mismatch("not_ours", "the answer is about another charge")
	}
	if err != nil {
		return batch.Found{}, err
	}
	return charge, nil
}

// Expire asks the API to let a charge that waits for payment expire now. It is
// sent once: what became of the charge is for Charge to say, whatever the error.
// That is a *batch.GatewayError, a DeclinedOutcome when the API won't, or ctx's.
func (c *Client) Expire(ctx context.Context, id string) error {
	if err := c.Turn(ctx); err != nil {
		return err
	}
	var any json.RawMessage
	_, err := c.ask(ctx, question{
		method: http.MethodPost, path: "/charges/" + url.PathEscape(id) + "/expire", key: c.config.SecretKey,
	}, &any)
	return err
}

// found is what is kept of a charge. One that others made has no key.
func (c *Client) found(raw json.RawMessage) (batch.Found, error) {
	var l listed
	err := json.Unmarshal(raw, &l)
	switch {
	case err != nil, l.Object != "charge" || !batch.IsID(chargeID, l.ID):
		return batch.Found{}, mismatch("unexpected_answer", "the answer has something that is not a charge")
	case l.Live != c.Live():
		return batch.Found{}, wrongMode()
	case !l.ours():
		return batch.Found{Charge: batch.Charge{ID: l.ID}}, nil
	}
	var own ownCharge
	if json.Unmarshal(raw, &own) != nil {
		return batch.Found{}, mismatch("unexpected_answer", "the answer has a charge of ours that can't be read")
	}
	own.charge.Source = own.Source.source
	payer := own.Source
	if own.absurd() || own.Amount <= 0 || strings.ContainsFunc(payer.Name+payer.Email+payer.Phone, unicode.IsControl) ||
		len(payer.Name)+len(payer.Email)+len(payer.Phone) > maxText {
		return batch.Found{}, mismatch("unexpected_answer", "the answer has values that can't be true")
	}
	return batch.Found{
		Charge: own.kept(), Key: batch.Key(own.Metadata.key), Number: own.Metadata.number, Revision: own.Metadata.revision,
		Name: payer.Name, Email: payer.Email, Phone: payer.Phone,
	}, nil
}

// SourceUsed implements batch.Gateway.
func (c *Client) SourceUsed(ctx context.Context, id string) (bool, error) {
	var asked struct {
		source
		ChargeStatus string `json:"charge_status"`
	}
	err := c.repeat(ctx, func() error {
		_, err := c.look(ctx, "/sources/"+url.PathEscape(id), &asked)
		return err
	})
	if err != nil {
		return false, err
	}
	switch {
	case asked.Object != "source" || asked.ID != id || asked.ChargeStatus == "":
		return false, mismatch("unexpected_answer", "the answer is not about this source")
	case asked.Live != c.Live():
		return false, wrongMode()
	}
	return asked.ChargeStatus != "unknown", nil
}
