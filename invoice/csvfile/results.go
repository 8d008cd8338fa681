package csvfile

import (
	"bufio"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"konbill/invoice"
)

// Result is what a run adds to a row.
type Result struct {
	Result       string // issued, already_issued, rejected, failed, unknown
	Codes        string // separated by ;
	Message      string
	Line         int
	SentName     string
	SentPhone    string
	ChargeID     string
	PaymentCode  string
	AuthorizeURI string
	ExpiresAt    string // RFC 3339
	ChargeStatus string
	Slip         string // relative path
	Mail         string // mailed, deferred, refused, held, off or empty
	MailedAt     string // RFC 3339
	PaidAt       string // RFC 3339; empty until it is paid, as are the next two
	Fee          string // whole yen, tax on it included
	Net          string // whole yen: what is paid out

	Language invoice.Language // of Message; not a column
}

// resultHeaders are the columns of a Result, in order.
var resultHeaders = []string{
	"result", "codes", "message", "line", "sent_name", "sent_phone", "charge_id", "payment_code",
	"authorize_uri", "expires_at", "charge_status", "slip", "mail", "mailed_at",
	"paid_at", "fee", "net",
}

// firstHeaders is how many of the resultHeaders the first release wrote.
const firstHeaders = 14

func (r Result) cells() []string {
	return []string{
		r.Result, r.Codes, r.Message, strconv.Itoa(r.Line), r.SentName, r.SentPhone, r.ChargeID, r.PaymentCode,
		r.AuthorizeURI, r.ExpiresAt, r.ChargeStatus, r.Slip, r.Mail, r.MailedAt,
		r.PaidAt, r.Fee, r.Net,
	}
}

// resultColumns finds the columns an earlier run added. Only columns from the
// last "result" on can be: an input column may well be called "mail", and a
// file may have a "result" of its own. Behind the columns of the first release a
// "fee" is somebody's own.
func resultColumns(names []string) []bool {
	added := make([]bool, len(names))
	first := len(names) - 1
	for first >= 0 && names[first] != "result" {
		first--
	}
	if first < 0 || !slices.Contains(names[first:], "charge_id") || !slices.Contains(names[first:], "sent_name") {
		return added
	}
	ours := resultHeaders
	if !slices.Contains(names[first:], "paid_at") {
		ours = resultHeaders[:firstHeaders]
	}
	for i := first; i < len(names); i++ {
		added[i] = slices.Contains(ours, names[i])
	}
	return added
}

// WriteResults writes the file's rows with their results behind, in UTF-8 with
// a byte order mark (UTF8 or UTF8BOM) or in CP932, with commas and CRLF. There is a
// result for each row, in file order. Rows with characters that CP932 lacks get a
// further code and its message. Errors are the writer's.
func (f *File) WriteResults(w io.Writer, enc Encoding, results iter.Seq[Result]) error {
	buffered := bufio.NewWriterSize(w, writtenTogether)
	table := NewTable(buffered, enc)
	if err := table.Write(append(f.inputHeader(), resultHeaders...)); err != nil {
		return err
	}
	i := 0
	for r := range results {
		if err := f.writeResult(table, f.records[i], r); err != nil {
			return err
		}
		i++
	}
	return buffered.Flush()
}

// writtenTogether is how many bytes go to the disk at once.
const writtenTogether = 64 << 10

func (f *File) writeResult(t *Table, input record, r Result) error {
	kept, lostOfInput := fitted(f.rectangular(f.inputCells(input)), t.fit)
	added, lostOfResult := fitted(r.cells(), t.fit)
	if lostOfInput || lostOfResult {
		added, _ = fitted(r.withReplaced(input.line).cells(), t.fit)
	}
	return t.write(append(kept, added...))
}

// withReplaced adds that characters were replaced.
func (r Result) withReplaced(line int) Result {
	replaced := invoice.Finding{Line: line, Code: invoice.CodeCP932Replaced, Severity: invoice.Notice}
	r.Codes = strings.TrimPrefix(r.Codes+";"+string(replaced.Code), ";")
	space := ""
	if r.Language == invoice.English && r.Message != "" {
		space = " "
	}
	r.Message += space + replaced.Message(r.Language)
	return r
}

// fitted makes cells fit for the encoding and safe for spreadsheets.
func fitted(row []string, fit fitting) (safe []string, lost bool) {
	safe = make([]string, len(row), len(row)+len(resultHeaders))
	for i, cell := range row {
		fits, lostHere := fit(cell)
		safe[i] = protect(fits)
		lost = lost || lostHere
	}
	return safe, lost
}

// inputHeader are the headers that the input had by itself.
func (f *File) inputHeader() []string { return f.withoutResults(f.header.names) }

// rectangular fits the cells of a malformed row to the header without losing
// any: too few are filled up, too many share the last column.
func (f *File) rectangular(row []string) []string {
	n := len(f.inputHeader())
	fit := make([]string, n)
	copy(fit, row)
	if len(row) > n {
		fit[n-1] = strings.Join(row[n-1:], string(f.delimiter))
	}
	return fit
}

// A spreadsheet runs a cell that begins like a formula. Such a cell gets a ' in
// front, and so does one that has such a ' already, so that taking one away
// again always gives back what was.

func protect(cell string) string {
	if looksLikeFormula(cell) {
		return "'" + cell
	}
	return cell
}

func unprotect(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && looksLikeFormula(rest) {
		return rest
	}
	return cell
}

// looksLikeFormula counts the wide signs, too, which a spreadsheet set to
// Japanese takes for the narrow ones, and the blanks that it may skip.
func looksLikeFormula(cell string) bool {
	rest := strings.TrimLeft(cell, "'")
	return rest != "" && strings.IndexAny(rest, "=+-@＝＋－＠\t\r\n") == 0
}

// WriteErrors writes the rows that were rejected, as the input has them:
// header, order, delimiter, line ends and encoding. Corrected, it is input
// again. rejected is asked for the line of each row. Errors are the writer's.
func (f *File) WriteErrors(w io.Writer, rejected func(line int) bool) error {
	buffered := bufio.NewWriterSize(w, writtenTogether)
	text := encoder(buffered, f.encoding)
	top := f.asInput(f.top)
	if _, told := toldDelimiter(f.text); told {
		top = "sep=" + string(f.delimiter) + f.lineEnd + top
	}
	if _, err := io.WriteString(text, top); err != nil {
		return err
	}
	for i, r := range f.records {
		if !rejected(r.line) {
			continue
		}
		if _, err := io.WriteString(text, f.asInputWithBlanks(i, r)); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// asInputWithBlanks is the i-th record's own text. Where its quotes are astray, what
// stands behind it on lines that are no rows belongs to it: a quote there may be the one
// that tells.
func (f *File) asInputWithBlanks(i int, r record) string {
	if !r.stray {
		return f.asInput(r)
	}
	end := len(f.text)
	if i+1 < len(f.records) {
		end = f.records[i+1].start
	}
	return strings.TrimRight(f.text[r.start:end], "\r\n") + f.lineEnd
}

// asInput is a record's own text; for a results file, without the results.
func (f *File) asInput(r record) string {
	text := f.text[r.start:r.end]
	switch {
	case !f.isResults() || r.stray || r.fields != f.header.width:
		return text + f.lineEnd
	case r == f.top:
		return csvLine(f.inputHeader(), f.delimiter, f.lineEnd)
	}
	return csvLine(f.inputCells(r), f.delimiter, f.lineEnd)
}
