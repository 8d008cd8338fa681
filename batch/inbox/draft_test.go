package inbox

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

var broughtAt = time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC)

func newDrafts(t *testing.T) (*Drafts, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "inbox")
	d, err := OpenDrafts(folder)
	if err != nil {
		t.Fatal(err)
	}
	return d, folder
}

func bring(t *testing.T, d *Drafts, name, text string) Draft {
	t.Helper()
	draft, err := d.Bring(name, "佐藤", broughtAt, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return draft
}

// namesIn lists the files of a folder, without folders.
func namesIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// TestDraftsWait: a draft is no file of the inbox until it is handed in, whole and under
// a name of its own.
func TestDraftsWait(t *testing.T) {
	d, folder := newDrafts(t)
	first, second := bring(t, d, "11月分.csv", "one"), bring(t, d, `C:\経理\11月分.csv`, "two")
	if first.Name != "11月分.csv" || second.Name != first.Name || first.ID == second.ID {
		t.Errorf("%+v, %+v", first, second)
	}
	box, err := Open(folder, Options{Now: func() time.Time { return broughtAt }})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	if queue, err := box.Look(); err != nil || len(queue.Ready)+len(queue.Waiting) != 0 {
		t.Errorf("the inbox sees %+v, %v", queue, err)
	}
	again, err := OpenDrafts(folder)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := again.All(); err != nil || len(all) != 2 || !slices.Contains(all, first) || !slices.Contains(all, second) {
		t.Errorf("%+v, %v", all, err)
	}
	for draft, want := range map[Draft]string{first: "one", second: "two"} {
		found, err := again.Draft(draft.ID)
		if err != nil || found != draft {
			t.Errorf("%+v, %v", found, err)
		}
		name, err := d.HandIn(draft)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(text) != want {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
		if _, err := d.Draft(draft.ID); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is still a draft: %v", err)
		}
	}
	if names := namesIn(t, folder); !slices.Equal(names, []string{"11月分 (2).csv", "11月分.csv"}) {
		t.Errorf("in the inbox: %q", names)
	}
	if left := namesIn(t, filepath.Join(folder, draftsFolder)); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func TestDraftNames(t *testing.T) {
	d, _ := newDrafts(t)
	for given, want := range map[string]string{
		"a.csv": "a.csv", "../../etc/a.csv": "a.csv", "a\x00\u202E.csv": "a.csv", ` a<>:"|?*.csv `: "a.csv", "..": "", ".a.csv": "", "~$a.csv": "",
		"": "", "/": "", "a.csv.total": "", "a.part": "", "Thumbs.db": "", draftNotes: "", strings.Repeat("長", 100) + ".csv": strings.Repeat("長", (maxName-4)/3) + ".csv",
	} {
		draft, err := d.Bring(given, "佐藤", broughtAt, strings.NewReader("x"))
		if want == "" != errors.Is(err, ErrName) || draft.Name != want {
			t.Errorf("%q: %q, %v", given, draft.Name, err)
		}
	}
}

// TestDraftCutShort: what doesn't come whole isn't kept.
func TestDraftCutShort(t *testing.T) {
	d, folder := newDrafts(t)
	cut := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := d.Bring("a.csv", "佐藤", broughtAt, cut); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if entries, err := os.ReadDir(filepath.Join(folder, draftsFolder)); err != nil || len(entries) != 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
	for _, id := range []string{"", "..", "nobody", "../working", "A"} {
		if _, err := d.Draft(id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestDraftsAreForgotten(t *testing.T) {
	d, folder := newDrafts(t)
	draft := bring(t, d, "a.csv", "x")
	if err := d.Forget(broughtAt); err != nil {
		t.Fatal(err)
	}
	if all, err := d.All(); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	half := filepath.Join(folder, draftsFolder, "abc")
	err := errors.Join(os.Mkdir(half, 0o700), os.WriteFile(filepath.Join(half, "b.csv"), []byte("half"), 0o600), os.Chtimes(half, broughtAt, broughtAt))
	if err == nil {
		err = d.Forget(broughtAt)
	}
	if err != nil || !exists(half) {
		t.Errorf("one that may still come: %v", err)
	}
	if err := d.Forget(broughtAt.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Draft(draft.ID); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if names := namesIn(t, folder); len(names) != 0 || exists(half) {
		t.Errorf("in the inbox: %q", names)
	}
}
