package slip

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"konbill/templates/fonts"
)

// geta stands where no font has the character, as printers have long turned a
// piece of type upside down.
const geta = '〓'

// letter is one character ready to be set.
type letter struct {
	char  rune // as printed: geta for what no font has
	face  *fonts.Face
	glyph fonts.Glyph
	thin  bool // too thin in its face; its outline is drawn too
}

// weight is how heavy a text is set.
type weight int

const (
	plain weight = iota
	bold
)

// typecase finds the letter of each character. What is in drawers was looked up
// beforehand; they are never written to afterwards, so workers share them.
type typecase struct {
	faces    [2]*fonts.Face // by weight
	fallback *fonts.Face
	drawers  [2]map[rune]letter // by weight
}

func newTypecase() (*typecase, error) {
	regular, err := fonts.Regular()
	if err != nil {
		return nil, err
	}
	heavy, err := fonts.Bold()
	if err != nil {
		return nil, err
	}
	fallback, err := fonts.Fallback()
	if err != nil {
		return nil, err
	}
	return &typecase{
		faces:    [2]*fonts.Face{plain: regular, bold: heavy},
		fallback: fallback,
		drawers:  [2]map[rune]letter{{}, {}},
	}, nil
}

// all are the faces that letters come from.
func (c *typecase) all() []*fonts.Face { return append(c.faces[:], c.fallback) }

// fill looks the characters of a text up once for all that is drawn later.
func (c *typecase) fill(text string) {
	for _, r := range printable(text) {
		for _, w := range []weight{plain, bold} {
			if _, known := c.drawers[w][r]; !known {
				c.drawers[w][r] = c.lookUp(r, w)
			}
		}
	}
}

// set turns a text into letters, one for every character that prints.
func (c *typecase) set(text string, w weight) []letter {
	letters := make([]letter, 0, utf8.RuneCountInString(text))
	for _, r := range printable(text) {
		l, known := c.drawers[w][r]
		if !known {
			l = c.lookUp(r, w)
		}
		letters = append(letters, l)
	}
	return letters
}

func (c *typecase) lookUp(r rune, w weight) letter {
	if l, ok := c.find(r, w); ok {
		return l
	}
	l, _ := c.find(geta, w)
	return l
}

func (c *typecase) find(r rune, w weight) (letter, bool) {
	if meaningless(r) {
		return letter{}, false
	}
	if glyph, ok := c.faces[w].Glyph(r); ok {
		// BIZ UDPGothic's underscore is a hairline, and payment links have it.
		return letter{char: r, face: c.faces[w], glyph: glyph, thin: r == '_'}, true
	}
	glyph, ok := c.fallback.Glyph(r) // which has no bold
	return letter{char: r, face: c.fallback, glyph: glyph, thin: w == bold}, ok
}

// meaningless characters can't be told by any font: what stands for bytes that
// were lost, and private ones, which mean something only where they were made.
func meaningless(r rune) bool { return r == utf8.RuneError || unicode.Is(unicode.Co, r) }

// Missing returns the characters of a text that no embedded font has and that
// print as 〓, each once, in order.
func Missing(text string) []rune {
	c, err := newTypecase()
	if err != nil {
		return nil // NewPress fails with the same error before anything is drawn
	}
	var missing []rune
	for _, r := range printable(text) {
		if _, ok := c.find(r, plain); !ok && !slices.Contains(missing, r) {
			missing = append(missing, r)
		}
	}
	return missing
}

// printable drops what has no shape of its own, turns line breaks and tabs into
// spaces, and joins a base and the marks behind it where Unicode has them as one
// character (か and U+3099, as macOS writes file names). Kanji are never
// changed: normal forms would turn 神 (U+FA19) into another character.
func printable(text string) []rune {
	out := make([]rune, 0, len(text))
	for _, r := range text {
		switch {
		case r == '\n', r == '\r', r == '\t':
			out = append(out, ' ')
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		case unicode.Is(unicode.Mn, r) && len(out) > 0:
			out = append(out[:len(out)-1], joined(out[len(out)-1], r)...)
		default:
			out = append(out, r)
		}
	}
	return out
}

func joined(base, mark rune) []rune {
	both := []rune{base, mark}
	if one := []rune(norm.NFC.String(string(both))); len(one) == 1 && !unicode.Is(unicode.Han, base) {
		return one
	}
	return both
}
