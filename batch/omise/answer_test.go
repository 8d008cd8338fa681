package omise_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"konbill/batch"
)

// madeID is the charge of the crafted answers.
const madeID = "chrg_test_5crafted"

// crafted is an answer to request(), with changes; a nil takes a field away.
func crafted(changes map[string]any) string {
	r := request()
	object := map[string]any{
		"object": "charge", "id": madeID, "livemode": false, "amount": int64(r.Amount), "currency": "JPY", "status": "pending",
		"fee": 165, "fee_vat": 17, "net": 2818, "metadata": map[string]any{"konbill_key": r.Key}, "failure_code": nil,
		"authorize_uri": "https://pay.omise.co/x", "created_at": "2030-12-01T00:00:00Z", "expires_at": "2030-12-31T15:00:00Z", "paid_at": nil,
		"source": map[string]any{"object": "source", "id": "src_test_5crafted", "references": map[string]any{"payment_code": "012345"}},
	}
	for name, value := range changes {
		object[name] = value
		if value == nil {
			delete(object, name)
		}
	}
	data, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// chargeAt asks a server that always answers the same for a charge.
func chargeAt(t *testing.T, status int, header http.Header, body string) (batch.Charge, error) {
	t.Helper()
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	charge, err := newClient(t, config(server.URL)).CreateCharge(background, request())
	if requests != 1 {
		t.Errorf("%d requests", requests)
	}
	return charge, err
}

func TestAnswersThatAreKept(t *testing.T) {
	charge, err := chargeAt(t, 200, nil, crafted(nil))
	if err != nil || charge.PaymentCode != "012345" || charge.SourceID != "src_test_5crafted" {
		t.Fatalf("%+v, %v", charge, err)
	}
	if c, err := chargeAt(t, 201, nil, crafted(map[string]any{"status": "successful", "paid_at": "2030-12-01T00:00:01Z"})); err != nil ||
		c.Status != "successful" || c.PaidAt.IsZero() {
		t.Errorf("paid at once: %+v, %v", c, err)
	}
	if _, err := chargeAt(t, 200, nil, crafted(map[string]any{"currency": "jpy"})); err != nil {
		t.Errorf("currency as older versions write it: %v", err)
	}
	// The charge exists whatever its expiry, so that is stored as the API says.
	other := time.Date(2031, 1, 31, 15, 0, 0, 0, time.UTC)
	if c, err := chargeAt(t, 200, nil, crafted(map[string]any{"expires_at": other})); err != nil || !c.ExpiresAt.Equal(other) {
		t.Errorf("another expiry: %+v, %v", c, err)
	}
	if c, err := chargeAt(t, 200, nil, crafted(map[string]any{"expires_at": nil})); err != nil || !c.ExpiresAt.IsZero() {
		t.Errorf("no expiry: %+v, %v", c, err)
	}
}

// TestFailedAtOnce: it can't be paid, so it is a decline and not a charge.
func TestFailedAtOnce(t *testing.T) {
	charge, err := chargeAt(t, 200, nil, crafted(map[string]any{
		"status": "failed", "failure_code": "payment_cancelled", "failure_message": "no",
	}))
	g := gatewayError(t, err)
	if g.Outcome != batch.DeclinedOutcome || g.Code != "payment_cancelled" || g.Message != "no ("+madeID+")" || charge != (batch.Charge{}) {
		t.Errorf("%+v, %+v", g, charge)
	}
}

// TestAnswersThatProveNothing: the charge they name must not be lost.
func TestAnswersThatProveNothing(t *testing.T) {
	type changes = map[string]any
	for _, c := range []struct {
		name string
		body string
		code string
		id   string
	}{
		{"expired from the start", crafted(changes{"status": "expired"}), "unexpected_status", madeID},
		{"reversed from the start", crafted(changes{"status": "reversed"}), "unexpected_status", madeID},
		{"no status", crafted(changes{"status": nil}), "unexpected_status", madeID},
		{"another invoice", crafted(changes{"metadata": changes{"konbill_key": "kb_other"}}), "not_ours", madeID},
		{"no metadata", crafted(changes{"metadata": nil}), "not_ours", madeID},
		{"another amount", crafted(changes{"amount": 3001}), "amount_mismatch", madeID},
		{"the most negative amount", crafted(changes{"amount": int64(math.MinInt64)}), "amount_mismatch", madeID},
		{"another currency", crafted(changes{"currency": "THB"}), "amount_mismatch", madeID},
		{"an amount beyond int64", crafted(changes{"amount": 1e30}), "unreadable_answer", madeID},
		{"an amount in words", crafted(changes{"amount": "3000"}), "unreadable_answer", madeID},
		{"the most negative fee", crafted(changes{"fee": int64(math.MinInt64)}), "unexpected_answer", madeID},
		{"an immense net", crafted(changes{"net": int64(math.MaxInt64)}), "unexpected_answer", madeID},
		{"an expiry that is no date", crafted(changes{"expires_at": "31.12.2030"}), "unreadable_answer", madeID},
		{"a code of two lines", crafted(changes{"source": changes{"references": changes{"payment_code": "1\n2"}}}), "unexpected_answer", madeID},
		{"an endless link", crafted(changes{"authorize_uri": "https://" + strings.Repeat("a", 3000)}), "unexpected_answer", madeID},
		{"an id that is none", crafted(changes{"id": "../PERSONAL"}), "unexpected_answer", ""},
		{"no id", crafted(changes{"id": nil}), "unexpected_answer", ""},
		{"a list", crafted(changes{"object": "list"}), "unexpected_answer", ""},
		{"an array", "[" + crafted(nil) + "]", "unreadable_answer", ""},
		{"nothing", "", "unreadable_answer", ""},
		{"null", "null", "unexpected_answer", ""},
		{"a page", "<html>PERSONAL</html>", "unreadable_answer", ""},
		{"a part", crafted(nil)[:strings.Index(crafted(nil), `"source"`)], "unreadable_answer", madeID},
		{"more than one object", crafted(nil) + crafted(nil), "unreadable_answer", madeID},
		{"a deep nest", strings.Repeat("[", 100_000), "unreadable_answer", ""},
		{"a deep nest within", `{"a":` + strings.Repeat(`{"a":`, 100_000), "unreadable_answer", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			charge, err := chargeAt(t, 200, nil, c.body)
			g := gatewayError(t, err)
			if g.Outcome != batch.UnknownOutcome || g.Code != c.code || charge != (batch.Charge{ID: c.id}) {
				t.Errorf("%+v, %+v", g, charge)
			}
		})
	}
}

