package slip

import (
	"fmt"

	"konbill/templates"
)

// MostPrinted is how many slips a print file holds. The PDF writer keeps 20 KB of
// a page until the whole file is written, which takes several times as much: this
// many slips, as many as a run has by default, take just below a gigabyte.
const MostPrinted = 10_000

// PrintFile draws slips one behind the other as one PDF file for a printing
// house, Layout.PerPage of them on a sheet, with a bookmark for each invoice
// number. It fails for more than MostPrinted.
//
// Pages are composed twice, once to learn which characters the fonts must be cut
// to and once to be painted: keeping them in between would take far more memory
// than making them again takes time.
func (p *Press) PrintFile(slips []templates.Instructions) ([]byte, error) {
	if len(slips) > MostPrinted {
		return nil, fmt.Errorf("a print file holds at most %d slips, and these are %d", MostPrinted, len(slips))
	}
	use := newFontUse()
	for _, facts := range slips {
		sheet, err := p.printed(facts)
		if err != nil {
			return nil, err
		}
		use.add(sheet)
	}
	set := use.cut()
	file := newPainter(p.aboutAll(slips), set)
	perPage := p.perPage()
	for i, facts := range slips {
		sheet, err := p.printed(facts)
		if err != nil {
			return nil, err
		}
		down := float64(i%perPage) * paperHeight / float64(perPage)
		if down == 0 {
			file.AddPage()
			file.fillAll(cutMarks(perPage))
		}
		var placed page
		placed.place(sheet, down)
		file.paint(placed, languageOf(facts), file.picture)
		file.link(placed.links)
		file.bookmark(facts.Invoice.Number, down)
	}
	pdf, err := file.bytes()
	return set.named(pdf), err
}

func (p *Press) perPage() int { return max(p.layout.PerPage, 1) }

// printed is a slip as the print file has it.
func (p *Press) printed(facts templates.Instructions) (page, error) {
	if n := p.perPage(); n > 1 {
		return composePanel(p.letters, p.layout, facts, paperHeight/float64(n))
	}
	return compose(p.letters, p.layout, facts)
}

func (p *Press) aboutAll(slips []templates.Instructions) about {
	if len(slips) == 0 {
		return about{}
	}
	first := slips[0]
	return about{first.Wording().Title, first.Merchant.Name, languageOf(first)}
}

// cutMarks are short lines at both edges of a sheet, where it is cut apart.
func cutMarks(perPage int) []fill {
	const length = 5.0
	var marks []fill
	for i := 1; i < perPage; i++ {
		y := float64(i)*paperHeight/float64(perPage) - rule/2
		marks = append(marks, fill{area{0, y, length, rule}, grey}, fill{area{paperWidth - length, y, length, rule}, grey})
	}
	return marks
}

// bookmark names a place on the page at hand. The writer can't write characters
// above U+FFFF there.
func (p painter) bookmark(number string, down float64) {
	name := printable(number)
	for i, r := range name {
		if r > lastDirect {
			name[i] = geta
		}
	}
	p.Bookmark(string(name), 0, down)
}
