package inbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClaimTakesFileAndTotal(t *testing.T) {
	b := openTest(t, Options{})
	b.drop("請求 12月.csv.total", "1件")
	f := b.claimNew("請求 12月.csv", "rows")
	const id = "2026-12-02-請求 12月" // Japan's day
	if f.ID != id || f.Name != "請求 12月.csv" || f.Path != b.at("working", id, f.Name) {
		t.Errorf("%+v", f)
	}
	b.holds(map[string]string{
		"working/" + id:                       "",
		"working/" + id + "/請求 12月.csv":       "rows",
		"working/" + id + "/請求 12月.csv.total": "1件",
	})
	control, err := f.Control()
	if err != nil || control == nil || !control.HasRows || control.Rows != 1 || control.HasYen {
		t.Errorf("%+v, %v", control, err)
	}
}

func TestOneNameOnOneDay(t *testing.T) {
	b := openTest(t, Options{})
	done, failed, working := b.claimNew("a.csv", "1"), b.claimNew("a.csv", "2"), b.claimNew("a.csv", "3")
	if _, err := done.Done(); err != nil {
		t.Fatal(err)
	}
	if _, err := failed.Fail("no"); err != nil {
		t.Fatal(err)
	}
	other := b.claimNew("a.txt", "4")
	for want, f := range map[string]*File{"2026-12-02-a": done, "2026-12-02-a-2": failed, "2026-12-02-a-3": working, "2026-12-02-a-4": other} {
		if f.ID != want {
			t.Errorf("%s is not %s", f.ID, want)
		}
	}
}

func TestClaimOfWhatIsNoLongerSo(t *testing.T) {
	b := openTest(t, Options{RequireTotal: true})
	b.drop("a.csv", "x")
	b.drop("a.csv.total", "1")
	b.look()
	b.later().ready(t, "a.csv")
	before := b.tree()
	for name, c := range map[string]struct {
		change, undo func()
		want         error
	}{
		"gone":            {func() { b.remove("a.csv") }, func() { b.drop("a.csv", "x") }, ErrGone},
		"grown":           {func() { b.drop("a.csv", "xx") }, func() { b.drop("a.csv", "x") }, ErrNotReady},
		"total gone":      {func() { b.remove("a.csv.total") }, func() { b.drop("a.csv.total", "1") }, ErrNotReady},
		"total grown":     {func() { b.drop("a.csv.total", "12") }, func() { b.drop("a.csv.total", "1") }, ErrNotReady},
		"another total":   {func() { b.drop("a.total.txt", "1") }, func() { b.remove("a.total.txt") }, ErrNotReady},
		"opened meantime": {func() { b.drop("~$a.csv", "x") }, func() { b.remove("~$a.csv") }, ErrNotReady},
	} {
		c.change()
		if f, err := b.Claim("a.csv"); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
		c.undo()
		b.holds(before)
		b.look()
		b.later().ready(t, "a.csv")
	}
	for _, name := range []string{"../a.csv", "working", "a.csv.total", "", "."} {
		if f, err := b.Claim(name); !errors.Is(err, ErrGone) {
			t.Errorf("%q: %v, %v", name, f, err)
		}
	}
}

// A file that is open on Windows can't be renamed. Here a name that is too long
// for any system keeps it from moving, after its total did.
func TestClaimThatCannotMoveTheFilePutsTheTotalBack(t *testing.T) {
	b := openTest(t, Options{})
	b.drop("a.csv", "x")
	b.drop("a.csv.total", "1")
	b.look()
	before := b.tree()
	id, err := b.makeFolder("a.csv")
	if err != nil {
		t.Fatal(err)
	}
	moves := b.movesOf("a.csv", []string{"a.csv.total"}, id)
	moves[1].to += strings.Repeat("x", 300)
	moved, err := b.moveIn(moves, id)
	if err == nil || len(moved) != 1 || !exists(b.at("working", id, "a.csv.total")) {
		t.Fatalf("moved %v, %v", moved, err)
	}
	if err := b.moveOut(moved, id); err != nil {
		t.Error(err)
	}
	b.holds(before)
}

