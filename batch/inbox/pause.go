package inbox

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"konbill/batch"
)

// Pause says that somebody wants no further invoice to be begun. It stands in the folder,
// so that it holds for a process that is started anew, and for other machines.
type Pause struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// pauseFile stands in the working folder.
const pauseFile = ".konbill.paused"

// Paused returns the pause of the inbox in a folder; ok is false where there is none. A
// pause that can't be understood is one nevertheless.
func Paused(folder string) (p Pause, ok bool, err error) {
	text, err := os.ReadFile(filepath.Join(folder, workingFolder, pauseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Pause{}, false, nil
	}
	if err != nil {
		return Pause{}, true, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return Pause{}, true, nil
	}
	return p, true, nil
}

// SetPaused pauses the inbox in a folder.
func SetPaused(folder string, p Pause) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return batch.WriteFile(filepath.Join(folder, workingFolder, pauseFile), text)
}

// Continue ends a pause, if there is one.
func Continue(folder string) error {
	return removeIfThere(filepath.Join(folder, workingFolder, pauseFile))
}
