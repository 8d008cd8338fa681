package slip

import (
	"errors"

	"konbill/invoice"
	"konbill/templates"
)

// composer makes the parts of one slip, for a grid and in a typography.
type composer struct {
	grid
	styles  typography
	scale   float64 // of all type
	letters *typecase
	logo    *Logo
	facts   templates.Instructions
	words   templates.Wording
}

// languageOf is the language that a slip is written in.
func languageOf(facts templates.Instructions) invoice.Language {
	if facts.Invoice.Language == invoice.English {
		return invoice.English
	}
	return invoice.Japanese
}

// compose puts the page of one slip together.
func compose(letters *typecase, layout Layout, facts templates.Instructions) (page, error) {
	c := composer{pageGrid, pageType, 1, letters, layout.Logo, facts, facts.Wording()}
	put := composer.plainPage
	if layout.AddressWindow {
		put, c.column = composer.windowPage, windowReach
	}
	sheet, err := c.fitted(put)
	if facts.Sample {
		sheet.mark = []line{c.sample()}
	}
	return sheet, err
}

// fitted shrinks the type until a page holds it. Ordinary values fit at full
// size, and one that is long shrinks by itself; only where several of them are as
// long as they may be does everything shrink.
func (c composer) fitted(put func(composer) (page, bool, error)) (page, error) {
	const least = 0.2
	for ; c.scale > least; c.scale *= shrink {
		if sheet, fits, err := put(c); fits || err != nil {
			return sheet, err
		}
	}
	return page{}, errTooMuch
}

// errTooMuch can only come of texts of the merchant's own, such as a hundred
// steps: what customers and invoices bring has a size of its own to shrink to.
var errTooMuch = errors.New("the texts are too long for one page")

// plainPage reports whether everything fits on the page.
func (c composer) plainPage() (page, bool, error) {
	howTo, err := c.howTo()
	if err != nil {
		return page{}, false, err
	}
	foot := c.foot()
	parts := []part{c.heading(c.logo), c.parties(), c.details(), c.figures(), howTo, c.address(), c.placesAndQuestions()}
	sheet, fits := c.stack(top, bottom-foot.height, parts)
	sheet.place(foot.page, bottom-foot.height)
	return sheet, fits, nil
}

// windowPage keeps the addressee where the window of an envelope shows it, and
// everything else out of there.
func (c composer) windowPage() (page, bool, error) {
	howTo, err := c.howTo()
	if err != nil {
		return page{}, false, err
	}
	foot := c.foot()
	parts := []part{c.heading(nil), c.lead(), c.details(), c.figures(), howTo, c.address(), c.placesAndQuestions()}
	sheet, fits := c.stack(windowDepth, bottom-foot.height, parts)
	sheet.place(foot.page, bottom-foot.height)
	parties, inPlace := c.windowParties()
	sheet.place(parties, 0)
	sheet.fills = append(sheet.fills, foldMarks()...)
	return sheet, fits && inPlace, nil
}

// stack puts parts below each other between two heights, and shares the space
// that is left out between them. It reports whether there was room.
func (c composer) stack(from, to float64, parts []part) (page, bool) {
	gap := to - from
	for _, p := range parts {
		gap -= p.height
	}
	gap /= float64(len(parts))
	var sheet page
	y := from
	for _, p := range parts {
		sheet.place(p.page, y)
		y += p.height + min(gap, c.mostGap)
	}
	return sheet, gap >= c.leastGap
}

// windowParties are the addressee in the window and the merchant where it never
// shows. It reports whether both keep to their places.
func (c composer) windowParties() (page, bool) {
	customer := c.part()
	customer.write(c.facts.Addressee(), c.styles.addressee, windowLeft, windowRight-windowLeft)

	merchant := c.part()
	if c.logo != nil {
		w, h := c.logo.fit(c.logoWidth, c.logoHeight)
		merchant.pictures = []picture{{area{c.column, 0, w, h}, c.logo}}
		merchant.down(h + 2)
	}
	merchant.add(c.merchant())

	var both page
	both.place(customer.page, (windowTop+windowBottom-customer.height)/2)
	both.place(merchant.page, windowTop)
	return both, customer.height <= windowBottom-windowTop && merchant.height <= windowDepth-windowTop
}
