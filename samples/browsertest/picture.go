package browsertest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/chromedp"
)

// widths are those at which pictures are kept: of a desk and of a telephone.
var widths = []int64{1280, 390}

// What pictures are compared by: squares of so many pixels, which look alike when their
// shades, of 255, are so near. Another release of the browser may draw the edges of letters
// otherwise, but nothing in another place.
const (
	square     = 8
	nearby     = 24
	mostUnlike = 0.002 // of all squares
)

// WantPicture wants the page that is shown to look as in a picture that somebody has looked
// at and kept, at each width. With update it keeps what it looks like now.
func (b Tab) WantPicture(folder, name string, update bool) {
	b.t.Helper()
	for _, width := range widths {
		b.See(width, "light")
		b.Do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`)) // a caret blinks
		taken, err := png.Decode(bytes.NewReader(Told(b, chromedp.FullScreenshot(100))))
		if err != nil {
			b.t.Fatal(err)
		}
		few := withFewColours(taken)
		path := filepath.Join(folder, fmt.Sprintf("%s-%d.png", name, width))
		if update {
			b.keep(path, few)
			continue
		}
		kept, err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			b.t.Errorf("%s was never kept: go test with -update, and look at it", path)
			continue
		}
		if err != nil {
			b.t.Fatal(err)
		}
		if why := unlike(kept, few); why != "" {
			b.t.Errorf("%s, %d wide, doesn't look as kept: %s", name, width, why)
		}
	}
}

func read(path string) (image.Image, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return png.Decode(file)
}

func (b Tab) keep(path string, picture image.Image) {
	b.t.Helper()
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err := encoder.Encode(&out, picture)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, out.Bytes(), 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// withFewColours keeps the most frequent colours, so that the file is small.
func withFewColours(picture image.Image) *image.Paletted {
	const most = 255
	counts := map[color.RGBA]int{}
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)]++
		}
	}
	frequent := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for _, c := range frequent[:min(len(frequent), most)] {
		palette = append(palette, c)
	}
	few := image.NewPaletted(bounds, palette)
	draw.Draw(few, bounds, picture, bounds.Min, draw.Src)
	return few
}

// unlike says how two pictures differ; empty: they look alike.
func unlike(kept, now image.Image) string {
	if kept.Bounds() != now.Bounds() {
		return fmt.Sprintf("it has %v, kept was %v", now.Bounds().Size(), kept.Bounds().Size())
	}
	bounds, all := kept.Bounds(), 0
	var others []image.Point
	for y := bounds.Min.Y; y < bounds.Max.Y; y += square {
		for x := bounds.Min.X; x < bounds.Max.X; x += square {
			all++
			if at := image.Rect(x, y, x+square, y+square).Intersect(bounds); shadeOf(kept, at)-shadeOf(now, at) > nearby || shadeOf(now, at)-shadeOf(kept, at) > nearby {
				others = append(others, at.Min)
			}
		}
	}
	if float64(len(others)) <= mostUnlike*float64(all) {
		return ""
	}
	return fmt.Sprintf("%d of %d squares are others, the first at %v", len(others), all, others[0])
}

// shadeOf is how light a part of a picture is, of 255.
func shadeOf(picture image.Image, part image.Rectangle) int {
	sum := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			sum += int(color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y)
		}
	}
	return sum / (part.Dx() * part.Dy())
}
