package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"konbill/invoice/csvfile"
)

// Disk is where files are read from and results are left. What Write has
// stored is durable and whole.
type Disk interface {
	Read(path string) ([]byte, error)
	SHA256(path string) (string, error) // of a file's bytes, in hex
	MakeFolder(path string) error       // and takes away what a killed process left half written there
	Write(path string, data []byte) error
	WriteFrom(path string, write func(io.Writer) error) error // what write writes
	Remove(path string) error                                 // none being there is no error
}

// disk is the machine's own unless the runner was given another.
func (r *Runner) disk() Disk {
	if r.Disk != nil {
		return r.Disk
	}
	return machine{}
}

// machine is the disk of this machine. What it makes is its owner's alone: it
// holds personal data.
type machine struct{}

func (machine) Read(path string) ([]byte, error) { return csvfile.ReadFile(path) }

// readBuffers are for reading files in pieces.
var readBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

func (machine) SHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	buffer := readBuffers.Get().(*[64 << 10]byte)
	defer readBuffers.Put(buffer)
	hash := sha256.New()
	// Without its WriterTo the file is read through the buffer.
	if _, err := io.CopyBuffer(hash, struct{ io.Reader }{f}, buffer[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func (machine) Write(path string, data []byte) error { return WriteFile(path, data) }

func (machine) WriteFrom(path string, write func(io.Writer) error) error {
	return writeFrom(path, write)
}

func (machine) MakeFolder(path string) error { return MakeFolder(path) }

// MakeFolder makes a folder that is its owner's alone, unless it is there, and
// takes away what a killed process left half written there.
func MakeFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		if left, _ := filepath.Match(unfinished, e.Name()); left {
			err = errors.Join(err, machine{}.Remove(filepath.Join(path, e.Name())))
		}
	}
	return err
}

func (machine) Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
