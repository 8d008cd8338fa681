package slip

// An A4 sheet, and what is the same wherever a slip stands on it.
const (
	paperWidth, paperHeight = 210.0, 297.0

	left, right = 20.0, 190.0 // margins of a slip that has the sheet to itself
	top, bottom = 16.0, 285.0

	rule = 0.2 // how thick
)

// grid is the measure of a piece of paper.
type grid struct {
	left, right float64 // margins
	column      float64 // where the second column begins
	labels      float64 // how wide the labels of the details are
	contacts    float64 // how wide those of the merchant's contact are
	indent      float64 // of steps and places behind their marks
	pad         float64 // between a frame and what is in it
	space       float64 // the unit of space between lines that belong together
	bar         float64 // how thick the rule below the title is
	codeSide    float64 // of the QR code without its quiet zone
	codeGap     float64 // between the code and what is beside it

	leastGap, mostGap     float64 // between two parts
	logoWidth, logoHeight float64 // the most a logo takes
}

// grown is the grid for larger type. For smaller type it stays: the code must be
// scanned, and short labels are no hindrance.
func (g grid) grown(by float64) grid {
	if by > 1 {
		g.labels, g.contacts, g.indent = by*g.labels, by*g.contacts, by*g.indent
		g.codeSide, g.leastGap, g.mostGap = by*g.codeSide, by*g.leastGap, by*g.mostGap
	}
	return g
}

// typography is the type for a piece of paper.
type typography struct {
	title, heading             style
	addressee, sender, address style
	body, small, warning       style
	label, value, longValue    style
	figure, phone, due         style
	uri, contact, footnote     style
}

// The page that is mailed.
var (
	pageGrid = grid{
		left: left, right: right, column: 102, labels: 32, contacts: 15, indent: 7, pad: 4, space: 1, bar: 0.8,
		codeSide: 36, codeGap: 12, leastGap: 3, mostGap: 8, logoWidth: 48, logoHeight: 14,
	}
	pageType = typography{
		title:     style{size: 21, weight: bold, colour: accent, leading: 1.2, lines: 1, whole: 1},
		heading:   style{size: 11, weight: bold, colour: accent, leading: 1.5, lines: 1},
		addressee: style{size: 14, weight: bold, colour: black, leading: 1.35, lines: 2, whole: 11},
		sender:    style{size: 11, weight: bold, colour: black, leading: 1.4, lines: 2, whole: 9},
		address:   style{size: 8.5, colour: black, leading: 1.5, lines: 4},
		body:      style{size: 9.5, colour: black, leading: 1.6, lines: 3},
		small:     style{size: 9, colour: black, leading: 1.55, lines: 3},
		warning:   style{size: 9, weight: bold, colour: black, leading: 1.55, lines: 2},
		label:     style{size: 8.5, colour: grey, leading: 1.5, lines: 1},
		value:     style{size: 10.5, colour: black, leading: 1.5, lines: 1},
		longValue: style{size: 10.5, colour: black, leading: 1.5, lines: 4},
		figure:    style{size: 33, weight: bold, colour: black, leading: 1.15, lines: 1, whole: 1},
		phone:     style{size: 22, weight: bold, colour: black, leading: 1.15, lines: 1, whole: 1},
		due:       style{size: 18, weight: bold, colour: black, leading: 1.3, lines: 2, whole: 1},
		uri:       style{size: 10.5, colour: black, leading: 1.5, lines: 2, whole: 8},
		contact:   style{size: 9, colour: black, leading: 1.55, lines: 2, whole: 7.5},
		footnote:  style{size: 8, colour: grey, leading: 1.5, lines: 1},
	}
)

// A piece of a sheet that several slips share, for a printing house to cut
// apart. The type is that of a third; on half a sheet it grows.
var (
	panelGrid = grid{
		left: 10, right: 200, column: 112, labels: 23, contacts: 13, indent: 4, pad: 2.5, space: 0.5, bar: 0.6,
		codeSide: 26, codeGap: 6, leastGap: 1.5, mostGap: 6, logoWidth: 26, logoHeight: 9,
	}
	panelType = typography{
		title:     style{size: 14, weight: bold, colour: accent, leading: 1.25, lines: 1, whole: 1},
		heading:   style{size: 8, weight: bold, colour: accent, leading: 1.5, lines: 1},
		addressee: style{size: 12, weight: bold, colour: black, leading: 1.3, lines: 2, whole: 9},
		sender:    style{size: 9.5, weight: bold, colour: black, leading: 1.3, lines: 1, whole: 6.5},
		address:   style{size: 7, colour: black, leading: 1.35, lines: 2},
		body:      style{size: 7, colour: black, leading: 1.45, lines: 4},
		small:     style{size: 7, colour: black, leading: 1.45, lines: 3},
		warning:   style{size: 7, weight: bold, colour: black, leading: 1.45, lines: 2},
		label:     style{size: 7, colour: grey, leading: 1.4, lines: 1},
		value:     style{size: 8, colour: black, leading: 1.4, lines: 2, whole: 6.5},
		longValue: style{size: 8, colour: black, leading: 1.4, lines: 3},
		figure:    style{size: 22, weight: bold, colour: black, leading: 1.15, lines: 1, whole: 1},
		phone:     style{size: 15, weight: bold, colour: black, leading: 1.15, lines: 1, whole: 1},
		due:       style{size: 12, weight: bold, colour: black, leading: 1.3, lines: 2, whole: 1},
		uri:       style{size: 8, colour: black, leading: 1.4, lines: 2, whole: 6},
		contact:   style{size: 7, colour: black, leading: 1.45, lines: 2, whole: 6},
		footnote:  style{size: 7, colour: grey, leading: 1.4, lines: 1},
	}
)
