package inbox

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// identityFile stands in the working folder and says which inbox this is, wherever
// on a machine the folder is seen.
const identityFile = ".konbill.inbox"

// Identity is what all machines that see a folder call its inbox; the first makes it
// up. It makes the folder, too. The error is the operating system's, or says what to
// mend.
func Identity(folder string) (string, error) {
	identity, err := identityOf(folder)
	if err != nil {
		return "", fmt.Errorf("tell which inbox %s is: %w", folder, err)
	}
	return identity, nil
}

func identityOf(folder string) (string, error) {
	working := filepath.Join(folder, workingFolder)
	for _, path := range []string{folder, working} {
		if err := makeFolder(path); err != nil {
			return "", err
		}
	}
	name := filepath.Join(working, identityFile)
	data, err := os.ReadFile(name)
	switch identity := strings.TrimSpace(string(data)); {
	case errors.Is(err, fs.ErrNotExist):
		return makeUp(name)
	case err != nil:
		return "", err
	case identity == "": // the one who makes it up is at it, or died at it
		return "", fmt.Errorf("another machine is just naming it; if this stays so, remove the empty file %s", name)
	default:
		return identity, nil
	}
}

// makeUp fails when another machine has just done so: one of them is to decide.
func makeUp(name string) (string, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	identity := rand.Text()
	_, err = f.WriteString(identity + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", err
	}
	return identity, nil
}
