package omise_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"konbill/batch/omise"
	"konbill/batch/omise/omisetest"
)

func TestSingleRequestFlow(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	charge, err := newClient(t, config(api.URL())).CreateCharge(background, request())
	if err != nil {
		t.Fatal(err)
	}
	made := api.Charges()
	if len(made) != 1 {
		t.Fatalf("%d charges", len(made))
	}
	m := made[0]
	if charge.ID != m.ID || charge.SourceID != m.SourceID || charge.PaymentCode != m.PaymentCode || charge.AuthorizeURI != m.AuthorizeURI ||
		charge.Status != "pending" || charge.Amount != 3000 || charge.Live || !charge.CreatedAt.Equal(m.CreatedAt) || !charge.PaidAt.IsZero() {
		t.Errorf("the client says %+v, the API made %+v", charge, m)
	}
	if charge.Fee != 165 || charge.FeeVAT != 17 || charge.Net != 2818 {
		t.Errorf("fee %s, VAT %s, net %s", charge.Fee, charge.FeeVAT, charge.Net)
	}
	if want := request().ExpiresAt.Truncate(time.Second); !charge.ExpiresAt.Equal(want) || !m.ExpiresAt.Equal(want) {
		t.Errorf("expires at %v and %v", charge.ExpiresAt, m.ExpiresAt)
	}
	if m.Name != "ヤマダタロウ" || m.Email != "taro.yamada@example.com" || m.Phone != "09012345678" ||
		m.Description != "請求-1 12月分 月謝" || m.Metadata["konbill_key"] != string(request().Key) || m.Metadata["invoice_no"] != "請求-1" {
		t.Errorf("the API made %+v", m)
	}
	checkWire(t, api, secretKey)
}

func TestSourceFirstFlow(t *testing.T) {
	for _, public := range []string{publicKey, ""} {
		api := startPractice(t, omisetest.Options{})
		c := config(api.URL())
		c.PublicKey = public
		client := newClient(t, c)
		r := request()
		var err error
		if r.SourceID, err = client.CreateSource(background, r); err != nil {
			t.Fatal(err)
		}
		charge, err := client.CreateCharge(background, r)
		if err != nil {
			t.Fatal(err)
		}
		if made := api.Charges(); len(made) != 1 || made[0].SourceID != r.SourceID || charge.SourceID != r.SourceID {
			t.Errorf("source %s, charge %+v, made %+v", r.SourceID, charge, made)
		}
		sourceKey := public
		if public == "" {
			sourceKey = secretKey
		}
		checkWire(t, api, sourceKey, secretKey)
	}
}

// checkWire compares what went over the wire: one request a key, in order, each
// with the headers it must have and without those it must not.
func checkWire(t *testing.T, api *omisetest.Server, keys ...string) {
	t.Helper()
	requests := api.Requests()
	if len(requests) != len(keys) {
		t.Fatalf("%d requests", len(requests))
	}
	for i, r := range requests {
		user, password, _ := (&http.Request{Header: r.Header}).BasicAuth()
		if user != keys[i] || password != "" {
			t.Errorf("%s with key %q and password %q", r.Path, user, password)
		}
		if r.Header.Get("Omise-Version") != "2019-05-29" || r.Header.Get("User-Agent") != "konbill/test" {
			t.Errorf("%s with %v", r.Path, r.Header)
		}
		for name := range r.Header {
			if strings.Contains(strings.ToLower(name), "idempotency") {
				t.Errorf("%s with %s", r.Path, name)
			}
		}
		if at := r.Form.Get("expires_at"); r.Path == "/charges" && at != "2030-12-31T15:00:00Z" {
			t.Errorf("expires_at %q", at)
		}
	}
}

func TestExpiryIsSentInUTC(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	r := request()
	r.ExpiresAt = time.Date(2031, 1, 1, 0, 0, 0, 0, time.FixedZone("JST", 9*60*60))
	if _, err := newClient(t, config(api.URL())).CreateCharge(background, r); err != nil {
		t.Fatal(err)
	}
	checkWire(t, api, secretKey)
}