// A program that still writes can do so until the file has moved.
func TestClaimOfWhatChangedWhileItMovedIsPutBack(t *testing.T) {
	for _, changed := range []string{"a.csv", "a.csv.total"} {
		b := openTest(t, Options{})
		b.drop("a.csv", "x")
		b.drop("a.csv.total", "1")
		b.look()
		id, err := b.makeFolder("a.csv")
		if err != nil {
			t.Fatal(err)
		}
		moves := b.movesOf("a.csv", []string{"a.csv.total"}, id)
		b.drop(changed, "longer")
		before := b.tree()
		delete(before, "working/"+id)
		moved, err := b.moveIn(moves, id)
		if !errors.Is(err, ErrNotReady) {
			t.Fatal(err)
		}
		if err := b.moveOut(moved, id); err != nil {
			t.Error(err)
		}
		b.holds(before)
	}
}

// The name was dropped anew before the claim could be taken back: both files are
// kept, and the old one with its total.
func TestClaimIsNotPutBackOverANewFile(t *testing.T) {
	b := openTest(t, Options{})
	b.drop("a.csv", "x")
	b.drop("a.csv.total", "1")
	b.look()
	id, err := b.makeFolder("a.csv")
	if err != nil {
		t.Fatal(err)
	}
	moved, err := b.moveIn(b.movesOf("a.csv", []string{"a.csv.total"}, id), id)
	if err != nil {
		t.Fatal(err)
	}
	b.drop("a.csv", "new")
	if err := b.moveOut(moved, id); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	working := "working/" + id
	b.holds(map[string]string{"a.csv": "new", working: "", working + "/a.csv": "x", working + "/a.csv.total": "1"})
}

func TestIDIsSafeEverywhere(t *testing.T) {
	for name, want := range map[string]string{
		"請求書（12月）.csv":        "請求書（12月）",
		"ﾃｽﾄ　全角.csv":          "ﾃｽﾄ　全角",
		"😀👍.csv":              "😀👍",
		"a.results.csv":       "a.results",
		"CON.csv":             "CON", // not a device behind a date
		"nul":                 "nul",
		"a\\b:c*?\"<>|.csv":   "a_b_c______",
		"line\nbreak\x7f.csv": "line_break_",
		"rtl\u202Evsc.csv":    "rtl_vsc",
		"\x83e.csv":           "_e", // CP932, as old archives unpack
		"dots. . .csv":        "dots",
		" .csv":               "_",
		"-.csv":               "-",
	} {
		if got := newID(name, tuesday); got != "2026-12-02-"+want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestOverlongNamesAreCut(t *testing.T) {
	for name, want := range map[string]string{
		strings.Repeat("a", 300) + ".csv":  strings.Repeat("a", 196) + ".csv",
		strings.Repeat("請", 300) + ".csv":  strings.Repeat("請", 65) + ".csv",
		strings.Repeat("😀", 300) + ".xlsx": strings.Repeat("😀", 48) + ".xlsx",
		"a." + strings.Repeat("b", 300):    "a." + strings.Repeat("b", 197) + "_",
		strings.Repeat("a", 196) + ".csv":  strings.Repeat("a", 196) + ".csv",
	} {
		if got := shortened(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
		if id := newID(name, tuesday); len(id) > maxStem+len("2026-12-02-") || !utf8.ValidString(id) {
			t.Errorf("%q: %q", name, id)
		}
	}
}

// The longest name a disk takes leaves room for all that is made of it, and
// still finds its total.
func TestLongestNameRunsThrough(t *testing.T) {
	long := strings.Repeat("請", 81) + ".csv" // 247 bytes, and its total 253
	b := openTest(t, Options{RequireTotal: true})
	b.drop(long+".total", "1")
	f := b.claimNew(long, "x")
	stem := strings.TrimSuffix(f.Name, ".csv")
	results := filepath.Join(filepath.Dir(f.Path), stem+"-results")
	if err := os.Mkdir(results, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(results, stem+".results.csv")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := f.Control(); err != nil || c == nil {
		t.Error(c, err)
	}
	if _, err := f.Publish(path, ""); err != nil {
		t.Error(err)
	}
	if _, err := f.Fail("no"); err != nil {
		t.Error(err)
	}
}
