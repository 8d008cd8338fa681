package inbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"konbill/batch"
)

// Approval says that a person wants just these bytes to be issued. It stands in a folder of
// the inbox until a file with them was taken, so that a process that is started anew, or
// another machine, knows of it, too.
type Approval struct {
	SHA256 string    `json:"sha256"` // of the file, hex
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

const (
	approvedFolder   = "approved"
	approvalNameTail = ".json"
)

func (d *Drafts) approvalAt(sha256 string) string {
	return filepath.Join(d.inbox, approvedFolder, sha256+approvalNameTail)
}

// remember stores an approval.
func (d *Drafts) remember(a Approval) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return batch.WriteFile(d.approvalAt(a.SHA256), text)
}

// Approved returns the approval of a file in the inbox, by its name there; ok is false
// where there is none, or no such file.
func (d *Drafts) Approved(name string) (a Approval, ok bool, err error) {
	digest, err := d.digestIfAny(filepath.Join(d.inbox, name))
	if err != nil || digest == "" {
		return Approval{}, false, err
	}
	text, err := os.ReadFile(d.approvalAt(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return Approval{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	return a, err == nil, err
}

// digestIfAny is the digest of a file, or empty where nothing is approved: the usual case
// needs no look at the file.
func (d *Drafts) digestIfAny(path string) (string, error) {
	some, err := os.ReadDir(filepath.Join(d.inbox, approvedFolder))
	if err != nil || len(some) == 0 {
		return "", err
	}
	digest, err := digestOf(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return digest, err
}

func digestOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Taken forgets the approval of a file that was claimed, if it had one.
func (d *Drafts) Taken(path string) error {
	digest, err := d.digestIfAny(path)
	if err != nil || digest == "" {
		return err
	}
	return removeIfThere(d.approvalAt(digest))
}

func (d *Drafts) forgetApprovals(before time.Time) error {
	all, err := os.ReadDir(filepath.Join(d.inbox, approvedFolder))
	for _, one := range all {
		if info, statErr := one.Info(); statErr == nil && info.ModTime().Before(before) {
			err = errors.Join(err, removeIfThere(filepath.Join(d.inbox, approvedFolder, one.Name())))
		}
	}
	return err
}
