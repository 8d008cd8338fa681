package templates

import (
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// Mail is what a customer is mailed, without the slip itself.
type Mail struct {
	Subject        string
	Text           string // complete by itself
	HTML           string // the same facts in the same order
	Pictures       []Picture
	AttachmentName string // of the slip; empty: there is none
}

// Picture is one that the HTML shows from within the mail, as cid:ContentID
// (RFC 2392).
type Picture struct {
	ContentID   string // without angle brackets
	ContentType string // image/png
	Data        []byte
}

// Standalone is the HTML with its pictures in it, to be opened as a file.
func (m Mail) Standalone() string {
	html := m.HTML
	for _, picture := range m.Pictures {
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
		m.Pictures = []Picture{code}
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
