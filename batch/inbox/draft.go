package inbox

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"konbill/batch"
)

// Drafts are files that people have brought and nobody has approved yet. They stand in a
// folder of the inbox in which no file is looked for, so nothing is charged for them.
// Several processes may use the same drafts, but only one may change one draft at a time.
type Drafts struct{ inbox string }

// Draft is one of them.
type Draft struct {
	ID   string
	Name string // as it will be in the inbox
	Path string
	By   string // who brought it; empty: it was dropped into the inbox

	BroughtAt   time.Time
	CorrectedBy []string // who has put something right in it
}

const (
	draftsFolder = "drafts"
	draftNotes   = "draft.json" // beside the file, in a folder of their own
)

// draftNote is what the notes say.
type draftNote struct {
	Name        string    `json:"name"`
	By          string    `json:"by"`
	At          time.Time `json:"at"`
	CorrectedBy []string  `json:"corrected_by,omitempty"`
}

// ErrName says that a file has a name under which the inbox wouldn't take it.
var ErrName = errors.New("the inbox takes no file of that name")

// OpenDrafts makes the folder for drafts, if need be, in that of an inbox.
func OpenDrafts(folder string) (*Drafts, error) {
	for _, path := range []string{folder, filepath.Join(folder, draftsFolder), filepath.Join(folder, approvedFolder)} {
		if err := makeFolder(path); err != nil {
			return nil, fmt.Errorf("make room for drafts: %w", err)
		}
	}
	return &Drafts{folder}, nil
}

func (d *Drafts) at(names ...string) string {
	return filepath.Join(append([]string{d.inbox, draftsFolder}, names...)...)
}

// Bring keeps a file until somebody approves it. The error is ErrName, content's, or the
// operating system's; nothing is left then.
func (d *Drafts) Bring(name, by string, at time.Time, content io.Reader) (draft Draft, err error) {
	if name, err = plainName(name); err != nil {
		return Draft{}, err
	}
	id := strings.ToLower(rand.Text())
	draft = Draft{ID: id, Name: name, Path: d.at(id, name), By: by, BroughtAt: at.UTC()}
	if err := os.Mkdir(d.at(id), 0o700); err != nil {
		return Draft{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(d.at(id)))
		}
	}()
	file, err := os.OpenFile(draft.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Draft{}, err
	}
	_, err = io.Copy(file, content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return Draft{}, err
	}
	// Without its notes a draft isn't there, so they come last.
	err = errors.Join(d.note(draft), syncFolders(d.at()))
	return draft, err
}

// note writes a draft's notes.
func (d *Drafts) note(draft Draft) error {
	notes, err := json.Marshal(draftNote{draft.Name, draft.By, draft.BroughtAt, draft.CorrectedBy})
	if err != nil {
		return err
	}
	return batch.WriteFile(d.at(draft.ID, draftNotes), notes)
}

// Keep makes a draft of a file that was dropped into the inbox, by its name there.
func (d *Drafts) Keep(name string, at time.Time) (draft Draft, err error) {
	id := strings.ToLower(rand.Text())
	draft = Draft{ID: id, Name: shortened(name), BroughtAt: at.UTC()}
	if fold(name) == draftNotes {
		draft.Name = "_" + draft.Name // where the notes stand
	}
	draft.Path = d.at(id, draft.Name)
	if err := os.Mkdir(d.at(id), 0o700); err != nil {
		return Draft{}, err
	}
	// Without the file it isn't there, and the file is always in one of the two places.
	if err := errors.Join(d.note(draft), syncFolders(d.at())); err != nil {
		return Draft{}, err
	}
	if err := os.Rename(filepath.Join(d.inbox, name), draft.Path); err != nil {
		if !exists(draft.Path) {
			err = errors.Join(err, os.RemoveAll(d.at(id)))
		}
		return Draft{}, err
	}
	return draft, syncFolders(d.at(id), d.inbox)
}

// Correct replaces what a draft says by what somebody has made of it.
func (d *Drafts) Correct(draft Draft, by string, content []byte) error {
	if !slices.Contains(draft.CorrectedBy, by) {
		draft.CorrectedBy = append(slices.Clone(draft.CorrectedBy), by)
		if err := d.note(draft); err != nil { // first: nobody is to approve what they changed
			return err
		}
	}
	return batch.WriteFile(draft.Path, content)
}

