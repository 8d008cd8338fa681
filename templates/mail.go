package templates

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"konbill/invoice"
)

// Mail is what a customer is mailed, without the slip itself.
type Mail struct {
	Subject        string
	Text           string // complete by itself
	HTML           string // the same facts in the same order
	Inline         []Inline
	AttachmentName string // of the slip; empty: there is none
}

// Inline is a picture that the HTML shows from within the mail, as
// cid:ContentID (RFC 2392).
type Inline struct {
	ContentID   string // without angle brackets
	ContentType string // image/png
	Data        []byte
}

// Standalone is the HTML with its pictures in it, to be opened as a file.
func (m Mail) Standalone() string {
	html := m.HTML
	for _, picture := range m.Inline {
		data := "data:" + picture.ContentType + ";base64," + base64.StdEncoding.EncodeToString(picture.Data)
		html = strings.ReplaceAll(html, "cid:"+picture.ContentID, data)
	}
	return html
}

// MailOf writes the mail of a payment in the invoice's language. It fails when
// the link isn't an address that a reader could check by eye: http or https,
// with a host, in plain ASCII.
//
// "Pay this number at a convenience store" is how a known fraud begins. So the
// mail says who sends it and why the link leads elsewhere, shows the one link
// as it is, holds nothing that is fetched or counted, and asks whoever doubts
// to call the merchant first.
func MailOf(i Instructions) (Mail, error) {
	link, err := checkLink(i.AuthorizeURI)
	if err != nil {
		return Mail{}, err
	}
	facts := letterOf(i, link)
	code, side, err := drawCode(i.AuthorizeURI)
	if err != nil {
		return Mail{}, err
	}
	facts.QR.ContentID, facts.QR.Side = code.ContentID, side
	text, html, err := i.Texts.write("mail", facts)
	if err != nil {
		return Mail{}, err
	}
	m := Mail{Subject: facts.Subject, Text: text, HTML: html, AttachmentName: attachmentName(i)}
	if strings.Contains(html, "cid:"+code.ContentID) { // a merchant's own HTML may do without
		m.Inline = []Inline{code}
	}
	return m, nil
}

// plainLink is what an address may hold for its text and its link to be the
// same in every reader.
var plainLink = regexp.MustCompile(`^https?://[A-Za-z0-9:/?#&=._~%+,;-]+$`)

func checkLink(link string) (*url.URL, error) {
	u, err := url.Parse(link)
	if err != nil || !plainLink.MatchString(link) || u.Host == "" {
		return nil, errors.New("the payment link is not an address that can be mailed")
	}
	return u, nil
}

// fact is one line of the bill.
type fact struct {
	Label, Value string
	Note         string // smaller, behind the value; may be empty
	Strong       bool   // what the customer acts on
}

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
		Subject: subject(i, w, m), Preheader: fill(m.Preheader, "amount", i.Amount(), "deadline", i.Deadline()), Due: fact{Label: w.Due, Value: i.Deadline()}, Before: before(i, m),
		Addressee: oneLine(i.Addressee()), Lead: fill(m.Lead, "merchant", merchant), Attached: m.Attached,
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

func billOf(i Instructions, w Wording) []fact {
	return withValues(
		fact{Label: w.Number, Value: i.Invoice.Number},
		fact{Label: w.Description, Value: i.Invoice.Description},
		fact{Label: w.Amount, Value: i.Amount(), Note: i.Tax(), Strong: true},
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

// withValues drops the facts that nobody gave, and makes one line of each: a
// line break in a field must not look like a line of ours.
func withValues(facts ...fact) []fact {
	var given []fact
	for _, f := range facts {
		if f.Value = oneLine(f.Value); f.Value != "" {
			given = append(given, f)
		}
	}
	return given
}

// oneLine makes a line of a text, without control characters.
func oneLine(text string) string {
	visible := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' { // line and paragraph separators
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Join(strings.Fields(visible), " ")
}

func lines(text string) []string {
	var given []string
	for line := range strings.Lines(text) {
		if line = oneLine(line); line != "" {
			given = append(given, line)
		}
	}
	return given
}

// maxFileFormat bounds mail.file beside its number, in bytes: a number has 64
// characters, and the name with all of them and a sample's mark must fit in a
// header line (300 bytes, see mailer.Attachment).
const maxFileFormat = 36

var plainFile = regexp.MustCompile(`^[^/\\:*?"<>|[:cntrl:]]+\.pdf$`)

// checkFileName looks at the name that a merchant gives to attachments.
func (w *words) checkFileName(from source) []Fault {
	format := fill(w.Mail.File, "number", "")
	if plainFile.MatchString(w.Mail.File) && len(format) <= maxFileFormat {
		return nil
	}
	return []Fault{from.fault("mail.file", faultBadFileName, "")}
}

// attachmentName keeps to characters that are safe in a file name on every
// system.
func attachmentName(i Instructions) string {
	number := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(i.Invoice.Number, "_"))
	name := fill(i.Texts.wordsIn(i.Invoice.Language).Mail.File, "number", number)
	if i.Sample {
		name = i.Wording().Sample + "_" + name
	}
	return name
}
