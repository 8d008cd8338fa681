package web

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/batch/ledger/ledgertest"
	"konbill/invoice"
)

var noon = time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC)

const testPassword = "correct horse battery"

// shop is a page on a real ledger, and a clock that tests move.
type shop struct {
	t      *testing.T
	ledger *ledger.Ledger
	server *httptest.Server
	page   *Server
	mu     sync.Mutex
	now    time.Time
	what   Operation // goes on
}

// goesOn changes what goes on.
func (s *shop) goesOn(change func(*Operation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.what)
}

func (s *shop) operation(context.Context) Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.what
}

func (s *shop) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *shop) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func newShop(t *testing.T, change func(*Config)) *shop {
	t.Helper()
	book, err := ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "konbill.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	s := &shop{t: t, ledger: book, now: noon, what: Operation{
		Running: "2026-12-01-a.csv", Progress: batch.Progress{Done: 1200, Total: 3000}, Waiting: []string{"b.csv"}, Next: []time.Time{noon.Add(14 * time.Hour)},
	}}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.page.ServeHTTP(w, r) }))
	t.Cleanup(func() { s.page.Close(); s.server.Close() })
	config := Config{
		Ledger: book, Language: invoice.Japanese, Hosts: []string{strings.TrimPrefix(s.server.URL, "http://")},
		Operation: s.operation,
		Pause: func(by string) error {
			s.goesOn(func(o *Operation) { o.Paused, o.PausedBy, o.PausedAt = true, by, s.now })
			return nil
		},
		Continue: func() error { s.goesOn(func(o *Operation) { o.Paused = false }); return nil },
		Examine: func(_ context.Context, lang invoice.Language) ([]Examination, error) {
			return []Examination{{Name: "設定", Detail: "konbill.toml " + string(lang), OK: true}, {Name: "ディスク", Hint: "空けてください"}}, nil
		},
		Slip: func(e batch.Entry) ([]byte, error) {
			if e.Charge.Status != batch.StatusPending {
				return nil, batch.ErrNoSlip
			}
			return []byte("%PDF of " + e.Invoice.Number), nil
		},
		Resend: func(_ context.Context, number string, lang invoice.Language) (string, bool, error) {
			switch number {
			case "busy":
				return "", false, batch.ErrHeld
			case "paid":
				return "支払い済み", false, nil
			}
			return "mailed " + number + " " + string(lang), true, nil
		},
		Slips: func(entries []batch.Entry, visit func(batch.Entry, []byte) error) error {
			for _, e := range entries {
				if err := visit(e, []byte("%PDF of "+e.Invoice.Number)); err != nil {
					return err
				}
			}
			return nil
		},
		PrintFile: func(entries []batch.Entry) ([]byte, error) {
			if len(entries) == 0 {
				return nil, batch.ErrNoSlip
			}
			return fmt.Appendf(nil, "%%PDF of %d", len(entries)), nil
		},
		Papers: func(batch.Job) (map[Paper]string, error) { return nil, nil },
		Recall: func(_ context.Context, number string, _ invoice.Language) (string, bool, error) {
			return "recalled " + number, true, nil
		},
		Settings: []Setting{{"omise.workers", "8", "konbill.toml"}}, Now: s.clock, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if change != nil {
		change(&config)
	}
	s.page = New(config)
	hash, err := HashPassword(testPassword)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []batch.Person{{Name: "佐藤", Role: batch.Approver}, {Name: "鈴木", Role: batch.Viewer}} {
		p.Password, p.CreatedAt = hash, noon
		if err := book.AddPerson(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// ownScript is the one script that pages have.
const ownScript = `<script src="/script.js" defer></script>`

// bill stores invoices as accepted; those with a payment status are charged.
func (s *shop) bill(invoices ...invoice.Invoice) []batch.Entry {
	s.t.Helper()
	job := batch.Job{Who: "run", File: "11月分.csv", SHA256: fmt.Sprint(len(invoices)), Account: batch.Account{ID: "account_1"}, StartedAt: noon}
	id, verdicts, err := ledgertest.OpenJob(s.t.Context(), s.ledger, job, invoices)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.ledger.CloseJob(s.t.Context(), id, noon.Add(time.Minute), batch.Totals{batch.Issued: {Rows: len(invoices), Yen: 3000}}); err != nil {
		s.t.Fatal(err)
	}
	var entries []batch.Entry
	for _, v := range verdicts {
		entries = append(entries, v.Entry)
	}
	return entries
}

func (s *shop) charged(e batch.Entry, status string) batch.Entry {
	s.t.Helper()
	for _, to := range []batch.State{batch.Charging, batch.Charged} {
		var err error
		e, err = s.ledger.Move(s.t.Context(), batch.Move{Key: e.Key, From: e.State, To: to, At: noon, Who: "run", Why: "test"}, func(e *batch.Entry) {
			e.IntentAt = noon
			if to == batch.Charged {
				e.Charge = batch.Charge{ID: "chrg_test_" + e.Invoice.Number, Status: status, ExpiresAt: e.Invoice.Due, AuthorizeURI: "https://pay.example/" + e.Invoice.Number, PaymentCode: "709512"}
			}
			if status == batch.StatusSuccessful {
				e.Charge.PaidAt = noon
			}
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return e
}

func bill(number string) invoice.Invoice {
	return invoice.Invoice{
		Number: number, Name: "山田　太郎", SentName: "山田太郎", Email: "taro@example.jp", Phone: "09012345678",
		Amount: 3000, Due: time.Date(2026, 12, 30, 15, 0, 0, 0, time.UTC), Description: "11月分会費", Language: invoice.Japanese,
	}
}

// browser is somebody's.
type browser struct {
	*http.Client
	shop *shop
}

func (s *shop) browser() browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return browser{&http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, s}
}

// answer is what came of a request.
type answer struct {
	*http.Response
	text string
}

func (b browser) ask(method, path string, form url.Values, headers ...string) answer {
	b.shop.t.Helper()
	r, err := http.NewRequestWithContext(b.shop.t.Context(), method, b.shop.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.shop.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	return b.send(r)
}

func (b browser) send(r *http.Request) answer {
	b.shop.t.Helper()
	response, err := b.Do(r)
	if err != nil {
		b.shop.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.shop.t.Fatal(err)
	}
	return answer{response, string(text)}
}

func (b browser) get(path string) string {
	b.shop.t.Helper()
	a := b.ask("GET", path, nil)
	if a.StatusCode != http.StatusOK {
		b.shop.t.Errorf("GET %s: %s", path, a.Status)
	}
	return a.text
}

func (b browser) signIn(name, password string) answer {
	b.shop.t.Helper()
	return b.ask("POST", "/login", url.Values{"name": {name}, "password": {password}})
}

// signedIn is somebody's who has signed in.
func (s *shop) signedIn(name string) browser {
	s.t.Helper()
	b := s.browser()
	if a := b.signIn(name, testPassword); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/" {
		s.t.Fatalf("%s: %s", name, a.Status)
	}
	return b
}

// acts are what is on record, oldest first.
func (s *shop) acts() (acts []string) {
	s.t.Helper()
	all, err := s.ledger.Acts(s.t.Context(), 100)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range all {
		a := all[len(all)-1-i]
		acts = append(acts, strings.Join([]string{a.Person, a.What, a.About}, " "))
	}
	return acts
}

func want(t *testing.T, where, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q:\n%s", where, part, text)
		}
	}
}

func wantNot(t *testing.T, where, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("%s has %q:\n%s", where, part, text)
		}
	}
}

func TestPages(t *testing.T) {
	s := newShop(t, nil)
	entries := s.bill(bill("A-1"), bill("A-2"), bill("A-3"))
	s.charged(entries[0], batch.StatusSuccessful)
	s.charged(entries[1], batch.StatusPending)
	b := s.signedIn("佐藤")
	want(t, "runs", b.get("/"), "TEST：", "11月分.csv", "2026-12-01 12:00", "3,000円", "2026-12-01-a.csv", "b.csv", "2026-12-02 02:00", "佐藤（承認）", "1,200件 / 3,000件")
	const refresh = `<noscript><meta http-equiv="refresh"`
	want(t, "while a run goes on, the page", b.get("/"), refresh)
	wantNot(t, "the list", b.get("/charges"), refresh)
	want(t, "charges", b.get("/charges"), "A-1", "A-2", "A-3", "入金済み", "お支払い待ち", "山＊＊＊", "…5678", "2026-12-30", "9,000円")
	want(t, "check-up", b.get("/checkup"), "omise.workers", "ログイン", "127.0.0.1")
	want(t, "check-up", b.ask("POST", "/checkup", nil).text, "konbill.toml ja", "NG", "空けてください")
	if a := b.ask("GET", "/charges/kb_nobody", nil); a.StatusCode != http.StatusNotFound {
		t.Errorf("a charge that there isn't: %s", a.Status)
	}
	if a := b.ask("POST", "/language", url.Values{"lang": {"en"}, "back": {"/charges?show=paid"}}); a.Header.Get("Location") != "/charges?show=paid" {
		t.Errorf("after choosing a language: %v", a.Header)
	}
	want(t, "in English", b.get("/charges"), `lang="en"`, "to be paid", "¥9,000", "a test key, no real bills")
	if a := b.ask("POST", "/language", url.Values{"lang": {"ja"}, "back": {"//evil.example"}}); a.Header.Get("Location") != "/" {
		t.Errorf("led elsewhere: %v", a.Header)
	}
	for _, path := range []string{"/", "/charges", "/checkup", "/login", "/runs/1", "/style.css", "/script.js"} {
		if n := len(b.get(path)); n > 60_000 {
			t.Errorf("%s has %d bytes", path, n)
		}
	}
}

func TestLiveIsSaid(t *testing.T) {
	s := newShop(t, func(c *Config) { c.Live = true })
	text := s.browser().get("/login")
	want(t, "the form", text, "本番：実際の請求です")
	wantNot(t, "the form", text, "TEST")
}

// TestNobodyIsLetIn asks for everything without having signed in.
func TestNobodyIsLetIn(t *testing.T) {
	s := newShop(t, nil)
	key := string(s.bill(bill("A-1"))[0].Key)
	b := s.browser()
	for _, ask := range [][2]string{
		{"GET", "/"}, {"GET", "/charges"}, {"GET", "/charges/" + key}, {"POST", "/charges/" + key}, {"POST", "/charges/" + key + "/slip"}, {"POST", "/charges/" + key + "/resend"}, {"GET", "/checkup"}, {"POST", "/checkup"}, {"POST", "/logout"},
	} {
		a := b.ask(ask[0], ask[1], nil)
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/login" {
			t.Errorf("%v: %s", ask, a.Status)
		}
		wantNot(t, ask[1], a.text, "A-1")
	}
	b.Jar.SetCookies(mustURL(t, s.server.URL), []*http.Cookie{{Name: "konbill", Value: "guessed"}})
	if a := b.ask("GET", "/charges", nil); a.StatusCode != http.StatusSeeOther {
		t.Errorf("with a guessed cookie: %s", a.Status)
	}
	if acts := s.acts(); len(acts) != 0 {
		t.Errorf("on record: %q", acts)
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestSignIn(t *testing.T) {
	s := newShop(t, nil)
	b := s.browser()
	wrong, nobody := b.signIn("佐藤", "wrong"), b.signIn("a password, by mistake", "wrong")
	if wrong.StatusCode != http.StatusUnauthorized || nobody.StatusCode != http.StatusUnauthorized {
		t.Errorf("%s, %s", wrong.Status, nobody.Status)
	}
	want(t, "the form", wrong.text, "名前またはパスワードが違います", `value="佐藤"`)
	a := b.signIn("佐藤", testPassword)
	cookie := a.Header.Get("Set-Cookie")
	want(t, "the cookie", cookie, "konbill=", "HttpOnly", "SameSite=Strict", "Path=/")
	session := a.Cookies()[0]
	if other := b.signIn("佐藤", testPassword); other.Cookies()[0].Value == session.Value {
		t.Error("two sessions with one secret")
	}
	if a := b.ask("POST", "/logout", nil); a.StatusCode != http.StatusSeeOther {
		t.Errorf("signing out: %s", a.Status)
	}
	b.Jar.SetCookies(mustURL(t, s.server.URL), []*http.Cookie{session})
	if a := b.ask("GET", "/charges", nil); a.StatusCode != http.StatusSeeOther {
		t.Errorf("with the cookie of a session that another took the place of: %s", a.Status)
	}
	wanted := "佐藤 sign_in_refused 127.0.0.1\n sign_in_refused 127.0.0.1\n佐藤 signed_in 127.0.0.1\n佐藤 signed_in 127.0.0.1\n佐藤 signed_out "
	if acts := strings.Join(s.acts(), "\n"); acts != wanted {
		t.Errorf("on record:\n%s\nwant\n%s", acts, wanted)
	}
}

func TestCookieByTLS(t *testing.T) {
	s := newShop(t, func(c *Config) { c.Secure = true })
	a := s.browser().signIn("佐藤", testPassword)
	want(t, "the cookie", a.Header.Get("Set-Cookie"), "__Host-konbill=", "Secure", "HttpOnly", "Path=/")
	want(t, "the header", a.Header.Get("Strict-Transport-Security"), "max-age=")
}

func TestSessionsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		until func(*shop, browser)
		ended bool
	}{
		"used in time":  {func(s *shop, _ browser) { s.pass(sessionIdle - time.Minute) }, false},
		"left unused":   {func(s *shop, _ browser) { s.pass(sessionIdle) }, true},
		"used all day":  {usedFor(sessionLength - time.Hour), false},
		"used too long": {usedFor(sessionLength), true},
		"the person was removed": {func(s *shop, _ browser) {
			if err := s.ledger.RemovePerson(s.t.Context(), "佐藤", noon); err != nil {
				s.t.Fatal(err)
			}
		}, true},
		"the password was changed": {func(s *shop, _ browser) {
			if err := s.ledger.SetPassword(s.t.Context(), "佐藤", "x"); err != nil {
				s.t.Fatal(err)
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, nil)
			b := s.signedIn("佐藤")
			c.until(s, b)
			if a := b.ask("GET", "/charges", nil); (a.StatusCode == http.StatusSeeOther) != c.ended {
				t.Error(a.Status)
			}
		})
	}
}

