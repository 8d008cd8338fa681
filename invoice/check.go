package invoice

import "time"

// Overflow says what happens to a name longer than the API takes.
type Overflow string

// The ways to treat a name of more than 10 characters.
const (
	CutName    Overflow = "cut"
	RejectName Overflow = "reject"
)

// Rules are the choices a merchant makes about checking.
type Rules struct {
	DueDays      int      // days from today for rows without a due date
	MaxDueDays   int      // the furthest due date accepted, in days from today
	NameOverflow Overflow // what to do with a name longer than 10 characters
	Language     Language // for rows that name none
}

// Checked is one row after checking.
type Checked struct {
	Line     int
	Invoice  Invoice // complete only when the row is not rejected
	Findings []Finding
}

// Rejected reports whether a finding forbids issuing the row.
func (c Checked) Rejected() bool {
	for _, f := range c.Findings {
		if f.Severity == Error {
			return true
		}
	}
	return false
}

// Checker checks the rows of one file, in order. It remembers the numbers it
// has seen, since a number must be unique in its file.
type Checker struct {
	rules Rules
	now   time.Time
}
