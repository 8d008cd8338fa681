package invoice

import (
	"strconv"
	"strings"
)

// Yen is an amount of money in whole yen. There is no smaller unit.
type Yen int64

// What one konbini charge may ask for (payment page, "Limits").
const (
	MinAmount Yen = 200
	MaxAmount Yen = 49_999
)

// String writes the amount with thousands separators: 12,345.
func (y Yen) String() string {
	digits := strconv.FormatInt(int64(y), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// Format writes the amount for people: 12,345円, or ¥12,345 in English.
func (y Yen) Format(lang Language) string {
	if lang == English {
		return "¥" + y.String()
	}
	return y.String() + "円"
}

func (r *row) amount(written string) Yen {
	if clean(written) == "" {
		r.reject(FieldAmount, CodeAmountMissing, written)
		return 0
	}
	yen, fault := parseYen(written)
	switch {
	case fault != "":
		r.reject(FieldAmount, fault, written)
		return 0
	case yen < MinAmount:
		r.reject(FieldAmount, CodeAmountTooSmall, written)
	case yen > MaxAmount:
		r.reject(FieldAmount, CodeAmountTooLarge, written)
	}
	return yen
}

// maxDigits keeps amounts far from overflow. Anything longer is too much money
// or not an amount.
const maxDigits = 15

// parseYen reads an amount as people and their programs write it: ¥3,000,
// ３，０００円, 3000.00, ￥3000-. It never guesses: 3,00 and 3000.5 are faults.
func parseYen(written string) (Yen, Code) {
	number, negative := bareNumber(fold(written))
	whole, fraction, hasPoint := strings.Cut(number, ".")
	digits, ok := ungroup(whole)
	switch {
	case !ok, hasPoint && !onlyDigits(fraction):
		return 0, CodeAmountUnreadable
	case len(fraction) == 3 && len(whole) <= 3: // 3.000 is three thousand in much of Europe
		return 0, CodeAmountUnreadable
	case negative:
		return 0, CodeAmountNegative
	case strings.Trim(fraction, "0") != "":
		return 0, CodeAmountFraction
	}
	digits = strings.TrimLeft(digits, "0")
	if len(digits) > maxDigits {
		return 0, CodeAmountTooLarge
	}
	var yen Yen
	for _, d := range digits {
		yen = yen*10 + Yen(d-'0')
	}
	return yen, ""
}

// bareNumber takes off a sign, the currency and what closes an amount on paper
// (円也, or a dash so that nobody adds digits).
func bareNumber(s string) (number string, negative bool) {
	if inside, ok := strings.CutPrefix(s, "("); ok {
		if inside, ok = strings.CutSuffix(inside, ")"); ok { // as accountants write minus
			s, negative = strings.TrimSpace(inside), true
		}
	}
	s, before := cutPrefixes(s, "△", "▲", "-", "−", "マイナス")
	s, marked := cutPrefixes(s, "¥", `\`, "JPY", "金")
	s, behind := cutPrefixes(s, "△", "▲", "-", "−")
	if dashless, ok := cutSuffixes(s, ".-", "-", "−", "ー", "―", "–", "—"); ok && (marked || strings.HasSuffix(dashless, "円")) {
		s = dashless // without a currency it is a minus to some accounting programs
	}
	s, _ = cutSuffixes(s, "円也", "円", "JPY")
	return s, negative || before || behind
}

// cutPrefixes takes off the first of several prefixes that s has, and the space
// behind it.
func cutPrefixes(s string, prefixes ...string) (rest string, cut bool) {
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return s, false
}

func cutSuffixes(s string, suffixes ...string) (rest string, cut bool) {
	for _, suffix := range suffixes {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return s, false
}

// ungroup takes the thousands separators out, if they stand where they belong.
func ungroup(s string) (digits string, ok bool) {
	if onlyDigits(s) {
		return s, true
	}
	first, rest, grouped := strings.Cut(s, ",")
	if !grouped || !onlyDigits(first) || len(first) > 3 {
		return "", false
	}
	digits = first
	for group := range strings.SplitSeq(rest, ",") {
		if !onlyDigits(group) || len(group) != 3 {
			return "", false
		}
		digits += group
	}
	return digits, true
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
