package omisetest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"konbill/batch/omise/omisetest"
)

var update = flag.Bool("update", false, "rewrite golden files")

const (
	secretKey = "skey_test_practice"
	publicKey = "pkey_test_practice"
)

// sampleTime is when the payment page's sample charge was made.
var sampleTime = time.Date(2023, 11, 16, 15, 4, 47, 0, time.UTC)

// clock is the practice API's, moved by tests.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// practice is a practice API under test.
type practice struct {
	*testing.T
	*omisetest.Server
	clock *clock
}

func newPractice(t *testing.T, o omisetest.Options) practice {
	t.Helper()
	c := &clock{now: sampleTime}
	o.Now = c.Now
	s := omisetest.NewServer(o)
	s.SetURL("https://pay.example/")
	return practice{t, s, c}
}

// answer is a decoded answer.
type answer struct {
	status int
	body   []byte
	object map[string]any
}

func (p practice) send(r *http.Request) answer {
	p.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	a := answer{status: w.Code, body: w.Body.Bytes()}
	if err := json.Unmarshal(a.body, &a.object); err != nil {
		p.Fatalf("%s %s: not JSON: %v: %s", r.Method, r.URL, err, a.body)
	}
	return a
}

func (p practice) get(key, path string) answer {
	p.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.SetBasicAuth(key, "")
	return p.send(r)
}

func (p practice) post(key, path string, form url.Values) answer {
	p.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(key, "")
	return p.send(r)
}

// form is the page's sample as an inline charge, with changes: an empty value
// takes a field away.
func form(changes ...string) url.Values {
	return changed(url.Values{
		"amount": {"300"}, "currency": {"JPY"}, "source[type]": {"econtext"}, "source[name]": {"ヤマダタロウ"},
		"source[email]": {"taro.yamada@example.com"}, "source[phone_number]": {"01234567891"},
	}, changes)
}

func sourceForm(changes ...string) url.Values {
	return changed(url.Values{
		"amount": {"300"}, "currency": {"JPY"}, "type": {"econtext"}, "name": {"ヤマダタロウ"},
		"email": {"taro.yamada@example.com"}, "phone_number": {"01234567891"},
	}, changes)
}

func changed(form url.Values, changes []string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			form.Del(changes[i])
		}
	}
	return form
}

// TestObjectsHaveTheDocumentedFields compares the names and their order with
// those of the payment page's two samples, and the values that the sample
// request determines.
func TestObjectsHaveTheDocumentedFields(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	source := p.post(publicKey, "/sources", sourceForm())
	charge := p.post(secretKey, "/charges", url.Values{
		"amount": {"300"}, "currency": {"JPY"}, "source": {source.object["id"].(string)},
	})
	for _, c := range []struct {
		name string
		answer
	}{{"source", source}, {"charge", charge}} {
		want, err := os.ReadFile(filepath.Join("testdata", c.name+".keys"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(keys(t, c.body), "\n") + "\n"; got != string(want) {
			t.Errorf("%s: the fields are\n%s", c.name, got)
		}
	}
}

// keys lists the names in a JSON object in order, inner ones as outer.inner.
func keys(t *testing.T, data []byte) []string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	var names []string
	var walk func(prefix string)
	walk = func(prefix string) {
		token, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('{'):
			for decoder.More() {
				name, err := decoder.Token()
				if err != nil {
					t.Fatal(err)
				}
				full := prefix + name.(string)
				names = append(names, full)
				walk(full + ".")
			}
			_, _ = decoder.Token()
		case json.Delim('['):
			for decoder.More() {
				walk(prefix)
			}
			_, _ = decoder.Token()
		}
	}
	walk("")
	return names
}