// plainName is the name that a browser gave, as a file's.
func plainName(given string) (string, error) {
	name := given[strings.LastIndexAny(given, `/\`)+1:]
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"|?*`, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "")))
	if name == "" || name == draftNotes || leftAlone(name) || isTotal(name) {
		return "", ErrName
	}
	return shortened(name), nil
}

var draftID = regexp.MustCompile(`^[a-z2-7]+$`)

// Draft returns one draft, or an error that is fs.ErrNotExist.
func (d *Drafts) Draft(id string) (Draft, error) {
	if !draftID.MatchString(id) {
		return Draft{}, fs.ErrNotExist
	}
	text, err := os.ReadFile(d.at(id, draftNotes))
	if err != nil {
		return Draft{}, err
	}
	var note draftNote
	if err := json.Unmarshal(text, &note); err != nil {
		return Draft{}, fmt.Errorf("read the notes of a draft: %w", err)
	}
	draft := Draft{ID: id, Name: note.Name, Path: d.at(id, filepath.Base(note.Name)), By: note.By, BroughtAt: note.At, CorrectedBy: note.CorrectedBy}
	_, err = os.Stat(draft.Path)
	return draft, err
}

// All lists the drafts, the latest first.
func (d *Drafts) All() ([]Draft, error) {
	folders, err := os.ReadDir(d.at())
	if err != nil {
		return nil, err
	}
	var all []Draft
	for _, folder := range folders {
		draft, err := d.Draft(folder.Name())
		switch {
		case errors.Is(err, fs.ErrNotExist): // handed in meanwhile, or not a draft
		case err != nil:
			return nil, err
		default:
			all = append(all, draft)
		}
	}
	slices.SortFunc(all, func(a, b Draft) int { return b.BroughtAt.Compare(a.BroughtAt) })
	return all, nil
}

// HandIn moves a draft that was approved into the inbox, under its name or one like it that
// is free, and returns which. A process that dies meanwhile may leave both; a file that
// comes twice is charged once.
func (d *Drafts) HandIn(draft Draft, a Approval) (name string, err error) {
	if err := d.remember(a); err != nil {
		return "", err
	}
	name, err = d.moveIn(draft)
	if err != nil {
		return "", err
	}
	if err := syncFolders(d.inbox); err != nil {
		return "", err
	}
	return name, d.Discard(draft)
}

// mostAlike bounds the search for a free name.
const mostAlike = 1000

func (d *Drafts) moveIn(draft Draft) (name string, err error) {
	for n := 1; n <= mostAlike; n++ {
		if name = draft.Name; n > 1 {
			name = fmt.Sprintf("%s (%d)%s", stem(draft.Name), n, filepath.Ext(draft.Name))
		}
		to := filepath.Join(d.inbox, name)
		err := os.Link(draft.Path, to) // unlike a rename it replaces nothing
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = putBack(draft.Path, to) // network shares may have no links
		}
		if !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
	return "", fs.ErrExist
}

// Discard removes a draft.
func (d *Drafts) Discard(draft Draft) error {
	// Without its notes it isn't there any more, whatever happens then.
	if err := os.Remove(d.at(draft.ID, draftNotes)); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(d.at(draft.ID)), syncFolders(d.at()))
}

// Forget discards the drafts that people have brought before a time: nobody approved them,
// and they hold customers' data. What was dropped into the inbox stays, since nobody was
// told that it wouldn't. What a process left goes, too, that died before a file had come
// whole, and approvals of files that never came.
func (d *Drafts) Forget(before time.Time) error {
	all, err := d.All()
	if err != nil {
		return err
	}
	for _, draft := range all {
		if draft.By != "" && draft.BroughtAt.Before(before) {
			err = errors.Join(err, d.Discard(draft))
		}
	}
	return errors.Join(err, d.removeHalves(before), d.forgetApprovals(before))
}

// removeHalves removes what is no draft and hasn't changed since a time.
func (d *Drafts) removeHalves(before time.Time) error {
	folders, err := os.ReadDir(d.at())
	if err != nil {
		return err
	}
	for _, folder := range folders {
		info, statErr := folder.Info()
		if _, draftErr := d.Draft(folder.Name()); !errors.Is(draftErr, fs.ErrNotExist) || statErr != nil || !info.ModTime().Before(before) {
			continue
		}
		err = errors.Join(err, os.RemoveAll(d.at(folder.Name())))
	}
	return err
}
