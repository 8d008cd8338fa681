package main

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/text/encoding/japanese"

	"konbill/batch"
	"konbill/samples/browsertest"
)

const pagePassword = "correct horse battery"

// newPage is a night with a page that somebody looks at in a browser on the same machine.
func newPage(t *testing.T, settings ...string) (n *night, site string) {
	t.Helper()
	listen := closedPort(t)
	n = newNight(t, append([]string{"KONBILL_WEB__LISTEN=" + listen, "KONBILL_WEB__APPROVAL=second-person"}, settings...)...)
	for name, role := range map[string]string{"keiri-a": "preparer", "keiri-b": "approver"} {
		n.addPerson(name, role)
	}
	return n, "http://" + listen
}

func (n *night) addPerson(name, role string) {
	n.Helper()
	add := exec.Command("konbill", "user", "add", name, "--role", role)
	add.Dir, add.Env, add.Stdin = n.dir, n.env, strings.NewReader(pagePassword+"\n")
	if said, err := add.CombinedOutput(); err != nil {
		n.Fatalf("%v\n%s", err, said)
	}
}

var (
	draftLink = regexp.MustCompile(`/files/[a-z2-7]+`)
	runLink   = regexp.MustCompile(`/runs/\d+`)
)

// TestApproval: what a system drops is issued when somebody has approved it, and not before.
func TestApproval(t *testing.T) {
	n, site := newPage(t, "KONBILL_INBOX__APPROVAL=true")
	p := n.serve()
	n.hear(p, "page for staff")
	n.drop("12月分.csv", rowsOf("W-1", "W-2"))
	n.hear(p, "file waits for approval")
	if told := n.toldOf(p, "12月分.csv"); !strings.Contains(told.text, "承認を待っているファイル 1件") {
		t.Errorf("staff read\n%s", told.text)
	}
	if charged := n.charged(); len(charged) != 0 {
		t.Errorf("unapproved: %v", charged)
	}
	b := n.signIn(site, "", "keiri-b", pagePassword)
	review := draftLink.FindString(b.ask(http.MethodGet, "/files"))
	page := b.ask(http.MethodGet, review)
	_, rest, _ := strings.Cut(page, `name="shown" value="`)
	shown, _, _ := strings.Cut(rest, `"`)
	b.post(review+"/approve", url.Values{"shown": {shown}})
	n.hear(p, "file done")
	if charged := n.charged(); len(charged["W-1"]) != 1 || len(charged["W-2"]) != 1 {
		t.Errorf("approved: %v", charged)
	}
	if left := n.folder("approved"); len(left) != 0 {
		t.Errorf("the approval is still there: %q", left)
	}
	// The same once more isn't approved by that.
	n.drop("12月分.csv", rowsOf("W-1", "W-2"))
	n.hear(p, "file waits for approval\" file=12月分.csv")
	n.stop(p)
}

// post posts a form and wants it done.
func (b pageBrowser) post(path string, form url.Values) {
	b.t.Helper()
	answer, err := b.PostForm(b.base+path, form)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %s", path, answer.Status)
	}
}

// TestPause pauses a run, stops konbill, and starts it again: nothing is begun until
// somebody wants it.
func TestPause(t *testing.T) {
	n, site := newPage(t)
	first := n.serve()
	n.hear(first, "page for staff")
	b := n.signIn(site, "", "keiri-a", pagePassword)
	order := n.hold("POST", "/charges", 1)
	n.drop("paused.csv", rowsOf(numbered("Z", 30)...))
	<-order.come
	b.post("/pause", nil)
	order.release()
	for !strings.Contains(b.ask(http.MethodGet, "/"), "一時停止中です") {
		n.hear(first, "") // ends the test when konbill has ended
	}
	n.stop(first)
	begun := len(n.charged())
	if begun == 0 || begun > 20 {
		t.Errorf("%d of 30 were charged before the pause held", begun)
	}
	second := n.serve()
	n.hear(second, "file taken")
	if page := b.ask(http.MethodGet, "/"); !strings.Contains(page, "新しい請求は始めません（keiri-a、") {
		t.Errorf("started again, the page says\n%s", page)
	}
	if now := len(n.charged()); now != begun {
		t.Errorf("%d were charged while it was paused", now-begun)
	}
	b.post("/continue", nil)
	n.hear(second, "file=paused.csv id=2026-12-01-paused rows=30")
	for number, ids := range n.charged() {
		if len(ids) != 1 {
			t.Errorf("%s: charged %q", number, ids)
		}
	}
	if charged := len(n.charged()); charged != 30 {
		t.Errorf("%d were charged", charged)
	}
	n.stop(second)
}

