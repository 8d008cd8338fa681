package inbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
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
	if all, err := again.All(); err != nil || len(all) != 2 || !contains(all, first) || !contains(all, second) {
		t.Errorf("%+v, %v", all, err)
	}
	for want, draft := range map[string]Draft{"one": first, "two": second} {
		found, err := again.Draft(draft.ID)
		if err != nil || !reflect.DeepEqual(found, draft) {
			t.Errorf("%+v, %v", found, err)
		}
		name, err := d.HandIn(draft, Approval{SHA256: digest(want), By: "花子", At: broughtAt})
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

func drop(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func contains(all []Draft, one Draft) bool {
	return slices.ContainsFunc(all, func(d Draft) bool { return reflect.DeepEqual(d, one) })
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestApprovals(t *testing.T) {
	d, folder := newDrafts(t)
	draft, err := d.Bring("a.csv", "太郎", broughtAt, strings.NewReader("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := d.Approved("a.csv"); ok || err != nil {
		t.Errorf("what isn't there is approved: %v, %v", ok, err)
	}
	name, err := d.HandIn(draft, Approval{SHA256: digest("one"), By: "花子", At: broughtAt})
	if err != nil {
		t.Fatal(err)
	}
	drop(t, filepath.Join(folder, "b.csv"), "two")
	approval, ok, err := d.Approved(name)
	if err != nil || !ok || approval.By != "花子" || !approval.At.Equal(broughtAt) {
		t.Errorf("%+v, %v, %v", approval, ok, err)
	}
	for _, other := range []string{"b.csv", "c.csv"} {
		if _, ok, err := d.Approved(other); ok || err != nil {
			t.Errorf("%s is approved: %v, %v", other, ok, err)
		}
	}
	if err := d.Taken(filepath.Join(folder, name)); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := d.Approved(name); ok || err != nil {
		t.Errorf("taken, it is still approved: %v, %v", ok, err)
	}
}

// TestKeep makes a draft of what was dropped into the inbox. Nobody discards that by
// forgetting it.
func TestKeep(t *testing.T) {
	d, folder := newDrafts(t)
	drop(t, filepath.Join(folder, "11月分.csv"), "one")
	kept, err := d.Keep("11月分.csv", broughtAt)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Forget(broughtAt.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	found, err := d.Draft(kept.ID)
	if err != nil || !reflect.DeepEqual(found, kept) || kept.By != "" || kept.Name != "11月分.csv" {
		t.Errorf("%+v, %+v, %v", found, kept, err)
	}
	if text, err := os.ReadFile(found.Path); err != nil || string(text) != "one" {
		t.Errorf("%q, %v", text, err)
	}
	if names := namesIn(t, folder); len(names) != 0 {
		t.Errorf("in the inbox: %q", names)
	}
	drop(t, filepath.Join(folder, "Draft.JSON"), "two")
	if notes, err := d.Keep("Draft.JSON", broughtAt); err != nil || notes.Name != "_Draft.JSON" {
		t.Errorf("%+v, %v", notes, err)
	} else if err := d.Discard(notes); err != nil {
		t.Error(err)
	}
	if _, err := d.Keep("gone.csv", broughtAt); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("keeping what has gone: %v", err)
	}
	if all, err := d.All(); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestCorrect(t *testing.T) {
	d, _ := newDrafts(t)
	draft, err := d.Bring("a.csv", "太郎", broughtAt, strings.NewReader("one"))
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []string{"花子", "次郎", "花子"} {
		if err := d.Correct(draft, by, []byte("by "+by)); err != nil {
			t.Fatal(err)
		}
		if draft, err = d.Draft(draft.ID); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(draft.Path); err != nil || string(text) != "by 花子" || !slices.Equal(draft.CorrectedBy, []string{"花子", "次郎"}) {
		t.Errorf("%q, %q, %v", text, draft.CorrectedBy, err)
	}
}

func TestPause(t *testing.T) {
	folder := t.TempDir()
	box, err := Open(folder, Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	if _, paused, err := Paused(folder); paused || err != nil {
		t.Errorf("%v, %v", paused, err)
	}
	if err := SetPaused(folder, Pause{By: "花子", At: broughtAt}); err != nil {
		t.Fatal(err)
	}
	if p, paused, err := Paused(folder); !paused || err != nil || p.By != "花子" || !p.At.Equal(broughtAt) {
		t.Errorf("%+v, %v, %v", p, paused, err)
	}
	if files, err := box.Unfinished(); err != nil || len(files) != 0 {
		t.Errorf("a pause is taken for a file: %v, %v", files, err)
	}
	for range 2 { // a second time there is nothing to do
		if err := Continue(folder); err != nil {
			t.Fatal(err)
		}
	}
	if _, paused, err := Paused(folder); paused || err != nil {
		t.Errorf("it isn't over: %v, %v", paused, err)
	}
	drop(t, filepath.Join(folder, workingFolder, pauseFile), "half of i")
	if _, paused, err := Paused(folder); !paused || err != nil {
		t.Errorf("half a pause: %v, %v", paused, err)
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
