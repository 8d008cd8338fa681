package slip

import "fmt"

// The page is composed first and painted later: only then is it known which
// characters the fonts must be cut to. All lengths are in millimetres from the
// top left corner, type sizes in points.

// colour is red, green and blue, 0–255.
type colour [3]uint8

var (
	black  = colour{0x1A, 0x1A, 0x1A}
	grey   = colour{0x55, 0x55, 0x55} // labels and small print; dark enough for a poor printer
	accent = colour{0x1F, 0x3A, 0x5F}
	hair   = colour{0xBB, 0xBB, 0xBB} // thin rules
	shade  = colour{0xF2, 0xF3, 0xF5} // behind the figures
	pale   = colour{0xE1, 0xE3, 0xE7} // the mark of a sample
	white  = colour{0xFF, 0xFF, 0xFF}
)

// line is one line of text. Its x is the left end, its y the baseline.
type line struct {
	x, y    float64
	size    float64
	weight  weight
	colour  colour
	letters []letter
}

// area is a rectangle.
type area struct{ x, y, width, height float64 }

// fill is an area in one colour.
type fill struct {
	area
	colour colour
}

// link is an area that opens an address.
type link struct {
	area
	address string
}

// annotation is the link as a PDF file has it (ISO 32000-1, 12.5.6.5).
func (l link) annotation() string {
	left, top := l.x/point, (paperHeight-l.y)/point
	return fmt.Sprintf("<</Type /Annot /Subtype /Link /Rect [%.2f %.2f %.2f %.2f] /Border [0 0 0] /A <</S /URI /URI (%s)>>>>",
		left, top-l.height/point, left+l.width/point, top, escaped(l.address))
}

// picture is a logo in its place.
type picture struct {
	area
	logo *Logo
}

// code is a two-dimensional code with the quiet zone that belongs to it.
type code struct {
	area           // with the quiet zone
	module float64 // how large one is
	dark   []stretch
}

// stretch is a row of dark modules, counted from the corner of the area.
type stretch struct{ x, y, length int }

// page is what is printed, and where.
type page struct {
	mark     []line // across the whole page, under everything but the fills
	fills    []fill
	pictures []picture
	codes    []code
	lines    []line
	links    []link
}

// place adds a part of the page, moved down.
func (p *page) place(part page, down float64) {
	for _, f := range part.fills {
		f.y += down
		p.fills = append(p.fills, f)
	}
	for _, q := range part.pictures {
		q.y += down
		p.pictures = append(p.pictures, q)
	}
	for _, c := range part.codes {
		c.y += down
		p.codes = append(p.codes, c)
	}
	for _, l := range part.lines {
		l.y += down
		p.lines = append(p.lines, l)
	}
	for _, l := range part.links {
		l.y += down
		p.links = append(p.links, l)
	}
}

// millimetres in a point.
const point = 25.4 / 72

// width is how far the line reaches.
func (l line) width() float64 { return float64(advance(l.letters)) / 1000 * l.size * point }

// advance adds up letters, in thousandths of an em.
func advance(letters []letter) int {
	sum := 0
	for _, l := range letters {
		sum += l.glyph.Advance
	}
	return sum
}
