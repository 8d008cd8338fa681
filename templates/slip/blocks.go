package slip

import "strconv"

// heading is the title over a rule, with the logo, if there is to be one, at the
// right.
func (c composer) heading(logo *Logo) part {
	p := c.part()
	width := c.right - c.left
	if logo != nil {
		w, h := logo.fit(c.logoWidth, c.logoHeight)
		width -= w + c.pad
		p.pictures = []picture{{area{c.right - w, 0, w, h}, logo}}
		p.down(max(h-c.scaled(c.styles.title).height(), 0))
	}
	p.write(c.words.Title, c.styles.title, c.left, width)
	p.down(2 * c.space)
	p.fill(area{c.left, p.height, c.right - c.left, c.bar}, accent)
	p.down(c.bar)
	return p
}

// parties are the customer on the left and the merchant on the right.
func (c composer) parties() part {
	const width = 75.0
	customer := c.part()
	customer.write(c.facts.Addressee(), c.styles.addressee, c.left, width)
	customer.down(1)
	customer.fill(area{c.left, customer.height, width, rule}, black)
	customer.down(3)
	customer.write(c.words.Lead, c.styles.body, c.left, width)
	return onOneBaseline(customer, c.merchant())
}

// merchant is who sends the slip.
func (c composer) merchant() part {
	p := c.part()
	p.write(c.facts.Merchant.Name, c.styles.sender, c.column, c.right-c.column)
	p.write(c.facts.Merchant.Address, c.styles.address, c.column, c.right-c.column)
	p.write(c.registration(), c.styles.address, c.column, c.right-c.column)
	return p
}

// registration is the merchant's number in the qualified invoice system.
func (c composer) registration() string {
	if c.facts.Merchant.RegistrationNumber == "" {
		return ""
	}
	return c.words.RegistrationNumber + " " + c.facts.Merchant.RegistrationNumber
}

func (c composer) lead() part {
	p := c.part()
	p.write(c.words.Lead, c.styles.body, c.left, c.right-c.left)
	return p
}

// details say what the payment is for.
func (c composer) details() part {
	p := c.part()
	row := func(name, text string, s style) {
		if text == "" {
			return
		}
		p.fill(area{c.left, p.height, c.right - c.left, rule}, hair)
		p.down(1.3 * c.space)
		p.add(c.entry(name, c.labels, text, s, c.left, c.right-c.left))
		p.down(1.3 * c.space)
	}
	row(c.words.Number, c.facts.Invoice.Number, c.styles.value)
	row(c.words.Description, c.facts.Invoice.Description, c.styles.longValue)
	row(c.words.TaxDetails, c.facts.TaxBlock(), c.styles.value)
	p.fill(area{c.left, p.height, c.right - c.left, rule}, hair)
	return p
}

// figures are what the customer acts on: how much, until when, and the numbers
// to enter.
func (c composer) figures() part {
	rows := []part{c.amountAndDeadline(), c.numbersToEnter()}
	height := 0.0
	for _, r := range rows {
		height += r.height + 2*c.pad
	}
	p := c.part()
	p.fill(area{c.left, 0, c.right - c.left, height}, shade)
	for i, r := range rows {
		if i > 0 {
			p.fill(area{c.left + c.pad, p.height, c.right - c.left - 2*c.pad, rule}, hair)
		}
		p.down(c.pad)
		p.add(r)
		p.down(c.pad)
	}
	return p
}

// amountAndDeadline has the tax below the amount, unless it has a row of its own.
func (c composer) amountAndDeadline() part {
	width := c.column - c.left - 2*c.pad
	amount := c.labelled(c.words.Amount, c.facts.Amount(), c.styles.figure, c.left+c.pad, width)
	if c.facts.TaxBlock() == "" {
		amount.down(0.8 * c.space)
		amount.write(c.facts.Tax(), c.styles.label, c.left+c.pad, width)
	}
	day, hour := c.facts.DeadlineLines()
	deadline := c.labelled(c.words.Due, day+"\n"+hour, c.styles.due, c.column, c.right-c.column-c.pad)
	return beside(amount, deadline)
}

// numbersToEnter are the two that a kiosk asks for. Without a payment code the
// phone number has the row to itself.
func (c composer) numbersToEnter() part {
	if c.facts.PaymentCode == "" {
		return c.labelled(c.words.Phone, c.facts.Phone(), c.styles.phone, c.left+c.pad, c.right-c.left-2*c.pad)
	}
	codeWidth, phoneWidth := c.column-c.left-2*c.pad, c.right-c.column-c.pad
	code, phone := c.part(), c.part()
	code.write(c.facts.PaymentCode, c.styles.figure, c.left+c.pad, codeWidth)
	phone.write(c.facts.Phone(), c.styles.phone, c.column, phoneWidth)
	codeLabel, phoneLabel := c.part(), c.part()
	codeLabel.write(c.words.Code, c.styles.label, c.left+c.pad, codeWidth)
	phoneLabel.write(c.words.Phone, c.styles.label, c.column, phoneWidth)
	p := beside(codeLabel, phoneLabel)
	p.add(onOneBaseline(code, phone))
	return p
}