// TestGoldenCharge keeps the whole answer in view.
func TestGoldenCharge(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	made := p.post(secretKey, "/charges", form("metadata[invoice_no]", "A-1", "description", "A-1 月謝"))
	paid := p.post(secretKey, "/charges/"+made.object["id"].(string)+"/mark_as_paid", nil)
	for name, a := range map[string]answer{"charge": made, "paid": paid} {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, a.body, "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		path := filepath.Join("testdata", name+".golden.json")
		if *update {
			if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(pretty.Bytes(), want) {
			t.Errorf("%s is\n%s", name, pretty.Bytes())
		}
	}
}

func TestFeesAreTheSamples(t *testing.T) {
	for _, c := range []struct{ amount, fee, vat, net string }{
		{"300", "152", "15", "133"}, // the payment page's sample
		{"200", "151", "15", "34"},
		{"49999", "400", "40", "49559"},
	} {
		a := newPractice(t, omisetest.Options{}).post(secretKey, "/charges", form("amount", c.amount))
		if got := fmt.Sprint(a.object["fee"], a.object["fee_vat"], a.object["net"]); got != c.fee+" "+c.vat+" "+c.net {
			t.Errorf("¥%s: fee, VAT and net are %s", c.amount, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("a", 45) + "@b.com"
	for _, c := range []struct {
		path    string
		form    url.Values
		code    string
		message string
	}{
		{"/sources", sourceForm("name", "ヤマダタロウヤマダタロ", "email", "not-mail", "phone_number", "012-345"), "bad_request",
			"name is too long (maximum is 10 characters), email is in invalid format, and phone_number must contain 10-11 digit characters"},
		{"/charges", form("source[name]", "ヤマダタロウヤマダタロ", "source[email]", "not-mail"), "bad_request",
			"name is too long (maximum is 10 characters) and email is in invalid format"},
		{"/sources", sourceForm("name", "山田・太郎"), "bad_request", "name is in invalid format"},
		{"/sources", sourceForm("name", "Yamada T"), "bad_request", "name is in invalid format"},
		{"/sources", sourceForm("name", ""), "bad_request", "name can't be blank"},
		{"/sources", sourceForm("email", "a@b.c"), "bad_request", "email is too short (minimum is 6 characters)"},
		{"/sources", sourceForm("email", long), "bad_request", "email is too long (maximum is 50 characters)"},
		{"/sources", sourceForm("phone_number", "012345678"), "bad_request", "phone_number must contain 10-11 digit characters"},
		{"/sources", sourceForm("phone_number", "012345678901"), "bad_request", "phone_number must contain 10-11 digit characters"},
		{"/sources", sourceForm("phone_number", "０１２３４５６７８９"), "bad_request", "phone_number must contain 10-11 digit characters"},
		{"/sources", sourceForm("type", "alipay"), "bad_request", "type must be econtext"},
		{"/sources", sourceForm("phone", "0123456789"), "bad_request", `"phone" is not a parameter of this request`},
		{"/charges", form("amount", "199"), "invalid_charge", "amount must be greater than or equal to 200"},
		{"/charges", form("amount", "50000"), "invalid_charge", "amount must be less than 50000"},
		{"/charges", form("amount", "300.0"), "invalid_charge", "amount must be an integer"},
		{"/charges", form("amount", "99999999999999999999"), "invalid_charge", "amount must be an integer"},
		{"/charges", form("amount", ""), "invalid_charge", "amount can't be blank"},
		{"/charges", form("amount", "-300", "currency", "THB"), "invalid_charge",
			"amount must be greater than or equal to 200 and currency must be JPY"},
		{"/charges", form("expires_at", "2023-11-16T15:04:47Z"), "invalid_charge", "expires_at must be in the future"},
		{"/charges", form("expires_at", "2023-12-01T00:00:00+09:00"), "invalid_charge",
			"expires_at must be an ISO 8601 date in UTC, such as 2020-07-01T15:00:00Z"},
		{"/charges", form("expires_at", "2023-12-01T00:00:00.5Z"), "invalid_charge",
			"expires_at must be an ISO 8601 date in UTC, such as 2020-07-01T15:00:00Z"},
		{"/charges", form("source", "src_test_1"), "bad_request", "source must be an id or an object, not both"},
		{"/charges", url.Values{"amount": {"300"}, "currency": {"JPY"}}, "invalid_charge", "source can't be blank"},
		{"/charges", url.Values{"amount": {"300"}, "currency": {"JPY"}, "source": {"src_test_none"}}, "not_found", "source src_test_none was not found"},
		{"/charges/chrg_test_none/expire", nil, "not_found", "charge chrg_test_none was not found"},
		{"/refunds", nil, "not_found", "the requested object was not found"},
	} {
		p := newPractice(t, omisetest.Options{})
		a := p.post(secretKey, c.path, c.form)
		wantStatus := http.StatusBadRequest
		if c.code == "not_found" {
			wantStatus = http.StatusNotFound
		}
		if a.status != wantStatus || a.object["code"] != c.code || a.object["message"] != c.message || a.object["object"] != "error" {
			t.Errorf("%s %v:\n got %d %s", c.path, c.form, a.status, a.body)
		}
		if n := len(p.Charges()); n != 0 {
			t.Errorf("%s %v: made %d charges", c.path, c.form, n)
		}
	}
}

func TestSourceAndChargeMustAgree(t *testing.T) {
	p := newPractice(t, omisetest.Options{Live: true})
	source := p.post(publicKey, "/sources", sourceForm()).object["id"].(string)
	charge := url.Values{"amount": {"301"}, "currency": {"JPY"}, "source": {source}}
	if a := p.post(secretKey, "/charges", charge); a.object["code"] != "invalid_charge" {
		t.Errorf("another amount: %d %s", a.status, a.body)
	}
	charge.Set("amount", "300")
	if a := p.post("skey_live1", "/charges", charge); a.status != http.StatusNotFound {
		t.Errorf("a test source for a live key: %d %s", a.status, a.body)
	}
	if a := p.post(secretKey, "/charges", charge); a.status != http.StatusOK {
		t.Errorf("the same amount: %d %s", a.status, a.body)
	}
	if a := p.get(secretKey, "/sources/"+source); a.object["charge_status"] != "pending" {
		t.Errorf("the source afterwards: %s", a.body)
	}
}

func TestKeys(t *testing.T) {
	p := newPractice(t, omisetest.Options{SecretKey: secretKey})
	for _, c := range []struct {
		key, path string
		status    int
	}{
		{secretKey, "/account", 200},
		{"skey_test_other", "/account", 401}, // not the one expected
		{"skey_live", "/account", 401},       // live keys only with Options.Live
		{publicKey, "/account", 401},
		{publicKey, "/capability", 200},
		{publicKey, "/charges", 401},
		{"", "/account", 401},
		{"skey_test_", "/account", 401},
	} {
		a := p.get(c.key, c.path)
		if a.status != c.status || c.status == 401 && a.object["code"] != "authentication_failure" {
			t.Errorf("%q on %s: %d %s", c.key, c.path, a.status, a.body)
		}
	}
	if a := p.post(publicKey, "/charges", form()); a.status != 401 || len(p.Charges()) != 0 {
		t.Errorf("a charge with the public key: %d", a.status)
	}
}

func TestLiveKeysMakeLiveObjects(t *testing.T) {
	p := newPractice(t, omisetest.Options{Live: true})
	a := p.post("skey_real", "/charges", form())
	id := a.object["id"].(string)
	if account := p.get("skey_real", "/account").object["id"]; strings.Contains(account.(string), "_test_") {
		t.Errorf("account %s", account)
	}
	if !regexp.MustCompile(`^chrg_5[0-9a-z]{18}$`).MatchString(id) || a.object["livemode"] != true {
		t.Errorf("made %s", a.body)
	}
	if a := p.post("skey_real", "/charges/"+id+"/mark_as_paid", nil); a.status != http.StatusBadRequest {
		t.Errorf("a live charge was marked as paid: %s", a.body)
	}
	if a := p.get(secretKey, "/charges/"+id); a.status != http.StatusNotFound {
		t.Errorf("a live charge seen with a test key: %d", a.status)
	}
}

func TestJSONBody(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	r := httptest.NewRequest("POST", "/charges", strings.NewReader(`{"amount":300,"currency":"JPY","metadata":{"invoice_no":"Ａ 1"},
		"source":{"type":"econtext","name":"山田","email":"a@b.example","phone_number":"0312345678"}}`))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(secretKey, "")
	if a := p.send(r); a.status != 200 || fmt.Sprint(a.object["metadata"]) != "map[invoice_no:Ａ 1]" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestBodyOfAnotherKind(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	for kind, body := range map[string]string{
		"text/plain": "amount=300", "application/json": "[]", "application/x-www-form-urlencoded": "amount=%zz",
	} {
		r := httptest.NewRequest("POST", "/charges", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		r.SetBasicAuth(secretKey, "")
		if a := p.send(r); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", kind, a.status, a.body)
		}
	}
}

func TestVersions(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	for version, status := range map[string]int{"": 200, "2019-05-29": 200, "2015-11-17": 400, "tomorrow": 400} {
		r := httptest.NewRequest("GET", "/account", nil)
		r.SetBasicAuth(secretKey, "")
		r.Header.Set("Omise-Version", version)
		if a := p.send(r); a.status != status {
			t.Errorf("%q: %d", version, a.status)
		}
	}
}

func TestChargesExpireByTheClock(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	a := p.post(secretKey, "/charges", form("expires_at", "2023-12-01T15:00:00Z"))
	path := "/charges/" + a.object["id"].(string)
	p.clock.set(time.Date(2023, 12, 1, 14, 59, 59, 0, time.UTC))
	if a := p.get(secretKey, path); a.object["status"] != "pending" {
		t.Errorf("a second before: %s", a.body)
	}
	p.clock.set(time.Date(2023, 12, 1, 15, 0, 0, 0, time.UTC))
	a = p.get(secretKey, path)
	if a.object["status"] != "expired" || a.object["expired"] != true || a.object["expired_at"] != "2023-12-01T15:00:00Z" {
		t.Errorf("at that time: %s", a.body)
	}
	if a := p.post(secretKey, path+"/mark_as_paid", nil); a.status != http.StatusBadRequest {
		t.Errorf("paid after it expired: %s", a.body)
	}
	if a := p.post(secretKey, path+"/expire", nil); a.object["code"] != "failed_expire" {
		t.Errorf("expired twice: %s", a.body)
	}
}

func TestChargesEndAsTold(t *testing.T) {
	for how, want := range map[string]string{
		"mark_as_paid": "successful <nil>", "mark_as_failed": "failed failed_processing", "expire": "expired <nil>",
	} {
		p := newPractice(t, omisetest.Options{})
		path := "/charges/" + p.post(secretKey, "/charges", form()).object["id"].(string)
		a := p.post(secretKey, path+"/"+how, nil)
		if got := fmt.Sprint(a.object["status"], " ", a.object["failure_code"]); got != want {
			t.Errorf("%s: %s", how, got)
		}
		if p.Charges()[0].Status != a.object["status"] {
			t.Errorf("%s: %v", how, p.Charges())
		}
	}
}

func TestIDsAndCodesDiffer(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	seen := map[string]bool{}
	zeros := 0
	for range 300 {
		p.post(secretKey, "/charges", form())
	}
	for _, c := range p.Charges() {
		if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(c.PaymentCode) || !regexp.MustCompile(`^chrg_test_5[0-9a-z]{18}$`).MatchString(c.ID) {
			t.Fatalf("code %q, id %q", c.PaymentCode, c.ID)
		}
		for _, s := range []string{c.ID, c.SourceID, c.PaymentCode, c.AuthorizeURI} {
			if seen[s] {
				t.Errorf("%s is given out twice", s)
			}
			seen[s] = true
		}
		if c.PaymentCode[0] == '0' {
			zeros++
		}
	}
	if zeros == 0 {
		t.Error("no code begins with a zero")
	}
}

func TestSearch(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	for i := range 35 {
		p.post(secretKey, "/charges", form("description", fmt.Sprintf("A-%d 月謝", i), "amount", fmt.Sprint(300+i)))
	}
	for query, total := range map[string]float64{
		"query=A-3%20": 1, "query=月謝": 35, "query=nothing": 0, "query=月謝&filters[amount]=301": 1, "filters[status]=successful": 0,
	} {
		a := p.get(secretKey, "/search?scope=charge&"+strings.ReplaceAll(query, "月謝", url.QueryEscape("月謝")))
		if a.status != 200 || a.object["total"] != total || a.object["object"] != "search" {
			t.Errorf("%s: %d, total %v", query, a.status, a.object["total"])
		}
	}
	a := p.get(secretKey, "/search?scope=charge&page=2")
	if data := a.object["data"].([]any); len(data) != 5 || a.object["total_pages"] != 2.0 {
		t.Errorf("page 2 has %d of %v pages", len(data), a.object["total_pages"])
	}
	if a := p.get(secretKey, "/search?scope=customer"); a.status != http.StatusBadRequest {
		t.Errorf("another scope: %d", a.status)
	}
}

func TestTooManyRequests(t *testing.T) {
	p := newPractice(t, omisetest.Options{RequestsPerSecond: 2})
	for i, want := range []int{200, 200, 429} {
		if a := p.get(secretKey, "/account"); a.status != want {
			t.Errorf("request %d: %d", i, a.status)
		}
	}
	p.clock.set(sampleTime.Add(time.Second))
	if a := p.get(secretKey, "/account"); a.status != 200 {
		t.Errorf("a second later: %d", a.status)
	}
}

func TestManyAtOnce(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				p.post(secretKey, "/charges", form())
				p.get(secretKey, "/charges")
				p.Charges()
				p.Requests()
			}
		})
	}
	all.Wait()
	if n := len(p.Charges()); n != 160 {
		t.Errorf("%d charges", n)
	}
}
