package omisetest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"konbill/batch/omise/omisetest"
)

func TestPaymentPage(t *testing.T) {
	var logged int
	s := omisetest.NewServer(omisetest.Options{Log: func(string, string, int) { logged++ }})
	stop, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	p := practice{t, s, nil}
	a := p.post(secretKey, "/charges", form("amount", "12000", "description", "<b>月謝</b>", "expires_at", "2099-12-31T15:00:00Z"))
	link := a.object["authorize_uri"].(string)
	if !strings.HasPrefix(link, s.URL()+"/offlines/econtext/instructions/oflp_test_") {
		t.Fatalf("link %s", link)
	}
	code := p.Charges()[0].PaymentCode
	for _, want := range []string{
		"¥12,000", code, "お支払い待ち", "Waiting for payment", "Mark as paid", "&lt;b&gt;月謝",
		"2099年12月31日 24:00まで", "31 December 2099, 24:00",
	} {
		if page := visit(t, http.MethodGet, link, nil); !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	page := visit(t, http.MethodPost, link, url.Values{"result": {"paid"}}) // redirected to the page
	if !strings.Contains(page, "お支払い済み") || strings.Contains(page, "Mark as") || p.Charges()[0].Status != "successful" {
		t.Errorf("after paying: %v\n%s", p.Charges(), page)
	}
	visit(t, http.MethodPost, link, url.Values{"result": {"failed"}})
	if p.Charges()[0].Status != "successful" {
		t.Error("a paid charge was marked as failed")
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d requests to the API are remembered", n)
	}
}

func visit(t *testing.T, method, link string, form url.Values) string {
	t.Helper()
	r, err := http.NewRequest(method, link, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %v", method, link, response.Status, err)
	}
	return string(page)
}

func TestPaymentPageOfALiveCharge(t *testing.T) {
	p := newPractice(t, omisetest.Options{Live: true})
	link := p.post("skey_real", "/charges", form()).object["authorize_uri"].(string)
	if page := p.page("GET", link, nil); page.Code != http.StatusOK || strings.Contains(page.Body.String(), "<form") {
		t.Errorf("the page of a live charge: %d %s", page.Code, page.Body)
	}
	p.page("POST", link, url.Values{"result": {"paid"}})
	if status := p.Charges()[0].Status; status != "pending" {
		t.Errorf("a live charge became %s", status)
	}
}

func TestPaymentPageRefuses(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	link := p.post(secretKey, "/charges", form()).object["authorize_uri"].(string)
	for _, c := range []struct {
		method, link string
		form         url.Values
		status       int
	}{
		{"GET", link + "x", nil, http.StatusNotFound},
		{"POST", link + "x", url.Values{"result": {"paid"}}, http.StatusNotFound},
		{"POST", link, url.Values{"result": {"stolen"}}, http.StatusBadRequest},
		{"DELETE", link, nil, http.StatusMethodNotAllowed},
		{"HEAD", link, nil, http.StatusOK},
	} {
		if got := p.page(c.method, c.link, c.form).Code; got != c.status {
			t.Errorf("%s %s %v: %d", c.method, c.link, c.form, got)
		}
	}
	if status := p.Charges()[0].Status; status != "pending" {
		t.Errorf("the charge became %s", status)
	}
}

func (p practice) page(method, link string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, link, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}
