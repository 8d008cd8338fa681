package inbox

import (
	"slices"
	"testing"
	"time"
)

const crashed = "2026-12-01-a" // the ID of a claim that a dead process began

// reopened is the inbox as the next process finds it.
func (b *testInbox) reopened() *testInbox {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Fatal(err)
	}
	return reopen(b.t, b.folder, Options{})
}

func (b *testInbox) unfinished() []*File {
	b.t.Helper()
	files, err := b.Unfinished()
	if err != nil {
		b.t.Fatal(err)
	}
	return files
}

// Each state that a claim passes through, as a dead process leaves it.
func TestClaimInterrupted(t *testing.T) {
	whole := map[string]string{"a.csv": "x", "a.csv.total": "1"}
	claimed := map[string]string{
		"working/" + crashed: "", "working/" + crashed + "/a.csv": "x", "working/" + crashed + "/a.csv.total": "1",
	}
	for name, c := range map[string]struct {
		left map[string]string // beside the folder in working
		want map[string]string
		runs int
	}{
		"folder made":  {whole, whole, 0},
		"total moved":  {map[string]string{"a.csv": "x", "working/" + crashed + "/a.csv.total": "1"}, whole, 0},
		"file moved":   {claimed, claimed, 1},
		"without one":  {map[string]string{"a.csv": "x"}, map[string]string{"a.csv": "x"}, 0},
		"and one more": {map[string]string{"a.csv": "x", "b.csv": "y", "working/" + crashed + "/a.csv.total": "1"}, map[string]string{"a.csv": "x", "a.csv.total": "1", "b.csv": "y"}, 0},
	} {
		// Whichever the next process calls first.
		for first, call := range map[string]func(b *testInbox){
			"Look":       func(b *testInbox) { b.look() },
			"Unfinished": func(b *testInbox) { b.unfinished() },
		} {
			t.Run(name+", then "+first, func(t *testing.T) {
				b := openTest(t, Options{})
				b.mkdir("working", crashed)
				for file, text := range c.left {
					if text != "" {
						b.drop(file, text)
					}
				}
				b = b.reopened()
				call(b)
				b.holds(c.want)
				if files := b.unfinished(); len(files) != c.runs {
					t.Errorf("%d files to run again, want %d", len(files), c.runs)
				}
			})
		}
	}
}

func TestUnfinishedFileIsTheOneThatWasClaimed(t *testing.T) {
	b := openTest(t, Options{})
	b.drop("a.csv.total", "1")
	claimed := b.claimNew("a.csv", "x")
	b.mkdir("working", claimed.ID, "a-results", "slips")
	b.drop("working/"+claimed.ID+"/a-results/receipt.json", "{}")
	b.drop("working/"+claimed.ID+"/.konbill-1.tmp", "half")
	b.drop("working/"+claimed.ID+"/a.csv.txt", "a note whose folder did not move")
	b = b.reopened()
	files := b.unfinished()
	if len(files) != 1 {
		t.Fatal(files)
	}
	f := files[0]
	if f.ID != claimed.ID || f.Name != claimed.Name || f.Path != claimed.Path {
		t.Errorf("%+v is not %+v", f, claimed)
	}
	if c, err := f.Control(); err != nil || c == nil || c.Rows != 1 {
		t.Errorf("its total: %+v, %v", c, err)
	}
	if dir, err := f.Done(); err != nil || dir != b.at("done", claimed.ID) {
		t.Error(dir, err)
	}
	if left := b.unfinished(); len(left) > 0 {
		t.Errorf("%d left", len(left))
	}
}

func TestUnfinishedOldestFirst(t *testing.T) {
	b := openTest(t, Options{})
	for id, age := range map[string]time.Duration{"2026-12-01-b": 1, "2026-12-01-a": 1, "2026-12-01-c": 2} {
		b.mkdir("working", id)
		name := "working/" + id + "/x.csv"
		b.drop(name, "x")
		b.touch(name, tuesday.Add(-age*time.Hour))
	}
	var ids []string
	for _, f := range b.unfinished() {
		ids = append(ids, f.ID)
	}
	if !slices.Equal(ids, []string{"2026-12-01-c", "2026-12-01-a", "2026-12-01-b"}) {
		t.Error(ids)
	}
}

// The total was dropped anew while no process was there: the newer one counts,
// and the older one isn't lost.
func TestStrandedTotalDoesNotReplaceANewOne(t *testing.T) {
	b := openTest(t, Options{})
	b.mkdir("working", crashed)
	b.drop("working/"+crashed+"/a.csv.total", "old")
	b.drop("a.csv.total", "new")
	b.look()
	b.holds(map[string]string{"a.csv.total": "new", "failed/" + crashed: "", "failed/" + crashed + "/a.csv.total": "old"})
}

func TestFolderWithoutItsFileIsKept(t *testing.T) {
	b := openTest(t, Options{})
	f := b.claimNew("a.csv", "x")
	b.mkdir("working", f.ID, "a-results")
	b.remove("working/" + f.ID + "/a.csv") // by hand
	b.look()
	b.holds(map[string]string{"failed/" + f.ID: "", "failed/" + f.ID + "/a-results": ""})
}

func TestTwoTotalsWithoutAFileAreKept(t *testing.T) {
	b := openTest(t, Options{})
	b.mkdir("working", crashed)
	b.drop("working/"+crashed+"/a.csv.total", "1")
	b.drop("working/"+crashed+"/a.total.txt", "2") // by hand
	b.look()
	b.holds(map[string]string{"failed/" + crashed: "", "failed/" + crashed + "/a.csv.total": "1", "failed/" + crashed + "/a.total.txt": "2"})
}

func TestLookLeavesAloneWhatIsBeingProcessed(t *testing.T) {
	b := openTest(t, Options{})
	b.drop("a.csv.total", "1")
	b.claimNew("a.csv", "x")
	before := b.tree()
	b.look()
	b.later().ready(t)
	b.holds(before)
}
