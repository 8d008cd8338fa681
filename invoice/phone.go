package invoice

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// A phone number has 10 or 11 digits (payment page, "Creating a source").
const (
	minPhone = 10
	maxPhone = 11
)

var scientific = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+?[0-9]+$`)

// phone reads a number into 10 or 11 digits. It matters to the last digit: at
// some kiosks it is the second key to the payment. Punctuation, which says
// nothing about the number, goes without a finding.
func (r *row) phone(written string) string {
	s := fold(written)
	switch {
	case s == "":
		r.reject(FieldPhone, CodePhoneMissing, written)
		return ""
	case strings.ContainsAny(s, "eE") && scientific.MatchString(s):
		r.reject(FieldPhone, CodePhoneScientific, written)
		return ""
	}
	s = strings.TrimSuffix(s, ".0") // a spreadsheet's idea of a whole number
	digits := strings.Map(dropPunctuation, s)
	domestic := withoutCountry(digits)
	fromAbroad := domestic != digits
	zeroLost := !fromAbroad && onlyDigits(digits) && digits[0] != '0' &&
		(len(digits) == minPhone-1 || len(digits) == maxPhone-1)
	if zeroLost {
		domestic = "0" + digits
	}
	if !onlyDigits(domestic) || len(domestic) < minPhone || len(domestic) > maxPhone || domestic[0] != '0' {
		r.reject(FieldPhone, CodePhoneInvalid, written)
		return ""
	}
	switch {
	case fromAbroad:
		r.note(FieldPhone, CodePhoneNormalised, written, domestic)
	case zeroLost:
		r.warn(FieldPhone, CodePhoneZeroRestored, written, domestic)
	}
	if !plausible(domestic) {
		r.warn(FieldPhone, CodePhoneImplausible, written, domestic)
	}
	return domestic
}

// dropPunctuation takes out what people put between digits, with the dashes of
// every kind that Japanese keyboards and spreadsheets offer.
func dropPunctuation(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	if strings.ContainsRune(" -‐‑‒–—―⁃−─━ー﹣()[]〔〕【】．.・/", r) {
		return -1
	}
	return r
}

// withoutCountry turns +81 or 0081 into the 0 of a number within Japan.
// +81 (0)90 has that 0 already.
func withoutCountry(digits string) string {
	for _, country := range []string{"+81", "0081"} {
		if national, ok := strings.CutPrefix(digits, country); ok {
			return "0" + strings.TrimPrefix(national, "0")
		}
	}
	return digits
}

// plausible reports whether Japan's numbering plan has room for a number.
// phonenumbers would call every number of 10 or 11 digits possible, which looks
// at the length alone; so it is asked about the plan. The sample of the payment
// page, 01234567891, has no place in it, and so this only warns.
func plausible(digits string) bool {
	if isMobile(digits) {
		return true
	}
	national, err := strconv.ParseUint(digits[1:], 10, 64)
	if err != nil {
		return false
	}
	country := int32(81)
	return phonenumbers.IsValidNumber(&phonenumbers.PhoneNumber{CountryCode: &country, NationalNumber: &national})
}

// isMobile spares most numbers the look into the plan, which takes longer than
// all other rules together: 070, 080 and 090 with 1–9 behind.
func isMobile(digits string) bool {
	return len(digits) == maxPhone && digits[1] >= '7' && digits[2] == '0' && digits[3] != '0'
}
