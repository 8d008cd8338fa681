package inbox

import (
	"errors"
	"io/fs"
	"os"
)

// memoryFile stands in the working folder, where it moves nowhere by itself.
const memoryFile = ".konbill.memory"

// Remember stores what the process that comes after this one has to know, in
// place of what was remembered before.
func (b *Inbox) Remember(data []byte) error {
	return b.write(b.at(workingFolder, memoryFile), data, 0o600)
}

// Remembered returns what was stored last; nil when that is nothing.
func (b *Inbox) Remembered() ([]byte, error) {
	data, err := os.ReadFile(b.at(workingFolder, memoryFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// Forget removes what was stored.
func (b *Inbox) Forget() error { return removeIfThere(b.at(workingFolder, memoryFile)) }
