package slip

// Layout is how a merchant wants slips to look. Its zero value is a plain A4
// page.
type Layout struct {
	AddressWindow bool  // the addressee stands where the window of a 長形3号 envelope shows it
	PerPage       int   // how many slips share a sheet of a print file: 1, 2 or 3; 0 is 1
	Logo          *Logo // nil: none
}

// The paper that may show in the window of a 長形3号 envelope, 120 × 235 mm,
// laid on its long side. Ready-made ones have a window of 90 × 45 mm, one of the
// sizes of JIS S 5502, about 20 mm from the left edge and 12 mm from the top; 2
// mm are allowed for either way across. A sheet of A4 folded in three, 210 × 99
// mm, has 25 mm to slide across and 21 mm up and down in the envelope.
//
// Japan Post wants the address to stay in the window however the sheet slides
// (郵便番号・バーコードマニュアル, 窓付封筒), and nothing else may come into it.
const (
	windowLeft, windowRight = 24.0, 83.0 // what the window always shows
	windowTop, windowBottom = 13.0, 35.0
	windowReach             = 113.0 // across: right of it nothing ever shows
	windowDepth             = 58.0  // down: nothing below ever shows
)

// foldMarks tell where to fold a sheet for the envelope: short lines at its left
// edge, as close to it as office printers print.
func foldMarks() []fill {
	const from, length, third = 5.0, 5.0, paperHeight / 3
	return []fill{
		{area{from, third - rule/2, length, rule}, grey},
		{area{from, 2*third - rule/2, length, rule}, grey},
	}
}