// TestStaffInABrowser goes the whole way of a file in a real browser, past a process that
// is killed in the middle of it: a messy file is brought, put right, approved by somebody
// else, and its results are what the command line makes of the same ledger.
func TestStaffInABrowser(t *testing.T) {
	n, site := newPage(t)
	crash := string(batch.ChargeAnswered) + ":3"
	first := n.start([]string{scriptCrashAt + "=" + crash}, "serve")
	n.hear(first, "page for staff")
	file := filepath.Join(t.TempDir(), "11月分.csv")
	text, err := japanese.ShiftJIS.NewEncoder().String("請求書番号,氏名,メールアドレス,電話番号,請求金額\r\n" +
		"B-1,ﾔﾏﾀﾞ ﾀﾛｳ,taro@example.jp,090-1111-2222,\"\\3,000\"\r\nB-2,山田太郎,taro@example.jp,09011112222,30\r\n" +
		"B-3,山田太郎,taro@example.jp,9011112222,3000\r\nB-4,山田太郎,taro@example.jp,09011112222,3000\r\n,,,,\r\nB-5,山田太郎,x,09011112222,3000\r\n")
	n.must(err)
	n.must(os.WriteFile(file, []byte(text), 0o600))

	b := browsertest.Open(t, site)
	signIn := func(name string) {
		b.Open("/login")
		b.Type("#name", name)
		b.Type("#password", pagePassword)
		b.Press("form.card button")
	}
	signIn("keiri-a")
	b.Open("/files")
	b.Do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	said(t, b.Press("form.card button"), "発行する\n3件\n9,000円", "発行できない\n2件", "金額「30」が少なすぎます")
	b.Type("input[name='3 amount']", "3000")
	said(t, b.Press("#correct button"), "1か所を訂正し", "発行する\n4件\n12,000円", "承認者の承認を待っています")
	review := browsertest.Told(b, chromedp.Location())
	b.Press("form[action='/logout'] button")
	signIn("keiri-b")
	b.Do(chromedp.Navigate(review))
	said(t, b.Press("form[action$='/approve'] button"), "承認しました")
	n.end(first)
	if !strings.Contains(first.stderr.String(), crashed(crash)) {
		t.Fatalf("it was never killed\n%s", first.stderr)
	}
	second := n.serve()
	n.hear(second, "msg=\"file done\"")
	b.Open("/")
	run := runLink.FindString(browsertest.Told(b, chromedp.OuterHTML(chromedp.CSS("table"))))
	b.Open(run)
	said(t, b.Text(), "11月分.csv", "結果（CSV）", "要修正の行（CSV）", "控え（JSON）", "払込案内をまとめて")
	fetched := fetchedText(b, run+"/results.csv")
	if !strings.HasPrefix(fetchedText(b, run+"/slips.zip"), "PK\x03\x04") || !strings.HasPrefix(fetchedText(b, run+"/print.pdf"), "%PDF-") {
		t.Error("slips and print file are something else")
	}
	n.stop(second)

	for _, number := range []string{"B-1", "B-2", "B-3", "B-4"} {
		if ids := n.charged()[number]; len(ids) != 1 {
			t.Errorf("%s: charged %q", number, ids)
		}
	}
	if charged := len(n.charged()); charged != 4 {
		t.Errorf("%d invoices were charged", charged)
	}
	done := n.box("done", "2026-12-01-11月分", "11月分.csv")
	again := filepath.Join(n.dir, "again")
	n.konbill(exitDone, "results", done, "--out", again)
	written, err := os.ReadFile(filepath.Join(again, "11月分-results", "11月分.results.csv"))
	n.must(err)
	if theirs := strings.TrimPrefix(string(written), "\uFEFF"); strings.TrimPrefix(fetched, "\uFEFF") != theirs {
		t.Errorf("the page gives\n%s\nthe command line\n%s", fetched, theirs)
	}
	if !bytes.Contains(written, []byte("keiri-a さんが「30」を「3000」に訂正しました")) {
		t.Errorf("the results don't say who put what right:\n%s", written)
	}
}

func said(t *testing.T, page string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(page, word) {
			t.Errorf("the page lacks %q:\n%s", word, page)
		}
	}
}

// fetchedText is what the browser gets when somebody downloads a file.
func fetchedText(b browsertest.Tab, path string) string {
	return browsertest.Told(b, chromedp.Evaluate[string](`fetch("`+path+`").then(r => r.text())`, chromedp.EvalAwaitPromise))
}
