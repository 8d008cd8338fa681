package csvfile

import "io"

// Table writes rows of our own, headers first, as WriteResults does: in UTF-8
// with a byte order mark (UTF8 or UTF8BOM) or in CP932, with commas and CRLF, and
// without formulas. What CP932 lacks is replaced.
type Table struct {
	w   io.Writer
	fit fitting
}

// NewTable begins a table; nothing is written yet.
func NewTable(w io.Writer, enc Encoding) *Table {
	enc, fit := forSpreadsheets(enc)
	return &Table{w: encoder(w, enc), fit: fit}
}

// Write writes one row. Errors are the writer's.
func (t *Table) Write(row []string) error {
	safe, _ := fitted(row, t.fit)
	return t.write(safe)
}

// write writes a row that fits.
func (t *Table) write(row []string) error {
	_, err := io.WriteString(t.w, csvLine(row, ',', "\r\n"))
	return err
}

// forSpreadsheets is the encoding to write so that a spreadsheet recognises it,
// and how cells are made fit for it.
func forSpreadsheets(enc Encoding) (Encoding, fitting) {
	switch enc {
	case UTF8:
		return UTF8BOM, asItIs
	case CP932:
		return CP932, cp932Fitter()
	}
	return enc, asItIs
}
