package omisetest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"konbill/invoice"
)

// faults are what is wrong with a request. The API reports all at once, joined
// to a sentence.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f faults) sentence() string {
	switch n := len(f); n {
	case 0, 1:
		return strings.Join(f, "")
	case 2:
		return f[0] + " and " + f[1]
	default:
		return strings.Join(f[:n-1], ", ") + ", and " + f[n-1]
	}
}

var (
	wholeNumber = regexp.MustCompile(`^-?[0-9]{1,15}$`)
	nameForm    = regexp.MustCompile(`^[0-9A-Za-z\p{Hiragana}\p{Katakana}ー\p{Han}々〆〇]+$`)
	emailForm   = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s.]+$`)
	phoneForm   = regexp.MustCompile(`^[0-9]{10,11}$`)
)

// The payment page's bounds.
const (
	maxName            = 10
	minEmail, maxEmail = 6, 50
)

// checkMoney reads amount and currency (payment page, "Limits"). That JPY must
// be in capitals is the practice API's choice.
func (f *faults) checkMoney(in input) invoice.Yen {
	text := in.get("amount")
	amount, err := strconv.ParseInt(text, 10, 64)
	switch yen := invoice.Yen(amount); {
	case text == "":
		f.add("amount can't be blank")
	case err != nil || !wholeNumber.MatchString(text):
		f.add("amount must be an integer")
	case yen < invoice.MinAmount:
		f.add("amount must be greater than or equal to %d", int64(invoice.MinAmount))
	case yen > invoice.MaxAmount:
		f.add("amount must be less than %d", int64(invoice.MaxAmount)+1)
	}
	if in.get("currency") != "JPY" {
		f.add("currency must be JPY")
	}
	return invoice.Yen(amount)
}

// checkPayer reads the fields of a source (payment page, "Creating a source").
func (f *faults) checkPayer(in input, amount invoice.Yen) payer {
	p := payer{amount: amount, name: in.get("name"), email: in.get("email"), phone: in.get("phone_number")}
	if in.get("type") != "econtext" {
		f.add("type must be econtext")
	}
	f.checkName(p.name)
	f.checkEmail(p.email)
	if !phoneForm.MatchString(p.phone) {
		f.add("phone_number must contain 10-11 digit characters")
	}
	return p
}

func (f *faults) checkName(name string) {
	switch {
	case name == "":
		f.add("name can't be blank")
	case utf8.RuneCountInString(name) > maxName:
		f.add("name is too long (maximum is %d characters)", maxName)
	case !nameForm.MatchString(name):
		f.add("name is in invalid format")
	}
}

func (f *faults) checkEmail(email string) {
	switch n := utf8.RuneCountInString(email); {
	case email == "":
		f.add("email can't be blank")
	case n < minEmail:
		f.add("email is too short (minimum is %d characters)", minEmail)
	case n > maxEmail:
		f.add("email is too long (maximum is %d characters)", maxEmail)
	case !emailForm.MatchString(email):
		f.add("email is in invalid format")
	}
}

// lifetime is how long a charge lives that says nothing about it (payment page,
// "Setting the charge to expire").
const lifetime = 30 * 24 * time.Hour

// checkExpiry reads expires_at: UTC, whole seconds, to come.
func (f *faults) checkExpiry(in input, now time.Time) time.Time {
	if !in.has("expires_at") {
		return now.Add(lifetime)
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", in.get("expires_at"))
	switch {
	case err != nil || at.Nanosecond() != 0:
		f.add("expires_at must be an ISO 8601 date in UTC, such as 2020-07-01T15:00:00Z")
	case !at.After(now):
		f.add("expires_at must be in the future")
	}
	return at
}

// checkKnown refuses fields that no page names for this request. It is the
// practice API's choice: a misspelt field would otherwise be lost in silence.
func (f *faults) checkKnown(in input, fields ...string) {
	for _, name := range in.names() {
		switch {
		case !slices.Contains(fields, name):
			f.add("%q is not a parameter of this request", name)
		case len(in[name]) > 1:
			f.add("%s is given more than once", name)
		}
	}
}