func usedFor(d time.Duration) func(*shop, browser) {
	return func(s *shop, b browser) {
		for passed := time.Duration(0); passed < d; passed += 20 * time.Minute {
			s.pass(20 * time.Minute)
			b.ask("GET", "/", nil)
		}
	}
}

// TestGuessesAreSlowed: the right password doesn't help whoever has guessed too often,
// and others at the same address may go on.
func TestGuessesAreSlowed(t *testing.T) {
	s := newShop(t, nil)
	b := s.browser()
	for range triesInARow {
		b.signIn("佐藤", "wrong")
	}
	if a := b.signIn("佐藤", testPassword); a.StatusCode != http.StatusTooManyRequests {
		t.Errorf("after %d guesses: %s", triesInARow, a.Status)
	}
	s.signedIn("鈴木")
	s.pass(nextTryAfter)
	s.signedIn("佐藤")
	for range triesFromHost { // people who know their passwords don't count
		s.signedIn("鈴木")
	}
	for i := range triesFromHost {
		b.signIn(fmt.Sprint("nobody ", i), "wrong")
	}
	if a := b.signIn("鈴木", testPassword); a.StatusCode != http.StatusTooManyRequests {
		t.Errorf("after many names from one address: %s", a.Status)
	}
}

// TestForged sends what a browser would that another page has led here.
func TestForged(t *testing.T) {
	s := newShop(t, nil)
	key := string(s.bill(bill("A-1"))[0].Key)
	b := s.signedIn("佐藤")
	before := len(s.acts())
	for name, headers := range map[string][]string{
		"cross-site":         {"Sec-Fetch-Site", "cross-site"},
		"same-site":          {"Sec-Fetch-Site", "same-site"},
		"of an older origin": {"Origin", "https://evil.example"},
	} {
		for _, path := range []string{"/charges/" + key, "/logout", "/login", "/language", "/checkup"} {
			if a := b.ask("POST", path, nil, headers...); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s POST %s: %s", name, path, a.Status)
			}
		}
	}
	if a := b.ask("GET", "/charges", nil, "Host", "evil.example"); a.StatusCode != http.StatusMisdirectedRequest || strings.Contains(a.text, "A-1") {
		t.Errorf("another host: %s", a.Status)
	}
	large := url.Values{"name": {strings.Repeat("x", 1<<20)}, "password": {testPassword}}
	if a := b.ask("POST", "/login", large); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a form of a megabyte: %s", a.Status)
	}
	acts := s.acts()[before:]
	if len(acts) != 1 || !strings.Contains(acts[0], "refused") {
		t.Errorf("on record: %q", acts)
	}
	policy := b.ask("GET", "/", nil).Header
	want(t, "the policy", policy.Get("Content-Security-Policy"), "default-src 'none'", "form-action 'self'", "frame-ancestors 'none'")
	want(t, "the other headers", fmt.Sprint(policy), "nosniff", "no-store", "same-origin")
}

