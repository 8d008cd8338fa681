// Package slip draws the payment slip: one A4 page that tells a customer how
// much to pay, until when, where, and with which numbers.
//
// A page is made in four steps. It is composed: every text is broken into lines
// and every line gets its place. The fonts are cut to the characters on it and to
// those of the wording, so that a slip carries the glyphs of its own text and of
// no other customer's. It is painted with gofpdf, and bound to a file. The same
// facts always give the same bytes, whatever batch they are drawn in.
//
// What a slip takes is its own content: to break the lines, to paint them, and to
// compress them. Fonts are the dear part, and what slips share of them, the
// glyphs of the wording and of the merchant, is cut and compressed once a batch
// (see kit); the writer itself never sees a font, nor its table of 65,536 widths.
// Medians of five rounds, before and after by turns, on one core: 151 and 857
// slips a second, 67 and 42 KB each. To repeat:
//
//	go test ./templates/slip -run '^$' -bench Slip -cpu 1
//
// Every character prints. One that BIZ UDPGothic lacks is taken from Noto Sans
// JP; one that no font has prints as 〓, and [Missing] names it beforehand.
package slip

import (
	"iter"

	"github.com/jung-kurt/gofpdf"

	"konbill/invoice"
	"konbill/templates"
)

// Press draws the slips of a batch. Any number of workers may share it.
type Press struct {
	letters *typecase
	layout  Layout
	kits    kits
	easels  easels
}

// NewPress makes a press for a batch, looking the characters that its slips can
// need up in the fonts once. invoices may be nil.
func NewPress(merchant templates.Merchant, layout Layout, invoices iter.Seq[invoice.Invoice]) (*Press, error) {
	letters, err := newTypecase()
	if err != nil {
		return nil, err
	}
	for r := ' '; r <= '~'; r++ {
		letters.fill(string(r))
	}
	if invoices != nil {
		for i := range invoices {
			letters.fill(i.Number)
			letters.fill(i.Name)
			letters.fill(i.Description)
		}
	}
	for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
		blank := templates.Instructions{Merchant: merchant, Invoice: invoice.Invoice{Language: language, Company: true}, PaymentCode: "0"}
		if err := letters.fillFrom(blank); err != nil {
			return nil, err
		}
	}
	return &Press{letters: letters, layout: layout, easels: newEasels()}, nil
}

// fillFrom looks up what stands on a slip that isn't filled in: the wording and
// the merchant.
func (c *typecase) fillFrom(blank templates.Instructions) error {
	sheet, err := compose(c, Layout{}, blank)
	if err != nil {
		return err
	}
	for _, line := range sheet.lines {
		for _, l := range line.letters {
			c.fill(string(l.char))
		}
	}
	return nil
}

// Draw draws one slip as a PDF file of one page. It fails when the link is too
// long for a QR code, some two thousand characters.
func (p *Press) Draw(facts templates.Instructions) ([]byte, error) {
	sheet, err := compose(p.letters, p.layout, facts)
	if err != nil {
		return nil, err
	}
	return p.bound(sheet, facts)
}

// bound makes a page a file of its own.
func (p *Press) bound(sheet page, facts templates.Instructions) ([]byte, error) {
	kit, err := p.kits.of(p.letters, facts)
	if err != nil {
		return nil, err
	}
	easel, err := p.easels.take(p.letters)
	if err != nil {
		return nil, err
	}
	defer p.easels.giveBack(easel)
	fonts := kit.extended().with(sheet)
	drawing := easel.page(func(pdf *gofpdf.Fpdf) {
		hand := painter{pdf, fonts}
		hand.paint(sheet, languageOf(facts), hand.placed)
	})
	info := about{facts.Wording().Title + " " + facts.Invoice.Number, facts.Merchant.Name, languageOf(facts)}
	return newFile().book(info, sheet, drawing, fonts, easel.names), nil
}
