package slip

// The grid of the page, an A4 sheet.
const (
	paperWidth, paperHeight = 210.0, 297.0

	left, right = 20.0, 190.0 // margins
	top, bottom = 16.0, 285.0

	column   = 102.0 // where the second column begins
	codeSide = 36.0  // of the QR code without its quiet zone

	pad      = 4.0 // between a frame and what is in it
	rule     = 0.2 // how thick
	leastGap = 3.0 // between two parts of the page
	mostGap  = 8.0
)

// The type on the page.
var (
	title       = style{size: 21, weight: bold, colour: accent, leading: 1.2, lines: 1, whole: 1}
	addressee   = style{size: 14, weight: bold, colour: black, leading: 1.35, lines: 2, whole: 11}
	sender      = style{size: 11, weight: bold, colour: black, leading: 1.4, lines: 2, whole: 9}
	address     = style{size: 8.5, colour: black, leading: 1.5, lines: 4}
	body        = style{size: 9.5, colour: black, leading: 1.6, lines: 3}
	label       = style{size: 8.5, colour: grey, leading: 1.5, lines: 1}
	value       = style{size: 10.5, colour: black, leading: 1.5, lines: 1}
	longValue   = style{size: 10.5, colour: black, leading: 1.5, lines: 4}
	figure      = style{size: 33, weight: bold, colour: black, leading: 1.15, lines: 1, whole: 1}
	uri         = style{size: 10.5, colour: black, leading: 1.5, lines: 2, whole: 8}
	phoneFigure = style{size: 22, weight: bold, colour: black, leading: 1.15, lines: 1, whole: 1}
	due         = style{size: 18, weight: bold, colour: black, leading: 1.3, lines: 2, whole: 1}
	heading     = style{size: 11, weight: bold, colour: accent, leading: 1.5, lines: 1}
	small       = style{size: 9, colour: black, leading: 1.55, lines: 3}
	contact     = style{size: 9, colour: black, leading: 1.55, lines: 2, whole: 7.5}
	warning     = style{size: 9, weight: bold, colour: black, leading: 1.55, lines: 2}
	footnote    = style{size: 8, colour: grey, leading: 1.5, lines: 1}
)
