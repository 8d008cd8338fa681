package inbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"konbill/batch"
)

// What keeps a file from being claimed that was ready before. Look again.
var (
	ErrGone     = errors.New("no longer in the inbox")
	ErrNotReady = errors.New("not ready, or no longer so")
)

// Claim takes a file that is ready, with its control total, into working. What
// can't be claimed stays in the inbox, or is put back: the error is then
// ErrGone, ErrNotReady, or the operating system's, as Windows has one while the
// file is open.
func (b *Inbox) Claim(name string) (*File, error) {
	l, err := b.observe()
	if err != nil {
		return nil, err
	}
	switch {
	case !slices.Contains(l.files, name):
		return nil, fmt.Errorf("%s: %w", name, ErrGone)
	case b.reason(l, name) != "":
		return nil, fmt.Errorf("%s: %w", name, ErrNotReady)
	}
	id, err := b.makeFolder(name)
	if err != nil {
		return nil, err
	}
	moves := b.movesOf(name, l.totalsOf(name), id)
	if moved, err := b.moveIn(moves, id); err != nil {
		return nil, errors.Join(fmt.Errorf("claim %s: %w", name, err), b.moveOut(moved, id))
	}
	f := &File{ID: id, Name: shortened(name), box: b}
	f.Path = b.at(workingFolder, id, f.Name)
	if len(moves) > 1 {
		f.total = moves[0].to
	}
	return f, nil
}

// PickUp puts a file into working that another machine has left unfinished, where it
// isn't seen from here: it is to be run again.
func (b *Inbox) PickUp(name string, content []byte) (*File, error) {
	id, err := b.makeFolder(name)
	if err != nil {
		return nil, err
	}
	f := &File{ID: id, Name: shortened(name), box: b}
	f.Path = b.at(workingFolder, id, f.Name)
	if err := batch.WriteFile(f.Path, content); err != nil {
		return nil, fmt.Errorf("pick up %s: %w", name, err)
	}
	return f, syncFolders(b.at(workingFolder, id), b.at(workingFolder))
}

// move is one step of a claim.
type move struct {
	from, to string
	as       sighting // what is expected to move
}

// movesOf are the steps of a claim in their order: the file is last, as the
// package comment explains. Only the file's name may have to be shortened; its
// total must find back.
func (b *Inbox) movesOf(name string, totals []string, id string) []move {
	var moves []move
	for _, total := range totals {
		moves = append(moves, move{b.at(total), b.at(workingFolder, id, total), b.seen[total]})
	}
	return append(moves, move{b.at(name), b.at(workingFolder, id, shortened(name)), b.seen[name]})
}

// moveIn does the steps, and says which of them were done when one fails.
func (b *Inbox) moveIn(moves []move, id string) (moved []move, err error) {
	if err := syncFolders(b.at(workingFolder)); err != nil {
		return nil, err
	}
	for i, m := range moves {
		if err := os.Rename(m.from, m.to); errors.Is(err, fs.ErrNotExist) {
			return moves[:i], ErrGone
		} else if err != nil {
			return moves[:i], err
		}
		if err := errors.Join(m.check(), syncFolders(b.at(workingFolder, id), b.folder)); err != nil {
			return moves[:i+1], err
		}
	}
	return moves, nil
}

// check sees whether what moved is what was seen. Whoever writes to a file
// could do so until its name was gone.
func (m move) check() error {
	info, err := os.Lstat(m.to)
	if err == nil && !m.as.matches(info) {
		return ErrNotReady
	}
	return err
}

// moveOut takes a claim back, the last step first.
func (b *Inbox) moveOut(moved []move, id string) error {
	for _, m := range slices.Backward(moved) {
		if err := putBack(m.to, m.from); err != nil {
			return err
		}
		if err := syncFolders(b.folder, b.at(workingFolder, id)); err != nil {
			return err
		}
	}
	return os.Remove(b.at(workingFolder, id))
}

// putBack moves something back into the inbox unless its name was dropped anew.
func putBack(from, to string) error {
	if exists(to) {
		return &os.LinkError{Op: "put back", Old: from, New: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}
