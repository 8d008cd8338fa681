package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"golang.org/x/text/encoding/japanese"

	"konbill/batch"
	"konbill/samples/peertest"
)

// tab is a real browser's.
type tab struct {
	context.Context
	t   *testing.T
	url string
}

// openTab starts a browser that is as quiet as it can be made.
func openTab(t *testing.T, url string) tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(peertest.Path(t, "chromium")), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
	)
	ctx, cancelBrowser := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancelBrowser)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := tab{ctx, t, url}
	b.do() // the browser lives as long as the context of the first action
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return tab{ctx, t, url}
}

func (b tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func (b tab) open(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.url + path)) }

// press presses a button and waits for the page that it leads to.
func (b tab) press(button string) string {
	b.t.Helper()
	_, err := chromedp.RunResponse(b, chromedp.Click(chromedp.CSS(button)))
	if err != nil {
		b.t.Fatal(err)
	}
	return b.text()
}

func (b tab) text() string {
	b.t.Helper()
	return told(b, chromedp.Text(chromedp.CSS("body")))
}

func told[T any](b tab, a chromedp.Action[T]) T {
	b.t.Helper()
	answer, err := chromedp.Run(b, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

// violationsOfAxe has axe look at the page.
const violationsOfAxe = `axe.run(document, {resultTypes: ["violations"]}).then(
	r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, at: v.nodes.map(n => n.html)}))))`

// looks are how people see a page.
var looks = []struct {
	width  int64
	scheme string
}{{1280, "light"}, {1280, "dark"}, {390, "light"}, {390, "dark"}}

// usable wants the page that is shown to be usable by everybody: nothing that axe calls
// serious or critical, and nothing cut off at the side, at any width and in the dark.
func (b tab) usable(name, axe string) {
	b.t.Helper()
	for _, look := range looks {
		b.do(chromedp.EmulateViewport(look.width, 900))
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}}
		if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, media); err != nil {
			b.t.Fatal(err)
		}
		b.do(chromedp.Evaluate[chromedp.Void](axe))
		found := told(b, chromedp.Evaluate[string](violationsOfAxe, chromedp.EvalAwaitPromise))
		width := told(b, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
		var violations []struct {
			ID, Impact string
			At         []string
		}
		if err := json.Unmarshal([]byte(found), &violations); err != nil {
			b.t.Fatal(err)
		}
		for _, v := range violations {
			if v.Impact == "serious" || v.Impact == "critical" {
				b.t.Errorf("%s, %d wide, %s: %s (%s) at %q", name, look.width, look.scheme, v.ID, v.Impact, v.At)
			}
		}
		if width > look.width {
			b.t.Errorf("%s, %d wide: the page takes %v", name, look.width, width)
		}
	}
}

// TestInABrowser brings a messy file, looks at it, approves it, and looks a customer up,
// as a person does; what axe-core says of each page on the way must not be serious.
func TestInABrowser(t *testing.T) {
	axe := peertest.File(t, filepath.Join("testdata", "axe", "node_modules", "axe-core", "axe.min.js"))
	d := newDesk(t, nil)
	entry := d.charged(d.bill(bill("A-1"))[0], batch.StatusSuccessful)
	file := filepath.Join(t.TempDir(), "11月分.csv")
	text, err := japanese.ShiftJIS.NewEncoder().String(messy)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := openTab(t, d.server.URL)
	b.open("/charges")
	b.usable("sign in", axe)
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), "高橋"), chromedp.SendKeys(chromedp.CSS("#password"), testPassword))
	want(t, "after signing in", b.press("form.card button"), "最近の実行", "11月分.csv", "高橋（承認）")
	b.usable("runs", axe)
	b.open("/files")
	b.usable("files", axe)
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	want(t, "the review", b.press("form.card button"), "発行する\n3件\n15,000円", "発行済み\n1件", "金額「30」が少なすぎます")
	b.usable("review", axe)
	review := told(b, chromedp.Location())
	want(t, "a sample", b.press("form.search button"), "2行目の見本", "件名：")
	b.usable("a sample", axe)
	b.do(chromedp.Navigate(review))
	want(t, "after approving", b.press("section.card form button"), "承認しました")
	if handed := d.handedIn(); handed != "11月分.csv" {
		t.Errorf("in the inbox: %q", handed)
	}
	b.open("/charges")
	b.usable("charges", axe)
	b.do(chromedp.SetValue(chromedp.CSS("#by"), "phone"), chromedp.SendKeys(chromedp.CSS("#q"), "5678"))
	want(t, "who has that phone", b.press("form.search button"), "A-1", "入金済み", "山＊＊＊")
	b.open("/charges/" + string(entry.Key))
	b.usable("a charge", axe)
	want(t, "the customer", b.press("section.card button"), "山田　太郎", "taro@example.jp")
	b.usable("a customer", axe)
	b.open("/checkup")
	want(t, "the check-up", b.press("form[action='/checkup'] button"), "ディスク", "NG")
	b.usable("check-up", axe)
	want(t, "in English", b.press("form[action='/language'] button"), "Check-up", "Sign out")
	b.usable("in English", axe)
}

// TestForgedInABrowser has somebody who has signed in led to a page that posts here.
func TestForgedInABrowser(t *testing.T) {
	d := newDesk(t, nil)
	entry := d.bill(bill("A-1"))[0]
	b := openTab(t, d.server.URL)
	b.open("/login")
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), "高橋"), chromedp.SendKeys(chromedp.CSS("#password"), testPassword))
	b.press("form.card button")
	before := len(d.acts())
	for _, path := range []string{"/charges/" + string(entry.Key), "/logout"} {
		evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<form method="post" action="%s%s"><button>a prize</button></form>`, d.server.URL, path)
		}))
		defer evil.Close()
		b.do(chromedp.Navigate(strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)))
		wantNot(t, path, b.press("button"), "山田", "09012345678")
	}
	if acts := d.acts()[before:]; len(acts) != 0 {
		t.Errorf("on record: %q", acts)
	}
	b.open("/charges")
	want(t, "afterwards", b.text(), "高橋（承認）")
}
