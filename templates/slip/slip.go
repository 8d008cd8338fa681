// Package slip draws the payment slip: one A4 page that tells a customer how
// much to pay, until when, where, and with which numbers.
//
// A page is made in three steps. It is composed: every text is broken into lines
// and every line gets its place. The fonts are cut to the characters on it, so
// that a slip carries the glyphs of its own text and of no other customer's. It
// is painted with gofpdf. The same facts always give the same bytes, whatever
// batch they are drawn in.
//
// Every character prints. One that BIZ UDPGothic lacks is taken from Noto Sans
// JP; one that no font has prints as 〓, and [Missing] names it beforehand.
package slip

import (
	"konbill/invoice"
	"konbill/templates"
)

// Press draws the slips of a batch. Any number of workers may share it.
type Press struct {
	letters *typecase
	layout  Layout
}

// NewPress makes a press for a batch, looking the characters that its slips can
// need up in the fonts once.
func NewPress(merchant templates.Merchant, layout Layout, invoices []invoice.Invoice) (*Press, error) {
	letters, err := newTypecase()
	if err != nil {
		return nil, err
	}
	for r := ' '; r <= '~'; r++ {
		letters.fill(string(r))
	}
	for _, i := range invoices {
		letters.fill(i.Number)
		letters.fill(i.Name)
		letters.fill(i.Description)
	}
	for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
		blank := templates.Instructions{Merchant: merchant, Invoice: invoice.Invoice{Language: language, Company: true}, PaymentCode: "0"}
		if err := letters.fillFrom(blank); err != nil {
			return nil, err
		}
	}
	return &Press{letters, layout}, nil
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
	return painted(sheet, facts)
}

// painted makes a page a file of its own.
func painted(sheet page, facts templates.Instructions) ([]byte, error) {
	use := newFontUse()
	use.add(sheet)
	file := newPainter(about{facts.Wording().Title + " " + facts.Invoice.Number, facts.Merchant.Name}, use.cut())
	file.AddPage()
	file.paint(sheet, languageOf(facts))
	return file.bytes()
}