func TestSearch(t *testing.T) {
	s := newShop(t, nil)
	invoices := []invoice.Invoice{bill("A-1"), bill("A-2"), bill("B-1"), bill("B-2")}
	invoices[1].Name, invoices[1].SentName, invoices[1].Phone = "㈱さくら商会", "さくら商会", "0312349999"
	invoices[2].Due = noon.AddDate(0, 0, 2)
	entries := s.bill(invoices...)
	s.charged(entries[0], batch.StatusSuccessful)
	s.charged(entries[1], batch.StatusExpired)
	s.charged(entries[2], batch.StatusPending)
	b := s.signedIn("鈴木")
	for query, found := range map[string]string{
		"":                           "A-1 A-2 B-1 B-2",
		"show=nonsense&before=x":     "A-1 A-2 B-1 B-2",
		"q=A-":                       "A-1 A-2",
		"by=number&q=B-2":            "B-2",
		"run=1":                      "A-1 A-2 B-1 B-2",
		"run=1&show=paid":            "A-1",
		"run=2":                      "",
		"by=number&q=-":              "",
		"by=name&q=山田":               "A-1 B-1 B-2",
		"by=name&q=㈱さくら":             "A-2",
		"by=phone&q=5678":            "A-1 B-1 B-2",
		"by=phone&q=03-1234-９９９９":    "A-2",
		"show=paid":                  "A-1",
		"show=expired":               "A-2",
		"show=pending":               "B-1",
		"show=due":                   "B-1",
		"show=unknown":               "",
		"show=mail":                  "",
		"show=paid&by=number&q=B":    "",
		"show=pending&by=name&q=山 田": "B-1",
	} {
		text := b.get("/charges?" + escaped(query))
		var have []string
		for _, number := range []string{"A-1", "A-2", "B-1", "B-2"} {
			if strings.Contains(text, ">"+number+"</a>") {
				have = append(have, number)
			}
		}
		if got := strings.Join(have, " "); got != found {
			t.Errorf("%q: %q, want %q", query, got, found)
		}
		wantNot(t, query, text, "taro@", "09012345678", ">山田　太郎<", "09012")
	}
	want(t, "three digits", b.get("/charges?by=phone&q=567"), "下4桁の数字を入れてください")
	want(t, "no name", b.get("/charges?by=name&q=@"), "お名前の最初の文字")
}

