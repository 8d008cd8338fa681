package inbox

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Unfinished gives what was claimed and not finished, oldest first. It is to be
// run again. Ask while no file is in hand: those can't be told from them.
func (b *Inbox) Unfinished() ([]*File, error) {
	if err := b.tidy(); err != nil {
		return nil, err
	}
	folders, err := b.workingFolders()
	if err != nil {
		return nil, err
	}
	var files []*File
	dropped := map[*File]time.Time{}
	for _, c := range folders {
		if c.file == nil {
			continue
		}
		f := &File{ID: c.id, Name: c.file.Name(), Path: b.at(workingFolder, c.id, c.file.Name()), box: b}
		if c.total != "" {
			f.total = b.at(workingFolder, c.id, c.total)
		}
		dropped[f] = c.file.ModTime()
		files = append(files, f)
	}
	slices.SortFunc(files, func(x, y *File) int {
		return cmp.Or(dropped[x].Compare(dropped[y]), strings.Compare(x.ID, y.ID))
	})
	return files, nil
}

// contents is what a folder in working holds.
type contents struct {
	id    string
	file  fs.FileInfo // nil: it isn't there
	total string      // "": there is none
	more  bool        // something else
}

func (b *Inbox) workingFolders() ([]contents, error) {
	entries, err := os.ReadDir(b.at(workingFolder))
	if err != nil {
		return nil, err
	}
	var folders []contents
	for _, e := range entries {
		if !e.IsDir() {
			continue // the lock
		}
		c, err := b.contentsOf(workingFolder, e.Name())
		switch {
		case errors.Is(err, fs.ErrNotExist): // one of our files, just finished
			continue
		case err != nil:
			return nil, err
		}
		folders = append(folders, c)
	}
	return folders, nil
}

func (b *Inbox) contentsOf(folder, id string) (contents, error) {
	c := contents{id: id}
	entries, err := os.ReadDir(b.at(folder, id))
	if err != nil {
		return c, err
	}
	for _, e := range entries { // sorted by name: a file comes before its note
		switch name := e.Name(); {
		case isTotal(name) && c.total == "":
			c.total = name
		case isTotal(name):
			c.more = true
		case c.file == nil && e.Type().IsRegular() && !leftAlone(name):
			if c.file, err = e.Info(); err != nil {
				return c, err
			}
		default:
			c.more = true
		}
	}
	return c, nil
}

// tidy undoes claims that never came about.
func (b *Inbox) tidy() error {
	folders, err := b.workingFolders()
	if err != nil {
		return err
	}
	for _, c := range folders {
		if c.file == nil {
			if err := b.undo(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// undo moves the total of a file that was not claimed back beside it. One that
// was dropped anew since counts instead: the old one is kept in failed, and so
// is a folder from which somebody took the file.
func (b *Inbox) undo(c contents) error {
	dir := b.at(workingFolder, c.id)
	if c.more || c.total != "" && exists(b.at(c.total)) {
		_, err := b.finish(c.id, failedFolder)
		return err
	}
	if c.total != "" {
		if err := putBack(filepath.Join(dir, c.total), b.at(c.total)); err != nil {
			return err
		}
		if err := syncFolders(b.folder, dir); err != nil {
			return err
		}
	}
	return os.Remove(dir)
}