func TestAccount(t *testing.T) {
	api := startPractice(t, omisetest.Options{AccountID: "account_test_5abc", Live: true})
	client := newClient(t, config(api.URL()+"/"))
	a, err := client.Account(background)
	if err != nil || a.ID != "account_test_5abc" || a.Live || client.Live() {
		t.Errorf("%+v, %v", a, err)
	}
	api.Order(omisetest.Fault{Kind: omisetest.WrongLivemode})
	_, err = client.Account(background)
	if g := gatewayError(t, err); g.Outcome != "unauthorized" || g.Code != "livemode_mismatch" {
		t.Errorf("the other mode: %v", g)
	}
	c := config(api.URL())
	c.SecretKey, c.PublicKey = "skey_5live", ""
	client = newClient(t, c)
	if a, err := client.Account(background); err != nil || !a.Live || !client.Live() {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestCapability(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	offer, err := newClient(t, config(api.URL())).Capability(background)
	if off := time.Since(offer.ServerTime).Abs(); err != nil || !offer.Econtext || off > time.Minute {
		t.Errorf("%+v, %v", offer, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for want, change := range map[string]func(*omise.Config){
		"skey_":                           func(c *omise.Config) { c.SecretKey = publicKey },
		"pkey_":                           func(c *omise.Config) { c.PublicKey = secretKey },
		"one of the keys is live":         func(c *omise.Config) { c.PublicKey = "pkey_5live" },
		"requests_per_second":             func(c *omise.Config) { c.RequestsPerSecond = 0 },
		"omise.timeout":                   func(c *omise.Config) { c.Timeout = 0 },
		"is not a URL":                    func(c *omise.Config) { c.URL = "api.omise.co" },
		"neither a user":                  func(c *omise.Config) { c.URL = "https://user:" + secretKey + "@api.omise.co" },
		`"http://api.omise.co": keys are`: func(c *omise.Config) { c.URL = "http://api.omise.co" },
		`"http://127.0.0.1.example": ke`:  func(c *omise.Config) { c.URL = "http://127.0.0.1.example" },
		`"ftp://127.0.0.1": keys are se`:  func(c *omise.Config) { c.URL = "ftp://127.0.0.1" },
	} {
		c := config("https://api.omise.co")
		change(&c)
		_, err := omise.New(c)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secretKey) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	for _, good := range []string{"https://api.omise.co", "http://localhost:1", "http://[::1]:1", "http://127.0.0.2"} {
		if _, err := omise.New(config(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

func TestFingerprintHidesTheKey(t *testing.T) {
	c := config("https://api.omise.co")
	one := newClient(t, c).Fingerprint()
	c.SecretKey += "x"
	if other := newClient(t, c).Fingerprint(); one == other || len(one) != 32 || strings.Contains(one, "skey") {
		t.Errorf("fingerprints %q and %q", one, other)
	}
}

// TestPaceAtTheAPI measures where it counts. The span may be a little shorter
// than the pace says, since the first request also makes a connection.
func TestPaceAtTheAPI(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	c := config(api.URL())
	c.RequestsPerSecond = 100
	client := newClient(t, c)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 6 {
				if err := client.Turn(background); err != nil {
					t.Error(err)
				}
				if _, err := client.CreateCharge(background, request()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	requests := api.Requests()
	if span := requests[len(requests)-1].At.Sub(requests[0].At); len(requests) != 24 || span < 180*time.Millisecond {
		t.Errorf("%d requests in %v", len(requests), span)
	}
}

func TestChargesAtOnce(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	client := newClient(t, config(api.URL()))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				if _, err := client.CreateCharge(background, request()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := len(api.Charges()); n != 80 {
		t.Errorf("%d charges", n)
	}
}

// TestBothBodiesAreForms: nothing of a request stands in its address, where
// logs would keep it.
func TestBothBodiesAreForms(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	client := newClient(t, config(api.URL()))
	if _, err := client.CreateSource(background, request()); err != nil {
		t.Fatal(err)
	}
	r := api.Requests()[0]
	want := url.Values{
		"amount": {"3000"}, "currency": {"JPY"}, "type": {"econtext"}, "name": {"ヤマダタロウ"},
		"email": {"taro.yamada@example.com"}, "phone_number": {"09012345678"},
	}
	if r.Form.Encode() != want.Encode() || len(r.Query) != 0 {
		t.Errorf("sent %v and %v", r.Form, r.Query)
	}
}

// TestAtOnceAtTheAPI: however many callers there are, no more requests are under
// way than allowed, reading ones included.
func TestAtOnceAtTheAPI(t *testing.T) {
	api := startPractice(t, omisetest.Options{Latency: time.Millisecond})
	c := config(api.URL())
	c.AtOnce = 3
	client := newClient(t, c)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			for range 10 {
				charge, err := client.CreateCharge(background, request())
				if err != nil {
					t.Error(err)
				}
				if _, err := client.Charge(background, charge.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if most, n := api.MostAtOnce(), len(api.Requests()); most != 3 || n != 240 {
		t.Errorf("%d requests at once, %d in all", most, n)
	}
}
