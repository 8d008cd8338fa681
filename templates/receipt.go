package templates

import (
	"time"

	"konbill/invoice"
)

// Payment is a bill that was paid.
type Payment struct {
	Texts    *Set // nil: Konbill's own
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
	text, html, err := p.Texts.write("receipt", facts)
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
	Preheader string
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
	bill := Instructions{Texts: p.Texts, Merchant: p.Merchant, Invoice: p.Invoice}
	words := p.Texts.wordsIn(p.Invoice.Language)
	w, r := words.Shared, words.Receipt
	merchant := oneLine(p.Merchant.Name)
	reached := p.Merchant
	reached.RegistrationNumber = ""
	return receiptLetter{
		Language: p.Invoice.Language, Colon: words.Mail.Colon,
		Subject:   oneLine(fill(r.Subject, "merchant", p.Merchant.Name, "number", p.Invoice.Number)),
		Preheader: fill(r.Preheader, "amount", bill.Amount()),
		Addressee: oneLine(bill.Addressee()), Received: fill(r.Received, "merchant", merchant),
		PaidHeading: r.Paid,
		Paid: withValues(
			fact{Label: w.Number, Value: p.Invoice.Number},
			fact{Label: w.Description, Value: p.Invoice.Description},
			fact{Label: r.Amount, Value: bill.Amount(), Strong: true},
			fact{Label: r.PaidOn, Value: paidOn(bill, p.PaidAt)},
		),
		NothingToDo: r.NothingToDo, NoReceipt: r.NoReceipt,
		ContactHeading: r.Questions, Contact: r.QuestionsTo,
		Merchant: merchant, Address: lines(p.Merchant.Address), Ways: waysTo(reached, w),
	}
}

// paidOn is the day of a payment in Japan, or empty.
func paidOn(bill Instructions, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return bill.writeDay(at.In(invoice.Japan))
}
