package inbox

import (
	"os"
	"strings"
)

// File is a file that was claimed. What a run leaves beside it moves along.
type File struct {
	ID   string // 2026-12-01-STEM: the day in Japan on which it was claimed, and its name
	Name string // as it was dropped, unless that was over-long
	Path string // F/working/ID/NAME

	box   *Inbox
	total string // path of its control total; "" when there is none
}

// Done moves the file's folder to done. dir, where it is now, may come with an
// error: then it may be back in working after a power cut.
func (f *File) Done() (dir string, err error) { return f.box.finish(f.ID, doneFolder) }

// Note leaves a note for staff, beside the file and in the outbox.
func (f *File) Note(note string) error {
	text := forNotepad(note)
	if err := f.box.write(f.Path+noteSuffix, text, 0o600); err != nil {
		return err
	}
	_, err := f.Outbox(noteSuffix, text)
	return err
}

// Fail says why the file can't be processed, in a note beside it and in the
// outbox, and moves its folder to failed. dir is as in Done.
func (f *File) Fail(note string) (dir string, err error) {
	if err := f.Note(note); err != nil {
		return "", err
	}
	return f.box.finish(f.ID, failedFolder)
}

// These follow a file's ID.
const (
	resultsSuffix = ".results.csv"
	errorsSuffix  = ".errors.csv"
)

// noteSuffix follows the whole name of a file: a file may be dropped that ends
// in .txt itself.
const noteSuffix = ".txt"

// forNotepad is a text as Windows shows it right on any machine.
func forNotepad(text string) []byte {
	const byteOrderMark = "\uFEFF"
	lines := strings.ReplaceAll(strings.TrimRight(text, "\r\n"), "\r\n", "\n")
	return []byte(byteOrderMark + strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n")
}

// Outbox leaves data for staff as F/outbox/ID and a suffix, such as .txt. A
// second run writes it again.
func (f *File) Outbox(suffix string, data []byte) (path string, err error) {
	mode, err := f.box.outboxMode()
	if err != nil {
		return "", err
	}
	path = f.outboxPath(suffix)
	return path, f.box.write(path, data, mode)
}

func (f *File) outboxPath(suffix string) string { return f.box.at(outboxFolder, f.ID+suffix) }

// Published says where staff find the copies of what a run left.
type Published struct {
	Results string // "": the run left none
	Errors  string
}

// Publish copies the results and errors files of a run into the outbox, as
// ID.results.csv and ID.errors.csv. Either path may be empty: the run left none,
// and a copy of an earlier run of this file goes.
func (f *File) Publish(results, errors string) (p Published, err error) {
	if p.Results, err = f.publish(results, resultsSuffix); err != nil {
		return p, err
	}
	p.Errors, err = f.publish(errors, errorsSuffix)
	return p, err
}

func (f *File) publish(path, suffix string) (copied string, err error) {
	if path == "" {
		return "", removeIfThere(f.outboxPath(suffix))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return f.Outbox(suffix, data)
}
