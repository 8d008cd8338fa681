package batch

import "konbill/invoice"

// Result is what became of one row of a file.
type Result string

// The results a row can have. Rows in = the sum of all five.
const (
	Issued        Result = "issued"
	AlreadyIssued Result = "already_issued"
	Rejected      Result = "rejected" // by a check, or for a conflict: nothing was asked of the API
	Failed        Result = "failed"   // declined by the API, or not charged because the run stopped
	UnknownResult Result = "unknown"  // no trustworthy answer: do not bill again before it is settled
)

// Sum is a number of rows and their yen.
type Sum struct {
	Rows int         `json:"rows"`
	Yen  invoice.Yen `json:"yen"`
}

// Totals are the sums of a job by result.
type Totals map[Result]Sum
