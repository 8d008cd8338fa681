package invoice

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// clean drops what can't be seen and must not be sent: controls, zero-width
// characters, bidi marks and variation selectors. Every kind of space becomes
// an ordinary one, and those at the ends go. A kana and a combining mark behind
// it, as macOS writes ガ, become the one character they show. Folding widths is
// left to the fields that want it, since a name prints with its widths kept.
func clean(s string) string {
	if !isPrintableASCII(s) {
		s = composeKana(strings.Map(visible, s))
	}
	return strings.TrimSpace(s)
}

func isPrintableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// visible maps a space to ' ' and what can't be seen to -1.
func visible(r rune) rune {
	switch {
	case plainlyVisible(r):
		return r
	case unicode.IsSpace(r): // U+3000, NBSP and line breaks, too
		return ' '
	case isInvisible(r):
		return -1
	}
	return r
}

// isInvisible reports controls, zero-width characters, bidi marks and variation
// selectors, but not spaces.
func isInvisible(r rune) bool {
	return !plainlyVisible(r) && !unicode.IsSpace(r) &&
		(unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r))
}

// plainlyVisible spares nearly all characters the look into Unicode's tables: ASCII,
// kana and the common kanji.
func plainlyVisible(r rune) bool {
	return '!' <= r && r <= '~' || 'ぁ' <= r && r <= 'ヿ' || '一' <= r && r <= '鿿' || '｡' <= r && r <= 'ﾟ'
}

// fold is clean and foldWidth.
func fold(s string) string { return foldWidth(clean(s)) }

// foldWidth makes full-width letters and digits of a clean text narrow and half-width
// kana wide, and composes kana with their voicing marks. It never touches kanji: normal
// forms would turn 神 (U+FA19) into another character.
func foldWidth(s string) string {
	if strings.IndexByte(s, foldedLead) < 0 {
		return s
	}
	return composeKana(width.Fold.String(s))
}

// foldedLead begins the UTF-8 of every character that has another width to be folded
// to, but for U+3000, of which clean makes a space.
const foldedLead = 0xEF

const (
	voiced     = '\u3099' // combining ゛
	semivoiced = '\u309A' // combining ゜
)

// hasMark reports whether one of the two is in a text, which few texts have.
func hasMark(s string) bool {
	for i := 2; i < len(s); i++ {
		if s[i-2] == 0xE3 && s[i-1] == 0x82 && (s[i] == 0x99 || s[i] == 0x9A) { // their UTF-8
			return true
		}
	}
	return false
}

// composeKana joins a kana and the combining mark behind it, as ﾀﾞ has them
// once its width is folded.
func composeKana(s string) string {
	if !hasMark(s) {
		return s
	}
	runes := []rune(s)
	out := runes[:0]
	for _, r := range runes {
		if n := len(out); n > 0 && (r == voiced || r == semivoiced) {
			if composed, ok := compose(out[n-1], r); ok {
				out[n-1] = composed
				continue
			}
		}
		out = append(out, r)
	}
	return string(out)
}

// compose gives the composed kana, if there is one. In Unicode it stands right
// behind its base, or two behind for the semivoiced.
func compose(base, mark rune) (rune, bool) {
	const (
		takeVoiced     = "かきくけこさしすせそたちつてとはひふへほカキクケコサシスセソタチツテトハヒフヘホゝヽ"
		takeSemivoiced = "はひふへほハヒフヘホ"
	)
	switch {
	case mark == semivoiced && strings.ContainsRune(takeSemivoiced, base):
		return base + 2, true
	case mark == semivoiced:
		return 0, false
	case strings.ContainsRune(takeVoiced, base):
		return base + 1, true
	}
	other, ok := farFromBase[base]
	return other, ok
}

// farFromBase are the voiced kana that don't stand right behind their base.
var farFromBase = map[rune]rune{'う': 'ゔ', 'ウ': 'ヴ', 'ワ': 'ヷ', 'ヰ': 'ヸ', 'ヱ': 'ヹ', 'ヲ': 'ヺ'}

// cut returns the first n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// longerThan reports whether s has more than n characters.
func longerThan(s string, n int) bool { return len(s) > n && utf8.RuneCountInString(s) > n }
