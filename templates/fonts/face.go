package fonts

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/image/font/sfnt"
)

// Face is one typeface in one weight. It is never written to after reading, so
// any number of goroutines may use it.
type Face struct {
	Name string // its PostScript name

	font   *sfnt.Font
	tables map[string][]byte
	em     int // units in one em
	wide   int // glyphs with an advance of their own in hmtx
}

// Glyph is the drawing of a character in a face.
type Glyph struct {
	Index   uint16
	Advance int // in thousandths of an em, as PDF counts
}

var bigEndian = binary.BigEndian

// neededTables are those that a TrueType font in a PDF file consists of (ISO
// 32000-1, 9.9), and those that the PDF writer reads.
var neededTables = []string{"OS/2", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "post"}

// parse reads a TrueType font with outlines in glyf and long offsets in loca.
func parse(name string, data []byte) (*Face, error) {
	font, err := sfnt.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", name, err)
	}
	f := &Face{Name: name, font: font, tables: tablesOf(data)}
	for _, table := range neededTables {
		if len(f.tables[table]) == 0 {
			return nil, fmt.Errorf("font %s: no %q table", name, table)
		}
	}
	if bigEndian.Uint16(f.tables["head"][locaFormatAt:]) != longLoca {
		return nil, fmt.Errorf("font %s: offsets in loca are not long", name)
	}
	f.em = int(font.UnitsPerEm())
	f.wide = int(bigEndian.Uint16(f.tables["hhea"][wideAt:]))
	return f, nil
}

// tablesOf reads the directory of a font that sfnt has found sound.
func tablesOf(data []byte) map[string][]byte {
	const directory, record = 12, 16
	tables := map[string][]byte{}
	for i := range int(bigEndian.Uint16(data[4:])) {
		entry := data[directory+record*i:]
		offset, size := bigEndian.Uint32(entry[8:]), bigEndian.Uint32(entry[12:])
		tables[string(entry[:4])] = data[offset : offset+size : offset+size]
	}
	return tables
}

// Glyph looks a character up in the face's cmap.
func (f *Face) Glyph(r rune) (g Glyph, ok bool) {
	index, err := f.font.GlyphIndex(nil, r)
	if err != nil || index == 0 {
		return Glyph{}, false
	}
	return Glyph{Index: uint16(index), Advance: f.advance(uint16(index))}, true
}

// Metrics are what a PDF file says of a face (ISO 32000-1, 9.8), in thousandths
// of an em.
type Metrics struct {
	Box             [4]int // left, bottom, right, top
	Ascent, Descent int
	CapHeight       int
	Weight          int // 400 is regular, 700 bold
}

// Metrics reads what the face says of itself.
func (f *Face) Metrics() Metrics {
	const boxAt, ascentAt, descentAt, capHeightAt, weightAt = 36, 4, 6, 88, 4
	read := func(table string, at int) int {
		return int(int16(bigEndian.Uint16(f.tables[table][at:]))) * 1000 / f.em
	}
	m := Metrics{
		Ascent: read("hhea", ascentAt), Descent: read("hhea", descentAt), CapHeight: read("OS/2", capHeightAt),
		Weight: int(bigEndian.Uint16(f.tables["OS/2"][weightAt:])),
	}
	for i := range m.Box {
		m.Box[i] = read("head", boxAt+2*i)
	}
	return m
}

// advance rounds as the PDF writer does, so that what is measured is what is
// printed.
func (f *Face) advance(glyph uint16) int {
	units := int(bigEndian.Uint16(f.metric(glyph)))
	return (units*1000 + f.em/2) / f.em
}

// metric is the four bytes of a glyph in hmtx: advance and left bearing. Glyphs
// at the end share the last advance and have only a bearing of their own.
func (f *Face) metric(glyph uint16) []byte {
	const both, bearing = 4, 2
	hmtx, at := f.tables["hmtx"], int(glyph)
	if at < f.wide {
		return hmtx[both*at : both*at+both]
	}
	last, own := both*(f.wide-1), both*f.wide+bearing*(at-f.wide)
	return append(append(make([]byte, 0, both), hmtx[last:last+2]...), hmtx[own:own+bearing]...)
}

// outline is a glyph's drawing in glyf; a space has none.
func (f *Face) outline(glyph uint16) []byte {
	loca := f.tables["loca"][4*int(glyph):]
	return f.tables["glyf"][bigEndian.Uint32(loca):bigEndian.Uint32(loca[4:])]
}
