package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// review is what a file would do, if it were run now.
type review struct {
	File     string // its SHA-256, hex
	Fault    string // why it can't be run at all; empty: it can
	Rows     int
	ToIssue  batch.Sum // rows that are sound and not issued yet
	Warned   batch.Sum // of these, which a person should look at
	Rejected batch.Sum
	Issued   batch.Sum // rows whose number is issued already
	First    int       // the first line that can be issued; 0: there is none
	Due      time.Time // the latest; zero: nothing is to be issued
	Minutes  int       // that the run takes at the configured pace, at least
	Causes   []cause
	// Shown stands for all of this, the file's bytes and the configuration: what was
	// approved is what will be done.
	Shown string
}

// cause is a kind of finding.
type cause struct {
	Code     invoice.Code
	Severity invoice.Severity
	Example  string
	Count    int
}

// lookedUpTogether is how many numbers the ledger is asked for at once.
const lookedUpTogether = 500

// review checks a file as konbill check does, compares it with the ledger, and lists the
// findings of a cause, or all, in file order, with how many came before.
func (s *Server) review(ctx context.Context, d inbox.Draft, lang invoice.Language, list func(n int, f invoice.Finding), of string) (review, error) {
	file, err := s.Check(d.Path, lang)
	if wrong := new(csvfile.FileError); errors.As(err, &wrong) {
		return review{Fault: wrong.Message(lang)}, nil
	}
	if err != nil {
		return review{}, err
	}
	defer file.Close()
	r := review{File: file.SHA256}
	if wrong := new(csvfile.FileError); errors.As(file.Refusal, &wrong) {
		r.Fault = wrong.Message(lang)
	}
	causes, listed := map[invoice.Code]*cause{}, 0
	var sound []batch.Row
	for row, err := range file.Rows() {
		if err != nil {
			return review{}, err
		}
		r.Rows++
		for _, f := range row.Findings {
			one := causes[f.Code]
			if one == nil {
				one = &cause{Code: f.Code, Severity: f.Severity, Example: f.Message(lang)}
				causes[f.Code] = one
			}
			one.Count++
			if of == "" || of == string(f.Code) {
				list(listed, f)
				listed++
			}
		}
		if row.Rejected() {
			r.Rejected.Add(row.Invoice.Amount)
			continue
		}
		if r.First == 0 {
			r.First = row.Line
		}
		if sound = append(sound, row); len(sound) == lookedUpTogether {
			if err := s.compare(ctx, &r, sound); err != nil {
				return review{}, err
			}
			sound = sound[:0]
		}
	}
	if err := s.compare(ctx, &r, sound); err != nil {
		return review{}, err
	}
	for _, one := range causes {
		r.Causes = append(r.Causes, *one)
	}
	slices.SortFunc(r.Causes, func(a, b cause) int {
		return cmp.Or(severityRank(a.Severity)-severityRank(b.Severity), b.Count-a.Count, strings.Compare(string(a.Code), string(b.Code)))
	})
	if sound := r.ToIssue.Yen + r.Issued.Yen; s.MaxTotal > 0 && sound > s.MaxTotal && r.Fault == "" {
		r.Fault = fmt.Sprintf(words{lang}.say("合計 %s円が、上限 limits.max_total の %s円を超えているため、このままでは発行されません。ファイルを分けてください。",
			"The file asks for ¥%s in all, limits.max_total allows ¥%s, so it would not be run. Split it."), sound, s.MaxTotal)
	}
	if s.Pace > 0 && r.ToIssue.Rows > 0 {
		r.Minutes = int(math.Ceil(float64(r.ToIssue.Rows) / s.Pace / 60))
	}
	r.Shown = s.shown(r)
	return r, nil
}

func severityRank(s invoice.Severity) int {
	return slices.Index([]invoice.Severity{invoice.Error, invoice.Warning, invoice.Notice}, s)
}

// compare takes in sound rows, by what the ledger has under their numbers.
func (s *Server) compare(ctx context.Context, r *review, rows []batch.Row) error {
	if len(rows) == 0 {
		return nil
	}
	numbers := make([]string, len(rows))
	for i, row := range rows {
		numbers[i] = row.Invoice.Number
	}
	issued := map[string]bool{}
	err := s.Ledger.Entries(ctx, batch.Query{Numbers: numbers}, func(e batch.Entry) error {
		if e.Account.Live == s.Live && e.State != batch.Accepted && e.State != batch.Declined {
			issued[e.Invoice.Number] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, row := range rows {
		if issued[row.Invoice.Number] {
			r.Issued.Add(row.Invoice.Amount)
			continue
		}
		r.ToIssue.Add(row.Invoice.Amount)
		if row.Warned() {
			r.Warned.Add(row.Invoice.Amount)
		}
		if row.Invoice.Due.After(r.Due) {
			r.Due = row.Invoice.Due
		}
	}
	return nil
}

// shown is a digest of what a person sees and approves.
func (s *Server) shown(r review) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%v\n%d %v %v %v %v\n%s", r.File, s.ConfigHash, s.Live, r.Rows, r.ToIssue, r.Warned, r.Rejected, r.Issued, r.Due.UTC()))
	return hex.EncodeToString(sum[:])
}
