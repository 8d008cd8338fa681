package invoice

import "strings"

// An address has 6 to 50 characters (payment page, "Creating a source").
const (
	minEmail = 6
	maxEmail = 50
)

// email reads one address: of RFC 5321, without the quoted and the
// internationalised forms, but with the dots of Japanese mobile carriers.
func (r *row) email(written string) string {
	s := fold(written)
	if s == "" {
		r.reject(FieldEmail, CodeEmailMissing, written)
		return ""
	}
	address, several := bareAddress(s)
	user, host, _ := strings.Cut(address, "@")
	user = unquotedDots(user, host)
	switch {
	case several || strings.Contains(host, "@"):
		r.reject(FieldEmail, CodeEmailSeveral, written)
		return ""
	case !isLocalPart(user) || !isDomain(host) || badDots(user, host):
		r.reject(FieldEmail, CodeEmailInvalid, written)
		return ""
	}
	address = user + "@" + host
	if len(address) < minEmail || len(address) > maxEmail {
		r.reject(FieldEmail, CodeEmailLength, written)
		return ""
	}
	if address != clean(written) {
		r.note(FieldEmail, CodeEmailNormalised, written, address)
	}
	if strings.Contains(user, "+") {
		r.warn(FieldEmail, CodeEmailPlus, written, "")
	}
	if better := likelyMeant(host); better != "" {
		r.warn(FieldEmail, CodeEmailTypo, written, user+"@"+better)
	}
	return address
}

// bareAddress takes the address out of "Taro <taro@example.com>" and mailto:.
// A name before it may be the address once more, but not a list.
func bareAddress(s string) (address string, several bool) {
	const mailto = "mailto:"
	if len(s) > len(mailto) && strings.EqualFold(s[:len(mailto)], mailto) {
		s, _, _ = strings.Cut(s[len(mailto):], "?") // ?subject=…
	}
	before, rest, bracketed := strings.Cut(s, "<")
	inside, ends := strings.CutSuffix(rest, ">")
	switch {
	case !bracketed || !ends:
		return s, false
	case strings.Contains(inside, "<"), strings.Contains(before, "@") && strings.ContainsAny(before, ",;"):
		return "", true
	}
	return strings.TrimSpace(inside), false
}

// unquotedDots takes the quotes off "a..b"@docomo.ne.jp, which some write so
// that other programs take it. The mailer puts them on again.
func unquotedDots(user, host string) string {
	if len(user) > 2 && user[0] == '"' && user[len(user)-1] == '"' && isCarrier(host) {
		return user[1 : len(user)-1]
	}
	return user
}

// isLocalPart reports the characters of a dot-string (RFC 5321, section 4.1.2).
func isLocalPart(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte("!#$%&'*+/=?^_`{|}~.-", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// isDomain reports two or more labels of letters, digits and hyphens, of which
// the last begins with a letter and has two characters or more.
func isDomain(s string) bool {
	labels := 0
	for label := range strings.SplitSeq(s, ".") {
		labels++
		if !isLabel(label) {
			return false
		}
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	return labels > 1 && len(last) > 1 && (last[0] < '0' || last[0] > '9')
}

func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && s[i] != '-' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// isCarrier reports the mobile carriers that gave out addresses with dots in a
// row and before the @, until 2009.
func isCarrier(host string) bool {
	host = strings.ToLower(host)
	for _, carrier := range []string{"docomo.ne.jp", "ezweb.ne.jp", "au.com"} {
		if stem, ok := strings.CutSuffix(host, carrier); ok && (stem == "" || strings.HasSuffix(stem, ".")) {
			return true
		}
	}
	return false
}

// badDots reports dots where the host's mail server takes none.
func badDots(user, host string) bool {
	if strings.HasPrefix(user, ".") {
		return true
	}
	return (strings.HasSuffix(user, ".") || strings.Contains(user, "..")) && !isCarrier(host)
}

// typos are mistyped domains seen in real address lists.
var typos = map[string]string{
	"gmial.com": "gmail.com", "gmai.com": "gmail.com", "gmal.com": "gmail.com", "gamil.com": "gmail.com",
	"gnail.com": "gmail.com", "gmeil.com": "gmail.com", "gmaill.com": "gmail.com", "gmail.co": "gmail.com",
	"gmail.cm": "gmail.com", "gmail.om": "gmail.com", "g-mail.com": "gmail.com",
	"gmail.co.jp": "gmail.com", "gmail.ne.jp": "gmail.com", "gmail.jp": "gmail.com",
	"yaho.co.jp": "yahoo.co.jp", "yahooo.co.jp": "yahoo.co.jp", "yafoo.co.jp": "yahoo.co.jp", "yahoo.ne.jp": "yahoo.co.jp",
	"hotmial.com": "hotmail.com", "hotmal.com": "hotmail.com", "outlok.com": "outlook.com",
	"iclod.com": "icloud.com", "icoud.com": "icloud.com", "icloud.co.jp": "icloud.com", "icloud.ne.jp": "icloud.com",
	"docomo.co.jp": "docomo.ne.jp", "docom.ne.jp": "docomo.ne.jp", "docomo.ne.com": "docomo.ne.jp",
	"ezweb.co.jp": "ezweb.ne.jp", "ezwab.ne.jp": "ezweb.ne.jp",
}

// misspelledEndings are ends of domains that don't exist, and what was meant.
var misspelledEndings = [][2]string{
	{".con", ".com"}, {".cmo", ".com"}, {".ocm", ".com"}, {".comm", ".com"},
	{".co.jo", ".co.jp"}, {".ne.jo", ".ne.jp"}, {".cojp", ".co.jp"}, {".nejp", ".ne.jp"},
}

// likelyMeant returns the domain that was probably meant, or "".
func likelyMeant(host string) string {
	host = strings.ToLower(host)
	if meant, ok := typos[host]; ok {
		return meant
	}
	for _, ending := range misspelledEndings {
		if stem, ok := strings.CutSuffix(host, ending[0]); ok {
			return stem + ending[1]
		}
	}
	return ""
}
