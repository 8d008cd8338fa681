package batch

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
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
	return SyncFolder(dir)
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
