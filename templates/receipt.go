package templates

import (
	"fmt"
	"time"

	"konbill/invoice"
)

// Payment is a bill that was paid.
type Payment struct {
	Merchant Merchant
	Invoice  invoice.Invoice
	PaidAt   time.Time // zero: not told
}

// ReceiptOf writes the mail that confirms a payment, in the invoice's language.
// It has no link and no attachment: who has paid is asked for nothing more, and
// a mail that asks is not ours. It is no receipt in the sense of tax law and
// says so, and therefore tells neither tax nor registration number.
func ReceiptOf(p Payment) (Mail, error) {
	facts := receiptLetterOf(p)
	text, html, err := write("receipt", facts)
	if err != nil {
		return Mail{}, err
	}
	return Mail{Subject: facts.Subject, Text: text, HTML: html}, nil
}

// receiptLetter is everything the two templates of the receipt show.
type receiptLetter struct {
	Language  invoice.Language
	Colon     string
	Subject   string
	Addressee string
	Received  string

	PaidHeading string
	Paid        []fact
	NothingToDo string
	NoReceipt   string

	ContactHeading string
	Contact        string
	Merchant       string
	Address        []string
	Ways           []fact // to reach the merchant
}

func receiptLetterOf(p Payment) receiptLetter {
	bill := Instructions{Merchant: p.Merchant, Invoice: p.Invoice}
	w, m := bill.Wording(), mailWordingIn(p.Invoice.Language)
	merchant := oneLine(p.Merchant.Name)
	reached := p.Merchant
	reached.RegistrationNumber = ""
	return receiptLetter{
		Language: p.Invoice.Language, Colon: m.colon,
		Subject:   fmt.Sprintf(m.receiptSubject, merchant, oneLine(p.Invoice.Number)),
		Addressee: oneLine(bill.Addressee()), Received: fmt.Sprintf(m.received, merchant),
		PaidHeading: m.paid,
		Paid: withValues(
			fact{w.Number, p.Invoice.Number},
			fact{w.Description, p.Invoice.Description},
			fact{m.paidAmount, bill.Amount()},
			fact{m.paidOn, paidOn(bill, p.PaidAt)},
		),
		NothingToDo: m.nothingToDo, NoReceipt: m.noReceipt,
		ContactHeading: m.receiptQuestions, Contact: m.receiptContact,
		Merchant: merchant, Address: lines(p.Merchant.Address), Ways: waysTo(reached, w),
	}
}

// paidOn is the day of a payment in Japan, or empty.
func paidOn(bill Instructions, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return bill.writeDay(at.In(japan))
}
