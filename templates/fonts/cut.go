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
	program := f.NewProgram()
	place := make(map[uint16]uint16, len(codes))
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		place[code] = program.Add(codes[code])
	}
	return assemble(map[string][]byte{
		"OS/2": f.tables["OS/2"],
		"cmap": cmap(place),
		"glyf": program.glyf,
		"head": f.tables["head"],
		"hhea": patched(f.tables["hhea"], wideAt, program.Len()),
		"hmtx": program.hmtx,
		"loca": bigEndian.AppendUint32(program.loca, uint32(len(program.glyf))),
		"maxp": patched(f.tables["maxp"], glyphsAt, program.Len()),
		"name": noNames,
		"post": f.tables["post"],
	})
}

// noNames is a name table without a name: a PDF file names its fonts itself.
var noNames = []byte{0, 0, 0, 0, 0, 6}

// cmap maps every code in a segment of its own (OpenType, cmap format 4).
func cmap(place map[uint16]uint16) []byte {
	const head, fixed, perSegment = 12, 16, 8
	sorted := slices.Sorted(maps.Keys(place))
	segments := len(sorted) + 1 // the last one, at 0xFFFF, ends the table

	var ends, starts, deltas []byte
	for _, code := range sorted {
		ends = bigEndian.AppendUint16(ends, code)
		starts = bigEndian.AppendUint16(starts, code)
		deltas = bigEndian.AppendUint16(deltas, place[code]-code)
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
	out := directoryOf(len(names))
	offset := len(out) + recordSize*len(names)
	for _, name := range names {
		out = appendRecord(out, name, offset, len(tables[name]))
		offset += len(padded(tables[name]))
	}
	for _, name := range names {
		out = append(out, padded(tables[name])...)
	}
	return out
}

// directoryOf begins the directory of so many tables.
func directoryOf(tables int) []byte {
	out := []byte{0, 1, 0, 0}
	for _, n := range []int{tables, 0, 0, 0} {
		out = bigEndian.AppendUint16(out, uint16(n))
	}
	return out
}

const recordSize = 16 // of a table, in the directory

func appendRecord(directory []byte, name string, offset, size int) []byte {
	directory = append(directory, name...)
	for _, n := range []int{0, offset, size} {
		directory = bigEndian.AppendUint32(directory, uint32(n))
	}
	return directory
}

// padded fills up to a multiple of four bytes. It never writes behind the given
// ones, which may belong to a shared font.
func padded(data []byte) []byte {
	return append(data[:len(data):len(data)], make([]byte, -len(data)&3)...)
}
