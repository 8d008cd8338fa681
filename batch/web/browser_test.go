package web

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/text/encoding/japanese"

	"konbill/batch"
	"konbill/samples/browsertest"
	"konbill/samples/peertest"
)

var update = flag.Bool("update", false, "keep the pictures of pages again")

// seen wants a page to be usable by everybody, and to look as it was kept.
func seen(b browsertest.Tab, name, axe string) {
	b.WantUsable(name, axe)
	b.WantPicture(filepath.Join("testdata", "pictures"), strings.ReplaceAll(name, " ", "-"), *update)
}

// TestInABrowser brings a messy file, puts a value right, approves it, follows what goes
// on, and looks a customer up, as a person does; what axe-core says of each page on the way
// must not be serious, and each must look as its picture.
func TestInABrowser(t *testing.T) {
	axe := peertest.File(t, filepath.Join("testdata", "axe", "node_modules", "axe-core", "axe.min.js"))
	d := newDesk(t, nil)
	entries := d.bill(bill("A-1"), bill("A-9"))
	paid, open := d.charged(entries[0], batch.StatusSuccessful), d.charged(entries[1], batch.StatusPending)
	file := filepath.Join(t.TempDir(), "11月分.csv")
	text, err := japanese.ShiftJIS.NewEncoder().String(messy)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := browsertest.Open(t, d.server.URL)
	b.Open("/charges")
	seen(b, "sign in", axe)
	b.Type("#name", "高橋")
	b.Type("#password", testPassword)
	want(t, "after signing in", b.Press("form.card button"), "最近の実行", "11月分.csv", "高橋（承認）")
	seen(b, "runs", axe)
	b.Open("/files")
	seen(b, "files", axe)
	b.Do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	want(t, "the review", b.Press("form.card button"), "発行する\n3件\n15,000円", "発行済み\n1件", "金額「30」が少なすぎます")
	seen(b, "review", axe)
	b.Type("input[name='5 amount']", "300")
	want(t, "while it is being corrected", b.Text(), "訂正の途中です")
	want(t, "the corrected review", b.Press("#correct button"), "1か所を訂正し、もう一度点検しました", "発行する\n4件\n15,300円", "高橋 さんが「30」を「300」に訂正しました")
	seen(b, "corrected", axe)
	review := browsertest.Told(b, chromedp.Location())
	want(t, "a sample", b.Press("form.search button"), "2行目の見本", "件名：")
	b.WantUsable("a sample", axe)
	b.Do(chromedp.Navigate(review))
	want(t, "after approving", b.Press("section.card form button"), "承認しました")
	if handed := d.handedIn(); handed != "11月分.csv" {
		t.Errorf("in the inbox: %q", handed)
	}
	d.goesOn(func(o *Operation) { o.Progress.Done = 2400 })
	b.Do(chromedp.Poll[chromedp.Void](`document.body.innerText.includes("2,400件")`)) // without being asked
	want(t, "paused", b.Press("form[action='/pause'] button"), "一時停止中です", "再開する")
	want(t, "going on", b.Press("form[action='/continue'] button"), "一時停止する")
	ended := b.Leads(func(context.Context, *chromedp.Target) (v chromedp.Void, err error) {
		d.goesOn(func(o *Operation) { o.Running = "" })
		return v, nil
	})
	wantNot(t, "when the file is done, without being asked", ended, "一時停止する", "2,400件")
	d.goesOn(func(o *Operation) { o.Running = "2026-12-01-a.csv" })
	b.Open("/runs/1")
	seen(b, "a run", axe)
	b.Open("/charges")
	seen(b, "charges", axe)
	b.Do(chromedp.SetValue(chromedp.CSS("#by"), "phone"))
	b.Type("#q", "5678")
	want(t, "who has that phone", b.Press("form.search button"), "A-1", "入金済み", "山＊＊＊")
	b.Open("/charges/" + string(paid.Key))
	seen(b, "a charge", axe)
	want(t, "the customer", b.Press("section.card button"), "山田　太郎", "taro@example.jp")
	b.Open("/charges/" + string(open.Key))
	want(t, "who has to pay", b.Press("section.card button"), "https://pay.example/A-9", "リンクをコピー", "この請求を取り消す")
	seen(b, "a customer", axe)
	b.Open("/charges/kb_nobody")
	seen(b, "a message", axe)
	b.Open("/checkup")
	want(t, "the check-up", b.Press("form[action='/checkup'] button"), "ディスク", "NG")
	seen(b, "check-up", axe)
	want(t, "in English", b.Press("form[action='/language'] button"), "Check-up", "Sign out")
	b.WantUsable("in English", axe)
	b.Open("/charges")
	seen(b, "charges in English", axe)
}

// TestDropInABrowser drops a file onto the form, as from a desktop.
func TestDropInABrowser(t *testing.T) {
	d := newDesk(t, nil)
	b := browsertest.Open(t, d.server.URL)
	b.Open("/login")
	b.Type("#name", "高橋")
	b.Type("#password", testPassword)
	b.Press("form.card button")
	b.Open("/files")
	want(t, "the review", b.Leads(chromedp.Evaluate[chromedp.Void](`{
		const carried = new DataTransfer();
		carried.items.add(new File([`+"`"+toCorrect+"`"+`], "12月分.csv"));
		document.querySelector("form.card").dispatchEvent(new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
	}`)), "12月分.csv", "金額「30」が少なすぎます")
}

// TestForgedInABrowser has somebody who has signed in led to a page that posts here.
func TestForgedInABrowser(t *testing.T) {
	d := newDesk(t, nil)
	entry := d.bill(bill("A-1"))[0]
	b := browsertest.Open(t, d.server.URL)
	b.Open("/login")
	b.Do(chromedp.SendKeys(chromedp.CSS("#name"), "高橋"), chromedp.SendKeys(chromedp.CSS("#password"), testPassword))
	b.Press("form.card button")
	before := len(d.acts())
	for _, path := range []string{"/charges/" + string(entry.Key), "/logout"} {
		evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<form method="post" action="%s%s"><button>a prize</button></form>`, d.server.URL, path)
		}))
		defer evil.Close()
		b.Do(chromedp.Navigate(strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)))
		wantNot(t, path, b.Press("button"), "山田", "09012345678")
	}
	if acts := d.acts()[before:]; len(acts) != 0 {
		t.Errorf("on record: %q", acts)
	}
	b.Open("/charges")
	want(t, "afterwards", b.Text(), "高橋（承認）")
}
