package staff

import "time"

// Refusal is a file that was moved to failed.
type Refusal struct {
	Name              string // as it was dropped
	At                time.Time
	Japanese, English string // why, in a sentence each
}

// FailedNote writes the note beside a file in failed. It is in Japanese and in
// English, since nobody knows who will open it.
func FailedNote(r Refusal) (string, error) {
	return note("failed", r)
}

// Repetition is a file whose bytes were processed before.
type Repetition struct {
	Name   string // as it was dropped
	At     time.Time
	First  string // the name the bytes had when they were processed
	Before time.Time
}

// DuplicateNote writes the note beside a file in done of which nothing was
// done, in Japanese and in English.
func DuplicateNote(r Repetition) (string, error) {
	return note("duplicate", r)
}
