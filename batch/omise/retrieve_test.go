package omise_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
)

// TestChargeIsRetrieved: by its id a charge is all that a list says of it, and
// later what became of it.
func TestChargeIsRetrieved(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	c := newClient(t, config(api.URL()))
	made, err := c.CreateCharge(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	var listed batch.Found
	if err := c.Charges(t.Context(), made.CreatedAt, func(f batch.Found) error { listed = f; return nil }); err != nil {
		t.Fatal(err)
	}
	got, err := c.Charge(t.Context(), made.ID)
	if err != nil || got != listed || got.Charge != made || got.Key != request().Key {
		t.Errorf("%+v, %v\nwant %+v", got, err, listed)
	}
	pay, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api.URL()+"/charges/"+made.ID+"/mark_as_paid", nil)
	if err != nil {
		t.Fatal(err)
	}
	pay.SetBasicAuth(secretKey, "")
	if answer, err := http.DefaultClient.Do(pay); err != nil || answer.Body.Close() != nil {
		t.Fatal(err)
	}
	api.Order(omisetest.Fault{Kind: omisetest.CutAfter, Method: "GET", Path: "/charges/"}) // it is asked for again
	if got, err = c.Charge(t.Context(), made.ID); err != nil || got.Status != "successful" || time.Since(got.PaidAt) > time.Minute {
		t.Errorf("paid: %s at %v, %v", got.Status, got.PaidAt, err)
	}
}

func TestChargeThatIsNotThere(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	c := newClient(t, config(api.URL()))
	_, err := c.Charge(t.Context(), "chrg_test_none")
	if g := gatewayError(t, err); g.Outcome != batch.DeclinedOutcome || g.Status != http.StatusNotFound {
		t.Error(g)
	}
	if n := requestsTo(api, "/charges/chrg_test_none"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestAnswersAboutAnotherCharge are not taken for the one asked for.
func TestAnswersAboutAnotherCharge(t *testing.T) {
	const card = `{"object":"charge","id":"chrg_test_1","livemode":false,"currency":"JPY","metadata":{"note":["PERSONAL"]}}`
	for name, c := range map[string]struct {
		answer  string
		outcome batch.Outcome // empty: no error
	}{
		"others made it":  {card, ""},
		"another id":      {strings.Replace(card, "test_1", "test_2", 1), batch.UnknownOutcome},
		"another mode":    {strings.Replace(card, "false", "true", 1), batch.Unauthorized},
		"not a charge":    {`{"object":"source","id":"src_test_1"}`, batch.UnknownOutcome},
		"nothing":         {`null`, batch.UnknownOutcome},
		"not even JSON":   {`<html>PERSONAL</html>`, batch.UnknownOutcome},
		"an empty answer": {``, batch.UnknownOutcome},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.answer) }))
		found, err := newClient(t, config(server.URL)).Charge(t.Context(), "chrg_test_1")
		server.Close()
		switch {
		case c.outcome == "" && (err != nil || found.ID != "chrg_test_1" || found.Key != ""):
			t.Errorf("%s: %+v, %v", name, found, err)
		case c.outcome != "" && (gatewayError(t, err).Outcome != c.outcome || found != batch.Found{}):
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}