// escaped escapes what a browser would.
func escaped(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	return values.Encode()
}

// TestPaging follows the links through all invoices.
func TestPaging(t *testing.T) {
	s := newShop(t, nil)
	var invoices []invoice.Invoice
	for i := range 2*onPage + 7 {
		invoices = append(invoices, bill(fmt.Sprintf("P-%03d", i)))
	}
	s.bill(invoices...)
	b := s.signedIn("鈴木")
	seen, pages := map[string]int{}, 0
	for path := "/charges?by=name&q=" + url.QueryEscape("山田"); path != ""; pages++ {
		text := b.get(path)
		for _, inv := range invoices {
			seen[inv.Number] += strings.Count(text, ">"+inv.Number+"</a>")
		}
		_, rest, more := strings.Cut(text, `class="next" href="`)
		path = ""
		if more {
			link, _, _ := strings.Cut(rest, `"`)
			path = strings.ReplaceAll(link, "&amp;", "&")
		}
	}
	if pages != 3 {
		t.Errorf("%d pages", pages)
	}
	for _, inv := range invoices {
		if seen[inv.Number] != 1 {
			t.Errorf("%s was listed %d times", inv.Number, seen[inv.Number])
		}
	}
}

// TestLooksAreRecorded: a customer's data are shown once asked for, and by whom is kept.
func TestLooksAreRecorded(t *testing.T) {
	s := newShop(t, nil)
	entry := s.charged(s.bill(bill("A-1"))[0], batch.StatusPending)
	b := s.signedIn("鈴木")
	personal := []string{"山田　太郎", "09012345678", "taro@example.jp", "709512", "https://pay.example/A-1", "11月分会費"}
	path := "/charges/" + string(entry.Key)
	text := b.get(path)
	want(t, "the invoice", text, "A-1", "chrg_test_A-1", "山＊＊＊", "…5678", "t***@example.jp", "請求済み", "表示したことは記録されます")
	wantNot(t, "the invoice", text, personal...)
	want(t, "the invoice, asked for", b.ask("POST", path, nil).text, personal...)
	if acts := s.acts(); acts[len(acts)-1] != "鈴木 looked A-1" {
		t.Errorf("on record: %q", acts)
	}
	s.pass(60 * 24 * time.Hour)
	wantNot(t, "one that is over", s.signedIn("鈴木").ask("POST", path, nil).text, "https://pay.example/A-1")
}

