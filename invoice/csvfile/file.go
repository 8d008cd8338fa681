// Package csvfile turns the bytes of an invoice file into rows, and rows into
// the results and errors files.
//
// Files come as people have them: the encoding (UTF-8, CP932, UTF-16), the
// delimiter (comma, tab, semicolon) and the line ends are found out, never
// asked for. What makes a file unreadable as a whole is found by [Open], with
// its place and a remedy, before any row is used; what is wrong with one row
// is a finding of that row, and the others go on. Nothing is lost: every record
// that isn't blank is a row, with its cells as they stood.
package csvfile

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"konbill/invoice"
)

// Limits of a file.
const (
	MaxBytes = 32 << 20 // of the file
	MaxField = 64 << 10 // of one value; a longer one rejects its row
)

// Options are what the configuration adds to reading.
type Options struct {
	Aliases map[invoice.Field][]string // headers beside the usual ones
	MaxRows int                        // 0 is no limit
}

// File is a file that can be read: decoded, with a header that makes sense.
type File struct {
	name      string
	text      string
	encoding  Encoding
	delimiter byte
	lineEnd   string
	blank     string // what a record that isn't a row may hold
	top       record // the header's record
	header    header
	records   []record // those that are rows
}

// Row is one row of a file.
type Row struct {
	Line    int              // physical line on which it begins, from 1
	Fields  invoice.Fields   // empty when there is a problem
	Problem *invoice.Finding // the row is malformed: rejected as it stands
}

// ReadFile reads a file for [Open], but no more than one byte beyond MaxBytes:
// Open then refuses it. Errors are the operating system's.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	if info, err := f.Stat(); err == nil {
		data.Grow(int(min(info.Size(), MaxBytes)) + bytes.MinRead)
	}
	_, err = data.ReadFrom(io.LimitReader(f, MaxBytes+1))
	return data.Bytes(), err
}

// Open reads a file as far as to know that all its rows can be given. The
// error is a *FileError. name is for messages.
func Open(name string, data []byte, o Options) (*File, error) {
	f := &File{name: name}
	if fault := f.open(data, o); fault != nil {
		fault.File = name
		return nil, fault
	}
	return f, nil
}

func (f *File) open(data []byte, o Options) (fault *FileError) {
	if len(data) > MaxBytes {
		return &FileError{Code: CodeTooLarge, Max: MaxBytes}
	}
	if f.text, f.encoding, fault = decode(data); fault != nil {
		return fault
	}
	known := fieldsByHeader(o.Aliases)
	rest, _, fault := f.readTop(known)
	if fault != nil {
		return fault
	}
	emptyFrom, fault := f.readRecords(rest)
	if fault != nil {
		return fault
	}
	if fault := f.header.emptyColumns(emptyFrom); fault != nil {
		fault.Line = f.top.line
		return fault
	}
	if o.MaxRows > 0 && len(f.records) > o.MaxRows {
		return &FileError{Code: CodeTooManyRows, Have: len(f.records), Max: o.MaxRows}
	}
	return nil
}

// readTop finds the header and with it the delimiter: the one that makes the
// most of the header. It returns where the rows begin, and how far of the text
// it had to look: whatever stands behind makes no difference.
func (f *File) readTop(known map[string]invoice.Field) (rows splitter, looked int, fault *FileError) {
	s := splitter{text: f.text, line: 1}
	looked = len("sep=,\r\n")
	delimiters := []byte{',', '\t', ';'}
	if told, ok := toldDelimiter(f.text); ok {
		delimiters = []byte{told}
		s.at = len("sep=,")
		s.skipLineEnd()
	}
	s.skipBlankLines()
	if s.at >= len(f.text) {
		return s, len(f.text) + 1, &FileError{Code: CodeEmpty}
	}
	var names []string
	unclosed := 0
	for _, d := range delimiters {
		attempt := s
		attempt.delimiter = d
		top, ok, opened := attempt.next()
		looked = max(looked, attempt.looked)
		if !ok {
			unclosed = opened
			continue
		}
		found := top.cells(f.text, d)
		if names == nil || score(found, known) > score(names, known) {
			rows, names, f.top, f.delimiter = attempt, found, top, d
		}
	}
	switch {
	case names == nil:
		return s, looked, &FileError{Code: CodeUnclosedQuote, Line: unclosed}
	case f.top.stray:
		return s, looked, &FileError{Code: CodeHeaderQuote, Line: f.top.line}
	}
	f.blank = " \t　\"" + string(f.delimiter)
	if f.lineEnd = lineEndAt(f.text, f.top.end); f.lineEnd == "" {
		f.lineEnd = "\n"
	}
	if f.header, fault = readHeader(names, known); fault != nil {
		fault.Line = f.top.line
	}
	return rows, looked, fault
}

