package invoice

// Severity says what a finding does to its row.
type Severity string

// The severities, worst first.
const (
	Error   Severity = "error"   // the row is rejected
	Warning Severity = "warning" // the row is issued; a person should look
	Notice  Severity = "notice"  // the row is issued; something was tidied up
)

// Code names a kind of finding. Codes are stable: people's scripts and
// spreadsheets depend on them.
type Code string

// Finding is one thing noticed about one row: what stood there, what it became
// or should become, and how much it matters.
type Finding struct {
	Line     int      `json:"line"`               // 1-based line of the file on which the row begins
	Field    Field    `json:"field,omitempty"`    // empty: the row as a whole
	Header   string   `json:"column,omitempty"`   // the column's header as the file writes it
	Position int      `json:"position,omitempty"` // the column's place in the file, from 1; 0 when unknown
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Before   string   `json:"before,omitempty"` // the value as the file wrote it
	After    string   `json:"after,omitempty"`  // the value used instead, or suggested
	Ref      string   `json:"ref,omitempty"`    // what the message refers to: another line, a limit, characters
}

// At returns the finding with its column's header and place in the file.
func (f Finding) At(header string, position int) Finding {
	f.Header, f.Position = header, position
	return f
}

// ColumnLetter is a column's name in a spreadsheet: A … Z, AA …
func ColumnLetter(position int) string {
	name := ""
	for ; position > 0; position = (position - 1) / 26 {
		name = string(rune('A'+(position-1)%26)) + name
	}
	return name
}
