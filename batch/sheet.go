package batch

import (
	"io"
	"path/filepath"
	"slices"
	"time"

	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// Sheet is one file, read and checked. Nothing has been asked of anyone yet.
type Sheet struct {
	Name   string // base name of the file
	SHA256 string // of its bytes, hex
	Rows   []Row  // in file order

	file     *csvfile.File
	content  []byte // of a file that another machine may have to finish; until it is opened
	inspect  inspection
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
	s, err := CheckSheet(filepath.Base(path), data, r.Settings.Reading, r.Now())
	if err == nil && r.Crew != nil {
		s.content = data
	}
	return s, err
}

// CheckSheet is ReadSheet for bytes at hand.
func CheckSheet(name string, data []byte, how Reading, now time.Time) (*Sheet, error) {
	file, err := csvfile.Open(name, data, how.File)
	if err != nil {
		return nil, err
	}
	s := &Sheet{
		Name: name, SHA256: digest(data), Rows: make([]Row, 0, file.Len()),
		file: file, inspect: newInspection(how, now, file.Column), language: how.Language,
	}
	numbers := invoice.NewNumbers()
	atLine := make(map[int]int, file.Len())
	for rows := range inOrder(held(file.Chunks()), s.inspect.chunk) {
		for _, row := range rows {
			if repeated, ok := numbers.Meet(row.Line, row.Invoice.Number, row.fields); ok {
				row.repeats(s.place(repeated))
			}
			atLine[row.Line] = len(s.Rows)
			s.Rows = append(s.Rows, row.Row)
		}
	}
	for _, late := range numbers.Late() {
		i := atLine[late.Line]
		s.Rows[i].Findings = append(s.Rows[i].Findings, s.place(late))
	}
	return s, nil
}

func (s *Sheet) place(f invoice.Finding) invoice.Finding { return s.inspect.place(f) }

// again checks the row at a place once more. What only other rows tell of it is
// left out.
func (s *Sheet) again(place int) Row { return s.inspect.chunk(s.file.Only(place))[0].Row }

// Corrected is the file with values put right; see [csvfile.File.Corrected].
func (s *Sheet) Corrected(changes []csvfile.Change, by string) ([]byte, error) {
	return s.file.Corrected(changes, by)
}

// WriteErrors writes the rows that are rejected, for correction, as the file has them; see
// [csvfile.File.WriteErrors].
func (s *Sheet) WriteErrors(w io.Writer) error {
	rejected := map[int]bool{}
	for _, row := range s.Rows {
		if row.Rejected() {
			rejected[row.Line] = true
		}
	}
	return s.file.WriteErrors(w, func(line int) bool { return rejected[line] })
}

// Accepted counts the rows that may be issued.
func (s *Sheet) Accepted() Sum {
	var sum Sum
	for _, row := range s.Rows {
		if !row.Rejected() {
			sum.Add(row.Invoice.Amount)
		}
	}
	return sum
}