func TestAnswerOfTheOtherMode(t *testing.T) {
	charge, err := chargeAt(t, 200, nil, crafted(map[string]any{"livemode": true}))
	if g := gatewayError(t, err); g.Outcome != batch.Unauthorized || charge.ID != madeID {
		t.Errorf("%+v, %+v", g, charge)
	}
}

func TestAnswerAboutAnotherSource(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, crafted(nil)) }))
	defer server.Close()
	client := newClient(t, config(server.URL))
	for source, want := range map[string]batch.Outcome{"src_test_5crafted": "", "src_test_5other": batch.UnknownOutcome} {
		r := request()
		r.SourceID = source
		if _, err := client.CreateCharge(background, r); outcome(t, err) != want {
			t.Errorf("%s: %v", source, err)
		}
	}
	if _, err := client.CreateSource(background, request()); outcome(t, err) != batch.UnknownOutcome {
		t.Errorf("a charge for a source: %v", err)
	}
	if _, err := client.Account(background); outcome(t, err) != batch.UnknownOutcome {
		t.Errorf("a charge for an account: %v", err)
	}
	if _, err := client.Capability(background); outcome(t, err) != batch.UnknownOutcome {
		t.Errorf("a charge for a capability: %v", err)
	}
}

// TestWhoRefuses: only the API's own word, with a status it refuses by, is a
// decline. What stands between may say anything.
func TestWhoRefuses(t *testing.T) {
	const page = "<html>PERSONAL</html>"
	said := func(code string) string {
		return fmt.Sprintf(`{"object":"error","location":"https://www.omise.co/api-errors","code":%q,"message":"PERSONAL data"}`, code)
	}
	header := http.Header{"Location": {"http://PERSONAL data%zz/"}} // not to be read, let alone followed
	for _, c := range []struct {
		status  int
		body    string
		outcome batch.Outcome
		code    string
	}{
		{400, said("invalid_charge"), batch.DeclinedOutcome, "invalid_charge"},
		{404, said("not_found"), batch.DeclinedOutcome, "not_found"},
		{422, said("failed_validation"), batch.DeclinedOutcome, "failed_validation"},
		{400, said("backend_error"), batch.UnknownOutcome, "backend_error"},
		{400, said(""), batch.UnknownOutcome, "unexpected_answer"},
		{400, said("PERSONAL data"), batch.UnknownOutcome, "unexpected_answer"},
		{400, `{"code":"invalid_charge"}`, batch.UnknownOutcome, "unexpected_answer"},
		{400, `{"object":"error","code":"invalid_cha`, batch.UnknownOutcome, "unexpected_answer"},
		{400, page, batch.UnknownOutcome, "unexpected_answer"},
		{404, page, batch.UnknownOutcome, "unexpected_answer"},
		{422, "", batch.UnknownOutcome, "unexpected_answer"},
		{400, crafted(nil), batch.UnknownOutcome, "unexpected_answer"},
		{408, said("timeout"), batch.UnknownOutcome, "timeout"},
		{409, said("conflict"), batch.UnknownOutcome, "conflict"},
		{413, page, batch.UnknownOutcome, "unexpected_answer"},
		{401, page, batch.Unauthorized, "unexpected_answer"},
		{401, said("authentication_failure"), batch.Unauthorized, "authentication_failure"},
		{403, page, batch.Unauthorized, "unexpected_answer"},
		{429, page, batch.TooMany, "unexpected_answer"},
		{429, said("invalid_charge"), batch.TooMany, "invalid_charge"},
		{500, said("invalid_charge"), batch.UnknownOutcome, "invalid_charge"},
		{502, page, batch.UnknownOutcome, "unexpected_answer"},
		{503, said("service_unavailable"), batch.UnknownOutcome, "service_unavailable"},
		{200, said("invalid_charge"), batch.UnknownOutcome, "unexpected_answer"},
		{204, "", batch.UnknownOutcome, "unreadable_answer"},
		{300, "", batch.UnknownOutcome, "redirected"},
		{302, page, batch.UnknownOutcome, "redirected"},
		{308, page, batch.UnknownOutcome, "redirected"},
	} {
		charge, err := chargeAt(t, c.status, header, c.body)
		if g := gatewayError(t, err); g.Outcome != c.outcome || g.Code != c.code || charge != (batch.Charge{}) {
			t.Errorf("%d %s: %+v, %+v", c.status, c.body, g, charge)
		}
	}
}

