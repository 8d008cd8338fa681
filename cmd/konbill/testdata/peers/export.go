package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf16"

	"konbill/templates/fonts"
	"konbill/templates/slip"
)

// pagesFile is what the peers read, beside regular.ttf and bold.ttf.
const pagesFile = "pages.json"

// export writes what the peers draw: the slips of orders as Konbill sets them,
// and the two faces, cut to what stands on all of them, as a peer would do once
// a batch.
func export(folder string, orders int) error {
	press, err := newPress(orders)
	if err != nil {
		return err
	}
	var pages []page
	for order := range orders {
		facts := instructionsOf(order)
		file, err := press.Draw(facts)
		if err != nil {
			return err
		}
		p, err := readPage(file)
		if err != nil {
			return fmt.Errorf("reading Konbill's slip %d: %w", order, err)
		}
		p.Number, p.Code = facts.Invoice.Number, facts.PaymentCode
		pages = append(pages, p)
	}
	if err := cutFaces(folder, pages); err != nil {
		return err
	}
	return writeJSON(filepath.Join(folder, pagesFile), pages)
}

// newPress is a press for the slips of orders.
func newPress(orders int) (*slip.Press, error) {
	return slip.NewPress(merchant, slip.Layout{}, slices.Values(invoicesOf(orders)))
}

// cutFaces writes regular.ttf and bold.ttf.
func cutFaces(folder string, pages []page) error {
	for name, whole := range map[string]func() (*fonts.Face, error){"regular": fonts.Regular, "bold": fonts.Bold} {
		face, err := whole()
		if err != nil {
			return err
		}
		glyphs := map[uint16]fonts.Glyph{}
		for _, r := range charactersIn(pages) {
			if glyph, has := face.Glyph(r); has {
				glyphs[uint16(r)] = glyph
			}
		}
		if err := os.WriteFile(filepath.Join(folder, name+".ttf"), named(face.Cut(glyphs), face.Name), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// named gives a font, which in a slip needs no name, the ones by which peers know it.
func named(font []byte, name string) []byte {
	const recordSize, windows, unicode, american = 16, 3, 1, 0x409
	ids := []uint16{1, 2, 4, 6} // family, style, full name and PostScript name (OpenType, name)
	text := utf16.Encode([]rune(name))
	var table []byte
	put := func(numbers ...uint16) {
		for _, n := range numbers {
			table = binary.BigEndian.AppendUint16(table, n)
		}
	}
	put(0, uint16(len(ids)), uint16(6+12*len(ids)))
	for _, id := range ids {
		put(windows, unicode, american, id, uint16(2*len(text)), 0)
	}
	put(text...)
	for record := font[12:]; ; record = record[recordSize:] {
		if string(record[:4]) == "name" {
			binary.BigEndian.PutUint32(record[8:], uint32(len(font)))
			binary.BigEndian.PutUint32(record[12:], uint32(len(table)))
			return append(font, table...)
		}
	}
}

// charactersIn returns every character on the pages once, and those that only
// a slip with other numbers has.
func charactersIn(pages []page) string {
	var all []rune
	for r := ' '; r <= '~'; r++ {
		all = append(all, r)
	}
	for _, p := range pages {
		for _, l := range p.Lines {
			all = append(all, []rune(l.Text)...)
		}
	}
	slices.Sort(all)
	return string(slices.Compact(all))
}

func writeJSON(name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o600)
}
