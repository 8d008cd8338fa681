// Slim takes out of a TrueType font what the slip never uses, so that the program that
// carries it is smaller: tables for shaping and vertical text, all character maps but the
// one with all characters, and the outlines of glyphs that no character leads to. Of the
// last font, which stands in for the others, it takes the characters that all of those
// have. Glyphs keep their numbers and outlines, so slips come out byte for byte as before.
//
//	go run ./templates/fonts/slim templates/fonts/BIZ*.ttf templates/fonts/Noto*.ttf
//
// What it has made of a font it leaves as it is the next time.
package main

import (
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"slices"
)

var be = binary.BigEndian

func main() {
	if err := slimAll(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func slimAll(paths []string) error {
	var before [][]byte
	for i, path := range paths {
		font, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		others := before
		if i < len(paths)-1 {
			others = nil
		}
		slimmer, err := slimmed(font, others)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		fmt.Printf("%s: %d bytes, before %d\n", path, len(slimmer), len(font))
		if err := os.WriteFile(path, slimmer, 0o644); err != nil {
			return err
		}
		before = append(before, slimmer)
	}
	return nil
}

// kept are the tables that a reader of the font needs, or the file that it is cut to.
var kept = []string{"OS/2", "cmap", "cvt ", "fpgm", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "name", "post", "prep"}

// slimmed is a font (OpenType 1.9, "The OpenType Font File") with long offsets in loca. It
// has no character that all of the others have.
func slimmed(font []byte, others [][]byte) ([]byte, error) {
	tables := tablesOf(font)
	if be.Uint16(tables["head"][50:]) != 1 {
		return nil, fmt.Errorf("offsets in loca are not long")
	}
	characters, err := charactersOf(tables["cmap"])
	if err != nil {
		return nil, err
	}
	if err := leaveOut(characters, others); err != nil {
		return nil, err
	}
	tables["cmap"] = cmapOf(characters)
	tables["glyf"], tables["loca"] = outlinesOf(tables["glyf"], tables["loca"], reached(characters, tables["glyf"], tables["loca"]))
	return written(font[:4], tables), nil
}

// tablesOf are the tables of a font that are kept.
func tablesOf(font []byte) map[string][]byte {
	tables := map[string][]byte{}
	for i := range int(be.Uint16(font[4:])) {
		entry := font[12+16*i:]
		if tag := string(entry[:4]); slices.Contains(kept, tag) {
			at, size := be.Uint32(entry[8:]), be.Uint32(entry[12:])
			tables[tag] = font[at : at+size]
		}
	}
	return tables
}

// leaveOut takes out the characters that all of the others have, where there are others.
func leaveOut(characters map[uint32]uint16, others [][]byte) error {
	if len(others) == 0 {
		return nil
	}
	has := map[uint32]int{}
	for _, other := range others {
		theirs, err := charactersOf(tablesOf(other)["cmap"])
		if err != nil {
			return err
		}
		for char := range theirs {
			has[char]++
		}
	}
	maps.DeleteFunc(characters, func(char uint32, _ uint16) bool { return has[char] == len(others) })
	return nil
}

// charactersOf reads the map of all characters to glyphs: format 12 for Windows and full
// Unicode ("cmap", subtable format 12).
func charactersOf(cmap []byte) (map[uint32]uint16, error) {
	for i := range int(be.Uint16(cmap[2:])) {
		entry := cmap[4+8*i:]
		subtable := cmap[be.Uint32(entry[4:]):]
		if be.Uint16(entry) == 3 && be.Uint16(entry[2:]) == 10 && be.Uint16(subtable) == 12 {
			return inGroups(subtable), nil
		}
	}
	return nil, fmt.Errorf("no map of all characters")
}

func inGroups(subtable []byte) map[uint32]uint16 {
	characters := map[uint32]uint16{}
	for i := range int(be.Uint32(subtable[12:])) {
		group := subtable[16+12*i:]
		first, last, glyph := be.Uint32(group), be.Uint32(group[4:]), be.Uint32(group[8:])
		for n := range last - first + 1 {
			characters[first+n] = uint16(glyph + n)
		}
	}
	return characters
}

// cmapOf is a table with one map, whose groups are characters that follow each other and
// whose glyphs do, too.
func cmapOf(characters map[uint32]uint16) []byte {
	var groups []byte
	n := 0
	for _, char := range slices.Sorted(maps.Keys(characters)) {
		glyph := uint32(characters[char])
		if n > 0 {
			last := groups[12*(n-1):]
			first, end, begins := be.Uint32(last), be.Uint32(last[4:]), be.Uint32(last[8:])
			if char == end+1 && glyph == begins+char-first {
				be.PutUint32(last[4:], char)
				continue
			}
		}
		for _, value := range []uint32{char, char, glyph} {
			groups = be.AppendUint32(groups, value)
		}
		n++
	}
	table := []byte{0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12, 0, 12, 0, 0}
	for _, value := range []uint32{uint32(16 + len(groups)), 0, uint32(n)} {
		table = be.AppendUint32(table, value)
	}
	return append(table, groups...)
}

// reached are the glyphs that characters lead to, and those that they are composed of.
func reached(characters map[uint32]uint16, glyf, loca []byte) map[uint16]bool {
	found := map[uint16]bool{}
	var find func(glyph uint16)
	find = func(glyph uint16) {
		if found[glyph] {
			return
		}
		found[glyph] = true
		for _, part := range partsOf(outline(glyf, loca, glyph)) {
			find(part)
		}
	}
	find(0) // what stands for a character that there isn't
	for _, glyph := range characters {
		find(glyph)
	}
	return found
}

func outline(glyf, loca []byte, glyph uint16) []byte {
	return glyf[be.Uint32(loca[4*int(glyph):]):be.Uint32(loca[4*int(glyph)+4:])]
}

// The flags of a composite glyph ("glyf", composite glyph description).
const (
	argumentsAreWords = 1 << 0
	hasScale          = 1 << 3
	morePartsFollow   = 1 << 5
	hasTwoScales      = 1 << 6
	hasMatrix         = 1 << 7
)

// partsOf are the glyphs that one is composed of.
func partsOf(outline []byte) (parts []uint16) {
	if len(outline) == 0 || int16(be.Uint16(outline)) >= 0 {
		return nil
	}
	for at := 10; ; {
		flags := be.Uint16(outline[at:])
		parts = append(parts, be.Uint16(outline[at+2:]))
		if at += 6; flags&argumentsAreWords != 0 {
			at += 2
		}
		switch {
		case flags&hasScale != 0:
			at += 2
		case flags&hasTwoScales != 0:
			at += 4
		case flags&hasMatrix != 0:
			at += 8
		}
		if flags&morePartsFollow == 0 {
			return parts
		}
	}
}

// outlinesOf leaves out the outlines of all other glyphs.
func outlinesOf(glyf, loca []byte, wanted map[uint16]bool) (newGlyf, newLoca []byte) {
	newLoca = make([]byte, 4, len(loca))
	for glyph := range len(loca)/4 - 1 {
		if wanted[uint16(glyph)] {
			newGlyf = append(newGlyf, outline(glyf, loca, uint16(glyph))...)
		}
		newLoca = be.AppendUint32(newLoca, uint32(len(newGlyf)))
	}
	return newGlyf, newLoca
}

// written is the file of some tables.
func written(version []byte, tables map[string][]byte) []byte {
	tags := slices.Sorted(maps.Keys(tables))
	n := len(tags)
	power := 1 // the largest of two that isn't more than n
	for power*2 <= n {
		power *= 2
	}
	font := slices.Clone(version)
	for _, value := range []int{n, power * 16, exponent(power), n*16 - power*16} {
		font = be.AppendUint16(font, uint16(value))
	}
	at := 12 + 16*n
	var body []byte
	for _, tag := range tags {
		table := tables[tag]
		font = append(font, tag...)
		for _, value := range []uint32{checksum(table), uint32(at + len(body)), uint32(len(table))} {
			font = be.AppendUint32(font, value)
		}
		body = append(body, padded(table)...)
	}
	return append(font, body...)
}

func exponent(power int) (n int) {
	for ; power > 1; power /= 2 {
		n++
	}
	return n
}

// padded ends on a multiple of four bytes.
func padded(table []byte) []byte { return append(slices.Clone(table), make([]byte, -len(table)&3)...) }

func checksum(table []byte) (sum uint32) {
	for word := range slices.Chunk(padded(table), 4) {
		sum += be.Uint32(word)
	}
	return sum
}
