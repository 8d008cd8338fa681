package inbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDoneMovesTheWholeFolder(t *testing.T) {
	b := openTest(t, Options{})
	b.drop("a.csv.total", "1")
	f := b.claimNew("a.csv", "x")
	b.mkdir("working", f.ID, "a-results")
	b.drop("working/"+f.ID+"/a-results/a.results.csv", "result")
	dir, err := f.Done()
	if err != nil || dir != b.at("done", f.ID) {
		t.Error(dir, err)
	}
	done := "done/" + f.ID
	b.holds(map[string]string{
		done: "", done + "/a.csv": "x", done + "/a.csv.total": "1", done + "/a-results": "", done + "/a-results/a.results.csv": "result",
	})
	if dir, err := f.Done(); err == nil {
		t.Errorf("done twice: %s", dir)
	}
}

func TestFailSaysWhy(t *testing.T) {
	b := openTest(t, Options{})
	f := b.claimNew("a.txt", "x")
	dir, err := f.Fail("読めません。\r\n直してください。\n\nUnreadable. Mend it.\n")
	if err != nil || dir != b.at("failed", f.ID) {
		t.Error(dir, err)
	}
	const note = "\uFEFF読めません。\r\n直してください。\r\n\r\nUnreadable. Mend it.\r\n"
	failed := "failed/" + f.ID
	b.holds(map[string]string{failed: "", failed + "/a.txt": "x", failed + "/a.txt.txt": note, "outbox/" + f.ID + ".txt": note})
}

// A file may need a note, and yet be done.
func TestNoteStaysWithTheFile(t *testing.T) {
	b := openTest(t, Options{})
	f := b.claimNew("a.csv", "x")
	if err := f.Note("前に処理済みです。"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Done(); err != nil {
		t.Fatal(err)
	}
	const note = "\uFEFF前に処理済みです。\r\n"
	done := "done/" + f.ID
	b.holds(map[string]string{done: "", done + "/a.csv": "x", done + "/a.csv.txt": note, "outbox/" + f.ID + ".txt": note})
}

// Somebody put a folder of that name where this one goes.
func TestFinishingNeverOverwrites(t *testing.T) {
	b := openTest(t, Options{})
	f := b.claimNew("a.csv", "new")
	b.mkdir("done", f.ID)
	b.drop("done/"+f.ID+"/a.csv", "old")
	b.mkdir("done", f.ID+"-2") // empty: a rename would replace it
	b.drop("done/"+f.ID+"-3", "a file")
	dir, err := f.Done()
	if err != nil || dir != b.at("done", f.ID+"-4") {
		t.Fatal(dir, err)
	}
	b.holds(map[string]string{
		"done/" + f.ID: "", "done/" + f.ID + "/a.csv": "old", "done/" + f.ID + "-2": "", "done/" + f.ID + "-3": "a file",
		"done/" + f.ID + "-4": "", "done/" + f.ID + "-4/a.csv": "new",
	})
}

func TestPublishCopiesForStaff(t *testing.T) {
	b := openTest(t, Options{})
	f := b.claimNew("a.csv", "x")
	b.mkdir("working", f.ID, "a-results")
	results, errors := b.at("working", f.ID, "a-results", "a.results.csv"), b.at("working", f.ID, "a-results", "a.errors.csv")
	b.drop("working/"+f.ID+"/a-results/a.results.csv", "results")
	b.drop("working/"+f.ID+"/a-results/a.errors.csv", "errors")
	want := Published{b.at("outbox", f.ID+".results.csv"), b.at("outbox", f.ID+".errors.csv")}
	for range 2 { // the second run of a file writes them again
		if p, err := f.Publish(results, errors); err != nil || p != want {
			t.Error(p, err)
		}
		for path, text := range map[string]string{want.Results: "results", want.Errors: "errors"} {
			if data, err := os.ReadFile(path); err != nil || string(data) != text {
				t.Errorf("%s: %q, %v", path, data, err)
			}
		}
	}
	if p, err := f.Publish(results, ""); err != nil || p.Errors != "" || exists(want.Errors) {
		t.Errorf("no row was rejected this time: %v, %v", p, err)
	}
	if p, err := f.Publish(results+".gone", ""); err == nil {
		t.Errorf("copied what is not there: %v", p)
	}
}

// Whether staff may read is the administrator's to say.
func TestCopiesTakeOverGroupRead(t *testing.T) {
	for outbox, want := range map[os.FileMode]os.FileMode{0o700: 0o600, 0o770: 0o640, 0o750: 0o640, 0o777: 0o640, 0o730: 0o600} {
		b := openTest(t, Options{})
		if err := os.Chmod(b.at("outbox"), outbox); err != nil {
			t.Fatal(err)
		}
		f := b.claimNew("a.csv", "x")
		path, err := f.Outbox(".txt", []byte("for staff"))
		if err != nil {
			t.Fatal(err)
		}
		if path != b.at("outbox", f.ID+".txt") {
			t.Error(path)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("outbox %v: %v, %v; want %v", outbox, info, err, want)
		}
		dir, err := f.Fail("no")
		if err != nil {
			t.Fatal(err)
		}
		info, err = os.Stat(filepath.Join(dir, "a.csv.txt"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the note in failed: %v, %v", info, err)
		}
	}
}

func TestControlOfAFile(t *testing.T) {
	b := openTest(t, Options{})
	f := b.claimNew("none.csv", "x")
	if c, err := f.Control(); c != nil || err != nil {
		t.Errorf("there is none: %+v, %v", c, err)
	}
	b.drop("bad.csv.total", "twelve")
	f = b.claimNew("bad.csv", "x")
	c, err := f.Control()
	if c != nil || err == nil || !strings.Contains(err.Error(), "bad.csv.total") || strings.Contains(err.Error(), "twelve") {
		t.Errorf("%+v, %v", c, err)
	}
	b.drop("long.csv.total", strings.Repeat(" ", maxTotal)+"1")
	f = b.claimNew("long.csv", "x")
	if c, err := f.Control(); c != nil || err == nil {
		t.Errorf("too long: %+v, %v", c, err)
	}
}
