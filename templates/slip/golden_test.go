package slip

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"konbill/templates"
)

// TestPictures compares slips with the pictures in testdata, which somebody
// looked at. After a change that is meant to show, run the test with -update and
// look at them again.
func TestPictures(t *testing.T) {
	const dpi = 60
	for name, pdf := range pictured(t) {
		t.Run(name, func(t *testing.T) {
			page, _ := rendered(t, pdf, dpi)
			path := filepath.Join("testdata", name+".png")
			if *update {
				writePicture(t, path, page)
			}
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			want, err := png.Decode(file)
			if err != nil {
				t.Fatal(err)
			}
			if greyOf(page).Bounds() != want.Bounds() {
				t.Fatalf("%v, want %v", page.Bounds(), want.Bounds())
			}
			if at, off := farthest(greyOf(page), greyOf(want)); off > 24 {
				t.Errorf("around %v the grey is %d of 255 off; see %s", at, off, path)
			}
		})
	}
}

// farthest finds the square of eight pixels, some 3 mm, whose mean grey differs
// most. The edges of letters, which each version of a renderer smooths its own
// way, hardly change it; a letter more or less does.
func farthest(one, other *image.Gray) (at image.Point, off int) {
	const side = 8
	for y := 0; y+side <= one.Rect.Dy(); y += side {
		for x := 0; x+side <= one.Rect.Dx(); x += side {
			sum := 0
			for i := range side * side {
				p := (y+i/side)*one.Stride + x + i%side
				sum += int(one.Pix[p]) - int(other.Pix[p])
			}
			if d := max(sum, -sum) / (side * side); d > off {
				at, off = image.Pt(x, y), d
			}
		}
	}
	return at, off
}

// pictured are the slips whose pictures are kept.
func pictured(t *testing.T) map[string][]byte {
	t.Helper()
	with := func(layout Layout, facts templates.Instructions) []byte {
		press, err := NewPress(facts.Merchant, layout, nil)
		if err != nil {
			t.Fatal(err)
		}
		pdf, err := press.Draw(facts)
		if err != nil {
			t.Fatal(err)
		}
		return pdf
	}
	noCode := inJapanese()
	noCode.PaymentCode = ""
	reduced := inEnglish()
	reduced.Merchant.RegistrationNumber = "T9234567890123"
	reduced.Invoice.TaxRate = 8 // the tax is worked out: 3,703 yen
	sample := inJapanese()
	sample.Sample = true
	company := inJapanese()
	company.Invoice.Name, company.Invoice.Company = "株式会社𠮷野電機製作所 経理部", true
	noTax := inJapanese()
	noTax.Merchant.RegistrationNumber, noTax.Invoice.Tax = "", 0
	three := []templates.Instructions{inJapanese(), inEnglish(), longValues()}
	return map[string][]byte{
		"ja":            with(Layout{}, noTax),
		"en":            with(Layout{}, inEnglish()),
		"long-values":   with(Layout{}, longValues()),
		"window":        with(Layout{AddressWindow: true}, company),
		"window-logo":   with(Layout{AddressWindow: true, Logo: testLogo(t)}, inEnglish()),
		"tax-block":     with(Layout{}, inJapanese()),
		"tax-reduced":   with(Layout{}, reduced),
		"no-code":       with(Layout{}, noCode),
		"logo":          with(Layout{Logo: testLogo(t)}, inJapanese()),
		"sample":        with(Layout{}, sample),
		"two-a-sheet":   printed(t, Layout{PerPage: 2, Logo: testLogo(t)}, three[:2]),
		"three-a-sheet": printed(t, Layout{PerPage: 3, Logo: testLogo(t)}, three),
	}
}
