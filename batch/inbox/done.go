package inbox

import (
	"errors"
	"io/fs"
	"os"
)

// Finished gives the files in done whose results staff still have in the
// outbox, in the order of their IDs.
func (b *Inbox) Finished() ([]*File, error) {
	entries, err := os.ReadDir(b.at(doneFolder))
	if err != nil {
		return nil, err
	}
	var files []*File
	for _, e := range entries {
		if !e.IsDir() || !exists(b.at(outboxFolder, e.Name()+resultsSuffix)) {
			continue
		}
		c, err := b.contentsOf(doneFolder, e.Name())
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && c.file == nil: // somebody took it out by hand
			continue
		case err != nil:
			return nil, err
		}
		files = append(files, &File{ID: c.id, Name: c.file.Name(), Path: b.at(doneFolder, c.id, c.file.Name()), box: b})
	}
	return files, nil
}

// Update copies newer results of a finished file into the outbox. The errors
// file stays as it is: staff may have taken it away to correct it.
func (f *File) Update(results string) error {
	_, err := f.publish(results, resultsSuffix)
	return err
}
