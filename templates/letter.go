package templates

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"konbill/invoice"
)

// letter is everything the two templates show.
type letter struct {
	Language  invoice.Language
	Colon     string
	Separator string
	Subject   string
	Preheader string
	Sample    string // empty: the real thing
	Addressee string
	Lead      string
	DueSoon   string   // empty: it is no reminder
	Due       fact     // the deadline, to stand out in a reminder
	Before    []string // how it stands to what was mailed before
	Attached  string

	BillHeading string
	Bill        []fact

	PayHeading string
	Steps      []string
	LinkLabel  string
	Link       string
	AboutLink  []string
	QR         qrCode
	Numbers    []fact // payment code and phone number, to be copied
	NoCode     string // empty: there is a payment code
	WhereTo    string
	Places     string
	NotHere    string
	SecondMail string

	ContactHeading string
	Contact        string
	Merchant       string
	Address        []string
	Ways           []fact // to reach the merchant
	CheckByHand    string
}

func letterOf(i Instructions, link *url.URL) letter {
	all := i.Texts.wordsIn(i.Invoice.Language)
	w, m := all.Shared, all.Mail
	merchant := oneLine(i.Merchant.Name)
	l := letter{
		Language: i.Invoice.Language, Colon: m.Colon, Separator: m.Separator,
		Subject: subject(i, w, m), Preheader: fill(m.Preheader, "amount", i.Amount(), "deadline", i.Deadline()),
		Addressee: oneLine(i.Addressee()), Due: fact{Label: w.Due, Value: i.Deadline()}, Before: before(i, m),
		Lead: fill(m.Lead, "merchant", merchant), Attached: m.Attached,
		BillHeading: m.Bill, Bill: billOf(i, w),
		PayHeading: m.Pay, LinkLabel: w.Link, Link: i.AuthorizeURI, AboutLink: aboutLink(link, w, m), QR: qrCode{About: m.QR, Alt: m.QRAlt},
		WhereTo: w.WhereTo, Places: strings.Join(w.Places, m.Separator), NotHere: w.NotHere, SecondMail: m.SecondMail,
		ContactHeading: m.Unexpected, Contact: w.QuestionsTo,
		Merchant: merchant, Address: lines(i.Merchant.Address), Ways: waysTo(i.Merchant, w), CheckByHand: m.CheckByHand,
	}
	if i.PaymentCode != "" {
		l.Steps = append(slices.Clone(m.Steps), m.Numbers)
		l.Numbers = append(l.Numbers, fact{Label: w.Code, Value: oneLine(i.PaymentCode)})
	} else {
		l.Steps = append(slices.Clone(m.Steps), m.PhoneOnly)
		l.NoCode = m.NoCode
	}
	l.Numbers = append(l.Numbers, fact{Label: w.Phone, Value: oneLine(i.Phone())})
	if i.Reminder {
		l.DueSoon = fill(m.DueSoon, "merchant", merchant)
	}
	if i.Sample {
		l.Sample = m.SampleNote
	}
	return l
}

// subject tells the merchant, what for and the deadline, with marks in front.
// That a bill replaces another is marked on the mail that brings it, and on its
// copies; a reminder comes after them.
func subject(i Instructions, w Wording, m mailWording) string {
	text := fill(m.Subject, "merchant", i.Merchant.Name, "title", w.Title, "number", i.Invoice.Number, "due_day", i.DueDay())
	if i.Reissued && !i.Reminder {
		text = m.Reissued + text
	}
	if i.Reminder {
		text = m.Reminder + text
	}
	if i.Again {
		text = m.Again + text
	}
	if i.Sample {
		text = fmt.Sprintf("[%s] %s", w.Sample, text)
	}
	return oneLine(text)
}

// before tells how a mail stands to what the customer was mailed before. A
// reminder says of itself all that a copy would say.
func before(i Instructions, m mailWording) []string {
	var told []string
	switch {
	case i.Reminder:
		told = append(told, m.SameBill)
	case i.Again:
		told = append(told, m.SentBefore)
	}
	if i.Reissued {
		told = append(told, m.Replaces)
	}
	return told
}

// billOf says of tax what the slip says, in the same words.
func billOf(i Instructions, w Wording) []fact {
	note, block := i.Tax(), i.TaxBlock()
	if block != "" {
		note = ""
	}
	return withValues(
		fact{Label: w.Number, Value: i.Invoice.Number},
		fact{Label: w.Description, Value: i.Invoice.Description},
		fact{Label: w.Amount, Value: i.Amount(), Note: note, Strong: true},
		fact{Label: w.TaxDetails, Value: block},
		fact{Label: w.Due, Value: i.Deadline(), Strong: true},
	)
}

// aboutLink says whose page the link leads to, where it leads to the payment
// service: a practice API is nobody a customer could check.
func aboutLink(link *url.URL, w Wording, m mailWording) []string {
	if link.Scheme != "https" || link.Host != paymentHost {
		return nil
	}
	return []string{w.LinkHost, fill(m.CheckHost, "host", paymentHost)}
}

// paymentHost is where the payment service shows its instructions (payment
// page, "Creating a charge", authorize_uri).
const paymentHost = "pay.omise.co"

func waysTo(m Merchant, w Wording) []fact {
	return withValues(
		fact{Label: w.MerchantPhone, Value: m.Phone},
		fact{Label: w.MerchantHours, Value: m.Hours},
		fact{Label: w.MerchantEmail, Value: m.Email},
		fact{Label: w.RegistrationNumber, Value: m.RegistrationNumber},
	)
}
