package slip

import (
	"strconv"

	"konbill/templates"
)

// composer makes the parts of one slip.
type composer struct {
	letters *typecase
	facts   templates.Instructions
	words   templates.Wording
}

// compose puts the whole page together: its parts below each other, with the
// space that is left shared out between them, and the footnote at the bottom.
func compose(letters *typecase, facts templates.Instructions) (page, error) {
	c := composer{letters, facts, facts.Wording()}
	howTo, err := c.howTo()
	if err != nil {
		return page{}, err
	}
	foot := c.foot()
	parts := []part{c.heading(), c.parties(), c.details(), c.figures(), howTo, c.address(), c.places()}

	used := foot.height
	for _, p := range parts {
		used += p.height
	}
	gap := min(max((bottom-top-used)/float64(len(parts)), leastGap), mostGap)

	var sheet page
	y := top
	for _, p := range parts {
		sheet.place(p.page, y)
		y += p.height + gap
	}
	sheet.place(foot.page, bottom-foot.height)
	if facts.Sample {
		sheet.mark = []line{c.sample()}
	}
	return sheet, nil
}

func (c composer) heading() part {
	p := c.part()
	p.write(c.words.Title, title, left, right-left)
	p.down(2)
	p.fill(area{left, p.height, right - left, 0.8}, accent)
	p.down(0.8)
	return p
}

// parties are the customer on the left and the merchant on the right.
func (c composer) parties() part {
	const width = 75.0
	m := c.facts.Merchant

	customer := c.part()
	customer.write(c.facts.Addressee(), addressee, left, width)
	customer.down(1)
	customer.fill(area{left, customer.height, width, rule}, black)
	customer.down(3)
	customer.write(c.words.Lead, body, left, width)

	merchant := c.part()
	merchant.write(m.Name, sender, column, right-column)
	merchant.write(m.Address, address, column, right-column)
	if m.RegistrationNumber != "" {
		merchant.write(c.words.RegistrationNumber+" "+m.RegistrationNumber, address, column, right-column)
	}
	return onOneBaseline(customer, merchant)
}

// details say what the payment is for.
func (c composer) details() part {
	const labelWidth = 30.0
	p := c.part()
	row := func(name, text string, s style) {
		if text == "" {
			return
		}
		p.fill(area{left, p.height, right - left, rule}, hair)
		p.down(1.3)
		p.add(c.entry(name, labelWidth, text, s, left, right-left))
		p.down(1.3)
	}
	row(c.words.Number, c.facts.Invoice.Number, value)
	row(c.words.Description, c.facts.Invoice.Description, longValue)
	p.fill(area{left, p.height, right - left, rule}, hair)
	return p
}

// figures are what the customer acts on: how much, until when, and the numbers
// to enter.
func (c composer) figures() part {
	rows := []part{c.amountAndDeadline(), c.numbersToEnter()}
	height := 0.0
	for _, r := range rows {
		height += r.height + 2*pad
	}
	p := c.part()
	p.fill(area{left, 0, right - left, height}, shade)
	for i, r := range rows {
		if i > 0 {
			p.fill(area{left + pad, p.height, right - left - 2*pad, rule}, hair)
		}
		p.down(pad)
		p.add(r)
		p.down(pad)
	}
	return p
}

func (c composer) amountAndDeadline() part {
	amount := c.labelled(c.words.Amount, c.facts.Amount(), figure, left+pad, column-left-2*pad)
	amount.down(0.8)
	amount.write(c.facts.Tax(), label, left+pad, column-left-2*pad)

	day, hour := c.facts.DeadlineLines()
	deadline := c.labelled(c.words.Due, day+"\n"+hour, due, column, right-column-pad)
	return beside(amount, deadline)
}

// numbersToEnter are the two that a kiosk asks for. Without a payment code the
// phone number has the row to itself.
func (c composer) numbersToEnter() part {
	if c.facts.PaymentCode == "" {
		return c.labelled(c.words.Phone, c.facts.Phone(), phoneFigure, left+pad, right-left-2*pad)
	}
	const codeWidth, phoneWidth = column - left - 2*pad, right - column - pad
	code, phone := c.part(), c.part()
	code.write(c.facts.PaymentCode, figure, left+pad, codeWidth)
	phone.write(c.facts.Phone(), phoneFigure, column, phoneWidth)
	codeLabel, phoneLabel := c.part(), c.part()
	codeLabel.write(c.words.Code, label, left+pad, codeWidth)
	phoneLabel.write(c.words.Phone, label, column, phoneWidth)
	p := beside(codeLabel, phoneLabel)
	p.add(onOneBaseline(code, phone))
	return p
}

