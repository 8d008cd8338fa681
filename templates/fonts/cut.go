package fonts

import (
	"bytes"
	"maps"
	"slices"
)

// Where the numbers that a cut changes stand in their tables (OpenType, head,
// hhea, maxp).
const (
	locaFormatAt = 50
	wideAt       = 34
	glyphsAt     = 4

	longLoca = 1
)

// Cut returns a TrueType font with exactly the given glyphs, each under the
// 16-bit code it is drawn by. The same glyphs and codes give the same bytes.
//
// It stands in for gofpdf's UTF8CutFont, which reads no character above U+FFFF
// and orders the parts of composed glyphs by what it was cut from before.
func (f *Face) Cut(codes map[uint16]Glyph) []byte {
	kept := f.closure(codes)
	place := make(map[uint16]uint16, len(kept))
	for i, glyph := range kept {
		place[glyph] = uint16(i)
	}
	glyf, loca, hmtx := f.outlines(kept, place)
	tables := map[string][]byte{
		"OS/2": f.tables["OS/2"],
		"cmap": cmap(codes, place),
		"glyf": glyf,
		"head": f.tables["head"],
		"hhea": patched(f.tables["hhea"], wideAt, len(kept)),
		"hmtx": hmtx,
		"loca": loca,
		"maxp": patched(f.tables["maxp"], glyphsAt, len(kept)),
		"name": noNames,
		"post": f.tables["post"],
	}
	for _, hints := range []string{"cvt ", "fpgm", "prep"} {
		if table, ok := f.tables[hints]; ok {
			tables[hints] = table
		}
	}
	return assemble(tables)
}

// noNames is a name table without a name: a PDF file names its fonts itself.
var noNames = []byte{0, 0, 0, 0, 0, 6}

// closure lists the glyphs to keep in the font's order: the box of a missing
// character, which must be the first of any font, the given ones, and the parts
// that composed ones such as É are made of.
func (f *Face) closure(codes map[uint16]Glyph) []uint16 {
	keep := map[uint16]bool{}
	var add func(glyph uint16)
	add = func(glyph uint16) {
		if keep[glyph] || int(glyph) >= f.glyphs {
			return
		}
		keep[glyph] = true
		outline := f.outline(glyph)
		for _, at := range parts(outline) {
			add(bigEndian.Uint16(outline[at:]))
		}
	}
	add(0)
	for _, glyph := range codes {
		add(glyph.Index)
	}
	return slices.Sorted(maps.Keys(keep))
}

// parts finds where a composed outline names the glyphs it is made of (OpenType,
// glyf, "Composite Glyph Description").
func parts(outline []byte) []int {
	const (
		header = 10

		words      = 1 << 0
		oneScale   = 1 << 3
		more       = 1 << 5
		twoScales  = 1 << 6
		fourScales = 1 << 7
	)
	if len(outline) < header || int16(bigEndian.Uint16(outline)) >= 0 {
		return nil
	}
	var found []int
	for at := header; ; {
		flags := bigEndian.Uint16(outline[at:])
		found = append(found, at+2)
		at += 6
		if flags&words != 0 {
			at += 2
		}
		switch {
		case flags&oneScale != 0:
			at += 2
		case flags&twoScales != 0:
			at += 4
		case flags&fourScales != 0:
			at += 8
		}
		if flags&more == 0 {
			return found
		}
	}
}

// outlines copies the kept glyphs, with the names of their parts changed to
// their new places.
func (f *Face) outlines(kept []uint16, place map[uint16]uint16) (glyf, loca, hmtx []byte) {
	for _, glyph := range kept {
		loca = bigEndian.AppendUint32(loca, uint32(len(glyf)))
		hmtx = append(hmtx, f.metric(glyph)...)
		outline := bytes.Clone(f.outline(glyph))
		for _, at := range parts(outline) {
			bigEndian.PutUint16(outline[at:], place[bigEndian.Uint16(outline[at:])])
		}
		glyf = append(glyf, padded(outline)...)
	}
	return glyf, bigEndian.AppendUint32(loca, uint32(len(glyf))), hmtx
}

// cmap maps every code in a segment of its own (OpenType, cmap format 4).
func cmap(codes map[uint16]Glyph, place map[uint16]uint16) []byte {
	const head, fixed, perSegment = 12, 16, 8
	sorted := slices.Sorted(maps.Keys(codes))
	segments := len(sorted) + 1 // the last one, at 0xFFFF, ends the table

	var ends, starts, deltas []byte
	for _, code := range sorted {
		ends = bigEndian.AppendUint16(ends, code)
		starts = bigEndian.AppendUint16(starts, code)
		deltas = bigEndian.AppendUint16(deltas, place[codes[code].Index]-code)
	}
	table := []byte{0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, head} // one subtable: Windows, Unicode
	for _, n := range []int{4, fixed + perSegment*segments, 0, 2 * segments, 0, 0, 0} {
		table = bigEndian.AppendUint16(table, uint16(n))
	}
	table = append(append(table, ends...), 0xFF, 0xFF, 0, 0)
	table = append(append(table, starts...), 0xFF, 0xFF)
	table = append(append(table, deltas...), 0, 1)
	return append(table, make([]byte, 2*segments)...)
}

func patched(table []byte, at, value int) []byte {
	out := bytes.Clone(table)
	bigEndian.PutUint16(out[at:], uint16(value))
	return out
}

// assemble writes the tables behind their directory. Check sums stay zero: no
// reader of a font inside a PDF file looks at them.
func assemble(tables map[string][]byte) []byte {
	names := slices.Sorted(maps.Keys(tables))
	out := []byte{0, 1, 0, 0}
	for _, n := range []int{len(names), 0, 0, 0} {
		out = bigEndian.AppendUint16(out, uint16(n))
	}
	offset := len(out) + 16*len(names)
	for _, name := range names {
		out = append(out, name...)
		for _, n := range []int{0, offset, len(tables[name])} {
			out = bigEndian.AppendUint32(out, uint32(n))
		}
		offset += len(padded(tables[name]))
	}
	for _, name := range names {
		out = append(out, padded(tables[name])...)
	}
	return out
}

// padded fills up to a multiple of four bytes. It never writes behind the given
// ones, which may belong to a shared font.
func padded(data []byte) []byte {
	return append(data[:len(data):len(data)], make([]byte, -len(data)&3)...)
}
