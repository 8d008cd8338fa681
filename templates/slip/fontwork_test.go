package slip

import (
	"strconv"
	"strings"
	"testing"

	"konbill/templates/fonts"
)

// TestWidthsAreThoseOfTheGlyphs: letters stand where their widths say.
func TestWidthsAreThoseOfTheGlyphs(t *testing.T) {
	for _, text := range []string{"AB", "AÉB", "髙A橋É ﾔ", "É", "iéiÉi", "橋", "ÀÈÌ髙ÒÙ"} {
		for _, face := range []func() (*fonts.Face, error){fonts.Regular, fonts.Bold, fonts.Fallback} {
			face, err := face()
			if err != nil {
				t.Fatal(err)
			}
			work := newFontWork(face)
			for _, r := range text {
				if glyph, ok := face.Glyph(r); ok {
					work.add(letter{char: r, face: face, glyph: glyph})
				}
			}
			listed := widthsIn(t, string(work.widths()))
			for _, l := range work.letters {
				width, ok := listed[int(work.numbers[l.char])]
				if !ok {
					width = fullWidth
				}
				if width != l.glyph.Advance {
					t.Errorf("%s, %s: %c is %d wide, listed as %d", face.Name, text, l.char, l.glyph.Advance, width)
				}
			}
		}
	}
}

// widthsIn reads a list such as [1 [500 333] 7 [250]].
func widthsIn(t *testing.T, list string) map[int]int {
	t.Helper()
	widths := map[int]int{}
	inside, opened := strings.CutPrefix(list, "[")
	inside, closed := strings.CutSuffix(inside, "]")
	if !opened || !closed {
		t.Fatalf("no list: %s", list)
	}
	for part := range strings.SplitSeq(inside, "]") {
		first, rest, _ := strings.Cut(part, "[")
		for i, width := range strings.Fields(rest) {
			from, err := strconv.Atoi(strings.TrimSpace(first))
			if err != nil {
				t.Fatal(err)
			}
			if widths[from+i], err = strconv.Atoi(width); err != nil {
				t.Fatal(err)
			}
		}
	}
	return widths
}