func TestSlipIsTaken(t *testing.T) {
	s := newShop(t, nil)
	entries := s.bill(bill("A-1"), bill("A-2"))
	path := "/charges/" + string(s.charged(entries[0], batch.StatusPending).Key)
	b := s.signedIn("鈴木")
	want(t, "the invoice", b.get(path), path+"/slip")
	a := b.ask("POST", path+"/slip", nil)
	if a.text != "%PDF of A-1" || a.Header.Get("Content-Type") != "application/pdf" || !strings.Contains(a.Header.Get("Content-Disposition"), "A-1.pdf") {
		t.Errorf("%q, %v", a.text, a.Header)
	}
	paid := "/charges/" + string(s.charged(entries[1], batch.StatusSuccessful).Key)
	wantNot(t, "one that is paid", b.get(paid), "/slip")
	want(t, "its slip", b.ask("POST", paid+"/slip", nil).text, "払込案内はありません")
	if acts := strings.Join(s.acts(), "\n"); !strings.HasSuffix(acts, "鈴木 took_slip A-1\n鈴木 took_slip A-2") {
		t.Errorf("on record:\n%s", acts)
	}
}

// TestResultsAreTaken: by those who bring files, and it is recorded.
func TestResultsAreTaken(t *testing.T) {
	s := newShop(t, func(c *Config) {
		c.Outbox = fstest.MapFS{
			"2026-12-01-a.results.csv": {Data: []byte("results"), ModTime: noon}, "2026-12-01-請求 11月.errors.csv": {Data: []byte("errors"), ModTime: noon.Add(time.Hour)},
			".half": {Data: []byte("half")}, "folder/x.csv": {Data: []byte("x")},
		}
	})
	b := s.signedIn("佐藤")
	page := b.get("/")
	want(t, "the runs", page, "2026-12-01-a.results.csv", "2026-12-01-請求 11月.errors.csv")
	wantNot(t, "the runs", page, ".half", ">folder<")
	_, rest, _ := strings.Cut(page, `href="/results/`)
	link, _, _ := strings.Cut(rest, `"`)
	if a := b.ask("GET", "/results/"+link, nil); a.text != "errors" || a.StatusCode != http.StatusOK {
		t.Errorf("%s: %s %q", link, a.Status, a.text)
	}
	for _, name := range []string{".half", "folder", "folder%2Fx.csv", "..%2Fkonbill.db", "nothing", "%2e%2e"} {
		if a := b.ask("GET", "/results/"+name, nil); a.StatusCode == http.StatusOK {
			t.Errorf("%s was given: %q", name, a.text)
		}
	}
	viewer := s.signedIn("鈴木")
	wantNot(t, "a viewer's page", viewer.get("/"), "results.csv")
	if a := viewer.ask("GET", "/results/2026-12-01-a.results.csv", nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("to a viewer: %s", a.Status)
	}
	want(t, "the record", strings.Join(s.acts(), "\n"), "佐藤 took_results 2026-12-01-請求 11月.errors.csv", "鈴木 refused GET /results/{name}")
}

