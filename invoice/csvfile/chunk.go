package csvfile

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/gocarina/gocsv"

	"konbill/invoice"
)

// chunkRows is how many rows are worth the start of a mapping.
const chunkRows = 2000

// Chunk is some rows of a file, in file order. Several chunks of one file can
// be gone through at the same time.
type Chunk struct {
	file    *File
	text    string
	records []record
}

// Chunks yields the rows of the file in parts, in file order.
func (f *File) Chunks() iter.Seq[Chunk] {
	return func(yield func(Chunk) bool) {
		for records := range slices.Chunk(f.records, chunkRows) {
			if !yield(Chunk{f, f.text, records}) {
				return
			}
		}
	}
}

// whole is the file as one chunk.
func (f *File) whole() Chunk { return Chunk{f, f.text, f.records} }

// Only is the row at a place, from 0, as a chunk.
func (f *File) Only(place int) Chunk { return Chunk{f, f.text, f.records[place : place+1]} }

// Len returns the number of rows.
func (c Chunk) Len() int { return len(c.records) }

// Rows yields the rows in file order. They can be gone through again.
func (c Chunk) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		fields := c.unmarshaller()
		for _, r := range c.records {
			row := Row{Line: r.line, Problem: c.file.problem(r)}
			if row.Problem == nil {
				row.Fields = fields()
			}
			if !yield(row) {
				return
			}
		}
	}
}

// unmarshaller maps the sound rows to fields, one a call, in file order.
func (c Chunk) unmarshaller() func() invoice.Fields {
	reader := csv.NewReader(&rowReader{chunk: c})
	reader.ReuseRecord = true
	mapper, err := gocsv.NewUnmarshaller(reader, invoice.Fields{})
	if err != nil {
		panic(fmt.Sprintf("csvfile: our own header: %v", err)) // a mistake in this package, not in the file
	}
	return func() invoice.Fields {
		read, err := mapper.Read()
		if err != nil {
			panic(fmt.Sprintf("csvfile: a row that was sound: %v", err)) // likewise
		}
		return read.(invoice.Fields)
	}
}

// rowReader gives the known columns of the sound rows as plain CSV under the
// fields' own names, which is all that the mapping needs.
type rowReader struct {
	chunk   Chunk
	next    int // record to give next
	began   bool
	cells   []string // of a record; room used again
	known   []string // the known ones among them; likewise
	line    []byte   // as CSV; likewise
	pending []byte   // what of it was not yet read
}

// Read implements io.Reader.
func (r *rowReader) Read(p []byte) (int, error) {
	if len(r.pending) == 0 && !r.nextRow() {
		return 0, io.EOF
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// nextRow makes the header, and then row after row, ready to be read.
func (r *rowReader) nextRow() bool {
	f := r.chunk.file
	if !r.began {
		r.began = true
		r.give(func(column int) string { return string(f.header.fields[column]) })
		return true
	}
	for r.next < len(r.chunk.records) {
		record := r.chunk.records[r.next]
		r.next++
		if f.problem(record) == nil {
			r.cells = record.appendCells(r.cells[:0], r.chunk.text, f.delimiter)
			r.give(func(column int) string { return f.value(r.cells[column]) })
			return true
		}
	}
	return false
}

// give makes the known columns of one row ready to be read.
func (r *rowReader) give(cell func(column int) string) {
	r.known = r.known[:0]
	for column, field := range r.chunk.file.header.fields {
		if field != "" {
			r.known = append(r.known, cell(column))
		}
	}
	r.line = appendCSV(r.line[:0], r.known, ',', "\n")
	r.pending = r.line
}

// value is what a cell means: without the protection that results have against
// formulas, and without the ="…" by which systems keep Excel from making a
// number of it.
func (f *File) value(cell string) string {
	if f.isResults() {
		cell = unprotect(cell)
	}
	if text, ok := formulaText(cell); ok {
		return text
	}
	return cell
}

// csvLine writes one record as RFC 4180 has it.
func csvLine(row []string, delimiter byte, lineEnd string) string {
	return string(appendCSV(nil, row, delimiter, lineEnd))
}

// appendCSV is csvLine, behind other text.
func appendCSV(line []byte, row []string, delimiter byte, lineEnd string) []byte {
	for i, cell := range row {
		if i > 0 {
			line = append(line, delimiter)
		}
		if strings.ContainsAny(cell, "\"\r\n") || strings.IndexByte(cell, delimiter) >= 0 || strings.HasPrefix(cell, " ") {
			cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		line = append(line, cell...)
	}
	return append(line, lineEnd...)
}
