package batch

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"konbill/invoice"
	"konbill/invoice/csvfile"
	"konbill/templates/slip"
)

// Sheet is one file, read and checked. Nothing has been asked of anyone yet.
type Sheet struct {
	Name   string // base name of the file
	SHA256 string // of its bytes, hex
	Rows   []Row  // in file order

	file     *csvfile.File
	language invoice.Language
}

// Row is one row of a sheet after checking.
type Row struct {
	Line     int             // 1-based line of the file on which it begins
	Invoice  invoice.Invoice // what could be read; complete when not rejected
	Findings []invoice.Finding
}

// Rejected reports whether a finding forbids issuing the row.
func (r Row) Rejected() bool { return r.worst() == invoice.Error }

// Warned reports whether the row is issued and a person should look at it.
func (r Row) Warned() bool { return r.worst() == invoice.Warning }

func (r Row) worst() invoice.Severity {
	for _, s := range []invoice.Severity{invoice.Error, invoice.Warning, invoice.Notice} {
		if slices.ContainsFunc(r.Findings, func(f invoice.Finding) bool { return f.Severity == s }) {
			return s
		}
	}
	return ""
}

// ReadSheet reads a file whole and checks every row. The error is a
// *csvfile.FileError when the file as a whole can't be used, or the operating
// system's.
func ReadSheet(path string, how Reading, now time.Time) (*Sheet, error) {
	data, err := csvfile.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return CheckSheet(filepath.Base(path), data, how, now)
}

// readSheet is ReadSheet from the runner's disk.
func (r *Runner) readSheet(path string) (*Sheet, error) {
	data, err := r.disk().Read(path)
	if err != nil {
		return nil, err
	}
	return CheckSheet(filepath.Base(path), data, r.Settings.Reading, r.Now())
}

// CheckSheet is ReadSheet for bytes at hand.
func CheckSheet(name string, data []byte, how Reading, now time.Time) (*Sheet, error) {
	file, err := csvfile.Open(name, data, how.File)
	if err != nil {
		return nil, err
	}
	s := &Sheet{Name: name, SHA256: digest(data), file: file, language: how.Language}
	checker := invoice.NewChecker(how.Rules, now)
	atLine := make(map[int]int, file.Len())
	for row := range file.Rows() {
		atLine[row.Line] = len(s.Rows)
		s.Rows = append(s.Rows, s.check(checker, row))
	}
	for _, late := range checker.Finish() {
		i := atLine[late.Line]
		s.Rows[i].Findings = append(s.Rows[i].Findings, s.place(late))
	}
	return s, nil
}

func (s *Sheet) check(checker *invoice.Checker, row csvfile.Row) Row {
	if row.Problem != nil {
		return Row{Line: row.Line, Findings: []invoice.Finding{*row.Problem}}
	}
	checked := checker.Check(row.Line, row.Fields)
	findings := append(checked.Findings, missingGlyphs(row.Line, checked.Invoice)...)
	for i := range findings {
		findings[i] = s.place(findings[i])
	}
	return Row{Line: row.Line, Invoice: checked.Invoice, Findings: findings}
}

// place adds where in the file a finding's field stands.
func (s *Sheet) place(f invoice.Finding) invoice.Finding {
	if f.Field == "" {
		return f
	}
	return f.At(s.file.Column(f.Field))
}

// missingGlyphs finds the characters that would print as 〓 on the slip.
func missingGlyphs(line int, inv invoice.Invoice) []invoice.Finding {
	var found []invoice.Finding
	for _, at := range []struct {
		field invoice.Field
		text  string
	}{{invoice.FieldNumber, inv.Number}, {invoice.FieldName, inv.Name}, {invoice.FieldDescription, inv.Description}} {
		missing := slip.Missing(at.text)
		if len(missing) == 0 {
			continue
		}
		found = append(found, invoice.Finding{
			Line: line, Field: at.field, Code: invoice.CodeGlyphMissing, Severity: invoice.Warning,
			Before: at.text, Ref: withCodePoints(missing),
		})
	}
	return found
}

// withCodePoints lists characters with what tells apart those that look alike, or
// don't show at all.
func withCodePoints(characters []rune) string {
	var list []string
	for _, r := range characters {
		list = append(list, fmt.Sprintf("%c (%U)", r, r))
	}
	return strings.Join(list, " ")
}

// Accepted counts the rows that may be issued.
func (s *Sheet) Accepted() Sum {
	var sum Sum
	for _, row := range s.Rows {
		if !row.Rejected() {
			sum.add(row.Invoice.Amount)
		}
	}
	return sum
}
