package invoice

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxSentName is how many characters of a name the API takes (payment page,
// "Creating a source": letters, digits, hiragana, katakana, kanji).
const MaxSentName = 10

// Legal forms. The short ones are always dropped from the name that is sent;
// the spelled-out ones only where the name is too long with them. Longer forms
// stand before those they contain. カ) and (カ are how bank transfers write 株式
// 会社 at either end of a name.
var (
	shortForms = regexp.MustCompile(`[㈱㈲㈳㈶㈻㍿㊑㊒㊓]|` +
		`\( ?(?:株|有|同|資|名|社|財|学|医|福|宗|特非|独|一社|一財|公社|公財|弁|税) ?\)|` +
		`^(?:カ|ユ|ド|シ|メ|イ|ザイ|シャ|フク|ガク|シユウ|トクヒ|ドク)\)|\((?:カ|ユ|ド|シ|メ|イ)\)?$|\((?:カ|ユ|ド|シ|メ|イ)\)`)
	spelledForms = regexp.MustCompile(`株式会社|有限会社|合同会社|合資会社|合名会社|相互会社|カブシキガイシャ|ユウゲンガイシャ|` +
		`一般社団法人|一般財団法人|公益社団法人|公益財団法人|社団法人|財団法人|` +
		`認定特定非営利活動法人|特定非営利活動法人|認定NPO法人|NPO法人|` +
		`社会医療法人|医療法人社団|医療法人財団|医療法人|学校法人|社会福祉法人|宗教法人|` +
		`地方独立行政法人|独立行政法人|国立大学法人|公立大学法人|` +
		`農事組合法人|管理組合法人|弁護士法人|税理士法人|司法書士法人|行政書士法人|社会保険労務士法人|監査法人|有限責任事業組合|` +
		`^協同組合|協同組合$`) // inside a name it is no legal form: 全国農業協同組合連合会
	englishForms = regexp.MustCompile(`(?i)[ ,]+(?:co\.?[ ,]*ltd|inc|incorporated|corp|corporation|k\.?k|g\.?k|llc|ltd|limited|company)\.?$`)
)

// names is what becomes of a name as written.
type names struct {
	full    string // for slip and mail: as written, widths kept
	sent    string // for the API: at most MaxSentName characters
	company bool   // addressed with 御中
}

// name reads a name. That spaces go from what is sent makes no finding: it
// happens to nearly every name, and the results show what was sent.
func (r *row) name(written string) names {
	full := clean(written)
	if full == "" {
		r.reject(FieldName, CodeNameMissing, written)
		return names{}
	}
	var n names
	n.full, n.company = r.withoutHonorific(full)
	folded := foldWidth(n.full)
	n.company = n.company || hasLegalForm(folded)
	n.sent = r.sentName(n.full, folded)
	return n
}

// SearchName makes of what somebody looks for the beginning of the names that were sent
// and may be meant: folded, without spaces and short legal forms, as [Invoice.SentName]
// is.
func SearchName(text string) string {
	plain, _ := plainCharacters(shortForms.ReplaceAllString(fold(text), ""))
	return cut(plain, MaxSentName)
}

func hasLegalForm(folded string) bool {
	return mayHaveShortForm(folded) && shortForms.MatchString(folded) ||
		mayHaveSpelledForm(folded) && spelledForms.MatchString(folded) ||
		mayHaveEnglishForm(folded) && englishForms.MatchString(folded)
}

// Most names have no legal form. These spare them the regular expressions.

func mayHaveShortForm(folded string) bool {
	return strings.ContainsFunc(folded, func(r rune) bool {
		return r == '(' || r == ')' || r >= 0x3200 && r <= 0x33FF // ㈱ … ㍿
	})
}

func mayHaveSpelledForm(folded string) bool {
	for _, part := range []string{"会社", "法人", "組合", "ガイシャ"} {
		if strings.Contains(folded, part) {
			return true
		}
	}
	return false
}

func mayHaveEnglishForm(folded string) bool {
	last := folded[max(len(folded)-1, 0):]
	return last != "" && last < "\x80" && strings.ContainsAny(folded, " ,")
}

// honorifics stand behind a name. Longer ones stand before those they contain.
var honorifics = []struct {
	title   string
	company bool // it is for companies
}{
	{"御中", true}, {"各位", true},
	{"ご担当者様", true}, {"御担当者様", true}, {"ご担当様", true}, {"御担当様", true}, {"担当者様", true},
	{"様", false}, {"殿", false}, {"さま", false},
}

// withoutHonorific takes 様 and 御中 off: slip and mail add them.
func (r *row) withoutHonorific(full string) (rest string, company bool) {
	rest = full
	for again := true; again; {
		again = false
		for _, h := range honorifics {
			before, ok := strings.CutSuffix(rest, h.title)
			if !ok {
				continue
			}
			if name := strings.TrimSpace(before); name != "" && !belongsToName(before, h.title) {
				rest, company, again = name, company || h.company, true
				break
			}
		}
	}
	if rest != full {
		r.note(FieldName, CodeHonorificRemoved, full, rest)
	}
	return rest, company
}

// belongsToName reports an ending that looks like an honorific, but may be part
// of the name: 鵜殿 and 真殿 are family names, おひさま is a nursery's name. An
// honorific too much does less harm than half a name.
func belongsToName(before, title string) bool {
	if strings.HasSuffix(before, " ") {
		return false
	}
	switch title {
	case "殿":
		return !longerThan(before, 1)
	case "さま":
		stem := before[len(strings.TrimRightFunc(before, func(r rune) bool { return unicode.Is(unicode.Hiragana, r) })):]
		return strings.HasPrefix(stem, "お") && !longerThan(stem, 5)
	}
	return false
}

// sentName makes of a folded name what the API takes.
func (r *row) sentName(full, folded string) string {
	bare := folded
	if mayHaveShortForm(folded) {
		bare = shortForms.ReplaceAllString(folded, "")
	}
	plain, lost := plainCharacters(bare)
	if plain == "" {
		r.reject(FieldName, CodeNameUnusable, full)
		return ""
	}
	if lost != "" {
		r.add(Finding{Field: FieldName, Code: CodeNameDropped, Severity: Warning, Before: full, After: plain, Ref: lost})
	}
	if longerThan(plain, MaxSentName) {
		return r.shortenedName(full, plain, withoutLegalForm(bare, plain))
	}
	if lost == "" && plain != strings.ReplaceAll(full, " ", "") {
		r.note(FieldName, CodeNameNormalised, full, plain)
	}
	return plain
}

// shortenedName fits a name that is too long. The rule of rejecting is about
// cutting: a name that fits without its legal form is not cut.
func (r *row) shortenedName(full, plain, formless string) string {
	short := cut(formless, MaxSentName)
	if short != formless && r.rules.NameOverflow == RejectName {
		r.add(Finding{Field: FieldName, Code: CodeNameTooLong, Severity: Error, Before: full, After: short})
		return plain
	}
	r.warn(FieldName, CodeNameShortened, full, short)
	return short
}

// withoutLegalForm drops the spelled-out legal form, which the customer misses
// least; not from a name that has nothing else.
func withoutLegalForm(bare, plain string) string {
	bare = spelledForms.ReplaceAllString(englishForms.ReplaceAllString(bare, ""), "")
	if formless, _ := plainCharacters(bare); formless != "" {
		return formless
	}
	return plain
}

// plainCharacters keeps what the API takes. Spaces and marks go without a
// word; letters that it doesn't know are listed in lost.
func plainCharacters(s string) (plain, lost string) {
	if isPlainThroughout(s) {
		return s, ""
	}
	var kept strings.Builder
	for _, r := range s {
		switch base := plainForm(r); {
		case isPlain(base):
			kept.WriteRune(base)
		case carriesMeaning(r):
			lost += string(r)
		}
	}
	return kept.String(), lost
}

func isPlainThroughout(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !isPlain(r) })
}

