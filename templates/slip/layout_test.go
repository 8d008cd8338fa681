package slip

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"konbill/invoice"
	"konbill/templates"
)

// testLogo is a disc in colours that slips have.
func testLogo(t testing.TB) *Logo {
	t.Helper()
	return logoOf(t, 600, 200)
}

func logoOf(t testing.TB, width, height int) *Logo {
	t.Helper()
	logo, err := ReadLogo(pngOf(t, disc(width, height)))
	if err != nil {
		t.Fatal(err)
	}
	return logo
}

// disc draws a disc as large as a transparent picture, with a band across.
func disc(width, height int) image.Image {
	picture := image.NewNRGBA(image.Rect(0, 0, width, height))
	rx, ry := float64(width)/2, float64(height)/2
	for y := range height {
		for x := range width {
			dx, dy := (float64(x)-rx)/rx, (float64(y)-ry)/ry
			if dx*dx+dy*dy <= 1 {
				picture.Set(x, y, color.NRGBA{accent[0], accent[1], accent[2], 0xFF})
			}
		}
	}
	draw.Draw(picture, image.Rect(0, height*2/5, width, height*3/5), image.NewUniform(color.NRGBA{hair[0], hair[1], hair[2], 0xFF}), image.Point{}, draw.Over)
	return picture
}

func TestEveryLayoutHoldsEverything(t *testing.T) {
	letters, err := newTypecase()
	if err != nil {
		t.Fatal(err)
	}
	wide, tall := logoOf(t, 1600, 40), logoOf(t, 40, 1600)
	for name, facts := range extremes() {
		for _, logo := range []*Logo{nil, testLogo(t), wide, tall} {
			for _, window := range []bool{false, true} {
				sheet, err := compose(letters, Layout{AddressWindow: window, Logo: logo}, facts)
				if err != nil {
					t.Fatal(err)
				}
				margins := pageMargins
				if window {
					margins = windowMargins
					checkWindow(t, name, sheet, facts)
				}
				checkPage(t, sheet, margins)
			}
			for _, perPage := range []float64{2, 3} {
				sheet, err := composePanel(letters, Layout{Logo: logo}, facts, paperHeight/perPage)
				if err != nil {
					t.Fatal(err)
				}
				checkPage(t, sheet, area{panelGrid.left, panelEdge, panelGrid.right - panelGrid.left, paperHeight/perPage - 2*panelEdge})
				if side := sheet.codes[0].width; side < 25 {
					t.Errorf("%s: the code is %.1f mm across", name, side)
				}
			}
		}
	}
}

// checkWindow: however the sheet slides in the envelope, the window shows the
// whole addressee and nothing else.
func checkWindow(t *testing.T, name string, sheet page, facts templates.Instructions) {
	t.Helper()
	shown := ""
	reach := area{0, 0, windowReach, windowDepth}
	for _, l := range sheet.lines {
		em := l.size * point
		at := area{l.x, l.y - ascent*em, l.width(), em}
		if !cross(at, reach, 0) {
			continue
		}
		shown += charsOf(l.letters)
		text := line{size: l.size, letters: withoutHanging(l.letters)}
		if l.x < windowLeft || l.x+text.width() > windowRight || at.y < windowTop || at.y+em > windowBottom {
			t.Errorf("%s: %q leaves the window: %+v", name, charsOf(l.letters), at)
		}
	}
	if dense(shown) != dense(string(printable(facts.Addressee()))) {
		t.Errorf("%s: the window shows %q", name, shown)
	}
	for _, q := range sheet.pictures {
		if cross(q.area, reach, 0) {
			t.Errorf("%s: the logo shows in the window", name)
		}
	}
}

// TestLongValuesStayLegible: values as long as the issue of slips has to expect,
// all at once, and the smallest type that comes of them.
func TestLongValuesStayLegible(t *testing.T) {
	letters, err := newTypecase()
	if err != nil {
		t.Fatal(err)
	}
	facts := longValues()
	for _, test := range []struct {
		layout Layout
		height float64 // of a panel
		least  float64 // points
	}{
		{Layout{}, 0, 6.5}, {Layout{AddressWindow: true, Logo: testLogo(t)}, 0, 6}, {Layout{}, paperHeight / 2, 5}, {Layout{}, paperHeight / 3, 4},
	} {
		sheet, err := compose(letters, test.layout, facts)
		if test.height > 0 {
			sheet, err = composePanel(letters, test.layout, facts, test.height)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range sheet.lines {
			if l.size < test.least {
				t.Errorf("%+v: %q is set in %.1f points", test, charsOf(l.letters), l.size)
			}
		}
	}
}

// longValues are a number of 64 characters, a description of 200, an address of
// four lines and the highest amount.
func longValues() templates.Instructions {
	facts := inJapanese()
	facts.Merchant.Address = "〒150-0041\n東京都渋谷区神南一丁目二番三号\nグリーンシティタワーイースト 四十四階 4401号室\n経理部 請求書発行センター 宛"
	facts.Invoice.Number = "INV-2026-ABCDEFGH-0123456789-ABCDEFGH-0123456789-ABCDEFGH-012345"
	facts.Invoice.Name, facts.Invoice.Company = "一般社団法人みどり文化教育振興会 東日本統括本部", true
	facts.Invoice.Description = ""
	for len([]rune(facts.Invoice.Description)) < 200 {
		facts.Invoice.Description += "書道講座「教材費」、"
	}
	facts.Invoice.Amount, facts.Invoice.Tax = invoice.MaxAmount, 4_545
	return facts
}

// TestLegibleInBlackAndWhite: every colour of a text has a contrast of 4.5 and
// more with what it can stand on (WCAG 2.2, 1.4.3), so that a copier which knows
// only black and white takes it for black.
func TestLegibleInBlackAndWhite(t *testing.T) {
	letters, err := newTypecase()
	if err != nil {
		t.Fatal(err)
	}
	for name, facts := range extremes() {
		sheet, err := compose(letters, Layout{AddressWindow: true}, facts)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range sheet.lines {
			for _, ground := range []colour{white, shade} {
				if c := contrast(l.colour, ground); c < 4.5 {
					t.Errorf("%s: %q has a contrast of %.1f", name, charsOf(l.letters), c)
				}
			}
			if brightness(l.colour) > 127 {
				t.Errorf("%s: a copier loses %q", name, charsOf(l.letters))
			}
		}
	}
}
