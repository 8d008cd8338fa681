package mailer

import (
	"context"
	"path/filepath"
)

// Folder stores messages as files for a person to look at, in place of sending
// them.
type Folder struct {
	dir   string
	write func(path string, data []byte) error
}

// NewFolder stores messages in an existing folder through write, which must
// store a file whole or not at all.
func NewFolder(dir string, write func(path string, data []byte) error) *Folder {
	return &Folder{dir: dir, write: write}
}

// Deliver stores a message as its Message-ID with .eml behind it. Failing is of
// kind NotSent.
func (f *Folder) Deliver(_ context.Context, e Envelope) (reply string, err error) {
	if !messageID.MatchString(e.MessageID) {
		return "", &Error{Kind: NotSent, Stage: StageStore, detail: "the Message-ID is malformed"}
	}
	name := e.MessageID + ".eml"
	if err := f.write(filepath.Join(f.dir, name), e.Data); err != nil {
		return "", &Error{Kind: NotSent, Stage: StageStore, detail: oneLine(err.Error(), e.To), cause: err}
	}
	return "stored as " + name, nil
}