func TestLongWordsAreCut(t *testing.T) {
	body := fmt.Sprintf(`{"object":"error","code":"invalid_charge","message":%q}`, strings.Repeat("長", 5000))
	_, err := chargeAt(t, 400, nil, body)
	if g := gatewayError(t, err); len([]rune(g.Message)) > 501 {
		t.Errorf("%d characters", len([]rune(g.Message)))
	}
}

func TestRetryAfterOfAnAnswer(t *testing.T) {
	for status, want := range map[int]time.Duration{429: 90 * time.Second, 503: 90 * time.Second, 500: 0} {
		header := http.Header{"Date": {"Tue, 01 Dec 2026 01:00:00 GMT"}, "Retry-After": {"Tue, 01 Dec 2026 01:01:30 GMT"}}
		_, err := chargeAt(t, status, header, "")
		if g := gatewayError(t, err); g.RetryAfter != want {
			t.Errorf("%d: %v", status, g.RetryAfter)
		}
	}
}

// TestNoHTTP2: a server that offers it gets HTTP/1.1, where a POST isn't
// repeated.
func TestNoHTTP2(t *testing.T) {
	offered := make(chan []string, 1)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		offered <- hello.SupportedProtos
		return nil, nil
	}}
	server.Config.ErrorLog = discard
	server.StartTLS()
	defer server.Close()
	_, err := newClient(t, config(server.URL)).CreateCharge(background, request())
	if got := outcome(t, err); got != batch.NotSent {
		t.Errorf("with a certificate nobody knows: %v", err)
	}
	for _, protocol := range <-offered {
		if protocol != "http/1.1" {
			t.Errorf("the client offers %s", protocol)
		}
	}
}
