package slip

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "draw the pictures again that tests compare with, and the one in the README")

// TestPicture keeps the picture of a slip that the README shows: wide enough to
// be read, small enough to load at once, with a code that works.
func TestPicture(t *testing.T) {
	const (
		picture   = "../../samples/slip.png"
		dpi       = 109 // 900 pixels across
		mostBytes = 150_000
	)
	if *update {
		page, _ := rendered(t, drawn(t, inJapanese()), dpi)
		writePicture(t, picture, page)
	}
	file, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if width := img.Bounds().Dx(); width < 880 || width > 920 || info.Size() > mostBytes {
		t.Errorf("%d pixels across, %d bytes", width, info.Size())
	}
	if got := decoded(t, img); got != payURI {
		t.Errorf("its code leads to %q", got)
	}
}

// writePicture keeps the few colours that a slip has, each in the shades that
// the edges of letters need.
func writePicture(t *testing.T, path string, page image.Image) {
	t.Helper()
	const shades = 24
	var colours color.Palette
	for _, pair := range [][2]colour{{white, black}, {white, {}}, {white, accent}, {white, hair}, {shade, black}, {shade, grey}} {
		for i := range shades {
			colours = append(colours, between(pair[0], pair[1], float64(i)/(shades-1)))
		}
	}
	few := image.NewPaletted(page.Bounds(), colours)
	draw.Draw(few, few.Bounds(), page, image.Point{}, draw.Src)
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, few); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func between(from, to colour, share float64) color.RGBA {
	level := func(i int) uint8 { return uint8(float64(from[i])*(1-share) + float64(to[i])*share + 0.5) }
	return color.RGBA{level(0), level(1), level(2), 0xFF}
}
