// Package inbox is the drop folder: where staff and billing systems leave
// files for the nightly run, and where they find what became of them.
//
//	F/NAME.csv            dropped; with F/NAME.csv.total, its control total, beside it
//	F/working/ID/NAME.csv while it is being processed, with its total and what the run leaves
//	F/done/ID, F/failed/ID the same folder afterwards
//	F/outbox/ID.*         copies for staff
//
// The package knows files and folders only. It polls, since network shares send
// no events. A file is taken when it has stood still for a while, nobody has it
// open, and its control total, if there is one, has stood still, too.
//
// # When a process dies
//
// It may die, or the power may fail, between any two steps: no file is lost,
// and none is processed without the control total that stood beside it when it
// was claimed. So claiming has an order, and each step is durable before the
// next: the folder is made, the total moves in, and the file moves in last.
// Taking a claim back has the opposite order. What a dead process left is told
// apart by what the folder holds:
//
//   - nothing, or a total alone: the claim never came about. [Inbox.Look]
//     moves the total back beside its file before it looks at anything.
//   - the file: it was claimed. [Inbox.Unfinished] gives it again, to be run
//     again.
//   - neither, but other things: somebody took the file out by hand. The folder
//     goes to failed as it is.
//
// Finishing renames the whole folder, which is one step: it has happened or
// not. Copies in the outbox are written before, and the same again by a second
// run.
//
// # Who may read
//
// What the package makes is its owner's alone, since it holds personal data:
// files 0600, folders 0700. An administrator who lets staff in makes F and
// F/outbox beforehand, both drwxrws--- with the staff's group: copies in the
// outbox may then be read by the group that may read the outbox.
package inbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"konbill/batch"
)

// Options say how careful an inbox is.
type Options struct {
	// StableFor is how long size and modification time of a file must stand
	// still. With 0 the first look suffices.
	StableFor time.Duration
	// RequireTotal lets a file wait until its control total stands beside it.
	RequireTotal bool
	// TakesTurns says that whoever opens the inbox has its turn among the machines
	// that see the folder. It takes no lock: a machine that is gone may leave one on
	// a network share, and one that was only stopped keeps it.
	TakesTurns bool
	Now        func() time.Time
}

// Inbox is a drop folder that this process alone serves. Its own methods must
// not be called at the same time; those of its Files may.
type Inbox struct {
	folder  string
	options Options
	lock    *flock.Flock
	seen    map[string]sighting // by name, of files and totals alike
}

// ErrHeld says that another konbill serves the inbox.
var ErrHeld = errors.New("another konbill serves this inbox")

// The folders of an inbox.
const (
	workingFolder = "working"
	doneFolder    = "done"
	failedFolder  = "failed"
	outboxFolder  = "outbox"
)

// lockFile stands in the working folder. The operating system drops the lock
// when its holder dies; the file stays and means nothing by itself.
const lockFile = ".konbill.lock"

// Open takes the inbox in a folder for this process, and makes what is missing
// of the folder and those inside it; the one around it must be there. The error
// is ErrHeld or the operating system's.
func Open(folder string, o Options) (*Inbox, error) {
	b := &Inbox{folder: folder, options: o, seen: map[string]sighting{}}
	if err := b.open(); err != nil {
		return nil, fmt.Errorf("open the inbox %s: %w", folder, err)
	}
	return b, nil
}

func (b *Inbox) open() error {
	for _, folder := range []string{"", workingFolder, doneFolder, failedFolder, outboxFolder} {
		if err := makeFolder(b.at(folder)); err != nil {
			return err
		}
	}
	if !b.options.TakesTurns {
		b.lock = flock.New(b.at(workingFolder, lockFile))
		got, err := b.lock.TryLock()
		switch {
		case err != nil:
			return err
		case !got:
			return ErrHeld
		}
	}
	// A killed process may have left something half written.
	if err := errors.Join(batch.MakeFolder(b.at(outboxFolder)), batch.MakeFolder(b.at(workingFolder))); err != nil {
		return errors.Join(err, b.Close())
	}
	return nil
}

func makeFolder(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Close lets another process serve the inbox.
func (b *Inbox) Close() error {
	if b.lock == nil {
		return nil
	}
	return b.lock.Unlock()
}

// at is the path of something in the inbox.
func (b *Inbox) at(names ...string) string {
	return filepath.Join(b.folder, filepath.Join(names...))
}
