package slip

import (
	"image"
	"image/draw"
	"math"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// TestCharactersReallyPrint compares each printed character with the one that
// its font has, pixel by pixel: text extraction looks right even where a box or
// nothing is printed.
func TestCharactersReallyPrint(t *testing.T) {
	const dpi = 500 // strokes are wider than what a renderer shifts a glyph by
	for _, text := range []string{"髙橋﨑神\uFA19濵田邉齋柳彅", "É①㈱～〒ﾔﾏﾀﾞç—", "𠮷𩸽鱻株式会社", "株𠮷会𩸽社", "𠮷野家"} {
		facts := inJapanese()
		facts.Invoice.Description = text
		letters, err := newTypecase()
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := compose(letters, Layout{}, facts)
		if err != nil {
			t.Fatal(err)
		}
		checkPrinted(t, drawn(t, facts), lineOf(t, sheet, text), dpi)
	}
}

// TestNamesReallyPrint does the same for the addressee, which is set bold.
func TestNamesReallyPrint(t *testing.T) {
	const dpi = 500
	for written, printed := range map[string]string{
		"髙橋﨑神\uFA19濵田邉": "髙橋﨑神\uFA19濵田邉 様",
		"葛\U000E0100西":  "葛西 様", // the variation selector goes
		"É①㈱～":          "É①㈱～ 様",
	} {
		facts := inJapanese()
		facts.Invoice.Name = written
		letters, err := newTypecase()
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := compose(letters, Layout{}, facts)
		if err != nil {
			t.Fatal(err)
		}
		checkPrinted(t, drawn(t, facts), lineOf(t, sheet, printed), dpi)
	}
}

func lineOf(t *testing.T, sheet page, text string) line {
	t.Helper()
	for _, l := range sheet.lines {
		if charsOf(l.letters) == text {
			return l
		}
	}
	t.Fatalf("no line is %q", text)
	return line{}
}

func checkPrinted(t *testing.T, pdf []byte, l line, dpi int) {
	t.Helper()
	another := lettersOf(t, string(geta))[0]
	pixel := 25.4 / float64(dpi)
	em := l.size * point / pixel
	strip := image.Rect(int(l.x/pixel)-2, int(l.y/pixel-ascent*em)-2, int((l.x+l.width())/pixel)+2, int(l.y/pixel+(1-ascent)*em)+2)
	picture, _ := rendered(t, pdf, dpi, strip)

	x, y := l.x/pixel-float64(strip.Min.X), l.y/pixel-float64(strip.Min.Y)
	for _, letter := range l.letters {
		if letter.char == ' ' {
			x += float64(letter.glyph.Advance) / 1000 * em
			continue
		}
		width := float64(letter.glyph.Advance) / 1000 * em
		box := image.Rect(int(x), 0, int(math.Ceil(x+width)), strip.Dy())
		if off := difference(t, picture, box, letter, l.colour, em, x-float64(box.Min.X), y); off > 0.25 {
			t.Errorf("%c (%U): %.0f%% of the ink is not as its font has it", letter.char, letter.char, 100*off)
		}
		if off := difference(t, picture, box, another, l.colour, em, x-float64(box.Min.X), y); off < 0.5 {
			t.Errorf("%c (%U) can't be told from %c", letter.char, letter.char, another.char)
		}
		x += width
	}
}

// difference is how much of a letter's ink is printed elsewhere, or ink printed
// that isn't its own; 0 is none. A renderer may shift a glyph by half a pixel.
func difference(t *testing.T, picture image.Image, box image.Rectangle, l letter, c colour, em, x, y float64) float64 {
	t.Helper()
	printed := inkOf(picture, box, c)
	least := math.Inf(1)
	for _, dx := range []float64{-0.5, 0, 0.5} {
		for _, dy := range []float64{-0.5, 0, 0.5} {
			total, apart := 0.0, 0.0
			for i, ink := range inkOf(outline(t, l, em, x+dx, y+dy, box.Size()), image.Rectangle{Max: box.Size()}, colour{}) {
				total += ink
				apart += math.Abs(ink - printed[i])
			}
			if total == 0 {
				t.Fatalf("%c has no ink in its font", l.char)
			}
			least = min(least, apart/total)
		}
	}
	return least
}

// inkOf tells how dark each pixel is, from 0 for white to 1 for the colour.
func inkOf(picture image.Image, box image.Rectangle, c colour) []float64 {
	grey := image.NewGray(image.Rectangle{Max: box.Size()})
	draw.Draw(grey, grey.Bounds(), picture, box.Min, draw.Src)
	ink := make([]float64, len(grey.Pix))
	for i, level := range grey.Pix {
		ink[i] = float64(255-int(level)) / float64(255-int(c[0]))
	}
	return ink
}

// outline draws a letter from the font file itself, with its origin at x, y.
func outline(t *testing.T, l letter, em, x, y float64, size image.Point) image.Image {
	t.Helper()
	font := fontFile(t, l.face.Name)
	index, err := font.GlyphIndex(nil, l.char)
	if err != nil || index == 0 {
		t.Fatalf("%s has no %c: %v", l.face.Name, l.char, err)
	}
	segments, err := font.LoadGlyph(&sfnt.Buffer{}, index, fixed.Int26_6(em*64), nil)
	if err != nil {
		t.Fatal(err)
	}
	at := func(p fixed.Point26_6) (float32, float32) {
		return float32(x) + float32(p.X)/64, float32(y) + float32(p.Y)/64
	}
	raster := vector.NewRasterizer(size.X, size.Y)
	for _, s := range segments {
		ax, ay := at(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			raster.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			raster.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			bx, by := at(s.Args[1])
			raster.QuadTo(ax, ay, bx, by)
		}
	}
	picture := image.NewGray(image.Rectangle{Max: size})
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	raster.Draw(picture, picture.Bounds(), image.Black, image.Point{})
	return picture
}

// fontFile reads a font beside the package, by its PostScript name.
func fontFile(t *testing.T, name string) *sfnt.Font {
	t.Helper()
	if font, ok := fontFiles[name]; ok {
		return font
	}
	file := map[string]string{
		"BIZUDPGothic-Regular": "BIZUDPGothic_400Regular.ttf",
		"BIZUDPGothic-Bold":    "BIZUDPGothic_700Bold.ttf",
		"NotoSansJP-Regular":   "NotoSansJP_400Regular.ttf",
	}[name]
	data, err := os.ReadFile(filepath.Join("..", "fonts", file))
	if err != nil {
		t.Fatal(err)
	}
	font, err := sfnt.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	fontFiles[name] = font
	return font
}

var fontFiles = map[string]*sfnt.Font{}
