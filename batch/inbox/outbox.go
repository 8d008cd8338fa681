package inbox

import (
	"errors"
	"io/fs"
	"os"

	"konbill/batch"
)

// groupRead is the permission that lets a folder's group read.
const groupRead fs.FileMode = 0o040

// outboxMode is the mode of copies for staff: whether their group may read them
// is the administrator's to say, by the mode of the outbox.
func (b *Inbox) outboxMode() (fs.FileMode, error) {
	info, err := os.Stat(b.at(outboxFolder))
	if err != nil {
		return 0, err
	}
	return 0o600 | info.Mode()&groupRead, nil
}

// write stores a file whole. It is its owner's alone until then.
func (b *Inbox) write(path string, data []byte, mode fs.FileMode) error {
	if err := batch.WriteFile(path, data); err != nil {
		return err
	}
	if mode == 0o600 {
		return nil
	}
	return os.Chmod(path, mode)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
