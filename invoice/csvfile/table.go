package csvfile

import (
	"io"
	"strings"
)

// WriteTable writes rows of our own, headers first, as WriteResults does: in
// UTF-8 with a byte order mark (UTF8 or UTF8BOM) or in CP932, with commas and
// CRLF, and without formulas. What CP932 lacks is replaced. Errors are the
// writer's.
func WriteTable(w io.Writer, enc Encoding, rows [][]string) error {
	enc, fit := forSpreadsheets(enc)
	var b strings.Builder
	for _, row := range rows {
		safe, _ := fitted(row, fit)
		b.WriteString(csvLine(safe, ',', "\r\n"))
	}
	return writeEncoded(w, b.String(), enc)
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
