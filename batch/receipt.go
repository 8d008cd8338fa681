package batch

import (
	"time"

	"konbill/invoice"
)

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

// Results lists them in the order reports show them.
var Results = []Result{Issued, AlreadyIssued, Rejected, Failed, UnknownResult}

// Sum is a number of rows and their yen.
type Sum struct {
	Rows int         `json:"rows"`
	Yen  invoice.Yen `json:"yen"`
}

// Add counts one row.
func (s *Sum) Add(y invoice.Yen) {
	s.Rows++
	s.Yen += y
}

// Totals are the sums of a job by result.
type Totals map[Result]Sum

// Add counts one row.
func (t Totals) Add(r Result, y invoice.Yen) {
	sum := t[r]
	sum.Add(y)
	t[r] = sum
}

// All is the sum over all results.
func (t Totals) All() Sum {
	var all Sum
	for _, sum := range t {
		all.Rows += sum.Rows
		all.Yen += sum.Yen
	}
	return all
}

// Receipt is what a run leaves as receipt.json: enough to prove later which
// bytes were run, under which settings, and that no row was lost. An amount
// that couldn't be read counts as 0 yen, on both sides.
type Receipt struct {
	File       string         `json:"file"`
	SHA256     string         `json:"sha256"` // of the file's bytes
	ConfigHash string         `json:"config_sha256"`
	Account    string         `json:"account"`
	Mode       string         `json:"mode"` // live or test
	StartedAt  time.Time      `json:"started_at"`
	FinishedAt time.Time      `json:"finished_at"`
	RowsIn     Sum            `json:"rows_in"`
	Results    Totals         `json:"results"` // adds up to RowsIn, in rows and in yen
	Mail       map[string]int `json:"mail"`    // issued and already issued rows by what became of their mail
	Stopped    StopReason     `json:"stopped,omitempty"`
}

// receipt adds up the outcomes. RowsIn is counted from the sheet, not from the
// results, so that the two can disagree if a row were lost.
func (j *job) receipt(r *Runner, stop *Stop) Receipt {
	receipt := Receipt{
		File: j.sheet.Name, SHA256: j.sheet.SHA256, ConfigHash: r.Settings.ConfigHash,
		Account: j.account.ID, Mode: j.account.Mode(),
		StartedAt: j.started.UTC(), FinishedAt: r.Now().UTC(),
		RowsIn: j.rowsIn, Results: Totals{}, Mail: map[string]int{},
	}
	for _, result := range Results {
		receipt.Results[result] = Sum{}
	}
	for _, o := range j.standings {
		receipt.Results.Add(o.result, o.amount)
		if mail := mailOf(o.state, r.Settings.MailOff); mail != "" {
			receipt.Mail[mail]++
		}
	}
	if stop != nil {
		receipt.Stopped = stop.Reason
	}
	return receipt
}
