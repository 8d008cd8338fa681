package slip

import (
	"strings"
	"unicode"
)

// breakLines breaks a text into lines no wider than limit, in thousandths of an
// em. The lines one after the other are the whole text: a space at a line's end
// stays there and may hang over.
//
// Japanese breaks between any two characters, except before those that must not
// begin a line and after those that must not end one (JIS X 4051, kinsoku).
// Latin words and numbers stay whole as long as a line can hold them.
func breakLines(text []letter, limit int) [][]letter {
	var lines [][]letter
	for len(text) > 0 {
		n := lineEnd(text, limit)
		lines = append(lines, text[:n])
		text = text[n:]
	}
	return lines
}

// lineEnd returns how many letters the first line takes.
func lineEnd(text []letter, limit int) int {
	fits := fitting(text, limit)
	for fits < len(text) && isSpace(text[fits].char) {
		fits++
	}
	if fits == len(text) {
		return fits
	}
	for _, rule := range rulesFor(len(text) - fits) {
		for n := fits; n > fits*rule.notBefore/100; n-- {
			if rule.may(text[n-1].char, text[n].char) {
				return n
			}
		}
	}
	return fits
}

// breakRule is tried from a line's end back to a percentage of its letters.
type breakRule struct {
	may       func(before, after rune) bool
	notBefore int
}

// rulesFor are the rules, to be tried one after the other, for a line that leaves
// so many letters to the next. Where that would be a letter or two, such as い。,
// more of the text goes there.
func rulesFor(left int) []breakRule {
	const orphans, far, near = 3, 35, 85
	phrase := breakRule{mayBreakPhrase, near}
	if left <= orphans {
		phrase.notBefore = far
	}
	return []breakRule{phrase, {mayBreak, 0}, {mayBreakAddress, 0}, {mayBreakAnything, 0}}
}

// mayBreakPhrase breaks where a phrase of Japanese most likely ends: behind the
// hiragana or the comma that closes it. お and ご open one.
func mayBreakPhrase(before, after rune) bool {
	closes := unicode.Is(unicode.Hiragana, before) && before != 'お' && before != 'ご' || strings.ContainsRune("、。」）", before)
	return mayBreak(before, after) && (closes && !unicode.Is(unicode.Hiragana, after) || isSpace(before))
}

// fitting returns how many letters limit holds, at least one.
func fitting(text []letter, limit int) int {
	width := 0
	for i, l := range text {
		if width += l.glyph.Advance; width > limit {
			return max(i, 1)
		}
	}
	return len(text)
}

// mayBreak reports whether a line may end between two characters.
func mayBreak(before, after rune) bool {
	switch {
	case isSpace(after), !mayBreakAnything(before, after):
		return false
	case isSpace(before):
		return true
	}
	return isJapanese(before) || isJapanese(after)
}

// mayBreakAddress breaks a word too long for a line behind its punctuation, as
// links and long invoice numbers have it.
func mayBreakAddress(before, after rune) bool {
	return strings.ContainsRune("/?&=-_.:,@", before) && mayBreakAnything(before, after)
}

// mayBreakAnything cuts a word too long for a line where it must, but still
// keeps marks with their base and heeds kinsoku.
func mayBreakAnything(before, after rune) bool {
	return !strings.ContainsRune(neverFirst, after) && !strings.ContainsRune(neverLast, before) && !unicode.Is(unicode.M, after)
}

// The characters of JIS X 4051 that may not begin or end a line, and their
// narrow forms.
const (
	neverFirst = "、。，．・：；？！‼⁇⁈⁉゛゜ヽヾゝゞ々〻ー―…‥～〜゠–" +
		"’”）〕］｝〉》」』】〙〗〟｠»" +
		"ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ" +
		",.:;?!)]}%％‰℃°′″｡､･｣ｰﾞﾟｧｨｩｪｫｬｭｮｯ"
	neverLast = "‘“（〔［｛〈《「『【〘〖〝｟«([{｢￥＄£＃№¥$#"
)

func isSpace(r rune) bool { return r == ' ' || r == '\u3000' }

// isJapanese reports whether a character is set like kanji and kana, each for
// itself: those scripts with their punctuation, full-width and half-width forms,
// and enclosed or geometric signs such as ① and ■.
func isJapanese(r rune) bool {
	return r >= '\u2E80' || r >= '\u2460' && r <= '\u26FF'
}
