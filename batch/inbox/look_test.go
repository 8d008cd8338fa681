package inbox

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWhatIsTaken(t *testing.T) {
	for _, name := range []string{
		"a.csv", "A.CSV", "a.txt", "a.tsv", "a.xlsx", "a", "請求書 12月分.csv", "a.csv.bak", "part.csv", "a~$.csv", "total.csv", "😀.csv",
		"a.total.csv",
	} {
		b := openTest(t, Options{})
		b.drop(name, "x")
		b.look()
		b.later().ready(t, name)
	}
}

func TestWhatIsLeftAlone(t *testing.T) {
	for name, why := range map[string]string{
		".a.csv":           "hidden",
		".DS_Store":        "the Finder's",
		"~$a.xlsx":         "Excel's lock",
		".~lock.a.csv#":    "LibreOffice's lock",
		"a.csv.part":       "on its way",
		"a.csv.PART":       "the same on Windows",
		"a.csv.partial":    "on its way",
		"a.csv.filepart":   "on its way with WinSCP",
		"a.csv.crdownload": "on its way with Chrome",
		"a.TMP":            "a program's own",
		"Desktop.ini":      "the Explorer's",
		"Thumbs.db":        "the Explorer's",
		"a.csv.total":      "a control total",
		"a.total.TXT":      "a control total",
	} {
		b := openTest(t, Options{})
		b.drop(name, "x")
		b.look()
		if q := b.later(); len(q.Ready)+len(q.Waiting) > 0 {
			t.Errorf("%s (%s) was not left alone: %v", name, why, q)
		}
	}
}

func TestOnlyFilesAreTaken(t *testing.T) {
	b := openTest(t, Options{})
	b.mkdir("folder.csv")
	outside := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"link.csv": outside, "dangling.csv": outside + ".gone"} {
		if err := os.Symlink(target, b.at(link)); err != nil {
			t.Fatal(err)
		}
	}
	b.look()
	b.later().ready(t)
}

func TestGrowingFileWaits(t *testing.T) {
	b := openTest(t, Options{})
	for _, text := range []string{"", "one", "one, two", "one, two, three"} {
		b.drop("a.csv", text)
		b.now = b.now.Add(stableFor)
		b.look().waits(t, "a.csv", Changing)
	}
	b.now = b.now.Add(stableFor - 1)
	b.look().waits(t, "a.csv", Changing)
	b.now = b.now.Add(1)
	b.look().ready(t, "a.csv")
	b.drop("a.csv", "one, two, three, four")
	b.look().waits(t, "a.csv", Changing)
}

func TestFileOfOneSizeButAnotherTimeWaits(t *testing.T) {
	b := openTest(t, Options{})
	b.drop("a.csv", "one")
	b.look()
	b.touch("a.csv", tuesday.Add(time.Millisecond))
	b.later().waits(t, "a.csv", Changing)
	b.later().ready(t, "a.csv")
}

func TestFileThatWentAndCameBackStartsAgain(t *testing.T) {
	b := openTest(t, Options{})
	b.drop("a.csv", "one")
	b.look()
	b.remove("a.csv")
	b.later().ready(t)
	b.drop("a.csv", "one")
	b.look().waits(t, "a.csv", Changing)
}

func TestEmptyFileIsReady(t *testing.T) {
	b := openTest(t, Options{})
	b.drop("a.csv", "")
	b.look()
	b.later().ready(t, "a.csv")
}

func TestOldestComesFirst(t *testing.T) {
	b := openTest(t, Options{})
	for name, age := range map[string]time.Duration{"b.csv": 1, "a.csv": 1, "new.csv": 0, "old.csv": 2} {
		b.drop(name, "x")
		b.touch(name, tuesday.Add(-age*time.Hour))
	}
	b.look()
	b.later().ready(t, "old.csv", "a.csv", "b.csv", "new.csv")
}

func TestFileOpenInASpreadsheetWaits(t *testing.T) {
	for _, lock := range []string{"~$請求.csv", ".~lock.請求.csv#", ".~請求.csv", "~$請求.CSV", "~$請求.csv.total"} {
		b := openTest(t, Options{})
		b.drop("請求.csv", "x")
		b.drop("請求.csv.total", "1")
		b.drop(lock, "who")
		b.look()
		b.later().waits(t, "請求.csv", InUse)
		b.remove(lock)
		b.look().ready(t, "請求.csv")
	}
}

func TestTotalMayArriveLater(t *testing.T) {
	for _, total := range []string{"a.csv.total", "a.total.txt", "a.csv.total.txt", "a.total", "A.CSV.Total"} {
		b := openTest(t, Options{RequireTotal: true})
		b.drop("a.csv", "x")
		b.look()
		b.later().waits(t, "a.csv", TotalMissing)
		b.drop(total, "1")
		b.look().waits(t, "a.csv", Changing)
		b.drop(total, "12")
		b.later().waits(t, "a.csv", Changing)
		b.later().ready(t, "a.csv")
	}
}

// A ガ that macOS wrote is two characters, and belongs to the one of Windows.
func TestTotalOfAnotherSystemBelongs(t *testing.T) {
	b := openTest(t, Options{RequireTotal: true})
	b.drop("\u30AB\u3099.csv", "x")
	b.drop("\u30AC.csv.total", "1")
	b.look()
	b.later().ready(t, "\u30AB\u3099.csv")
}

func TestTotalThatLeavesDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		files  []string
		reason Reason
	}{
		"two of one file":      {[]string{"a.csv", "a.csv.total", "a.total.txt"}, SeveralTotals},
		"one of two files":     {[]string{"a.csv", "a.xlsx", "a.total.txt"}, SharedTotal},
		"one that is a folder": {[]string{"a.csv", "a.csv.total/"}, Unopenable},
	} {
		t.Run(name, func(t *testing.T) {
			b := openTest(t, Options{})
			files := 0
			for _, file := range c.files {
				if file[len(file)-1] == '/' {
					b.mkdir(file)
					continue
				}
				b.drop(file, "x")
				if !isTotal(file) {
					files++
				}
			}
			b.look()
			q := b.later()
			if len(q.Ready) > 0 || len(q.Waiting) != files {
				t.Errorf("ready %q, waiting %v", q.Ready, q.Waiting)
			}
			for _, w := range q.Waiting {
				if w.Reason != c.reason {
					t.Errorf("%s waits, %s; want %s", w.Name, w.Reason, c.reason)
				}
			}
		})
	}
}

func TestWaitingSaysSinceWhen(t *testing.T) {
	b := openTest(t, Options{RequireTotal: true})
	b.drop("a.csv", "x")
	if since := b.look().Waiting[0].Since; !since.Equal(tuesday) {
		t.Error(since)
	}
	missing := tuesday.Add(stableFor)
	for range 3 {
		if since := b.later().Waiting[0].Since; !since.Equal(missing) {
			t.Error(since)
		}
	}
}

func TestLookFailsWhenTheFolderIsAway(t *testing.T) {
	b := openTest(t, Options{})
	if err := os.Rename(b.folder, b.folder+"-away"); err != nil {
		t.Fatal(err)
	}
	if q, err := b.Look(); err == nil {
		t.Errorf("saw %v", q)
	}
}
