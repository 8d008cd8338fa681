package invoice

import "strings"

// maxDescription keeps the description to what fits on the slip and into the
// charge, in characters.
const maxDescription = 255

func (r *row) description(written string) string {
	text := strings.Join(strings.Fields(clean(written)), " ")
	if !longerThan(text, maxDescription) {
		return text
	}
	short := cut(text, maxDescription)
	r.warn(FieldDescription, CodeDescriptionShortened, text, short)
	return short
}

// language reads a language, with or without a country behind it (ja-JP).
func (r *row) language(written string) Language {
	s := strings.ToLower(fold(written))
	if at := strings.IndexAny(s, "-_"); at >= 0 {
		s = s[:at]
	}
	switch s {
	case "":
		return r.rules.Language
	case "ja", "jp", "jpn", "japanese", "日本語", "和文":
		return Japanese
	case "en", "eng", "english", "英語", "英文":
		return English
	}
	r.warn(FieldLanguage, CodeLanguageUnknown, written, string(r.rules.Language))
	return r.rules.Language
}

// taxRate reads 10 or 8, the two rates of Japan's consumption tax, also as 10%
// and 0.1; 0 is none given.
func (r *row) taxRate(written string) int {
	s := strings.TrimSpace(strings.TrimSuffix(fold(written), "%"))
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	switch s {
	case "":
		if clean(written) == "" {
			return 0
		}
	case "10", "0.1":
		return 10
	case "8", "08", "0.08":
		return 8
	}
	r.reject(FieldTaxRate, CodeTaxRateInvalid, written)
	return 0
}

// tax reads the tax that an amount includes, and compares it with the rate.
func (r *row) tax(written string, amount Yen, rate int) Yen {
	if clean(written) == "" {
		return 0
	}
	tax, fault := parseYen(written)
	if fault != "" || amount > 0 && tax >= amount {
		r.reject(FieldTax, CodeTaxInvalid, written)
		return 0
	}
	if rate > 0 && amount > 0 {
		// Rounding is the seller's choice, so one yen either way is right.
		expected := amount * Yen(rate) / Yen(100+rate)
		if tax < expected-1 || tax > expected+1 {
			r.warn(FieldTax, CodeTaxMismatch, written, expected.String())
		}
	}
	return tax
}
