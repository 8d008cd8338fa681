package csvfile

import "io"

// Table writes rows of our own, headers first, as WriteResults does: in UTF-8
// with a byte order mark (UTF8 or UTF8BOM) or in CP932, with commas and CRLF, and
// without formulas. What CP932 lacks is replaced.
type Table struct {
	w   io.Writer
	enc Encoding
	fit fitting
}

// NewTable begins a table; nothing is written yet.
func NewTable(w io.Writer, enc Encoding) *Table {
	enc, fit := forSpreadsheets(enc)
	return &Table{w: w, enc: enc, fit: fit}
}

// Write writes one row. Errors are the writer's.
func (t *Table) Write(row []string) error {
	safe, _ := fitted(row, t.fit)
	err := writeEncoded(t.w, csvLine(safe, ',', "\r\n"), t.enc)
	if t.enc == UTF8BOM {
		t.enc = UTF8 // the mark stands at the beginning
	}
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

func writeEncoded(w io.Writer, text string, enc Encoding) error {
	encoded, err := encode(text, enc)
	if err != nil {
		return err
	}
	_, err = w.Write(encoded)
	return err
}