// labelled is a value under its label.
func (c composer) labelled(name, text string, s style, x, width float64) part {
	p := c.part()
	p.write(name, c.styles.label, x, width)
	p.write(text, s, x, width)
	return p
}

// entry is a value behind its label.
func (c composer) entry(name string, labels float64, text string, s style, x, width float64) part {
	before, behind := c.part(), c.part()
	before.write(name, c.styles.label, x, labels)
	behind.write(text, s, x+labels, width-labels)
	return onOneBaseline(before, behind)
}

// howTo are the steps of paying, with the code that leads to them.
func (c composer) howTo() (part, error) {
	width := c.right - c.left - c.codeSide - c.codeGap

	steps := c.part()
	steps.write(c.words.HowTo, c.styles.heading, c.left, width)
	steps.down(1.5 * c.space)
	for i, step := range c.facts.Steps() {
		number, text := c.part(), c.part()
		number.write(strconv.Itoa(i+1), c.styles.heading, c.left, c.indent)
		text.write(step, c.styles.body, c.left+c.indent, width-c.indent)
		steps.add(onOneBaseline(number, text))
		steps.down(1.8 * c.space)
	}

	scanned, err := newCode(c.facts.AuthorizeURI, area{c.right - c.codeSide, 2, c.codeSide, c.codeSide})
	if err != nil {
		return part{}, err
	}
	scanned.y = max(scanned.y, -c.leastGap) // its white zone stays off what is above
	scan := c.part()
	scan.codes = []code{scanned}
	scan.links = []link{{scanned.area, c.facts.AuthorizeURI}}
	scan.down(scanned.y + scanned.height)
	return beside(steps, scan), nil
}

// address is the link in letters: on one line unless that made it hard to read,
// so that it can be copied in one piece.
func (c composer) address() part {
	p := c.part()
	p.down(2 * c.space)
	p.write(c.words.Link, c.styles.label, c.left+c.pad, c.right-c.left-2*c.pad)
	p.add(c.linkText(c.left+c.pad, c.right-c.left-2*c.pad))
	p.down(2 * c.space)
	p.frame(area{c.left, 0, c.right - c.left, p.height}, hair)
	return p
}

func (c composer) linkText(x, width float64) part {
	p := c.part()
	p.write(c.facts.AuthorizeURI, c.styles.uri, x, width)
	p.links = []link{{area{x, 0, width, p.height}, c.facts.AuthorizeURI}}
	return p
}

// placesAndQuestions say where one can pay, and whom to ask.
func (c composer) placesAndQuestions() part {
	width := c.column - c.left - 2*c.pad
	where := c.part()
	where.write(c.words.WhereTo, c.styles.heading, c.left, width)
	where.down(0.5)
	for _, place := range c.words.Places {
		const bullet = 1.0
		where.fill(area{c.left + 0.5, where.height + (c.scaled(c.styles.small).height()-bullet)/2, bullet, bullet}, accent)
		where.write(place, c.styles.small, c.left+4, width-4)
	}
	where.down(1)
	where.write(c.words.NotHere, c.styles.warning, c.left, width)
	whom := c.questions()
	whom.write(c.facts.Merchant.Name, c.styles.warning, c.column, c.right-c.column)
	whom.add(c.contact())
	return beside(where, whom)
}

func (c composer) questions() part {
	width := c.right - c.column
	p := c.part()
	p.write(c.words.Questions, c.styles.heading, c.column, width)
	p.down(0.5 * c.space)
	p.write(c.words.QuestionsTo, c.styles.small, c.column, width)
	p.down(1.5 * c.space)
	return p
}

// contact is how the merchant is reached.
func (c composer) contact() part {
	width := c.right - c.column
	m, w := c.facts.Merchant, c.words
	p := c.part()
	for _, given := range [][2]string{{w.MerchantPhone, m.Phone}, {w.MerchantHours, m.Hours}, {w.MerchantEmail, m.Email}} {
		if given[1] != "" {
			p.add(c.entry(given[0], c.contacts, given[1], c.styles.contact, c.column, width))
		}
	}
	return p
}

func (c composer) foot() part {
	p := c.part()
	p.write(c.words.LinkHost, c.styles.footnote, c.left, c.right-c.left)
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
