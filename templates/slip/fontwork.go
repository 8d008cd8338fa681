package slip

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"konbill/templates/fonts"
)

// fontWork is one font of a slip: the glyphs of its characters, each under the
// number by which the page names it. Two characters that share a drawing still
// have a number each, so that a copied text is what was written.
//
// The first characters are those of the wording, which every slip of a batch has
// (see kit); they are compressed once for all.
type fontWork struct {
	face    *fonts.Face
	program *fonts.Program
	numbers map[rune]uint16
	letters []letter // in the order of their numbers

	outlines packed // of the wording
	unicode  packed // what the wording's numbers stand for
	shared   int    // how many letters are the wording's
}

func newFontWork(face *fonts.Face) *fontWork {
	return &fontWork{face: face, program: face.NewProgram(), numbers: map[rune]uint16{}}
}

// add gives a letter a number.
func (f *fontWork) add(l letter) {
	if _, known := f.numbers[l.char]; known {
		return
	}
	f.numbers[l.char] = f.program.Add(l.glyph)
	f.letters = append(f.letters, l)
}

// share makes what was added so far the part that every slip has.
func (f *fontWork) share() {
	_, outlines, _ := f.program.Font()
	f.outlines = pack(outlines)
	f.unicode = pack(f.mapped([]byte(mapHead), f.letters))
	f.shared = len(f.letters)
}

// extended goes on from the wording to the characters of one slip.
func (f *fontWork) extended() *fontWork {
	own := *f
	own.program = f.program.Clone()
	own.numbers = maps.Clone(f.numbers)
	own.letters = slices.Clip(f.letters)
	return &own
}

// file is the font's file, compressed, and its length before.
func (f *fontWork) file() (stream []byte, length int) {
	directory, outlines, rest := f.program.Font()
	own := slices.Concat(outlines[len(f.outlines.plain):], rest)
	return zlibOf(own, stored(directory), f.outlines), len(directory) + len(outlines) + len(rest)
}

// characters is the map from numbers back to characters (ISO 32000-1, 9.10.3).
func (f *fontWork) characters() []byte {
	var own []byte
	if f.shared == 0 {
		own = append(own, mapHead...)
	}
	return zlibOf(append(f.mapped(own, f.letters[f.shared:]), mapFoot...), f.unicode)
}

const (
	mapHead = `/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
`
	mapFoot = `endcmap
CMapName currentdict /CMap defineresource pop
end
end
`
	mostMapped = 100 // in one section (Adobe Technical Note 5014)
)

// mapped adds what the numbers of letters stand for.
func (f *fontWork) mapped(to []byte, letters []letter) []byte {
	for section := range slices.Chunk(letters, mostMapped) {
		to = fmt.Appendf(to, "%d beginbfchar\n", len(section))
		for _, l := range section {
			to = fmt.Appendf(to, "<%04X> <", f.numbers[l.char])
			for _, unit := range utf16.AppendRune(nil, l.char) {
				to = fmt.Appendf(to, "%04X", unit)
			}
			to = append(to, ">\n"...)
		}
		to = append(to, "endbfchar\n"...)
	}
	return to
}

// widths lists how wide the glyphs are (ISO 32000-1, 9.7.4.3), apart from those
// of a full em, as kanji are. Each list is of numbers one behind the other.
func (f *fontWork) widths() []byte {
	out := []byte{'['}
	open := false
	for _, l := range f.letters {
		narrow := l.glyph.Advance != fullWidth
		if open && !narrow {
			out = append(out, ']')
		}
		if narrow && !open {
			out = append(strconv.AppendUint(append(out, ' '), uint64(f.numbers[l.char]), 10), " ["...)
		}
		if open = narrow; open {
			out = append(strconv.AppendInt(out, int64(l.glyph.Advance), 10), ' ')
		}
	}
	if open {
		out = append(out, ']')
	}
	return append(out, ']')
}

const fullWidth = 1000 // thousandths of an em

// tagged is the font's name, with what tells it from that of another slip (see
// tag).
func (f *fontWork) tagged() string {
	var text []byte
	for _, l := range f.letters {
		text = utf8.AppendRune(text, l.char)
	}
	return tag(text) + "+" + f.face.Name
}

// fontWorks are the fonts of one slip, in the order of their names.
type fontWorks []*fontWork

// of finds the font of a face. There are three at most.
func (w fontWorks) of(face *fonts.Face) *fontWork {
	for _, f := range w {
		if f.face == face {
			return f
		}
	}
	return nil
}

// with adds the letters of a page.
func (w fontWorks) with(sheet page) fontWorks {
	for _, lines := range [][]line{sheet.mark, sheet.lines} {
		for _, line := range lines {
			for _, l := range line.letters {
				f := w.of(l.face)
				if f == nil {
					f = newFontWork(l.face)
					w = append(w, f)
					slices.SortFunc(w, func(a, b *fontWork) int { return cmp.Compare(a.face.Name, b.face.Name) })
				}
				f.add(l)
			}
		}
	}
	return w
}

// coded writes letters as the numbers that draw them.
func (w fontWorks) coded(letters []letter) string {
	f := w.of(letters[0].face)
	var out bytes.Buffer
	for _, l := range letters {
		out.WriteRune(rune(f.numbers[l.char]))
	}
	return out.String()
}

// spelled is never needed: the map has every character.
func (fontWorks) spelled(letter) bool { return false }
