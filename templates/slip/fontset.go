package slip

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/jung-kurt/gofpdf"

	"konbill/templates/fonts"
)

// fontSet is the fonts of one file, cut to its characters.
type fontSet struct {
	cuts  []cut
	codes map[rune]rune // what draws a character above U+FFFF
}

// cut is what a file needs of a face.
type cut struct {
	face  *fonts.Face
	bytes []byte
	name  string // as the PDF file tells it: a tag for the subset, and the face
}

// The writer addresses glyphs by 16 bits. A character above U+FFFF is drawn by a
// code of the private use area, which no character that prints has (see
// meaningless), and says itself what it is by its ActualText.
const firstPrivate = '\uE000'

const lastDirect = '\uFFFF'

// high reports whether a letter can't be drawn by its own code.
func (l letter) high() bool { return l.char > lastDirect }

// fontUse gathers what pages need of the fonts.
type fontUse struct {
	used  map[*fonts.Face]map[rune]fonts.Glyph
	order []*fonts.Face // as first met
	codes map[rune]rune
}

func newFontUse() *fontUse {
	return &fontUse{used: map[*fonts.Face]map[rune]fonts.Glyph{}, codes: map[rune]rune{}}
}

func (u *fontUse) add(sheet page) {
	for _, l := range slices.Concat(sheet.mark, sheet.lines) {
		for _, letter := range l.letters {
			if u.used[letter.face] == nil {
				u.used[letter.face] = map[rune]fonts.Glyph{}
				u.order = append(u.order, letter.face)
			}
			u.used[letter.face][letter.char] = letter.glyph
			if _, known := u.codes[letter.char]; letter.high() && !known {
				u.codes[letter.char] = firstPrivate + rune(len(u.codes))
			}
		}
	}
}

func (u *fontUse) cut() fontSet {
	set := fontSet{codes: u.codes}
	for _, face := range u.order {
		codes := map[uint16]fonts.Glyph{}
		for char, glyph := range u.used[face] {
			codes[uint16(set.code(char))] = glyph
		}
		data := face.Cut(codes)
		set.cuts = append(set.cuts, cut{face, data, tag(data) + "+" + face.Name})
	}
	return set
}

func (s fontSet) code(char rune) rune {
	if code, ok := s.codes[char]; ok {
		return code
	}
	return char
}

// spelled reports whether a letter is drawn by a code that isn't its own.
func (fontSet) spelled(l letter) bool { return l.high() }

// coded writes letters as the codes that draw them.
func (s fontSet) coded(letters []letter) string {
	var out strings.Builder
	for _, l := range letters {
		out.WriteRune(s.code(l.char))
	}
	return out.String()
}

func (s fontSet) addTo(pdf *gofpdf.Fpdf) {
	for _, c := range s.cuts {
		pdf.AddUTF8FontFromBytes(family(c.face), "", c.bytes)
	}
}

// tag makes the six letters that tell one subset of a font from another (ISO
// 32000-1, 9.6.4). Programs that join slips into one print file rely on them.
func tag(data []byte) string {
	sum := sha256.Sum256(data)
	letters := sum[:6]
	for i, b := range letters {
		letters[i] = 'A' + b%26
	}
	return string(letters)
}

// The writer names a font "utf8" and its family in small letters, which leaves no
// room for a tag. So the family is chosen to make that name as long as the real
// one, which then takes its place without moving any other byte.
const (
	writersPrefix = "utf8"
	familyPrefix  = "cut"
)

func family(face *fonts.Face) string {
	return familyPrefix + strings.ToLower(face.Name)
}

// named gives the fonts of a finished file their real names.
func (s fontSet) named(pdf []byte) []byte {
	for _, c := range s.cuts {
		pdf = bytes.ReplaceAll(pdf, []byte("/"+writersPrefix+family(c.face)), []byte("/"+c.name))
	}
	return pdf
}
