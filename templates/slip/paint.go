package slip

import (
	"bytes"
	"fmt"
	"time"
	"unicode/utf16"

	"github.com/jung-kurt/gofpdf"

	"konbill/invoice"
)

// about is what a PDF file says about itself.
type about struct {
	title, author string
	language      invoice.Language
}

const producer = "Konbill"

// undated stands for the times of creation and modification, so that the same
// slip is the same file whenever it is drawn.
var undated = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// painter puts a page on paper.
type painter struct {
	*gofpdf.Fpdf
	fonts lettering
}

// lettering knows the codes that draw letters in a file.
type lettering interface {
	coded([]letter) string
	spelled(letter) bool // what it draws must be said beside it
}

// newPainter opens a PDF file of A4 pages.
func newPainter(info about, set fontSet) painter {
	p := painter{gofpdf.New("P", "mm", "A4", ""), set}
	p.SetCatalogSort(true)
	p.SetCreationDate(undated)
	p.SetModificationDate(undated)
	p.SetProducer(producer, false)
	p.SetTitle(textString(info.title), false)
	p.SetAuthor(textString(info.author), false)
	p.SetAutoPageBreak(false, 0)
	set.addTo(p.Fpdf)
	return p
}

// bytes closes the file.
func (p painter) bytes() ([]byte, error) {
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("write slip: %w", err)
	}
	return out.Bytes(), nil
}

// paint puts a slip on the sheet of paper at hand.
func (p painter) paint(sheet page, language invoice.Language, print func(picture)) {
	// The writer has no place for the language in the catalog, so the content
	// itself is marked with it (ISO 32000-1, 14.9.2).
	p.RawWriteStr(fmt.Sprintf("/Span <</Lang (%s)>> BDC\n", language))
	p.fillAll(sheet.fills)
	for _, q := range sheet.pictures {
		print(q)
	}
	for _, l := range sheet.mark {
		p.slanted(l)
	}
	for _, c := range sheet.codes {
		p.code(c)
	}
	for _, l := range sheet.lines {
		p.line(l)
	}
	p.RawWriteStr("EMC\n")
}

// link makes areas of the page at hand open their addresses.
func (p painter) link(links []link) {
	for _, l := range links {
		p.LinkString(l.x, l.y, l.width, l.height, l.address)
	}
}

// textString writes a text as PDF does, in UTF-16 behind its mark. The writer's
// own conversion breaks characters above U+FFFF.
func textString(text string) string { return string(bigEndian16("\uFEFF" + text)) }

func bigEndian16(text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit>>8), byte(unit))
	}
	return out
}

func (p painter) fillAll(fills []fill) {
	for _, f := range fills {
		p.fill(f)
	}
}

func (p painter) fill(f fill) {
	p.SetFillColor(int(f.colour[0]), int(f.colour[1]), int(f.colour[2]))
	p.Rect(f.x, f.y, f.width, f.height, "F")
}

// slanted draws the mark of a sample across the page.
func (p painter) slanted(l line) {
	const angle = 30
	p.TransformBegin()
	p.TransformRotate(angle, paperWidth/2, paperHeight/2)
	p.line(l)
	p.TransformEnd()
}

// picture prints a logo. The file carries it once, on however many pages.
func (p painter) picture(q picture) {
	options := gofpdf.ImageOptions{ImageType: q.logo.kind}
	if p.GetImageInfo(logoName) == nil {
		p.RegisterImageOptionsReader(logoName, options, bytes.NewReader(q.logo.data))
	}
	p.ImageOptions(logoName, q.x, q.y, q.width, q.height, false, options, 0, "")
}

// placed prints a logo that the file carries by itself.
func (p painter) placed(q picture) {
	k := p.GetConversionRatio()
	p.RawWriteStr(fmt.Sprintf("q %.5f 0 0 %.5f %.5f %.5f cm /%s Do Q\n",
		q.width*k, q.height*k, q.x*k, (paperHeight-q.y-q.height)*k, logoName))
}

const logoName = "logo"

// code fills all dark modules as one shape: filled one by one, they would show
// fine gaps between them. It is written in units of a module, which takes a
// third of the bytes that points would: a print file has thousands.
func (p painter) code(c code) {
	p.fill(fill{c.area, white})
	p.SetFillColor(0, 0, 0)
	k := p.GetConversionRatio()
	p.RawWriteStr(fmt.Sprintf("q %.5f 0 0 %.5f %.3f %.3f cm\n", c.module*k, -c.module*k, c.x*k, (paperHeight-c.y)*k))
	for _, run := range c.dark {
		p.RawWriteStr(fmt.Sprintf("%d %d %d 1 re\n", run.x, run.y, run.length))
	}
	p.RawWriteStr("f Q\n")
}

// line draws letters one behind the other, in runs that have the same font and
// the same way of drawing.
func (p painter) line(l line) {
	p.SetTextColor(int(l.colour[0]), int(l.colour[1]), int(l.colour[2]))
	x := l.x
	for rest := l.letters; len(rest) > 0; {
		n := p.run(rest)
		part := line{x, l.y, l.size, l.weight, l.colour, rest[:n]}
		p.draw(part)
		x += part.width()
		rest = rest[n:]
	}
}

// run returns how many letters can be drawn at once: those of one font, and
// each of those alone that are drawn by a code which isn't their own.
func (p painter) run(letters []letter) int {
	first := letters[0]
	alike := func(l letter) bool {
		return l.face == first.face && l.thin == first.thin && !p.fonts.spelled(l) && !p.fonts.spelled(first)
	}
	n := 1
	for n < len(letters) && alike(letters[n]) {
		n++
	}
	return n
}

// draw draws the letters of one run.
func (p painter) draw(run line) {
	first := run.letters[0]
	p.SetFont(family(first.face), "", run.size)
	if p.fonts.spelled(first) {
		p.RawWriteStr(fmt.Sprintf("/Span <</ActualText <FEFF%X>>> BDC\n", bigEndian16(string(first.char))))
		defer p.RawWriteStr("EMC\n")
	}
	if first.thin {
		p.embolden(run)
		defer p.RawWriteStr("Q\n")
	}
	p.Text(run.x, run.y, p.fonts.coded(run.letters))
}

// embolden draws the outlines of letters that are too thin in their face too.
func (p painter) embolden(run line) {
	const stroke = 0.03 // of the size
	c := run.colour
	p.RawWriteStr(fmt.Sprintf("q 2 Tr %.2f w %.3f %.3f %.3f RG\n",
		run.size*stroke, float64(c[0])/255, float64(c[1])/255, float64(c[2])/255))
}
