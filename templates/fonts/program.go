package fonts

import (
	"bytes"
	"maps"
	"slices"
)

// Program is a TrueType font in the making that holds a few glyphs of a face. It
// numbers them in the order they are added, behind the box of a missing
// character, which must be the first of any font. The same glyphs in the same
// order give the same bytes.
//
// It leaves the hints out: they shape letters for screens of few pixels, take a
// quarter of the room, and nothing on paper.
type Program struct {
	face             *Face
	parts            map[uint16]uint16 // numbers of what composed glyphs are made of, by the face's
	glyf, loca, hmtx []byte
}

// NewProgram begins a program with the box of a missing character.
func (f *Face) NewProgram() *Program {
	p := &Program{face: f, parts: map[uint16]uint16{}}
	p.add(0)
	return p
}

// Clone is a program that goes on apart from this one, with room for the glyphs
// of a page.
func (p *Program) Clone() *Program {
	const more, outline = 64, 160 // glyphs, and bytes of an outline
	return &Program{
		p.face, maps.Clone(p.parts),
		slices.Grow(bytes.Clone(p.glyf), more*outline), slices.Grow(bytes.Clone(p.loca), 4*more), slices.Grow(bytes.Clone(p.hmtx), 4*more),
	}
}

// Add takes a glyph in and returns its number.
func (p *Program) Add(g Glyph) uint16 { return p.add(g.Index) }

// Len is how many glyphs there are.
func (p *Program) Len() int { return len(p.loca) / 4 }

// add takes the parts of a composed glyph in first, such as the E and the accent
// of É, and gives them their new numbers.
func (p *Program) add(glyph uint16) uint16 {
	outline := p.face.outline(glyph)
	composed := parts(outline)
	for _, at := range composed {
		part := bigEndian.Uint16(outline[at:])
		if _, known := p.parts[part]; !known {
			p.parts[part] = p.add(part)
		}
	}
	number := p.Len()
	p.loca = bigEndian.AppendUint32(p.loca, uint32(len(p.glyf)))
	p.hmtx = append(p.hmtx, p.face.metric(glyph)...)
	if len(composed) == 0 {
		p.glyf = appendUnhinted(p.glyf, outline)
	} else {
		p.glyf = append(p.glyf, p.renumbered(outline, composed)...)
	}
	p.glyf = append(p.glyf, make([]byte, -len(p.glyf)&3)...)
	return uint16(number)
}

// renumbered is a composed outline with the new numbers of its parts, and the
// flag of hints behind them taken away.
func (p *Program) renumbered(outline []byte, composed []int) []byte {
	const hints = 1 << 8
	end := endOfParts(outline, composed)
	outline = bytes.Clone(outline[:end])
	for _, at := range composed {
		bigEndian.PutUint16(outline[at:], p.parts[bigEndian.Uint16(outline[at:])])
		flags := bigEndian.Uint16(outline[at-2:])
		bigEndian.PutUint16(outline[at-2:], flags&^hints)
	}
	return outline
}

// appendUnhinted adds a simple outline without its instructions (OpenType, glyf,
// "Simple Glyph Description").
func appendUnhinted(glyf, outline []byte) []byte {
	if len(outline) < glyphHeader {
		return append(glyf, outline...)
	}
	size := glyphHeader + 2*int(int16(bigEndian.Uint16(outline)))
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
