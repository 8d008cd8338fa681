package fonts

import (
	"bytes"
	"slices"
)

// Program is a TrueType font in the making that holds a few glyphs of a face. It
// numbers them in the order they are added, behind the box of a missing
// character, which must be the first of any font. The same glyphs in the same
// order give the same bytes.
//
// It leaves the hints out: they shape letters for screens of few pixels, take a
// quarter of the room, and nothing on paper. No face that is embedded has a glyph
// composed of others, which would have to be taken in, too.
type Program struct {
	face             *Face
	glyf, loca, hmtx []byte
}

// NewProgram begins a program with the box of a missing character.
func (f *Face) NewProgram() *Program {
	p := &Program{face: f}
	p.Add(Glyph{})
	return p
}

// Clone is a program that goes on apart from this one, with room for the glyphs
// of a page.
func (p *Program) Clone() *Program {
	const more, outline = 64, 160 // glyphs, and bytes of an outline
	return &Program{
		p.face,
		slices.Grow(bytes.Clone(p.glyf), more*outline), slices.Grow(bytes.Clone(p.loca), 4*more), slices.Grow(bytes.Clone(p.hmtx), 4*more),
	}
}

// Add takes a glyph in and returns its number.
func (p *Program) Add(g Glyph) uint16 {
	number := p.Len()
	p.loca = bigEndian.AppendUint32(p.loca, uint32(len(p.glyf)))
	p.hmtx = append(p.hmtx, p.face.metric(g.Index)...)
	p.glyf = appendUnhinted(p.glyf, p.face.outline(g.Index))
	p.glyf = append(p.glyf, make([]byte, -len(p.glyf)&3)...)
	return uint16(number)
}

// Len is how many glyphs there are.
func (p *Program) Len() int { return len(p.loca) / 4 }

// contours is how many lines an outline consists of; -1 is one that is composed
// of others (OpenType, glyf).
func contours(outline []byte) int { return int(int16(bigEndian.Uint16(outline))) }

// appendUnhinted adds a simple outline without its instructions (OpenType, glyf,
// "Simple Glyph Description").
func appendUnhinted(glyf, outline []byte) []byte {
	const header = 10
	if len(outline) == 0 {
		return glyf // a space
	}
	size := header + 2*contours(outline)
	instructions := int(bigEndian.Uint16(outline[size:]))
	glyf = append(glyf, outline[:size]...)
	glyf = append(glyf, 0, 0)
	return append(glyf, outline[size+2+instructions:]...)
}

// Font is the program as a file in three pieces, to be put one behind the other:
// the directory of its tables, the outlines, and the other tables. Programs that
// were cloned from one begin with the same outlines.
//
// It has the tables that a font needs whose glyphs a PDF file names by their
// numbers (ISO 32000-1, 9.9), and check sums of zero, which no reader looks at
// there.
func (p *Program) Font() (directory, outlines, rest []byte) {
	loca := bigEndian.AppendUint32(bytes.Clone(p.loca), uint32(len(p.glyf)))
	tables := []struct {
		name string
		data []byte
	}{
		{"glyf", p.glyf},
		{"head", p.face.tables["head"]},
		{"hhea", patched(p.face.tables["hhea"], wideAt, p.Len())},
		{"hmtx", p.hmtx},
		{"loca", loca},
		{"maxp", patched(p.face.tables["maxp"], glyphsAt, p.Len())},
	}
	directory = directoryOf(len(tables))
	offset := len(directory) + recordSize*len(tables)
	for _, t := range tables {
		directory = appendRecord(directory, t.name, offset, len(t.data))
		offset += len(padded(t.data))
	}
	for _, t := range tables[1:] {
		rest = append(rest, padded(t.data)...)
	}
	return directory, p.glyf, rest
}
