package csvfile

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"konbill/invoice"
)

// What keeps a value from being put right.
var (
	ErrNoRow    = errors.New("no row that can be corrected begins on that line")
	ErrNoColumn = errors.New("the file has no column for that field")
)

// Change is a value to put right.
type Change struct {
	Line  int // on which the row begins
	Field invoice.Field
	Value string
}

// Corrected is the file with values put right by somebody, in UTF-8 with a byte order mark,
// and with what the rows' [invoice.FieldCorrections] say of them. Everything else is as it
// was, on the lines on which it was; that column is added where the file has none. The
// error is ErrNoRow or ErrNoColumn.
func (f *File) Corrected(changes []Change, by string) ([]byte, error) {
	_, kept := f.Column(invoice.FieldCorrections)
	if kept--; kept < 0 {
		kept = len(f.header.names) // behind the named columns
	}
	rows := map[int][]string{} // by their place
	for _, c := range changes {
		at, found := slices.BinarySearchFunc(f.records, c.Line, func(r record, line int) int { return r.line - line })
		if !found || f.problem(f.records[at]) != nil {
			return nil, ErrNoRow
		}
		if rows[at] == nil {
			rows[at] = append(f.records[at].cells(f.text, f.delimiter), "")[:max(f.header.width, kept+1)]
		}
		if err := f.correct(rows[at], kept, c, by); err != nil {
			return nil, err
		}
	}
	return []byte("\uFEFF" + f.withRows(rows, kept)), nil
}

// correct puts a value of a row right, and notes it in the column for corrections.
func (f *File) correct(cells []string, kept int, c Change, by string) error {
	_, column := f.Column(c.Field)
	if column == 0 || !slices.Contains(invoice.Correctable, c.Field) {
		return ErrNoColumn
	}
	value := f.asCell(strings.Map(asOneLine, c.Value))
	corrections := invoice.Corrected(invoice.CorrectionsOf(f.value(cells[kept])), c.Field, f.value(cells[column-1]), f.value(value), by)
	cells[column-1], cells[kept] = value, f.asCell(invoice.WriteCorrections(corrections))
	return nil
}

// asCell writes a value so that [File.value] finds it again.
func (f *File) asCell(value string) string {
	if f.isResults() {
		return protect(value)
	}
	return value
}

// asOneLine keeps a value from moving the rows below it, and from making another kind of
// file of it.
func asOneLine(r rune) rune {
	switch {
	case r == '\r' || r == '\n' || r == '\t':
		return ' '
	case unicode.IsControl(r):
		return -1
	}
	return r
}

// withRows is the text with other cells in some records, by their places, and a column for
// corrections at a place.
func (f *File) withRows(rows map[int][]string, kept int) string {
	var text strings.Builder
	written := f.top.end
	text.WriteString(f.text[:f.top.start])
	text.WriteString(f.topWith(kept))
	for i, r := range f.records {
		text.WriteString(f.text[written:r.start])
		written = r.end
		switch {
		case rows[i] != nil:
			text.WriteString(csvLine(rows[i], f.delimiter, ""))
		case kept == f.header.width && !r.stray: // a malformed one stays so
			text.WriteString(f.text[r.start:r.end] + string(f.delimiter))
		default:
			text.WriteString(f.text[r.start:r.end])
		}
	}
	text.WriteString(f.text[written:])
	return text.String()
}

// topWith is the header with a column for corrections at a place.
func (f *File) topWith(kept int) string {
	names := f.top.cells(f.text, f.delimiter)
	switch {
	case kept == len(names):
		return f.text[f.top.start:f.top.end] + string(f.delimiter) + string(invoice.FieldCorrections)
	case comparable(names[kept]) == "":
		names[kept] = string(invoice.FieldCorrections)
		return csvLine(names, f.delimiter, "")
	}
	return f.text[f.top.start:f.top.end]
}
