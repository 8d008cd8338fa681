// Package templates holds what a customer sees: the wording of mail and slip
// in Japanese and English, and the fonts.
package templates

import (
	"time"

	"konbill/invoice"
)

// Merchant is who sends the bill, as slip and mail show it.
type Merchant struct {
	Name               string
	Address            string // may have several lines
	Phone              string
	Hours              string // when the phone is answered
	Email              string
	RegistrationNumber string // T and 13 digits, or empty
}

// Instructions are the facts of one payment, the same on slip and mail.
type Instructions struct {
	Merchant     Merchant
	Invoice      invoice.Invoice
	PaymentCode  string // empty: only the link leads to payment
	AuthorizeURI string
	ExpiresAt    time.Time
	Sample       bool // a preview: marked 見本 or SAMPLE, not payable
}
