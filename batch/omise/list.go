package omise

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"konbill/batch"
)

const (
	pageSize = 100     // the most charges that a page of a list can have
	maxPage  = 8 << 20 // bound of a page, in bytes; charges of others may carry long metadata
	// readings is how often one page is asked for before the list is given up.
	readings = 5
)

// chargeList is a page of a list, as far as it is read.
type chargeList struct {
	Object string         `json:"object"`
	Limit  int            `json:"limit"`
	Offset int            `json:"offset"`
	Total  int            `json:"total"`
	Data   []listedCharge `json:"data"`
}

// listedCharge is a charge that anybody may have made: by card, in another
// currency, with metadata of their own.
type listedCharge struct {
	charge
	Metadata metadata      `json:"metadata"`
	Source   *listedSource `json:"source"`
}

// metadata is whatever somebody attached to a charge; only ours has a meaning.
type metadata struct{ key, number string }

// UnmarshalJSON reads ours, and lets any other pass.
func (m *metadata) UnmarshalJSON(data []byte) error {
	var fields map[string]any
	if json.Unmarshal(data, &fields) == nil {
		m.key, _ = fields[metadataKey].(string)
		m.number, _ = fields[metadataNumber].(string)
	}
	return nil
}

type listedSource struct {
	source
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone_number"`
}

// Charges implements batch.Gateway. A page that can't be read is asked for up
// to five times. Pages are read by offset, oldest first: charges made, or
// listed, meanwhile push others back, so none is missed and some may come twice.
func (c *Client) Charges(ctx context.Context, since time.Time, visit func(batch.Found) error) error {
	total := 0
	for offset := 0; ; {
		page, err := c.page(ctx, since, offset)
		if err != nil {
			return err
		}
		if page.Total < total {
			return mismatch("list_shrank", "the list lost charges while it was read")
		}
		total = page.Total
		for _, listed := range page.Data {
			found, err := c.found(listed)
			if err != nil {
				return err
			}
			if err := visit(found); err != nil {
				return err
			}
		}
		if offset += len(page.Data); offset >= total {
			return nil
		}
	}
}

// page reads one page whole.
func (c *Client) page(ctx context.Context, since time.Time, offset int) (chargeList, error) {
	query := url.Values{
		"from":   {since.UTC().Format("2006-01-02T15:04:05Z")},
		"order":  {"chronological"},
		"limit":  {strconv.Itoa(pageSize)},
		"offset": {strconv.Itoa(offset)},
	}
	var last error
	for range readings {
		var page chargeList
		_, err := c.look(ctx, "/charges?"+query.Encode(), &page)
		if err == nil {
			err = page.examine(offset)
		}
		if err == nil {
			return page, nil
		}
		if ctx.Err() != nil || !repeatable(err) {
			return page, err
		}
		last = err
	}
	return chargeList{}, last
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
	if p.Object != "list" || p.Limit != pageSize || p.Offset != offset || len(p.Data) != expected {
		return mismatch("unexpected_answer", fmt.Sprintf("the answer is not the page of the list from %d on", offset))
	}
	return nil
}

// found is what is kept of a listed charge. One that others made has no key.
func (c *Client) found(l listedCharge) (batch.Found, error) {
	switch {
	case l.Object != "charge" || !chargeID.MatchString(l.ID):
		return batch.Found{}, mismatch("unexpected_answer", "the list has something that is not a charge")
	case l.Live != c.Live():
		return batch.Found{}, wrongMode()
	}
	found := batch.Found{Key: batch.Key(l.Metadata.key), Number: l.Metadata.number}
	if found.Key == "" {
		return batch.Found{Charge: batch.Charge{ID: l.ID}}, nil
	}
	if l.Source != nil {
		l.charge.Source = l.Source.source
		found.Name, found.Email, found.Phone = l.Source.Name, l.Source.Email, l.Source.Phone
	}
	if l.absurd() {
		return batch.Found{}, mismatch("unexpected_answer", "the list has values that can't be true")
	}
	found.Charge = l.kept()
	return found, nil
}

// SourceUsed implements batch.Gateway.
func (c *Client) SourceUsed(ctx context.Context, id string) (bool, error) {
	var asked struct {
		source
		ChargeStatus string `json:"charge_status"`
	}
	if _, err := c.look(ctx, "/sources/"+url.PathEscape(id), &asked); err != nil {
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
