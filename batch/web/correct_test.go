package web

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"konbill/batch"
)

const toCorrect = "invoice_no,name,email,phone,amount\nK-1,山田,a@example.jp,09012345678,30\nK-2,鈴木,b@example.jp,09012345678,6000\n"

var digestOnPage = regexp.MustCompile(`name="file" value="([0-9a-f]{64})"`)

// correction is the form that puts a value right on a page that was shown.
func correction(page, line, field, value string) url.Values {
	form := url.Values{"line": {line}, "field": {field}, "value": {value}}
	if found := digestOnPage.FindStringSubmatch(page); found != nil {
		form.Set("file", found[1])
	}
	return form
}

// typed is the form of all findings on a page, with something else typed into some of its
// fields.
func typed(page string, fields ...string) url.Values {
	form := correction(page, "", "", "")
	form.Del("line")
	for _, shown := range inputOnPage.FindAllStringSubmatch(page, -1) {
		form.Set(shown[1], html.UnescapeString(shown[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}

var inputOnPage = regexp.MustCompile(`<input name="(\d+ [a-z]+)" value="([^"]*)"`)

// TestCorrectTogether puts several values right at once; what nobody touched stays.
func TestCorrectTogether(t *testing.T) {
	d := newDesk(t, nil)
	b := d.signedIn("高橋")
	path := b.brought("a.csv", "invoice_no,name,email,phone,amount\nK-1,ﾔﾏﾀﾞ様,x,9012345678,30\nK-2,鈴木,b@example.jp,09012345678,6000\n")
	page := b.get(path)
	if a := b.ask(http.MethodPost, path+"/correct", typed(page)); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.text, "変更された値はありません") {
		t.Errorf("nothing typed: %s\n%s", a.Status, a.text)
	}
	a := b.ask(http.MethodPost, path+"/correct", typed(page, "2 amount", "300", "2 email", "a@example.jp", "3 name", "forged"))
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != path+"?corrected=2" {
		t.Fatalf("%s to %s\n%s", a.Status, a.Header.Get("Location"), a.text)
	}
	page = b.get(path)
	want(t, "the review", page, "2件<br>6,300円", "「30」を「300」に", "「x」を「a@example.jp」に")
	b.approve(path, shownOn(page))
	want(t, "the file", d.read("a.csv"), "K-1,ﾔﾏﾀﾞ様,a@example.jp,9012345678,300,", "K-2,鈴木,b@example.jp,09012345678,6000,\n")
}

// TestLongReview: a page of findings stays small, and the next ones can be corrected, too.
func TestLongReview(t *testing.T) {
	d := newDesk(t, nil)
	b := d.signedIn("高橋")
	var text strings.Builder
	text.WriteString("invoice_no,name,email,phone,amount\n")
	for i := range 150 {
		fmt.Fprintf(&text, "K-%d,ﾔﾏﾀﾞ ﾀﾛｳ,a@example.jp,09012345678,30\n", i)
	}
	path := b.brought("a.csv", text.String())
	page := b.get(path)
	if len(page) > 60_000 {
		t.Errorf("it has %d bytes", len(page))
	}
	last := b.get(path + "?cause=amount_too_small&from=100")
	a := b.ask(http.MethodPost, path+"/correct", withValues(typed(last, "151 amount", "300"), "cause", "amount_too_small", "from", "100"))
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != path+"?cause=amount_too_small&corrected=1&from=100" {
		t.Errorf("%s to %s", a.Status, a.Header.Get("Location"))
	}
	want(t, "the review", b.get(path), "1件<br>300円")
}

func withValues(form url.Values, fields ...string) url.Values {
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}

// TestCorrectInPlace puts an amount right and has the row issued; the file says so by
// itself, and who corrected it can't approve it where a second person must.
func TestCorrectInPlace(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.SecondPerson = true })
	preparer, corrector, approver := d.signedIn("田中"), d.signedIn("佐藤"), d.signedIn("高橋")
	path := preparer.brought("11月分.csv", toCorrect)
	page := corrector.get(path)
	want(t, "the review", page, "金額「30」が少なすぎます", `name="2 amount" value="30"`, "この内容で発行を承認する")
	before := shownOn(page)
	a := corrector.ask(http.MethodPost, path+"/correct", typed(page, "2 amount", "3000"))
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != path+"?corrected=1" {
		t.Fatalf("%s to %s\n%s", a.Status, a.Header.Get("Location"), a.text)
	}
	page = corrector.get(path + "?corrected=1")
	want(t, "the review", page, "1か所を訂正し", "佐藤 さんが「30」を「3000」に訂正しました", "2件<br>9,000円", "訂正：佐藤", "別の承認者")
	wantNot(t, "the review", page, "少なすぎます", "この内容で発行を承認する")
	if a := approver.approve(path, before); a.StatusCode != http.StatusConflict {
		t.Errorf("what was shown before: %s", a.Status)
	}
	if a := corrector.approve(path, shownOn(approver.get(path))); a.StatusCode != http.StatusForbidden {
		t.Errorf("by who corrected it: %s", a.Status)
	}
	if a := approver.approve(path, shownOn(approver.get(path))); a.StatusCode != http.StatusSeeOther {
		t.Errorf("by another: %s\n%s", a.Status, a.text)
	}
	want(t, "the file", d.read("11月分.csv"), "K-1,山田,a@example.jp,09012345678,3000,", `""was"":""30""`, `""by"":""佐藤""`)
	want(t, "on record", strings.Join(d.acts(), "\n"), "佐藤 corrected 11月分.csv:2 amount")
}

func TestCorrectRefuses(t *testing.T) {
	d := newDesk(t, nil)
	b := d.signedIn("高橋")
	path := b.brought("a.csv", toCorrect+"K-3,x\n")
	page := b.get(path)
	for name, c := range map[string]struct {
		form   url.Values
		status int
		says   string
	}{
		"another line":         {correction(page, "9", "name", "x"), http.StatusBadRequest, "ここでは訂正できません"},
		"no line":              {correction(page, "", "name", "x"), http.StatusBadRequest, "ここでは訂正できません"},
		"a malformed row":      {correction(page, "4", "name", "x"), http.StatusBadRequest, "ここでは訂正できません"},
		"another column":       {correction(page, "2", "description", "x"), http.StatusBadRequest, "その項目の列がない"},
		"the number":           {correction(page, "2", "invoice_no", "x"), http.StatusBadRequest, "その項目の列がない"},
		"what is no longer so": {correction("", "2", "name", "x"), http.StatusConflict, "いずれかが変わりました"},
	} {
		if a := b.ask(http.MethodPost, path+"/correct", c.form); a.StatusCode != c.status || !strings.Contains(a.text, c.says) {
			t.Errorf("%s: %s, without %q:\n%s", name, a.Status, c.says, a.text)
		}
	}
	if a := d.signedIn("鈴木").ask(http.MethodPost, path+"/correct", correction(page, "2", "name", "x")); a.StatusCode != http.StatusForbidden {
		t.Errorf("by a viewer: %s", a.Status)
	}
	if now := b.get(path); digestOnPage.FindString(now) != digestOnPage.FindString(page) {
		t.Error("the file has changed")
	}
}

// TestCorrectMarkup: what people type is text.
func TestCorrectMarkup(t *testing.T) {
	d := newDesk(t, nil)
	b := d.signedIn("高橋")
	path := b.brought("a.csv", toCorrect)
	evil := `"><script>alert(1)</script>`
	b.ask(http.MethodPost, path+"/correct", correction(b.get(path), "2", "name", evil))
	page := b.get(path + "?corrected=" + url.QueryEscape(evil))
	wantNot(t, "the review", strings.Replace(page, ownScript, "", 1), "<script")
	want(t, "the review", page, "&lt;script&gt;")
}

// read is the text of a file in the inbox.
func (d *desk) read(name string) string {
	d.t.Helper()
	file, err := http.Dir(d.inbox).Open(name)
	if err != nil {
		d.t.Fatal(err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// TestDroppedInTheInbox: what nobody brought may be approved by any approver, and discarded
// by nobody else.
func TestDroppedInTheInbox(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.SecondPerson = true })
	d.drop("12月分.csv", toCorrect)
	draft, err := d.drafts.Keep("12月分.csv", noon)
	if err != nil {
		t.Fatal(err)
	}
	path := "/files/" + draft.ID
	want(t, "the list", d.signedIn("田中").get("/files"), "12月分.csv", "（受付フォルダー）")
	if a := d.signedIn("田中").ask(http.MethodPost, path+"/discard", nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("discarded by a preparer: %s", a.Status)
	}
	approver := d.signedIn("高橋")
	page := approver.get(path)
	want(t, "the review", page, "投入：受付フォルダー")
	if a := approver.approve(path, shownOn(page)); a.StatusCode != http.StatusSeeOther {
		t.Errorf("%s\n%s", a.Status, a.text)
	}
	approval, ok, err := d.drafts.Approved("12月分.csv")
	if err != nil || !ok || approval.By != "高橋" {
		t.Errorf("%+v, %v, %v", approval, ok, err)
	}
}

// TestRecall calls a bill back by the approver who types its number.
func TestRecall(t *testing.T) {
	s := newShop(t, nil)
	entry := s.charged(s.bill(bill("A-1"))[0], batch.StatusPending)
	path := "/charges/" + string(entry.Key)
	approver := s.signedIn("佐藤")
	want(t, "the charge", approver.get(path), "この請求を取り消す")
	wantNot(t, "for a viewer, the charge", s.signedIn("鈴木").get(path), "この請求を取り消す")
	want(t, "another number", approver.ask(http.MethodPost, path+"/recall", url.Values{"number": {"A-2"}}).text, "一致しません")
	want(t, "its number", approver.ask(http.MethodPost, path+"/recall", url.Values{"number": {"A-1"}}).text, "recalled A-1")
	if a := s.signedIn("鈴木").ask(http.MethodPost, path+"/recall", url.Values{"number": {"A-1"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("by a viewer: %s", a.Status)
	}
	want(t, "on record", strings.Join(s.acts(), "\n"), "佐藤 recalled A-1")
}

// TestCorrectDue puts a due date right where the file has no column for it.
func TestCorrectDue(t *testing.T) {
	d := newDesk(t, nil)
	b := d.signedIn("高橋")
	path := b.brought("a.csv", toCorrect)
	want(t, "at first", b.get(path), "<dd>2026-12-31</dd>")
	if a := b.ask(http.MethodPost, path+"/correct", correction(b.get(path), "3", "due", "2026-12-20")); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s\n%s", a.Status, a.text)
	}
	want(t, "then", b.get(path), "<dd>2026-12-20</dd>", "「」を「2026-12-20」に訂正しました")
}
