package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// desk is a shop to which files are brought.
type desk struct {
	*shop
	inbox  string
	drafts *inbox.Drafts
}

// drop puts a file into the inbox, as a system does.
func (d *desk) drop(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.inbox, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func newDesk(t *testing.T, change func(*Config)) *desk {
	t.Helper()
	d := &desk{inbox: filepath.Join(t.TempDir(), "inbox")}
	drafts, err := inbox.OpenDrafts(d.inbox)
	if err != nil {
		t.Fatal(err)
	}
	d.drafts = drafts
	d.shop = newShop(t, func(c *Config) {
		c.Drafts, c.ConfigHash, c.Pace = drafts, "c0ffee", 0.5
		reading := func(lang invoice.Language) batch.Reading {
			rules := invoice.Rules{DueDays: 30, MaxDueDays: 60, NameOverflow: invoice.CutName, Language: invoice.Japanese}
			return batch.Reading{File: csvfile.Options{MaxRows: 1000}, Rules: rules, Language: lang}
		}
		c.Preview = func(inv invoice.Invoice) (Preview, error) {
			return Preview{[]byte("%PDF of " + inv.Number), "<subject> " + inv.Number, "for " + inv.Name, "<p>To " + inv.Name}, nil
		}
		c.Check = func(path string, lang invoice.Language) (*batch.Checkup, error) {
			return batch.CheckUp(path, reading(lang), d.clock())
		}
		c.Read = func(path string, lang invoice.Language) (*batch.Sheet, error) {
			return batch.ReadSheet(path, reading(lang), d.clock())
		}
		if change != nil {
			change(c)
		}
	})
	hash, err := HashPassword(testPassword)
	if err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]batch.Role{"田中": batch.Preparer, "高橋": batch.Approver} {
		if err := d.ledger.AddPerson(t.Context(), batch.Person{Name: name, Role: role, Password: hash, CreatedAt: noon}); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// upload brings a file as a browser's form does.
func (b browser) upload(name string, content io.Reader) answer {
	b.shop.t.Helper()
	return b.uploadAll(map[string]io.Reader{name: content})
}

func (b browser) uploadAll(files map[string]io.Reader) answer {
	b.shop.t.Helper()
	reader, writer := io.Pipe()
	form := multipart.NewWriter(writer)
	go func() {
		var err error
		for name, content := range files {
			var part io.Writer
			if part, err = form.CreateFormFile("file", name); err == nil {
				_, err = io.Copy(part, content)
			}
			if err != nil {
				break
			}
		}
		if err == nil {
			err = form.Close()
		}
		writer.CloseWithError(err)
	}()
	r, err := http.NewRequestWithContext(b.shop.t.Context(), http.MethodPost, b.shop.server.URL+"/files", reader)
	if err != nil {
		b.shop.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	return b.send(r)
}

// brought brings a file and returns the path of its review.
func (b browser) brought(name, text string) string {
	b.shop.t.Helper()
	a := b.upload(name, strings.NewReader(text))
	if a.StatusCode != http.StatusSeeOther {
		b.shop.t.Fatalf("%s: %s\n%s", name, a.Status, a.text)
	}
	return a.Header.Get("Location")
}

func (b browser) approve(path string, form url.Values) answer {
	b.shop.t.Helper()
	return b.ask(http.MethodPost, path+"/approve", form)
}

// shownOn is what the page's form says was shown.
func shownOn(page string) url.Values {
	_, rest, _ := strings.Cut(page, `name="shown" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return url.Values{"shown": {value}}
}

// handedIn are the files in the inbox.
func (d *desk) handedIn() string {
	d.t.Helper()
	entries, err := os.ReadDir(d.inbox)
	if err != nil {
		d.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return strings.Join(names, " ")
}

const messy = "請求書番号,氏名,メールアドレス,電話番号,請求金額,支払期限\n" +
	"F-1,山田 太郎,taro@example.jp,09011112222,3000,\n" +
	"F-2,ﾔﾏﾀﾞ ﾊﾅｺ,hanako@example.jp,09011112222,5000,2026-12-20\n" +
	"F-3,佐藤 一,hajime@gmial.com,09011112222,7000,\n" + // a warning
	"F-4,鈴木 次郎,jiro@example.jp,09011112222,30,\n" + // too little
	"A-1,山田 太郎,taro@example.jp,09012345678,3000,\n" // issued before

func TestReview(t *testing.T) {
	d := newDesk(t, nil)
	d.charged(d.bill(bill("A-1"))[0], batch.StatusPending)
	b := d.signedIn("田中")
	path := b.brought("11月分.csv", messy)
	page := b.get(path)
	want(t, "the review", page, "11月分.csv", "投入：田中", "3件<br>15,000円", "1件<br>7,000円", "1件<br>30円", "1件<br>3,000円",
		"2026-12-31", "約 1 分", "承認者の承認を待っています", "hajime@gmial.com", "hajime@gmail.com", "金額「30」が少なすぎます", "ﾔﾏﾀﾞ ﾊﾅｺ", "ヤマダハナコ")
	wantNot(t, "the review", page, "発行を承認する")
	one := b.get(path + "?cause=" + string(invoice.CodeEmailTypo))
	want(t, "one cause", one, "<td>hajime@gmial.com</td>", "すべての原因を表示")
	wantNot(t, "one cause", one, "<td>30</td>")
	want(t, "the list", b.get("/files"), "11月分.csv", "田中", "2026-12-01 12:00")
	cp932, err := japanese.ShiftJIS.NewEncoder().String(messy)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "in CP932", b.get(b.brought("11月分.csv", cp932)), "3件<br>15,000円", "ﾔﾏﾀﾞ ﾊﾅｺ")
	want(t, "without the columns", b.get(b.brought("a.csv", "x,y\n1,2\n")), "発行できる行がありません", `role="alert"`)
	if handed := d.handedIn(); handed != "" {
		t.Errorf("in the inbox: %s", handed)
	}
}

// TestErrorsFileIsBroughtAgain: what can't be issued comes back as the file had it, and
// is input once it is mended.
func TestErrorsFileIsBroughtAgain(t *testing.T) {
	d := newDesk(t, nil)
	b := d.signedIn("田中")
	cp932, err := japanese.ShiftJIS.NewEncoder().String(messy)
	if err != nil {
		t.Fatal(err)
	}
	path := b.brought("11月分.csv", cp932)
	want(t, "the review", b.get(path), path+"/errors.csv")
	a := b.ask(http.MethodGet, path+"/errors.csv", nil)
	text, err := japanese.ShiftJIS.NewDecoder().String(a.text)
	lines := strings.Split(messy, "\n")
	if wanted := lines[0] + "\n" + lines[4] + "\n"; err != nil || text != wanted {
		t.Errorf("%q, %v, want %q", text, err, wanted)
	}
	if _, params, err := mime.ParseMediaType(a.Header.Get("Content-Disposition")); err != nil || params["filename"] != "11月分.errors.csv" {
		t.Errorf("%v, %v", params, err)
	}
	mended := b.brought("11月分.errors.csv", strings.ReplaceAll(a.text, ",30,", ",3000,"))
	want(t, "the mended file", b.get(mended), "1件<br>3,000円", "0件<br>0円")
	template := b.ask(http.MethodGet, "/template.csv", nil).text
	want(t, "the template, filled in", b.get(b.brought("t.csv", template+"T-1,山田 太郎,taro@example.jp,09011112222,3000,,,,,\r\n")), "1件<br>3,000円")
}

// TestTooMuch: what a run would refuse can't be approved.
func TestTooMuch(t *testing.T) {
	for limit, may := range map[invoice.Yen]bool{18000: true, 17999: false} {
		d := newDesk(t, func(c *Config) { c.MaxTotal = limit })
		b := d.signedIn("高橋")
		path := b.brought("a.csv", messy)
		page := b.get(path)
		if strings.Contains(page, "発行を承認する") != may {
			t.Errorf("with a limit of %s:\n%s", limit, page)
		}
		if a := b.approve(path, shownOn(page)); (a.StatusCode == http.StatusSeeOther) != may {
			t.Errorf("with a limit of %s: %s", limit, a.Status)
		}
	}
}

// TestPreview shows what the customer of a row would get.
func TestPreview(t *testing.T) {
	d := newDesk(t, nil)
	b := d.signedIn("田中")
	path := b.brought("a.csv", messy)
	want(t, "the review", b.get(path), path+"/preview", `value="2"`)
	want(t, "the sample", b.get(path+"/preview?line=3"), "3行目の見本", "&lt;subject&gt; F-2", "for ﾔﾏﾀﾞ ﾊﾅｺ", path+"/preview.pdf?line=3")
	if a := b.ask(http.MethodGet, path+"/preview.pdf?line=3", nil); a.text != "%PDF of F-2" {
		t.Errorf("%q", a.text)
	}
	want(t, "the sample", b.get(path+"/preview?line=3"), path+"/preview.html?line=3", path+"/preview.pdf?line=3&amp;within=page")
	for within, must := range map[string]string{"/preview.html?line=3": "sandbox", "/preview.pdf?line=3&within=page": "default-src 'none'"} {
		a := b.ask(http.MethodGet, path+within, nil)
		policy := a.Header.Values(contentPolicy)
		if len(policy) != 1 || !strings.Contains(policy[0], must) || !strings.Contains(policy[0], "frame-ancestors 'self'") || strings.Contains(policy[0], "script-src") {
			t.Errorf("%s: %q", within, policy)
		}
		if a.Header.Get("Content-Disposition") != "" {
			t.Errorf("%s is to be kept, not shown", within)
		}
	}
	want(t, "the mail", b.ask(http.MethodGet, path+"/preview.html?line=3", nil).text, "<p>To ﾔﾏﾀﾞ ﾊﾅｺ")
	for _, line := range []string{"", "1", "5", "7", "x"} { // 5 is rejected
		a := b.ask(http.MethodGet, path+"/preview?line="+line, nil)
		if a.StatusCode != http.StatusNotFound {
			t.Errorf("line %q: %s", line, a.Status)
		}
		want(t, "line "+line, a.text, "見本を作れません")
	}
}

// TestSeveralFiles: each is taken by itself.
func TestSeveralFiles(t *testing.T) {
	d := newDesk(t, nil)
	b := d.signedIn("田中")
	if a := b.uploadAll(map[string]io.Reader{"x.csv": strings.NewReader(messy), "y.csv": strings.NewReader(messy)}); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/files" {
		t.Errorf("%s, %v", a.Status, a.Header)
	}
	a := b.uploadAll(map[string]io.Reader{"z.csv": strings.NewReader(messy), ".hidden": strings.NewReader(messy)})
	want(t, "the page", a.text, ".hidden：この名前のファイルは受け付けられません", "x.csv", "y.csv", "z.csv")
}

// TestReviewIsPaged lists a hundred findings at a time.
func TestReviewIsPaged(t *testing.T) {
	d := newDesk(t, nil)
	b := d.signedIn("田中")
	text := "invoice_no,name,email,phone,amount\n"
	for i := range 250 {
		text += fmt.Sprintf("F-%03d,山田 太郎,taro@example.jp,09011112222,30\n", i)
	}
	path := b.brought("many.csv", text)
	seen, pages := map[string]int{}, 0
	for next := path; next != ""; pages++ {
		page := b.get(next)
		for i := range 250 {
			seen[fmt.Sprintf("F-%03d", i)] += strings.Count(page, fmt.Sprintf("<td>%d行目", i+2))
		}
		_, rest, more := strings.Cut(page, `class="next" href="`)
		next = ""
		if more {
			link, _, _ := strings.Cut(rest, `"`)
			next = strings.ReplaceAll(link, "&amp;", "&")
		}
	}
	if pages != 3 || len(seen) != 250 {
		t.Errorf("%d pages", pages)
	}
	for number, n := range seen {
		if n != 1 {
			t.Errorf("%s is listed %d times", number, n)
		}
	}
}

func TestApproval(t *testing.T) {
	d := newDesk(t, nil)
	preparer, approver := d.signedIn("田中"), d.signedIn("高橋")
	path := preparer.brought("11月分.csv", messy)
	form := shownOn(approver.get(path))
	if a := preparer.approve(path, form); a.StatusCode != http.StatusForbidden {
		t.Errorf("by a preparer: %s", a.Status)
	}
	if a := d.signedIn("鈴木").ask(http.MethodGet, path, nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("shown to a viewer: %s", a.Status)
	}
	if a := approver.approve(path, url.Values{"shown": {""}}); a.StatusCode != http.StatusConflict {
		t.Errorf("of nothing that was shown: %s", a.Status)
	}
	if handed := d.handedIn(); handed != "" {
		t.Errorf("in the inbox: %s", handed)
	}
	if a := approver.approve(path, form); a.StatusCode != http.StatusSeeOther {
		t.Errorf("by an approver: %s\n%s", a.Status, a.text)
	}
	text, err := os.ReadFile(filepath.Join(d.inbox, "11月分.csv"))
	if err != nil || string(text) != messy {
		t.Errorf("handed in: %q, %v", text, err)
	}
	want(t, "the list", approver.get("/?done=approved"), "承認しました")
	want(t, "the files", approver.get("/files"), "ありません")
	if a := approver.approve(path, form); a.StatusCode != http.StatusNotFound {
		t.Errorf("once more: %s", a.Status)
	}
	acts := strings.Join(d.acts(), "\n")
	want(t, "the record", acts, "田中 brought 11月分.csv", "田中 refused POST /files/{id}/approve", "高橋 approved 11月分.csv", "鈴木 refused GET /files/{id}")
}

// TestApprovalIsOfWhatWasShown changes something between the look and the word.
func TestApprovalIsOfWhatWasShown(t *testing.T) {
	for name, change := range map[string]func(d *desk, c *Config, path string){
		"the file": func(d *desk, c *Config, path string) {
			draft, err := c.Drafts.Draft(strings.TrimPrefix(path, "/files/"))
			if err == nil {
				err = os.WriteFile(draft.Path, []byte(strings.Replace(messy, "3000", "4000", 1)), 0o600)
			}
			if err != nil {
				d.t.Fatal(err)
			}
		},
		"an unread cell of the file": func(d *desk, c *Config, path string) {
			draft, err := c.Drafts.Draft(strings.TrimPrefix(path, "/files/"))
			if err == nil {
				err = os.WriteFile(draft.Path, []byte(strings.Replace(messy, "taro@", "jiro@", 1)), 0o600)
			}
			if err != nil {
				d.t.Fatal(err)
			}
		},
		"the ledger":   func(d *desk, _ *Config, _ string) { d.charged(d.bill(bill("F-1"))[0], batch.StatusPending) },
		"the calendar": func(d *desk, _ *Config, _ string) { d.pass(24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			var config *Config
			d := newDesk(t, func(c *Config) { config = c })
			b := d.signedIn("高橋")
			path := b.brought("a.csv", messy)
			form := shownOn(b.get(path))
			change(d, config, path)
			if name == "the calendar" {
				b = d.signedIn("高橋")
			}
			a := b.approve(path, form)
			if a.StatusCode != http.StatusConflict || d.handedIn() != "" {
				t.Errorf("%s; in the inbox: %s", a.Status, d.handedIn())
			}
			want(t, "the page", a.text, "表示したあとに", `name="shown"`)
			if a := b.approve(path, shownOn(a.text)); a.StatusCode != http.StatusSeeOther {
				t.Errorf("after another look: %s", a.Status)
			}
		})
	}
}

func TestSecondPerson(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.SecondPerson = true })
	first, second := d.signedIn("佐藤"), d.signedIn("高橋")
	path := first.brought("a.csv", messy)
	form := shownOn(second.get(path))
	want(t, "the first's page", first.get(path), "別の承認者")
	if a := first.approve(path, form); a.StatusCode != http.StatusForbidden || d.handedIn() != "" {
		t.Errorf("by who brought it: %s", a.Status)
	}
	if a := second.approve(path, form); a.StatusCode != http.StatusSeeOther || d.handedIn() != "a.csv" {
		t.Errorf("by another: %s", a.Status)
	}
}

// TestLiveTotal: real money wants its sum typed.
func TestLiveTotal(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Live = true })
	b := d.signedIn("高橋")
	path := b.brought("a.csv", messy)
	page := b.get(path)
	want(t, "the review", page, "発行する合計金額", "本番")
	form := shownOn(page)
	for _, total := range []string{"", "18,000", "15000", "18000 "} {
		form.Set("total", total)
		if a := b.approve(path, form); a.StatusCode != http.StatusBadRequest || d.handedIn() != "" {
			t.Errorf("%q: %s", total, a.Status)
		}
	}
	want(t, "a wrong total", b.approve(path, form).text, "一致しません")
	form.Set("total", "18000") // four sound rows: nothing is issued yet
	if a := b.approve(path, form); a.StatusCode != http.StatusSeeOther || d.handedIn() != "a.csv" {
		t.Errorf("the right total: %s\n%s", a.Status, a.text)
	}
}

