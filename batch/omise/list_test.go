package omise_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
)

// TestEveryChargeIsListed reads lists of several lengths: every charge comes
// once, oldest first, with one request for a hundred.
func TestEveryChargeIsListed(t *testing.T) {
	for n, requests := range map[int]int{0: 1, 1: 1, 100: 1, 101: 2, 250: 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			api := startPractice(t, omisetest.Options{})
			c := newClient(t, config(api.URL()))
			began := time.Now()
			for i := range n {
				r := request()
				r.Number, r.Key = fmt.Sprint(i), batch.Key(fmt.Sprintf("kb_%032d", i))
				if _, err := c.CreateCharge(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			asked := requestsTo(api, "/charges")
			var found []batch.Found
			err := c.Charges(t.Context(), began, func(f batch.Found) error {
				found = append(found, f)
				return nil
			})
			if err != nil || len(found) != n {
				t.Fatalf("%d of %d charges, %v", len(found), n, err)
			}
			if asked = requestsTo(api, "/charges") - asked; asked != requests {
				t.Errorf("%d requests, want %d", asked, requests)
			}
			for i, f := range found {
				r := request()
				if f.Number != fmt.Sprint(i) || f.Key != batch.Key(fmt.Sprintf("kb_%032d", i)) || f.Amount != r.Amount ||
					f.Name != r.Name || f.Email != r.Email || f.Phone != r.Phone || f.ID == "" || f.PaymentCode == "" || f.Status != "pending" {
					t.Fatalf("charge %d: %+v", i, f)
				}
			}
		})
	}
}

// TestPageThatFailsOnce: a list is read to its end all the same.
func TestPageThatFailsOnce(t *testing.T) {
	for _, fault := range []omisetest.FaultKind{
		omisetest.Error500Before, omisetest.BadGateway, omisetest.CutBefore, omisetest.CutAfter, omisetest.Truncated, omisetest.TooManyRequests,
	} {
		t.Run(string(fault), func(t *testing.T) {
			api := startPractice(t, omisetest.Options{})
			c := newClient(t, config(api.URL()))
			if _, err := c.CreateCharge(t.Context(), request()); err != nil {
				t.Fatal(err)
			}
			api.Order(omisetest.Fault{Kind: fault, Method: "GET", Path: "/charges"})
			n := 0
			if err := c.Charges(t.Context(), time.Unix(0, 0), func(batch.Found) error { n++; return nil }); err != nil || n != 1 {
				t.Errorf("%d charges, %v", n, err)
			}
		})
	}
}

// listing answers every list with one body.
func listing(t *testing.T, bodies ...string) func(visit func(batch.Found) error) error {
	t.Helper()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, bodies[min(asked, len(bodies)-1)])
		asked++
	}))
	t.Cleanup(server.Close)
	c := newClient(t, config(server.URL))
	return func(visit func(batch.Found) error) error { return c.Charges(t.Context(), time.Unix(0, 0), visit) }
}

func page(offset, total int, charges string) string {
	return fmt.Sprintf(`{"object":"list","limit":100,"offset":%d,"order":"chronological","total":%d,"data":[%s]}`, offset, total, charges)
}

// TestListsThatProveNothing: absence is concluded from a list, so one that
// isn't what was asked for is an error.
func TestListsThatProveNothing(t *testing.T) {
	card := `{"object":"charge","id":"chrg_test_5xsjw8t67xqke49yg44","livemode":false,"amount":5,"currency":"USD","source":null,"metadata":null}`
	var all []string
	for i := range 100 {
		all = append(all, strings.Replace(card, "g44", fmt.Sprintf("g%03d", i), 1))
	}
	full := strings.Join(all, ",")
	for name, bodies := range map[string][]string{
		"fewer than it says":   {page(0, 2, card)},
		"more than it says":    {page(0, 1, card+","+card)},
		"another page":         {page(100, 1, card)},
		"another limit":        {`{"object":"list","limit":20,"offset":0,"total":0,"data":[]}`},
		"not a list":           {`{"object":"charge","limit":100}`},
		"something else in it": {page(0, 1, `{"object":"refund","id":"rfnd_test_5xsjw8t67xqke49yg44"}`)},
		"another order":        {`{"object":"list","limit":100,"offset":0,"order":"reverse_chronological","total":0,"data":[]}`},
		"charges that repeat":  {page(0, 2, card+","+card)},
		"charges that vanish":  {page(0, 101, full), page(100, 100, "")},
	} {
		t.Run(name, func(t *testing.T) {
			err := listing(t, bodies...)(func(batch.Found) error { return nil })
			if g := gatewayError(t, err); g.Outcome != batch.UnknownOutcome {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestChargesOfOthers: whatever else the account has is listed without a key.
func TestChargesOfOthers(t *testing.T) {
	const charge = `{"object":"charge","id":"chrg_test_5xsjw8t67xqke49yg44","livemode":false,"amount":123456789012345678901234567890,"currency":"USD","fee":99999999999,` +
		`"source":%s,"metadata":%s,"failure_code":null}`
	for _, metadata := range []string{
		`null`, `{}`, `[]`, `"text"`, `{"konbill_key":3}`, `{"order":{"id":1}}`,
		`{"konbill_key":"kb_0","invoice_no":"1"}`, // copied from ours; the charge itself isn't
	} {
		for _, source := range []string{`null`, `{"object":"source","id":"src_test_1","type":"promptpay","references":null}`} {
			n := 0
			err := listing(t, page(0, 1, fmt.Sprintf(charge, source, metadata)))(func(f batch.Found) error {
				n++
				if f.Key != "" || f.Amount != 0 {
					t.Errorf("%+v", f)
				}
				return nil
			})
			if err != nil || n != 1 {
				t.Errorf("%s, %s: %d charges, %v", metadata, source, n, err)
			}
		}
	}
}

func TestListOfTheOtherMode(t *testing.T) {
	err := listing(t, page(0, 1, `{"object":"charge","id":"chrg_5xsjw8t67xqke49yg44","livemode":true}`))(func(batch.Found) error { return nil })
	if g := gatewayError(t, err); g.Outcome != batch.Unauthorized || g.Code != "livemode_mismatch" {
		t.Errorf("%v", err)
	}
}

func TestVisitStopsTheList(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	c := newClient(t, config(api.URL()))
	if _, err := c.CreateCharge(t.Context(), request()); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	if err := c.Charges(t.Context(), time.Unix(0, 0), func(batch.Found) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
}

func TestSourceUsed(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	c := newClient(t, config(api.URL()))
	r := request()
	var err error
	if r.SourceID, err = c.CreateSource(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if used, err := c.SourceUsed(t.Context(), r.SourceID); used || err != nil {
		t.Errorf("a new source: %v, %v", used, err)
	}
	if _, err := c.CreateCharge(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if used, err := c.SourceUsed(t.Context(), r.SourceID); !used || err != nil {
		t.Errorf("a charged source: %v, %v", used, err)
	}
	if _, err := c.SourceUsed(t.Context(), "src_test_5nobodysource0000000"); gatewayError(t, err).Outcome != batch.DeclinedOutcome {
		t.Errorf("no source: %v", err)
	}
}
