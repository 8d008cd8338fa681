package web

import (
	"archive/zip"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"konbill/batch"
)

// TestRun shows a run and gives what it has left, to those who may have it.
func TestRun(t *testing.T) {
	results := filepath.Join(t.TempDir(), "results.csv")
	if err := os.WriteFile(results, []byte("the results"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newDesk(t, func(c *Config) {
		c.Papers = func(run batch.Job) (map[Paper]string, error) {
			if run.File != "11月分.csv" {
				return nil, nil
			}
			return map[Paper]string{ResultsPaper: results}, nil
		}
	})
	entries := s.bill(bill("A-1"), bill("a-1"), bill("A/2"), bill("A-3"))
	for _, e := range entries[:3] {
		s.charged(e, batch.StatusPending)
	}
	s.charged(entries[3], batch.StatusSuccessful)
	b := s.signedIn("田中")
	page := b.get("/runs/1")
	want(t, "the run", page, "11月分.csv", "4件<br>3,000円", "/runs/1/results.csv", "/runs/1/slips.zip", "/charges?run=1")
	wantNot(t, "the run", page, "errors.csv", "receipt.json")
	wantNot(t, "for a viewer, the run", s.signedIn("鈴木").get("/runs/1"), "results.csv", "slips.zip")
	if a := b.ask(http.MethodGet, "/runs/1/results.csv", nil); a.text != "the results" || !strings.Contains(a.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%s %q %v", a.Status, a.text, a.Header)
	}
	if a := b.ask(http.MethodGet, "/runs/1/print.pdf", nil); a.text != "%PDF of 3" {
		t.Errorf("%s %q", a.Status, a.text)
	}
	zipped := b.ask(http.MethodGet, "/runs/1/slips.zip", nil)
	archive, err := zip.NewReader(strings.NewReader(zipped.text), int64(len(zipped.text)))
	if err != nil {
		t.Fatal(err)
	}
	var held []string
	for _, f := range archive.File {
		file, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, string(text))
		if !filepath.IsLocal(f.Name) || strings.Contains(f.Name, "/") || !strings.HasSuffix(f.Name, ".pdf") {
			t.Errorf("a slip named %q", f.Name)
		}
	}
	if got := strings.Join(held, ", "); got != "%PDF of A-1, %PDF of a-1, %PDF of A/2" {
		t.Errorf("it holds %s", got)
	}
	for _, path := range []string{"/runs/2", "/runs/x", "/runs/1/errors.csv", "/runs/1/other", "/runs/2/slips.zip", "/runs/2/print.pdf"} {
		if a := b.ask(http.MethodGet, path, nil); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, a.Status)
		}
	}
	for _, path := range []string{"/runs/1/results.csv", "/runs/1/slips.zip", "/runs/1/print.pdf"} {
		if a := s.signedIn("鈴木").ask(http.MethodGet, path, nil); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s, for a viewer: %s", path, a.Status)
		}
	}
	want(t, "on record", strings.Join(s.acts(), "\n"), "田中 took_results 1 11月分.csv results.csv", "田中 took_results 1 11月分.csv slips.zip", "田中 took_results 1 11月分.csv print.pdf")
}

// TestBrokenSlips: half of an archive must not look like the whole.
func TestBrokenSlips(t *testing.T) {
	s := newShop(t, func(c *Config) {
		c.Slips = func(entries []batch.Entry, visit func(batch.Entry, []byte) error) error {
			if err := visit(entries[0], []byte("%PDF")); err != nil {
				return err
			}
			return io.ErrUnexpectedEOF
		}
	})
	s.charged(s.bill(bill("A-1"))[0], batch.StatusPending)
	answer, err := s.signedIn("佐藤").Get(s.server.URL + "/runs/1/slips.zip")
	if err == nil {
		defer answer.Body.Close()
		_, err = io.ReadAll(answer.Body)
	}
	if err == nil {
		t.Error("it looks whole")
	}
}

// TestChart counts by days of Japan, on the first page of all alone.
func TestChart(t *testing.T) {
	s := newShop(t, nil)
	entries := s.bill(bill("A-1"), bill("A-2"))
	s.charged(entries[0], batch.StatusSuccessful)
	b := s.signedIn("佐藤")
	page := b.get("/charges")
	want(t, "the list", page, "<svg", `class="issued"`, `class="paid"`, "最大 2件", "2026-11-02", `<td class="short">2026-12-01</td><td class="number">2件</td><td class="number">1件</td><td class="number">0件</td>`)
	for _, path := range []string{"/charges?show=paid", "/charges?q=A", "/charges?run=1"} {
		wantNot(t, path, b.get(path), "<svg")
	}
}
