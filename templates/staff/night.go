package staff

import "time"

// Night is one pass over the inbox.
type Night struct {
	Sender
	Due          time.Time // when the schedule wanted it; zero: started by hand
	Began, Ended time.Time
	Once         bool   // nothing runs between this pass and the next, so nothing is tried again before it
	CaughtUp     bool   // a missed run, made up for when the program started
	Inbox        string // the folder into which staff drop files, as they know it
	Outbox       string // the folder in which they look for results and errors files
	Files        []File
	Waiting      []Waiting // files left in the inbox
	Trouble      string    // why the pass as a whole failed and what happens next, in a sentence or two; empty: it did not
	Retried      *Retries  // what was tried again since the last mail; nil: nothing

	// HolidayListEnds is the last year of the list of holidays when staff
	// should hear that it ends soon, else 0.
	HolidayListEnds int
}

// At is when the pass was due, or when somebody started it.
func (n Night) At() time.Time {
	if n.Due.IsZero() {
		return n.Began
	}
	return n.Due
}

// File is one file that was taken from the inbox.
type File struct {
	Name    string // as it was dropped
	ID      string // its name everywhere else: the outbox has ID.results.csv and ID.errors.csv
	Outcome Outcome
	Reason  string    // of Failed and Unfinished, in a sentence
	Before  time.Time // of Duplicate: when the same bytes were processed
	First   string    // of Duplicate: the name they had then
	Resumed bool      // went on with a run that was cut short; what that one issued is counted, too
	Control bool      // it came with a control total, which matched
	Rows    Sum       // in the file
	Results []ResultSum

	Rejected    []Reject
	NotIssued   []Numbered // the rows that failed
	Unknown     []Numbered // and what is being done about them
	Mail        Mails
	MailTrouble []Numbered // refused and held

	Attached    []string // names of the results and errors files that come with the mail
	NotAttached []string // of those that are too large for it
}

// Outcome is what became of a file.
type Outcome int

// The outcomes of files.
const (
	Finished   Outcome = iota // every row has a result
	Duplicate                 // the same bytes were processed before: nothing was done
	Failed                    // nothing of it was charged: unreadable, beyond a limit, or not what its control total says
	Unfinished                // the run stopped; it stays in working and goes on by itself
)

// Finished and the others are for the templates, which can't name a constant.

// Finished reports whether every row has a result.
func (f File) Finished() bool { return f.Outcome == Finished }

// Duplicate reports whether the same bytes were processed before.
func (f File) Duplicate() bool { return f.Outcome == Duplicate }

// Failed reports whether the file was refused as a whole.
func (f File) Failed() bool { return f.Outcome == Failed }

// Unfinished reports whether the file goes on later.
func (f File) Unfinished() bool { return f.Outcome == Unfinished }

// Result is what became of a row, as results files write it.
type Result string

// The results of rows.
const (
	Issued        Result = "issued"
	AlreadyIssued Result = "already_issued"
	Rejected      Result = "rejected"
	NotIssued     Result = "failed"
	Unknown       Result = "unknown"
)

// ResultSum is how much of a file has one result.
type ResultSum struct {
	Result Result
	Sum
}

// Reject is a row that must be corrected.
type Reject struct {
	Line    int // of the file, from 1
	Number  string
	Message string // what is wrong and what to do
}

// Mails counts a file's mails by what became of them.
type Mails struct{ Mailed, Deferred, Refused, Held, Off int }

// Any reports whether there is anything to say about mails.
func (m Mails) Any() bool { return m != Mails{} }

func (m Mails) plus(other Mails) Mails {
	return Mails{
		m.Mailed + other.Mailed, m.Deferred + other.Deferred, m.Refused + other.Refused, m.Held + other.Held, m.Off + other.Off,
	}
}

// Waiting is a file left in the inbox.
type Waiting struct {
	Name string
	Why  Why
}

// Why says what a file in the inbox waits for.
type Why string

// What files wait for.
const (
	StillChanging Why = "changing"     // to be written to its end
	OpenInExcel   Why = "excel"        // to be closed
	CannotOpen    Why = "denied"       // to be readable
	NoTotal       Why = "no total"     // for its control total, which is required
	TwoTotals     Why = "two totals"   // for all but one control total to go
	SharedTotal   Why = "shared total" // for a control total that is not another file's as well
	NoApproval    Why = "no approval"  // for somebody to approve it on the page
)

// Summary writes the mail about one pass.
func Summary(n Night) (Message, error) {
	return mail(n.Language, "summary", n)
}
