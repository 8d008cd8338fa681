package slip

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"
)

func pngOf(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func jpegOf(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestLogoPrints draws each kind of picture that programs save and looks at its
// colours on paper.
func TestLogoPrints(t *testing.T) {
	rectangle := image.Rect(0, 0, 300, 100)
	painted := func(picture interface {
		image.Image
		Set(x, y int, c color.Color)
	}) image.Image {
		for y := range 100 {
			for x := range 150 { // the right half stays as it is
				picture.Set(x, y, color.RGBA{0x20, 0x60, 0xA0, 0xFF})
			}
		}
		return picture
	}
	blue, grey := colour{0x20, 0x60, 0xA0}, colour{0x58, 0x58, 0x58}
	for _, test := range []struct {
		why         string
		file        []byte
		left, right colour
	}{
		{"transparent PNG", pngOf(t, painted(image.NewNRGBA(rectangle))), blue, white},
		{"PNG with 16 bits a colour", pngOf(t, painted(image.NewNRGBA64(rectangle))), blue, white},
		{"PNG with a palette", pngOf(t, painted(image.NewPaletted(rectangle, color.Palette{color.Transparent, color.RGBA{0x20, 0x60, 0xA0, 0xFF}}))), blue, white},
		{"grey PNG", pngOf(t, painted(image.NewGray(rectangle))), grey, colour{}},
		{"JPEG", jpegOf(t, painted(image.NewRGBA(rectangle))), blue, colour{}},
		{"grey JPEG", jpegOf(t, painted(image.NewGray(rectangle))), grey, colour{}},
	} {
		logo, err := ReadLogo(test.file)
		if err != nil {
			t.Errorf("%s: %v", test.why, err)
			continue
		}
		press, err := NewPress(inJapanese().Merchant, Layout{Logo: logo}, nil)
		if err != nil {
			t.Fatal(err)
		}
		pdf, err := press.Draw(inJapanese())
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := compose(press.letters, press.layout, inJapanese())
		if err != nil {
			t.Fatal(err)
		}
		const dpi = 100
		page, _ := rendered(t, pdf, dpi)
		at := sheet.pictures[0].area
		for share, want := range map[float64]colour{0.25: test.left, 0.75: test.right} {
			got := page.At(int((at.x+share*at.width)*dpi/25.4), int((at.y+at.height/2)*dpi/25.4))
			if !near(got, want) {
				t.Errorf("%s: %v at %.0f %%, want %v", test.why, got, 100*share, want)
			}
		}
	}
}

func near(got color.Color, want colour) bool {
	const off = 6
	r, g, b, _ := got.RGBA()
	for i, level := range []uint32{r >> 8, g >> 8, b >> 8} {
		if d := int(level) - int(want[i]); d < -off || d > off {
			return false
		}
	}
	return true
}

func TestReadLogoRefuses(t *testing.T) {
	noise := image.NewGray(image.Rect(0, 0, 1000, 1000))
	random := rand.New(rand.NewPCG(1, 1))
	for i := range noise.Pix {
		noise.Pix[i] = byte(random.Uint32())
	}
	whole := pngOf(t, disc(100, 100))
	for _, test := range []struct {
		why  string
		file []byte
		want LogoFault
	}{
		{"empty", nil, LogoUnreadable},
		{"a text", []byte("<svg></svg>"), LogoUnreadable},
		{"cut short", whole[:len(whole)/2], LogoUnreadable},
		{"too many bytes", pngOf(t, noise), LogoTooManyBytes},
		{"a small file that unpacks to a huge picture", pngOf(t, image.NewGray(image.Rect(0, 0, LogoSide+1, 10))), LogoTooManyPixels},
	} {
		_, err := ReadLogo(test.file)
		var wrong *LogoError
		if !errors.As(err, &wrong) || wrong.Fault != test.want || err.Error() == "" {
			t.Errorf("%s: %v", test.why, err)
		}
	}
}
