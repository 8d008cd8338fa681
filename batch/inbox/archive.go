package inbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"konbill/invoice"
)

// Filed is what an inbox keeps of a file that was processed, or that could not
// be.
type Filed struct {
	ID   string
	Day  time.Time // on which it was taken: its beginning in Japan
	Path string    // of the file itself; empty when there is none any more
	Done bool      // it was processed

	folder string // of the inbox
	kind   string // the folder within it
}

// idForm is what the names of folders in done and failed look like.
var idForm = regexp.MustCompile(`^\d{4}-\d\d-\d\d-.`)

// removing begins the name of a folder on its way out. What a killed process has
// left of one is removed the next time.
const removing = ".removing-"

// Archive lists what is filed in the inbox in a folder, done before failed, in
// the order of the IDs. An inbox that isn't there holds nothing. It needs no lock:
// nobody changes what is filed.
func Archive(folder string) ([]Filed, error) {
	b := &Inbox{folder: folder}
	var filed []Filed
	for _, kind := range []string{doneFolder, failedFolder} {
		entries, err := os.ReadDir(b.at(kind))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			day, isDay := dayOf(strings.TrimPrefix(e.Name(), removing))
			if !e.IsDir() || !isDay {
				continue
			}
			f := Filed{ID: e.Name(), Day: day, Done: kind == doneFolder, folder: folder, kind: kind}
			c, err := b.contentsOf(kind, e.Name())
			if err != nil {
				return nil, err
			}
			if c.file != nil && !f.Removing() {
				f.Path = b.at(kind, e.Name(), c.file.Name())
			}
			filed = append(filed, f)
		}
	}
	return filed, nil
}

func dayOf(id string) (time.Time, bool) {
	if !idForm.MatchString(id) {
		return time.Time{}, false
	}
	day, err := time.ParseInLocation(time.DateOnly, id[:len(time.DateOnly)], invoice.Japan)
	return day, err == nil
}

// Removing reports that a process died while it removed this.
func (f Filed) Removing() bool { return strings.HasPrefix(f.ID, removing) }

// Holds reports whether the file has the bytes of a SHA-256.
func (f Filed) Holds(sha256 string) bool {
	digest, err := digestOf(f.Path)
	return err == nil && digest == sha256
}

// Results is where staff find the results of the file, if they are still there.
func (f Filed) Results() string { return filepath.Join(f.folder, outboxFolder, f.ID+resultsSuffix) }

// Errors is where they find its rows to correct, if there are any.
func (f Filed) Errors() string { return filepath.Join(f.folder, outboxFolder, f.ID+errorsSuffix) }

// Remove removes the file with its folder, and what staff have of it in the
// outbox. It follows no links.
func (f Filed) Remove() error {
	b := &Inbox{folder: f.folder}
	id := strings.TrimPrefix(f.ID, removing)
	for _, suffix := range []string{resultsSuffix, errorsSuffix, noteSuffix} {
		if err := removeIfThere(b.at(outboxFolder, id+suffix)); err != nil {
			return err
		}
	}
	leaving := b.at(f.kind, removing+id)
	if !f.Removing() {
		if err := os.Rename(b.at(f.kind, f.ID), leaving); err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Clean(leaving))
}
