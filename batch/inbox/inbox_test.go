package inbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// testInbox is an inbox in a real folder, at a time of the test's own.
type testInbox struct {
	*Inbox
	t   *testing.T
	now time.Time
}

// tuesday is the 2nd of December in Japan, though not yet in UTC.
var tuesday = time.Date(2026, 12, 1, 17, 0, 0, 0, time.UTC)

const stableFor = 10 * time.Second

func openTest(t *testing.T, o Options) *testInbox {
	return reopen(t, filepath.Join(t.TempDir(), "inbox"), o)
}

func reopen(t *testing.T, folder string, o Options) *testInbox {
	t.Helper()
	b := &testInbox{t: t, now: tuesday}
	o.StableFor, o.Now = stableFor, func() time.Time { return b.now }
	var err error
	if b.Inbox, err = Open(folder, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// drop stores a file in the inbox. All are of one time, so that only sizes
// tell them apart unless a test says otherwise.
func (b *testInbox) drop(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(b.at(name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.touch(name, tuesday)
}

func (b *testInbox) touch(name string, at time.Time) {
	b.t.Helper()
	if err := os.Chtimes(b.at(name), at, at); err != nil {
		b.t.Fatal(err)
	}
}

func (b *testInbox) mkdir(names ...string) {
	b.t.Helper()
	if err := os.MkdirAll(b.at(names...), 0o700); err != nil {
		b.t.Fatal(err)
	}
}

func (b *testInbox) remove(name string) {
	b.t.Helper()
	if err := os.Remove(b.at(name)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *testInbox) look() Queue {
	b.t.Helper()
	q, err := b.Look()
	if err != nil {
		b.t.Fatal(err)
	}
	return q
}

// later looks after everything had time to stand still.
func (b *testInbox) later() Queue {
	b.t.Helper()
	b.now = b.now.Add(stableFor)
	return b.look()
}

func (b *testInbox) claim(name string) *File {
	b.t.Helper()
	f, err := b.Claim(name)
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

// claimNew drops a file and claims it once it is ready.
func (b *testInbox) claimNew(name, text string) *File {
	b.t.Helper()
	b.drop(name, text)
	b.look()
	b.later()
	return b.claim(name)
}

// ready fails unless just these files are ready, and none waits.
func (q Queue) ready(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(q.Ready, want) || len(q.Waiting) > 0 {
		t.Errorf("ready %q, waiting %v; want ready %q", q.Ready, q.Waiting, want)
	}
}

// waits fails unless just this file waits, and none is ready.
func (q Queue) waits(t *testing.T, name string, reason Reason) {
	t.Helper()
	if len(q.Ready) > 0 || len(q.Waiting) != 1 || q.Waiting[0].Name != name || q.Waiting[0].Reason != reason {
		t.Errorf("ready %q, waiting %v; want %s waiting, %s", q.Ready, q.Waiting, name, reason)
	}
}

// tree lists what is in the inbox: files with their text, and folders.
func (b *testInbox) tree() map[string]string {
	b.t.Helper()
	tree := map[string]string{}
	err := filepath.WalkDir(b.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(b.folder, path)
		if err != nil || d.IsDir() && filepath.Dir(name) == "." || d.Name() == lockFile {
			return err
		}
		tree[filepath.ToSlash(name)] = ""
		if d.Type().IsRegular() {
			data, err := os.ReadFile(path)
			tree[filepath.ToSlash(name)] = string(data)
			return err
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return tree
}

func (b *testInbox) holds(want map[string]string) {
	b.t.Helper()
	have := b.tree()
	for name, text := range want {
		if got, ok := have[name]; !ok || got != text {
			b.t.Errorf("%s: %q, %t; want %q", name, got, ok, text)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			b.t.Errorf("%s is there", name)
		}
	}
}

func TestOpenMakesFoldersForItsOwnerAlone(t *testing.T) {
	b := openTest(t, Options{})
	for _, folder := range []string{".", "working", "done", "failed", "outbox"} {
		info, err := os.Stat(b.at(folder))
		if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v %v", folder, info, err)
		}
	}
}

func TestOpenDoesNotMakeTheFolderAround(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "not mounted", "inbox")
	if _, err := Open(folder, Options{Now: time.Now}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestOneProcessServesAnInbox(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "inbox")
	first, err := Open(folder, Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(folder, Options{Now: time.Now}); !errors.Is(err, ErrHeld) {
		t.Errorf("the second got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	reopen(t, folder, Options{})
}

func TestOpenClearsWhatWasHalfWrittenForStaff(t *testing.T) {
	b := openTest(t, Options{})
	b.drop("outbox/.konbill-123.tmp", "half")
	b.drop("outbox/2026-12-01-a.txt", "whole")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = reopen(t, b.folder, Options{})
	b.holds(map[string]string{"outbox/2026-12-01-a.txt": "whole"})
}
