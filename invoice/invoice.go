// Package invoice is the domain: one invoice as a konbini charge needs it, and
// the rules its fields must meet.
//
// The rules turn what people type into what the payment API accepts, and say
// so: every change is a [Finding] with the value before and after, nothing is
// changed silently. A finding of severity error rejects the row; warnings and
// notices do not. Checking is pure: no network, no disk, no clock of its own.
package invoice

import "time"

// Field is the canonical name of an input column.
type Field string

// The columns an invoice file may have; the first five are required.
const (
	FieldNumber      Field = "invoice_no"
	FieldName        Field = "name"
	FieldEmail       Field = "email"
	FieldPhone       Field = "phone"
	FieldAmount      Field = "amount"
	FieldDue         Field = "due"
	FieldDescription Field = "description"
	FieldLanguage    Field = "language"
	FieldTaxRate     Field = "tax_rate"
	FieldTax         Field = "tax"

	// FieldCorrections is a column of our own: what people have put right, see
	// [Correction].
	FieldCorrections Field = "konbill_corrections"
)

// Fields is one row as the file wrote it, before any rule. Every value is a
// string: converting numbers while reading would turn "1,300" into 1.
type Fields struct {
	Number      string `csv:"invoice_no"`
	Name        string `csv:"name"`
	Email       string `csv:"email"`
	Phone       string `csv:"phone"`
	Amount      string `csv:"amount"`
	Due         string `csv:"due"`
	Description string `csv:"description"`
	Language    string `csv:"language"`
	TaxRate     string `csv:"tax_rate"`
	Tax         string `csv:"tax"`
	Corrections string `csv:"konbill_corrections"`
}

// Language is the language a customer or a clerk is written to in.
type Language string

// The languages Konbill speaks.
const (
	Japanese Language = "ja"
	English  Language = "en"
)

// Invoice is one row that passed its checks: what the customer sees and what
// the payment API is sent.
type Invoice struct {
	Number   string    // 1–64 printable characters, unique in its file
	Name     string    // the full name as written, for the slip and the mail
	Company  bool      // addressed with 御中 instead of 様
	SentName string    // at most 10 characters, what the API and the kiosk get
	Email    string    // one address, 6–50 characters
	Phone    string    // 10 or 11 ASCII digits
	Amount   Yen       // 200–49,999
	Due      time.Time // UTC; the first instant at which it can no longer be paid
	DueGiven bool      // the file named the due date; false: it follows from the rules

	Description string
	Language    Language
	TaxRate     int // percent, 10 or 8; 0 when not given
	Tax         Yen // tax included in Amount; 0 when not given
}