// labelled is a value under its label.
func (c composer) labelled(name, text string, s style, x, width float64) part {
	p := c.part()
	p.write(name, label, x, width)
	p.write(text, s, x, width)
	return p
}

// entry is a value behind its label.
func (c composer) entry(name string, labelWidth float64, text string, s style, x, width float64) part {
	before, behind := c.part(), c.part()
	before.write(name, label, x, labelWidth)
	behind.write(text, s, x+labelWidth, width-labelWidth)
	return onOneBaseline(before, behind)
}

// howTo are the steps of paying, with the code that leads to them.
func (c composer) howTo() (part, error) {
	const indent, between = 7.0, 12.0
	width := right - left - codeSide - between

	steps := c.part()
	steps.write(c.words.HowTo, heading, left, width)
	steps.down(1.5)
	for i, step := range c.facts.Steps() {
		number, text := c.part(), c.part()
		number.write(strconv.Itoa(i+1), heading, left, indent)
		text.write(step, body, left+indent, width-indent)
		steps.add(onOneBaseline(number, text))
		steps.down(1.8)
	}

	scanned, err := newCode(c.facts.AuthorizeURI, area{right - codeSide, 2, codeSide, codeSide})
	if err != nil {
		return part{}, err
	}
	scanned.y = max(scanned.y, -leastGap) // its white zone stays off what is above
	scan := c.part()
	scan.codes = []code{scanned}
	scan.links = []link{{scanned.area, c.facts.AuthorizeURI}}
	scan.down(scanned.y + scanned.height)
	return beside(steps, scan), nil
}

// address is the link in letters: on one line unless that made it hard to read,
// so that it can be copied in one piece.
func (c composer) address() part {
	const width = right - left - 2*pad
	p := c.part()
	p.down(2)
	p.write(c.words.Link, label, left+pad, width)
	from := p.height
	p.write(c.facts.AuthorizeURI, uri, left+pad, width)
	p.links = []link{{area{left + pad, from, width, p.height - from}, c.facts.AuthorizeURI}}
	p.down(2)
	p.frame(area{left, 0, right - left, p.height}, hair)
	return p
}

// places say where one can pay, and whom to ask.
func (c composer) places() part {
	const width = column - left - 2*pad
	where := c.part()
	where.write(c.words.WhereTo, heading, left, width)
	where.down(0.5)
	for _, place := range c.words.Places {
		const bullet = 1.0
		where.fill(area{left + 0.5, where.height + (small.height()-bullet)/2, bullet, bullet}, accent)
		where.write(place, small, left+4, width-4)
	}
	where.down(1)
	where.write(c.words.NotHere, warning, left, width)
	return beside(where, c.questions())
}

func (c composer) questions() part {
	const width, labelWidth = right - column, 15.0
	m, w := c.facts.Merchant, c.words
	p := c.part()
	p.write(w.Questions, heading, column, width)
	p.down(0.5)
	p.write(w.QuestionsTo, small, column, width)
	p.down(1.5)
	p.write(m.Name, warning, column, width)
	for _, given := range [][2]string{{w.MerchantPhone, m.Phone}, {w.MerchantHours, m.Hours}, {w.MerchantEmail, m.Email}} {
		if given[1] != "" {
			p.add(c.entry(given[0], labelWidth, given[1], contact, column, width))
		}
	}
	return p
}

func (c composer) foot() part {
	p := c.part()
	p.write(c.words.LinkHost, footnote, left, right-left)
	return p
}

// sample is the mark of a preview, centred on the page and as wide as will fit
// when it is turned.
func (c composer) sample() line {
	const width, tallest = 170.0, 200.0
	letters := c.letters.set(c.words.Sample, bold)
	size := min(width/point*1000/float64(advance(letters)), tallest)
	mark := line{size: size, weight: bold, colour: pale, letters: letters}
	mark.x = (paperWidth - mark.width()) / 2
	mark.y = paperHeight/2 + size*point*0.38
	return mark
}
