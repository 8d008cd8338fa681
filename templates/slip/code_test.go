package slip

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"konbill/samples/peertest"
	"konbill/templates"
)

// decoded reads the code on a picture with gozxing.
func decoded(t *testing.T, picture image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText()
}

func TestCodeLeadsToThePaymentPage(t *testing.T) {
	sample := inJapanese()
	sample.Sample = true
	for _, printed := range []struct {
		facts templates.Instructions
		dpi   int
	}{{inJapanese(), 100}, {inJapanese(), 150}, {inEnglish(), 300}, {sample, 150}} {
		picture, path := rendered(t, drawn(t, printed.facts), printed.dpi)
		if got := decoded(t, picture); got != payURI {
			t.Errorf("%d dpi: gozxing reads %q", printed.dpi, got)
		}
		got := string(peertest.Run(t, "zbarimg", "--quiet", "--nodbus", "--raw", path))
		if strings.TrimSpace(got) != payURI {
			t.Errorf("%d dpi: zbarimg reads %q", printed.dpi, got)
		}
	}
}

// TestCodeOnThePage reads the code from the composed page, with Go alone, and
// measures it: at least 25 mm across with the white zone of four modules, in
// which nothing stands.
func TestCodeOnThePage(t *testing.T) {
	letters, err := newTypecase()
	if err != nil {
		t.Fatal(err)
	}
	for name, facts := range extremes() {
		sheet, err := compose(letters, Layout{}, facts)
		if err != nil {
			t.Fatal(err)
		}
		if len(sheet.codes) != 1 {
			t.Fatalf("%s: %d codes", name, len(sheet.codes))
		}
		c := sheet.codes[0]
		if got := decoded(t, pictureOf(c)); got != facts.AuthorizeURI {
			t.Errorf("%s: reads %q, want %q", name, got, facts.AuthorizeURI)
		}
		across := int(math.Round(c.width / c.module))
		zone := across
		for _, run := range c.dark {
			zone = min(zone, run.x, run.y, across-run.x-run.length, across-run.y-1)
		}
		if c.width < 25 || zone < 4 {
			t.Errorf("%s: %.1f mm across, white zone of %d modules", name, c.width, zone)
		}
		if c.x < 0 || c.x+c.width > paperWidth {
			t.Errorf("%s: the code leaves the paper", name)
		}
		for _, f := range sheet.fills {
			if cross(f.area, c.area, 0) {
				t.Errorf("%s: %+v stands in the white zone", name, f)
			}
		}
	}
}

// pictureOf draws a code at ten pixels a millimetre.
func pictureOf(c code) image.Image {
	pixels := func(mm float64) int { return int(math.Round(mm * 10)) }
	picture := image.NewGray(image.Rect(0, 0, pixels(c.width), pixels(c.height)))
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	for _, run := range c.dark {
		x, y := float64(run.x)*c.module, float64(run.y)*c.module
		at := image.Rect(pixels(x), pixels(y), pixels(x+float64(run.length)*c.module), pixels(y+c.module))
		draw.Draw(picture, at, image.NewUniform(color.Black), image.Point{}, draw.Src)
	}
	return picture
}