func TestResend(t *testing.T) {
	s := newShop(t, nil)
	entries := s.bill(bill("A-1"), bill("busy"), bill("paid"))
	paths := map[string]string{}
	for _, e := range entries {
		paths[e.Invoice.Number] = "/charges/" + string(s.charged(e, batch.StatusPending).Key)
	}
	viewer, b := s.signedIn("鈴木"), s.signedIn("佐藤")
	wantNot(t, "a viewer's page", viewer.get(paths["A-1"]), "/resend")
	if a := viewer.ask("POST", paths["A-1"]+"/resend", nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("by a viewer: %s", a.Status)
	}
	for number, said := range map[string]string{"A-1": "mailed A-1 ja", "busy": "いま発行の処理中のため、何もしていません", "paid": "支払い済み"} {
		want(t, number, b.get(paths[number]), "/resend")
		want(t, number, b.ask("POST", paths[number]+"/resend", nil).text, said)
	}
	want(t, "the record", strings.Join(s.acts(), "\n"), "鈴木 refused POST /charges/{key}/resend", "佐藤 resent A-1", "佐藤 resent busy")
}

// TestScriptIsInert puts markup into everything that comes from files and people.
func TestScriptIsInert(t *testing.T) {
	s := newShop(t, func(c *Config) {
		c.Operation = func(context.Context) Operation {
			return Operation{Running: `<script>1</script>`, Waiting: []string{`"><img src=x>`}}
		}
	})
	evil := `"><script>alert(1)</script>'`
	inv := bill("A-1" + evil)
	inv.Name, inv.Email, inv.Description = evil, "a"+evil+"@b", evil
	entry := s.charged(s.bill(inv)[0], batch.StatusPending)
	entry, err := s.ledger.Move(t.Context(), batch.Move{Key: entry.Key, From: entry.State, To: entry.State, At: noon, Who: evil, Why: evil}, func(e *batch.Entry) {
		e.Charge.AuthorizeURI, e.MailReply = "javascript:alert(1)", evil
	})
	if err != nil {
		t.Fatal(err)
	}
	b := s.signedIn("佐藤")
	path := "/charges/" + string(entry.Key)
	for where, text := range map[string]string{
		"runs": b.get("/"), "charges": b.get("/charges?q=" + url.QueryEscape(evil) + "&by=" + url.QueryEscape(evil) + "&show=" + url.QueryEscape(evil)),
		"all charges": b.get("/charges"), "the charge": b.get(path), "the charge, shown": b.ask("POST", path, nil).text,
		"check-up": b.get("/checkup"), "sign in": s.browser().signIn(evil, evil).text,
	} {
		wantNot(t, where, strings.Replace(strings.ToLower(text), ownScript, "", 1), "<script", "<img", `href="javascript`)
	}
}

