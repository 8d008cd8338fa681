package invoice

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Overflow says what happens to a name longer than the API takes.
type Overflow string

// The ways to treat a name of more than 10 characters.
const (
	CutName    Overflow = "cut"
	RejectName Overflow = "reject"
)

// Rules are the choices a merchant makes about checking.
type Rules struct {
	DueDays      int      // for rows without a due date: days from today in Japan
	MaxDueDays   int      // the furthest due date accepted, in days from today in Japan
	NameOverflow Overflow // what to do with a name longer than 10 characters
	Language     Language // for rows that name none
}

// Checked is one row after checking.
type Checked struct {
	Line     int     // 1-based line of the file on which the row begins
	Invoice  Invoice // what could be read; complete when the row is not rejected
	Findings []Finding
}

// Rejected reports whether a finding forbids issuing the row.
func (c Checked) Rejected() bool {
	for _, f := range c.Findings {
		if f.Severity == Error {
			return true
		}
	}
	return false
}

// Checker checks the rows of one file, in order. It remembers the numbers it
// has seen, since a number must be unique in its file.
type Checker struct {
	rules   Rules
	now     time.Time
	numbers *Numbers
}

// NewChecker returns a checker for one file, at an instant.
func NewChecker(r Rules, now time.Time) *Checker {
	return &Checker{rules: r, now: now, numbers: NewNumbers()}
}

// Check applies every rule to one row. line is where it begins in the file.
func (c *Checker) Check(line int, f Fields) Checked {
	checked := c.Examine(line, f)
	if repeated, ok := c.numbers.Meet(line, checked.Invoice.Number, f); ok {
		checked.Findings = append(checked.Findings, repeated)
	}
	return checked
}

// Examine applies the rules that need no other row: all but that a number must
// be unique, for which there are [Numbers]. It may be called at the same time
// by several.
func (c *Checker) Examine(line int, f Fields) Checked {
	r := &row{line: line, rules: c.rules, now: c.now}
	r.examineText(&f)
	name := r.name(f.Name)
	inv := Invoice{
		Number:      r.number(f.Number),
		Name:        name.full,
		Company:     name.company,
		SentName:    name.sent,
		Email:       r.email(f.Email),
		Phone:       r.phone(f.Phone),
		Amount:      r.amount(f.Amount),
		Description: r.description(f.Description),
		Language:    r.language(f.Language),
		TaxRate:     r.taxRate(f.TaxRate),
	}
	inv.Due, inv.DueGiven = r.due(f.Due)
	inv.Tax = r.tax(f.Tax, inv.Amount, inv.TaxRate)
	r.corrections(f)
	return Checked{Line: line, Invoice: inv, Findings: r.findings}
}

// Finish returns the findings that only the whole file could show: those of
// earlier rows whose number came again with other content.
func (c *Checker) Finish() []Finding { return c.numbers.Late() }

// row is one row while its rules are applied.
type row struct {
	line     int
	rules    Rules
	now      time.Time
	findings []Finding
}

func (r *row) add(f Finding) {
	f.Line = r.line
	r.findings = append(r.findings, f)
}

func (r *row) reject(field Field, code Code, before string) {
	r.add(Finding{Field: field, Code: code, Severity: Error, Before: before})
}

func (r *row) warn(field Field, code Code, before, after string) {
	r.add(Finding{Field: field, Code: code, Severity: Warning, Before: before, After: after})
}

func (r *row) note(field Field, code Code, before, after string) {
	r.add(Finding{Field: field, Code: code, Severity: Notice, Before: before, After: after})
}

// examineText looks for what ails any text: a character lost in an earlier
// conversion, and invisible ones.
func (r *row) examineText(f *Fields) {
	for _, cell := range [...]struct {
		field Field
		text  string
	}{
		{FieldNumber, f.Number}, {FieldName, f.Name}, {FieldEmail, f.Email}, {FieldPhone, f.Phone},
		{FieldAmount, f.Amount}, {FieldDue, f.Due}, {FieldDescription, f.Description},
		{FieldLanguage, f.Language}, {FieldTaxRate, f.TaxRate}, {FieldTax, f.Tax},
	} {
		switch {
		case isPrintableASCII(cell.text):
		case strings.ContainsRune(cell.text, utf8.RuneError):
			r.reject(cell.field, CodeTextDamaged, cell.text)
		case strings.ContainsFunc(cell.text, isInvisible):
			r.note(cell.field, CodeTextCleaned, cell.text, clean(cell.text))
		}
	}
}
