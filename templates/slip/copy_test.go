package slip

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/draw"

	"konbill/samples/peertest"
	"konbill/templates"
)

// TestCodeSurvivesCopying reads the code from a copy: reduced to 70 %, in black
// and white with nothing in between, and both.
func TestCodeSurvivesCopying(t *testing.T) {
	for name, facts := range map[string]templates.Instructions{"ja": inJapanese(), "en": inEnglish()} {
		page, _ := rendered(t, drawn(t, facts), 200)
		scan := greyOf(page)
		for _, test := range []struct {
			why  string
			made image.Image
		}{
			{"in black and white", blackAndWhite(scan)},
			{"at 70 %", reduced(scan, 0.7)},
			{"at 70 % in black and white", blackAndWhite(reduced(scan, 0.7))},
			{"a copy of a copy", blackAndWhite(reduced(reduced(scan, 0.7), 0.7))},
		} {
			path := filepath.Join(t.TempDir(), "copy.png")
			writePNG(t, path, test.made)
			got := string(peertest.Run(t, "zbarimg", "--quiet", "--nodbus", "--raw", path))
			if strings.TrimSpace(got) != payURI {
				t.Errorf("%s %s: zbarimg reads %q", name, test.why, got)
			}
		}
	}
}

func greyOf(from image.Image) *image.Gray {
	to := image.NewGray(from.Bounds())
	draw.Draw(to, to.Bounds(), from, from.Bounds().Min, draw.Src)
	return to
}

func reduced(from *image.Gray, by float64) *image.Gray {
	size := from.Bounds().Size()
	to := image.NewGray(image.Rect(0, 0, int(float64(size.X)*by), int(float64(size.Y)*by)))
	draw.ApproxBiLinear.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	return to
}

func blackAndWhite(from *image.Gray) *image.Gray {
	to := image.NewGray(from.Bounds())
	for i, level := range from.Pix {
		if level > 127 {
			to.Pix[i] = 255
		}
	}
	return to
}

func writePNG(t *testing.T, path string, picture image.Image) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, picture); err != nil {
		t.Fatal(err)
	}
}

// brightness is what a grey scanner sees, 0–255.
func brightness(c colour) uint8 {
	return color.GrayModel.Convert(color.RGBA{c[0], c[1], c[2], 0xFF}).(color.Gray).Y
}

// contrast is as WCAG 2.2 defines it, 1–21.
func contrast(a, b colour) float64 {
	luminance := func(c colour) float64 {
		linear := func(level uint8) float64 {
			v := float64(level) / 255
			if v <= 0.04045 {
				return v / 12.92
			}
			return math.Pow((v+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
	}
	one, other := luminance(a), luminance(b)
	return (max(one, other) + 0.05) / (min(one, other) + 0.05)
}
