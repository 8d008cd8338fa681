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
// was, on the lines on which it was; that column is added where the file has none, and one
// for due dates when one is put right. The error is ErrNoRow or ErrNoColumn.
func (f *File) Corrected(changes []Change, by string) ([]byte, error) {
	to := f.roomFor(changes)
	rows := map[int][]string{} // by their place
	for _, c := range changes {
		at, found := slices.BinarySearchFunc(f.records, c.Line, func(r record, line int) int { return r.line - line })
		if !found || f.problem(f.records[at]) != nil {
			return nil, ErrNoRow
		}
		if rows[at] == nil {
			rows[at] = make([]string, to.width)
			copy(rows[at], f.records[at].cells(f.text, f.delimiter))
		}
		if err := f.correct(rows[at], to, c, by); err != nil {
			return nil, err
		}
	}
	return []byte("\uFEFF" + f.withRows(rows, to)), nil
}

// room is where the columns of a corrected file are.
type room struct {
	at    map[invoice.Field]int
	added map[int]invoice.Field // those that the file hasn't, by their place
	width int
}

// roomFor puts the columns that a file lacks behind its named ones.
func (f *File) roomFor(changes []Change) room {
	to := room{at: map[invoice.Field]int{}, added: map[int]invoice.Field{}, width: f.header.width}
	for i, field := range f.header.fields {
		if field != "" {
			to.at[field] = i
		}
	}
	for _, field := range []invoice.Field{invoice.FieldDue, invoice.FieldCorrections} {
		_, has := to.at[field]
		isWanted := field == invoice.FieldCorrections || slices.ContainsFunc(changes, func(c Change) bool { return c.Field == field })
		if has || !isWanted {
			continue
		}
		place := len(f.header.names) + len(to.added)
		to.at[field], to.added[place] = place, field
		to.width = max(to.width, place+1)
	}
	return to
}

// correct puts a value of a row right, and notes it in the column for corrections.
func (f *File) correct(cells []string, to room, c Change, by string) error {
	column, has := to.at[c.Field]
	if !has || !slices.Contains(invoice.Correctable, c.Field) {
		return ErrNoColumn
	}
	kept := to.at[invoice.FieldCorrections]
	value := f.asCell(strings.Map(asOneLine, c.Value))
	corrections := invoice.Corrected(invoice.CorrectionsOf(f.value(cells[kept])), c.Field, f.value(cells[column]), f.value(value), by)
	cells[column], cells[kept] = value, f.asCell(invoice.WriteCorrections(corrections))
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

// withRows is the text with other cells in some records, by their places, and with the
// columns that are added.
func (f *File) withRows(rows map[int][]string, to room) string {
	var text strings.Builder
	written := f.top.end
	text.WriteString(f.text[:f.top.start])
	text.WriteString(f.topWith(to))
	wider := strings.Repeat(string(f.delimiter), to.width-f.header.width)
	for i, r := range f.records {
		text.WriteString(f.text[written:r.start])
		written = r.end
		switch {
		case rows[i] != nil:
			text.WriteString(csvLine(rows[i], f.delimiter, ""))
		case r.stray: // it ends with its line, whatever stands there
			text.WriteString(f.text[r.start:r.end])
		default: // a malformed one stays so
			text.WriteString(f.text[r.start:r.end] + wider)
		}
	}
	text.WriteString(f.text[written:])
	return text.String()
}

// topWith is the header with the columns that are added.
func (f *File) topWith(to room) string {
	if len(to.added) == 0 {
		return f.text[f.top.start:f.top.end]
	}
	names := make([]string, to.width)
	copy(names, f.top.cells(f.text, f.delimiter))
	for place, field := range to.added {
		names[place] = string(field)
	}
	return csvLine(names, f.delimiter, "")
}
