package slip

import (
	"strings"

	"konbill/invoice"
	"konbill/templates"
)

// How a panel is divided.
const (
	panelLargest = 1.15  // type on a taller panel, against that on a third of a sheet
	panelEdge    = 6.5   // left free above and below
	panelMiddle  = 106.0 // where the left half ends
	panelGutter  = 6.0   // between the halves
)

// composePanel puts a slip together for a piece of a sheet, at the largest type
// that it holds. It has every fact of a whole page, and only the lead is left out.
func composePanel(letters *typecase, layout Layout, facts templates.Instructions, height float64) (page, error) {
	c := composer{panelGrid, panelType, panelLargest, letters, layout.Logo, facts, facts.Wording()}
	return c.fitted(func(c composer) (page, bool, error) {
		c.grid = c.grown(c.scale)
		return c.panel(height)
	})
}

// panel has what the customer acts on at the left, and how to act at the right.
func (c composer) panel(height float64) (page, bool, error) {
	first, second := c, c
	first.right = panelMiddle
	first.column = first.left + (first.right-first.left)*0.52
	second.left = panelMiddle + panelGutter
	second.column = second.left

	howTo, err := second.howTo()
	if err != nil {
		return page{}, false, err
	}
	heading, foot := c.panelHeading(), c.panelFoot()
	from, to := panelEdge+heading.height+c.leastGap, height-panelEdge-foot.height
	questions := second.questions()
	questions.add(second.contact())
	sheet, fits := first.stack(from, to, []part{first.addressee(), first.details(), first.figures()})
	beside, fitsBeside := second.stack(from, to, []part{howTo, second.panelPlaces(), questions})
	sheet.place(beside, 0)
	sheet.place(heading.page, panelEdge)
	sheet.place(foot.page, to)
	return sheet, fits && fitsBeside, nil
}

// panelHeading has the title at the left and the merchant at the right.
func (c composer) panelHeading() part {
	name, merchant := c.part(), c.part()
	const from = panelMiddle + panelGutter
	name.write(c.words.Title, c.styles.title, c.left, panelMiddle-c.left)

	m := c.facts.Merchant
	width, least := c.right-from, 0.0
	if c.logo != nil {
		w, h := c.logo.fit(c.logoWidth, c.logoHeight)
		width, least = width-w-c.pad, h+c.space
		merchant.pictures = []picture{{area{c.right - w, 0, w, h}, c.logo}}
	}
	merchant.write(m.Name, c.styles.sender, from, width)
	merchant.write(strings.Join(strings.Fields(m.Address), " "), c.styles.address, from, width)
	merchant.write(c.registration(), c.styles.address, from, width)
	merchant.height = max(merchant.height, least)
	p := beside(name, merchant)
	p.down(c.space)
	p.fill(area{c.left, p.height, c.right - c.left, c.bar}, accent)
	p.down(c.bar)
	return p
}

// addressee has a line to itself.
func (c composer) addressee() part {
	p := c.part()
	p.write(c.facts.Addressee(), c.styles.addressee, c.left, c.right-c.left)
	return p
}

// panelPlaces name where one can pay in a sentence's room.
func (c composer) panelPlaces() part {
	comma := "、"
	if languageOf(c.facts) == invoice.English {
		comma = ", "
	}
	p := c.part()
	p.write(c.words.WhereTo, c.styles.heading, c.left, c.right-c.left)
	p.write(strings.Join(c.words.Places, comma), c.styles.small, c.left, c.right-c.left)
	p.write(c.words.NotHere, c.styles.warning, c.left, c.right-c.left)
	return p
}

// panelFoot is the link in letters, and whose page it is.
func (c composer) panelFoot() part {
	linkLabel := 1.4 * c.labels
	p := c.part()
	p.fill(area{c.left, 0, c.right - c.left, rule}, hair)
	p.down(c.space)
	label := c.part()
	label.write(c.words.Link, c.styles.label, c.left, linkLabel)
	p.add(onOneBaseline(label, c.linkText(c.left+linkLabel, c.right-c.left-linkLabel)))
	p.add(c.foot())
	return p
}