func TestDiscard(t *testing.T) {
	d := newDesk(t, nil)
	preparer, approver := d.signedIn("田中"), d.signedIn("高橋")
	path := approver.brought("a.csv", messy)
	if a := preparer.ask(http.MethodPost, path+"/discard", nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("another's: %s", a.Status)
	}
	if a := approver.ask(http.MethodPost, path+"/discard", nil); a.StatusCode != http.StatusSeeOther {
		t.Errorf("one's own: %s", a.Status)
	}
	if a := approver.ask(http.MethodGet, path, nil); a.StatusCode != http.StatusNotFound || d.handedIn() != "" {
		t.Errorf("afterwards: %s", a.Status)
	}
	preparer.brought("c.csv", messy)
	d.pass(KeepDrafts + time.Second)
	wantNot(t, "after a week", d.signedIn("田中").get("/files"), "c.csv")
}

// TestUploadsAreBounded sends what a form never would.
func TestUploadsAreBounded(t *testing.T) {
	d := newDesk(t, nil)
	b := d.signedIn("田中")
	endless := io.MultiReader(strings.NewReader("invoice_no\n"), io.LimitReader(zeros{}, 1<<30))
	if a := b.upload("endless.csv", endless); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a gigabyte: %s", a.Status)
	} else {
		want(t, "the page", a.text, "ファイルが大きすぎます")
	}
	for _, name := range []string{".hidden.csv", "a.csv.total", "a.part"} {
		a := b.upload(name, strings.NewReader(messy))
		if a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", name, a.Status)
		}
		want(t, name, a.text, "この名前のファイルは受け付けられません")
	}
	for _, form := range []url.Values{nil, {"file": {"text"}}} {
		if a := b.ask(http.MethodPost, "/files", form); a.StatusCode != http.StatusBadRequest {
			t.Errorf("without a file: %s", a.Status)
		}
	}
	left, err := os.ReadDir(filepath.Join(d.inbox, "drafts"))
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if a := d.browser().upload("a.csv", strings.NewReader(messy)); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/login" {
		t.Errorf("by nobody: %s", a.Status)
	}
	if a := d.signedIn("鈴木").upload("a.csv", strings.NewReader(messy)); a.StatusCode != http.StatusForbidden {
		t.Errorf("by a viewer: %s", a.Status)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("0"), len(p))), nil }

func TestReviewOfMarkup(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Operation = func(context.Context) Operation { return Operation{} } })
	b := d.signedIn("高橋")
	evil := `"><script>alert(1)</script>`
	cell := `"` + strings.ReplaceAll(evil, `"`, `""`) + `"`
	path := b.brought(evil+".csv", "invoice_no,name,email,phone,amount,due,description\n"+strings.Repeat(cell+",", 6)+cell+"\n")
	for where, page := range map[string]string{"the review": b.get(path), "a cause": b.get(path + "?cause=" + url.QueryEscape(evil)), "the list": b.get("/files?done=" + url.QueryEscape(evil))} {
		wantNot(t, where, strings.Replace(page, ownScript, "", 1), "<script")
	}
	want(t, "the review", b.get(path), "&lt;script&gt;")
}

// TestNoFilesWithoutDrafts: where none are taken, the page doesn't offer it.
func TestNoFilesWithoutDrafts(t *testing.T) {
	s := newShop(t, nil)
	b := s.signedIn("佐藤")
	wantNot(t, "the page", b.get("/"), "/files")
	if a := b.ask(http.MethodGet, "/files", nil); a.StatusCode != http.StatusNotFound {
		t.Error(a.Status)
	}
}