// toldDelimiter understands the line "sep=;" that Excel writes and reads.
func toldDelimiter(text string) (delimiter byte, ok bool) {
	rest, ok := strings.CutPrefix(text, "sep=")
	if !ok || rest == "" || !strings.ContainsRune(",\t;", rune(rest[0])) {
		return 0, false
	}
	return rest[0], len(rest) == 1 || rest[1] == '\r' || rest[1] == '\n'
}

// skipBlankLines goes to the first line that is not blank.
func (s *splitter) skipBlankLines() {
	for s.at < len(s.text) {
		line := s.text[s.at:]
		if end := strings.IndexAny(line, "\r\n"); end >= 0 {
			line = line[:end]
		}
		if strings.Trim(line, " \t,;　") != "" {
			return
		}
		s.at += len(line)
		s.skipLineEnd()
	}
}

// readRecords finds the rows: every record that isn't blank. emptyFrom is the
// column from which on none of them has a value; it is looked for only where
// the header leaves a column at the end unnamed.
func (f *File) readRecords(s splitter) (emptyFrom int, fault *FileError) {
	if !f.header.endsUnnamed() {
		emptyFrom = f.header.width
	}
	for {
		r, ok, unclosed := s.next()
		switch {
		case unclosed > 0:
			return 0, &FileError{Code: CodeUnclosedQuote, Line: unclosed}
		case !ok:
			return emptyFrom, nil
		case f.isBlank(f.text, r):
			continue
		}
		f.records = append(f.records, r)
		if emptyFrom < f.header.width {
			emptyFrom = max(emptyFrom, lastFilled(r.cells(f.text, f.delimiter)))
		}
	}
}

// isBlank reports a record without any value, which is no row.
func (f *File) isBlank(text string, r record) bool {
	return strings.TrimLeft(text[r.start:r.end], f.blank) == ""
}

// lastFilled is the number of cells up to the last that isn't blank.
func lastFilled(row []string) int {
	for n := len(row); n > 0; n-- {
		if strings.TrimSpace(row[n-1]) != "" {
			return n
		}
	}
	return 0
}

// Name returns the name Open was given.
func (f *File) Name() string { return f.name }

// Encoding returns the file's encoding.
func (f *File) Encoding() Encoding { return f.encoding }

// Len returns the number of rows.
func (f *File) Len() int { return len(f.records) }

// Column returns the header of a field as the file writes it and its position,
// from 1; "" and 0 when the file has no such column.
func (f *File) Column(field invoice.Field) (header string, position int) {
	for i, has := range f.header.fields {
		if has == field {
			return f.header.names[i], i + 1
		}
	}
	return "", 0
}

// Rows yields the rows in file order. They can be gone through again.
func (f *File) Rows() iter.Seq[Row] { return f.whole().Rows() }

// problem says why a record can't be a row as it stands.
func (f *File) problem(r record) *invoice.Finding {
	var code invoice.Code
	var ref string
	switch {
	case r.stray:
		code = invoice.CodeStrayQuote
	case r.longest > MaxField:
		code = invoice.CodeFieldTooLong
	case r.fields != f.header.width:
		code, ref = invoice.CodeFieldCount, fmt.Sprintf("%d / %d", r.fields, f.header.width)
	default:
		return nil
	}
	return &invoice.Finding{Line: r.line, Severity: invoice.Error, Code: code, Ref: ref}
}

// inputCells are the cells of a record as the file has them. In a results file
// they are those of the input it came from, where the record can be understood.
func (f *File) inputCells(r record) []string {
	all := r.cells(f.text, f.delimiter)
	if r.stray || r.fields != f.header.width {
		return all
	}
	return f.withoutResults(all[:len(f.header.names)])
}

// withoutResults takes the results of an earlier run off a row, and its
// protection against formulas.
func (f *File) withoutResults(row []string) []string {
	if !f.isResults() {
		return slices.Clone(row)
	}
	var kept []string
	for i, cell := range row {
		if !f.header.results[i] {
			kept = append(kept, unprotect(cell))
		}
	}
	return kept
}

// isResults reports whether the file is the results file of an earlier run.
func (f *File) isResults() bool { return slices.Contains(f.header.results, true) }
