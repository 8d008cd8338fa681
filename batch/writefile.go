package batch

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// unfinished is the pattern of a file's name while it is being written.
const unfinished = ".konbill-*.tmp"

// WriteFile stores a file whole or not at all: under a temporary name, made
// durable, then renamed. Only its owner may read it.
func WriteFile(path string, data []byte) error {
	return writeFrom(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func writeFrom(path string, write func(io.Writer) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, unfinished) // mode 0600
	if err != nil {
		return err
	}
	err = write(f)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return renames.sync(dir)
}

// renames makes renamed files durable. Those who wait at the same time share a look
// at the disk: there are as many as workers, each with a slip.
var renames folderSync

// folderSync lets rounds of callers share the syncing of folders.
type folderSync struct {
	mutex sync.Mutex
	next  *syncRound // that callers join; nil: there is none
	turn  sync.Mutex // held while a round is synced
}

type syncRound struct {
	folders map[string]error // and what came of each
	done    chan struct{}
}

// sync returns once what was renamed in a folder before is durable. The first of a
// round waits for the round before, and then does it for all who have come meanwhile.
func (f *folderSync) sync(folder string) error {
	round, first := f.join(folder)
	if !first {
		<-round.done
		return round.folders[folder]
	}
	f.turn.Lock()
	defer f.turn.Unlock()
	f.close()
	for each := range round.folders {
		round.folders[each] = SyncFolder(each)
	}
	close(round.done)
	return round.folders[folder]
}

func (f *folderSync) join(folder string) (round *syncRound, first bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if first = f.next == nil; first {
		f.next = &syncRound{folders: map[string]error{}, done: make(chan struct{})}
	}
	f.next.folders[folder] = nil
	return f.next, first
}

// close has those who come from now on wait for the next round.
func (f *folderSync) close() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.next = nil
}

// SyncFolder makes durable what was renamed, made or removed in a folder.
// Windows has no such call and needs none.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
