// Package templates holds what a customer sees: the wording of slip and mail in
// Japanese and English, the texts of the mail, and the fonts.
//
// Slip and mail show the same facts in the same words. Both take them from
// [Instructions], whose methods write each fact for people; neither formats an
// amount or a date by itself. The words and the templates of the mails are files
// (texts/), which a merchant can override: see [Load].
package templates

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

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
	Texts        *Set // nil: Konbill's own
	Merchant     Merchant
	Invoice      invoice.Invoice
	PaymentCode  string // empty: only the link leads to payment
	AuthorizeURI string
	ExpiresAt    time.Time
	Sample       bool // a preview: marked 見本 or SAMPLE, not payable
	Again        bool // the mail was sent before
	Reminder     bool // the bill was mailed before, and its deadline comes near
	Reissued     bool // it replaces a bill that ended unpaid; that one's code and link are dead
}

// Wording is the wording in the customer's language.
func (i Instructions) Wording() Wording { return i.Texts.wordsIn(i.Invoice.Language).Shared }

// Addressee is the customer's name as written, with 様 or 御中 behind it in
// Japanese.
func (i Instructions) Addressee() string {
	if i.Invoice.Company {
		return fill(i.Wording().Company, "name", i.Invoice.Name)
	}
	return fill(i.Wording().Person, "name", i.Invoice.Name)
}

// Amount is the amount to pay: 12,345円 or ¥12,345.
func (i Instructions) Amount() string { return i.Invoice.Amount.Format(i.Invoice.Language) }

// Tax says how much of the amount is consumption tax, and at which rate, as far
// as the invoice tells. It is empty when the invoice tells neither.
func (i Instructions) Tax() string {
	w, inv := i.Wording(), i.Invoice
	tax, rate := inv.Tax.Format(inv.Language), strconv.Itoa(inv.TaxRate)
	switch {
	case inv.Tax > 0 && inv.TaxRate > 0:
		return fill(w.TaxAtRate, "rate", rate, "tax", tax)
	case inv.Tax > 0:
		return fill(w.Tax, "tax", tax)
	case inv.TaxRate > 0:
		return fill(w.TaxIncluded, "rate", rate)
	}
	return ""
}

// TaxBlock is what a qualified invoice says of consumption tax beside its
// issuer's registration number: the rate, what of the amount falls under it, and
// the tax in it. It is empty unless merchant and invoice give number and rate.
//
// A tax that the invoice leaves out is worked out from the amount, which rounds
// once for the invoice and the rate, as the rules of the system want (消費税法施行令
// 第70条の10; which way is the seller's choice, and down is usual).
func (i Instructions) TaxBlock() string {
	w, inv := i.Wording(), i.Invoice
	if i.Merchant.RegistrationNumber == "" || inv.TaxRate == 0 {
		return ""
	}
	tax := inv.Tax
	if tax == 0 {
		tax = inv.Amount * invoice.Yen(inv.TaxRate) / invoice.Yen(100+inv.TaxRate)
	}
	line := w.TaxBlock
	if inv.TaxRate == reducedRate {
		line = w.TaxBlockReduced
	}
	return fill(line, "rate", strconv.Itoa(inv.TaxRate), "amount", i.Amount(), "tax", tax.Format(inv.Language))
}

// reducedRate is the rate of food and newspapers, which an invoice must name as
// the reduced one.
const reducedRate = 8

// Deadline is the last moment to pay, in Japan time: 2026年12月31日（木）24:00まで.
// Midnight is told as 24:00 of the day that ends, which is the day that people
// know as the due date (payment page, "Setting the charge to expire").
func (i Instructions) Deadline() string { return i.deadline("") }

// DeadlineLines is Deadline on two lines, its day and its hour, for where it is
// set in large type.
func (i Instructions) DeadlineLines() (day, hour string) {
	day, hour, _ = strings.Cut(i.deadline("\n"), "\n")
	return strings.TrimSpace(day), hour
}

func (i Instructions) deadline(beforeHour string) string {
	day, hour := i.dueDay()
	return fill(i.Wording().Until, "day", i.writeDay(day), "hour", beforeHour+hour)
}

// Steps are the steps of paying. Without a payment code none of them speaks of
// it.
func (i Instructions) Steps() []string {
	w := i.Wording()
	if i.PaymentCode != "" {
		return w.HowToPay
	}
	last := len(w.HowToPay) - 1
	return append(w.HowToPay[:last:last], w.PhoneOnly)
}

// DueDay is the day of Deadline alone, without the weekday, for a mail's
// subject: 12月31日.
func (i Instructions) DueDay() string {
	day, _ := i.dueDay()
	if i.Invoice.Language == invoice.English {
		return day.Format("2 January")
	}
	return day.Format("1月2日")
}

func (i Instructions) dueDay() (day time.Time, hour string) {
	at := i.ExpiresAt.In(invoice.Japan)
	if at.Hour() == 0 && at.Minute() == 0 {
		return at.AddDate(0, 0, -1), "24:00"
	}
	return at, at.Format("15:04")
}

func (i Instructions) writeDay(day time.Time) string {
	if i.Invoice.Language == invoice.English {
		return day.Format("Monday, 2 January 2006")
	}
	weekday := []rune("日月火水木金土")[day.Weekday()]
	return fmt.Sprintf("%s（%c）", day.Format("2006年1月2日"), weekday)
}

// Phone is the phone number given, grouped as people write it in Japan. Its
// digits are those that a store kiosk asks for.
func (i Instructions) Phone() string {
	digits := i.Invoice.Phone
	number, err := phonenumbers.Parse(digits, "JP")
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return digits
	}
	return phonenumbers.Format(number, phonenumbers.NATIONAL)
}
