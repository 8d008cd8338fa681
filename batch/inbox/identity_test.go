package inbox

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestIdentity: all who see a folder call it the same, and no other.
func TestIdentity(t *testing.T) {
	parent := t.TempDir()
	one, other := filepath.Join(parent, "one"), filepath.Join(parent, "other")
	var mutex sync.Mutex
	found := map[string]bool{}
	var machines sync.WaitGroup
	for range 8 {
		machines.Go(func() {
			identity, err := Identity(one)
			for err != nil { // another is just naming it
				identity, err = Identity(one)
			}
			mutex.Lock()
			defer mutex.Unlock()
			found[identity] = true
		})
	}
	machines.Wait()
	if len(found) != 1 {
		t.Errorf("the inbox is called %v", found)
	}
	if identity, err := Identity(other); err != nil || found[identity] {
		t.Errorf("another is called %q: %v", identity, err)
	}

	name := filepath.Join(other, workingFolder, identityFile)
	if err := os.Truncate(name, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Identity(other); err == nil || !strings.Contains(err.Error(), "remove the empty file "+name) {
		t.Errorf("one who died while naming it: %v", err)
	}
}

// TestWhoTakesTurnsTakesNoLock: the one before may be stopped, or gone with its lock.
func TestWhoTakesTurnsTakesNoLock(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "inbox")
	if _, err := Identity(folder); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		box, err := Open(folder, Options{TakesTurns: true, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		if unfinished, err := box.Unfinished(); err != nil || len(unfinished) != 0 {
			t.Errorf("its name is taken for a file: %v, %v", unfinished, err)
		}
	}
}