// carriesMeaning tells characters whose loss changes a name from marks: letters
// of other scripts, ①, emoji, a company's own characters, CJK radicals.
func carriesMeaning(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Co, r) || unicode.Is(unicode.Han, r) ||
		unicode.Is(unicode.Katakana, r) || r > 0xFFFF
}

// isPlain reports whether the API takes a character in a name. Katakana and
// Han are more to Unicode than the API's words can mean: ㌔ and ㋐, ⼭ and 〻.
func isPlain(r rune) bool {
	switch {
	case r < 0x80:
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	case r >= 'ぁ' && r <= 'ゖ', r >= 'ァ' && r <= 'ヺ', r >= '一' && r <= '鿿':
		return true
	case r == 'ー', r == '々', r == '〆', r == '〇', r == 'ヽ', r == 'ヾ', r == 'ゝ', r == 'ゞ':
		return true
	}
	return unicode.Is(unicode.Han, r) && unicode.Is(unicode.Lo, r)
}

// plainForm takes the accent off a Latin letter, and gives the kanji for a
// Kangxi radical, which looks the same and comes out of PDFs (⼭ for 山).
func plainForm(r rune) rune {
	switch {
	case r < 0x80:
		return r
	case r >= 0x2F00 && r <= 0x2FD5:
		kanji, _ := utf8.DecodeRuneInString(norm.NFKC.String(string(r)))
		return kanji
	case unicode.Is(unicode.Latin, r):
		base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
		return base
	}
	return r
}
