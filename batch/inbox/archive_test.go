package inbox_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"konbill/batch/inbox"
)

// TestArchive lists what is filed, and removes one with all that staff have of it
// and nothing else.
func TestArchive(t *testing.T) {
	folder := t.TempDir()
	write := func(names ...string) {
		t.Helper()
		for _, name := range names {
			path := filepath.Join(folder, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	exists := func(name string, want bool) {
		t.Helper()
		if _, err := os.Lstat(filepath.Join(folder, filepath.FromSlash(name))); (err == nil) != want {
			t.Errorf("%s: %v, want it to be there: %v", name, err, want)
		}
	}
	if filed, err := inbox.Archive(filepath.Join(folder, "none")); len(filed) != 0 || err != nil {
		t.Errorf("an inbox that isn't there: %v, %v", filed, err)
	}
	write(
		"done/2026-12-01-a/a.csv", "done/2026-12-01-a/a.csv.total", "done/2026-12-01-a/a-results/slips/1.pdf",
		"done/2026-12-02-a/a.csv", "done/notes/mine.txt", "done/mine.txt", "failed/2026-11-30-b/b.csv",
		"outbox/2026-12-01-a.results.csv", "outbox/2026-12-01-a.errors.csv", "outbox/2026-12-01-a.txt", "outbox/2026-12-02-a.results.csv",
		"done/.removing-2026-12-03-c/c-results/slips/1.pdf", "elsewhere/secret.csv",
	)
	if err := os.Symlink(filepath.Join(folder, "elsewhere"), filepath.Join(folder, "done", "2026-12-01-a", "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(folder, "elsewhere"), filepath.Join(folder, "done", "2026-12-04-link")); err != nil {
		t.Fatal(err)
	}
	filed, err := inbox.Archive(folder)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]inbox.Filed{}
	for _, f := range filed {
		found[f.ID] = f
	}
	first := found["2026-12-01-a"]
	if len(filed) != 4 || !first.Done || first.Path != filepath.Join(folder, "done", "2026-12-01-a", "a.csv") || found["2026-11-30-b"].Done ||
		!first.Day.Equal(time.Date(2026, 11, 30, 15, 0, 0, 0, time.UTC)) || found[".removing-2026-12-03-c"].Path != "" {
		t.Fatalf("filed: %+v", filed)
	}
	for _, id := range []string{"2026-12-01-a", ".removing-2026-12-03-c"} {
		if err := found[id].Remove(); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]bool{
		"done/2026-12-01-a": false, "outbox/2026-12-01-a.results.csv": false, "outbox/2026-12-01-a.errors.csv": false, "outbox/2026-12-01-a.txt": false,
		"done/.removing-2026-12-01-a": false, "done/.removing-2026-12-03-c": false,
		"done/2026-12-02-a/a.csv": true, "outbox/2026-12-02-a.results.csv": true, "failed/2026-11-30-b/b.csv": true,
		"done/mine.txt": true, "done/notes/mine.txt": true, "elsewhere/secret.csv": true, "done/2026-12-04-link": true,
	} {
		exists(name, want)
	}
}