// TestPageWhenTheLedgerFails: nothing is shown, least of all a customer's data whose
// look could not be recorded.
func TestPageWhenTheLedgerFails(t *testing.T) {
	broken := &brokenLedger{}
	s := newShop(t, func(c *Config) { broken.Ledger, c.Ledger = c.Ledger, broken })
	key := string(s.bill(bill("A-1"))[0].Key)
	b := s.signedIn("佐藤")
	broken.fails = true
	a := b.ask("POST", "/charges/"+key, nil)
	if a.StatusCode != http.StatusInternalServerError {
		t.Error(a.Status)
	}
	want(t, "the page", a.text, "いま表示できません")
	wantNot(t, "the page", a.text, "09012345678", "disk")
}

// brokenLedger can't record.
type brokenLedger struct {
	Ledger
	fails bool
}

func (l *brokenLedger) RecordAct(ctx context.Context, a batch.Act) error {
	if l.fails {
		return fmt.Errorf("disk full")
	}
	return l.Ledger.RecordAct(ctx, a)
}

func TestPasswords(t *testing.T) {
	for password, err := range map[string]error{"": ErrPassword, "elevenchars": ErrPassword, strings.Repeat("長", 12): nil, strings.Repeat("x", 257): ErrPassword} {
		if _, got := HashPassword(password); got != err {
			t.Errorf("%q: %v", password, got)
		}
	}
	hash, err := HashPassword(testPassword)
	if err != nil {
		t.Fatal(err)
	}
	other, err := HashPassword(testPassword)
	if err != nil || other == hash || strings.Contains(hash, testPassword) {
		t.Errorf("%s, %s, %v", hash, other, err)
	}
	parts := strings.Split(hash, "$")
	for stored, right := range map[string]bool{
		hash: true, other: true, "": false, "x": false, hash[:len(hash)-1]: false, hash + "A": false, "$argon2id$v=19$m=x,t=1,p=1$$": false,
		strings.Join([]string{"", parts[1], parts[2], "m=19456,t=0,p=1", parts[4], parts[5]}, "$"): false,
		strings.Join([]string{"", parts[1], parts[2], parts[3], parts[4], ""}, "$"):                false,
	} {
		if matches(stored, testPassword) != right {
			t.Errorf("%q", stored)
		}
	}
	if matches(hash, testPassword+"x") {
		t.Error("another password was taken")
	}
}

// TestWordsAreTranslated: whatever the ledger can hold has a word in both languages.
func TestWordsAreTranslated(t *testing.T) {
	japanese, english := words{invoice.Japanese}, words{invoice.English}
	for name, all := range map[string]map[string][2]string{"states": stateNames, "payments": paymentNames, "results": resultNames, "roles": roleNames, "acts": actNames} {
		for word := range maps.Keys(all) {
			ja, en := japanese.of(all, word), english.of(all, word)
			if cmp.Or(ja, en) == "" || ja == en || ja == word && word != "" {
				t.Errorf("%s: %q is %q and %q", name, word, ja, en)
			}
		}
	}
	for _, result := range batch.Results {
		if japanese.result(result) == string(result) {
			t.Errorf("%s has no word", result)
		}
	}
	for _, role := range batch.Roles {
		if japanese.role(role) == string(role) {
			t.Errorf("%s has no word", role)
		}
	}
}
