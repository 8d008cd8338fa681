package web

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"konbill/batch"
)

// stream is what a browser hears that follows.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
}

func (b browser) follow() stream {
	b.shop.t.Helper()
	r, err := http.NewRequestWithContext(b.shop.t.Context(), http.MethodGet, b.shop.server.URL+"/progress", nil)
	if err != nil {
		b.shop.t.Fatal(err)
	}
	answer, err := b.Do(r)
	if err != nil {
		b.shop.t.Fatal(err)
	}
	b.shop.t.Cleanup(func() { answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		b.shop.t.Fatalf("%s, %s", answer.Status, kind)
	}
	return stream{b.shop.t, bufio.NewScanner(answer.Body)}
}

// next is the next event; empty when there are no more.
func (s stream) next() (name, data string) {
	s.t.Helper()
	for s.lines.Scan() {
		switch line := s.lines.Text(); {
		case line == "" && name != "":
			return name, data
		case strings.HasPrefix(line, "event: "):
			name = strings.TrimPrefix(line, "event: ")
		case strings.HasPrefix(line, "data: "):
			data += strings.TrimPrefix(line, "data: ") + "\n"
		}
	}
	return "", ""
}

// TestFollow: who follows hears of a change, and is sent to look again when the file is
// done or the session has ended.
func TestFollow(t *testing.T) {
	s := newShop(t, nil)
	b := s.signedIn("鈴木")
	live := b.follow()
	name, data := live.next()
	if name != "live" {
		t.Fatalf("%s: %s", name, data)
	}
	want(t, "at first", data, "1,200件 / 3,000件")
	s.goesOn(func(o *Operation) {
		o.Progress, o.PerMinute, o.Left = batch.Progress{Done: 1300, Total: 3000, Sums: batch.Totals{batch.Issued: {Rows: 1290, Yen: 4_000_000}}}, 1180, 85*time.Second
	})
	_, data = live.next()
	want(t, "then", data, "1,300件 / 3,000件", "1,290件<br>4,000,000円", "毎分 1,180件", "約 2 分")
	s.goesOn(func(o *Operation) { o.Running = "" })
	if name, data := live.next(); name != "again" {
		t.Errorf("when the file is done: %s %s", name, data)
	}
	ended := b.follow()
	ended.next()
	s.pass(sessionIdle)
	if name, data := ended.next(); name != "again" {
		t.Errorf("when the session has ended: %s %s", name, data)
	}
	if a := s.browser().ask(http.MethodGet, "/progress", nil); a.StatusCode != http.StatusSeeOther {
		t.Errorf("by nobody: %s", a.Status)
	}
}

// TestFollowEndsWithThePage: konbill serve doesn't wait for browsers when it stops.
func TestFollowEndsWithThePage(t *testing.T) {
	s := newShop(t, nil)
	live := s.signedIn("鈴木").follow()
	live.next()
	s.page.Close()
	if name, data := live.next(); name != "" {
		t.Errorf("%s %s", name, data)
	}
}

func TestPauseAndContinue(t *testing.T) {
	s := newDesk(t, nil)
	b := s.signedIn("田中")
	want(t, "the page", b.get("/"), "一時停止する")
	if a := b.ask(http.MethodPost, "/pause", nil); a.StatusCode != http.StatusSeeOther {
		t.Error(a.Status)
	}
	want(t, "paused, the page", b.get("/"), "一時停止中です", "田中、2026-12-01 12:00", "再開する")
	if a := s.signedIn("鈴木").ask(http.MethodPost, "/continue", nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("by a viewer: %s", a.Status)
	}
	b.ask(http.MethodPost, "/continue", nil)
	wantNot(t, "the page", b.get("/"), "一時停止中です")
	want(t, "on record", strings.Join(s.acts(), "\n"), "田中 paused 2026-12-01-a.csv", "田中 continued 2026-12-01-a.csv")
}

// TestUnknownIsExplained: what isn't known comes first, with what is done about it.
func TestUnknownIsExplained(t *testing.T) {
	s := newShop(t, nil)
	entry := s.bill(bill("A-1"))[0]
	for _, to := range []batch.State{batch.Charging, batch.Unknown} {
		var err error
		entry, err = s.ledger.Move(t.Context(), batch.Move{Key: entry.Key, From: entry.State, To: to, At: noon, Who: "run", Why: "test"}, func(e *batch.Entry) { e.IntentAt = noon })
		if err != nil {
			t.Fatal(err)
		}
	}
	want(t, "the page", s.signedIn("鈴木").get("/"), "結果不明の請求が 1件あります", "自動で照合を続けています", "/charges?show=unknown")
}
