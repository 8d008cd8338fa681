package mailer

import (
	"errors"
	"net/mail"
	"regexp"
	"strings"
	"unicode/utf8"
)

// mailbox is one mail address with the name of its owner.
type mailbox struct {
	name          string // may be empty
	local, domain string
}

var (
	errNotASCII   = errors.New("the address has characters that mail addresses can't have (only ASCII works everywhere)")
	errNotAddress = errors.New("this is not a mail address")

	// plainLocal is what may stand before the @ without its quotes: RFC 5321's
	// dot-string, and dots in any place, as Japanese carriers gave out.
	plainLocal  = patternOf("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}$")
	plainDomain = patternOf(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$`)
)

// CheckAddress says why a text isn't an address, alone or as "name <address>",
// that a mail can be from or answered to. It doesn't show it.
func CheckAddress(text string) error {
	_, err := parseMailbox(text)
	return err
}

// parseMailbox reads an address, alone or as "name <address>". The name may be
// any text: net/mail would take (株) in it for a comment and drop it. Errors
// don't show the address.
func parseMailbox(text string) (mailbox, error) {
	var m mailbox
	address := strings.TrimSpace(text)
	if open := strings.LastIndex(address, "<"); open >= 0 && strings.HasSuffix(address, ">") {
		m.name = unquote(strings.TrimSpace(address[:open]))
		address = address[open+1 : len(address)-1]
	}
	at := strings.LastIndex(address, "@")
	if at < 0 || !isHeaderText(text) {
		return m, errNotAddress
	}
	m.local, m.domain = address[:at], address[at+1:]
	if strings.ContainsFunc(address, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return m, errNotASCII
	}
	if !plainLocal.MatchString(m.local) || !plainDomain.MatchString(m.domain) || strings.Contains(m.domain, "..") {
		return m, errNotAddress
	}
	return m, nil
}

// unquote takes a name out of its double quotes (RFC 5322 section 3.2.4).
func unquote(name string) string {
	if len(name) < 2 || !strings.HasPrefix(name, `"`) || !strings.HasSuffix(name, `"`) {
		return name
	}
	return regexp.MustCompile(`\\(.)`).ReplaceAllString(name[1:len(name)-1], "$1")
}

// path is the address as SMTP and headers write it, with the part before the @
// quoted where its dots need that: "a..b"@docomo.ne.jp.
func (m mailbox) path() string {
	written := (&mail.Address{Address: m.local + "@" + m.domain}).String()
	return strings.Trim(written, "<>")
}

// header is the mailbox as a header field holds it.
func (m mailbox) header() string {
	if m.name == "" {
		return "<" + m.path() + ">"
	}
	return encodedText(m.name, plainPhrase) + " <" + m.path() + ">"
}
