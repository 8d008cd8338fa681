package fonts

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// faces are all that are embedded.
func faces(t testing.TB) []*Face {
	t.Helper()
	var all []*Face
	for _, load := range []func() (*Face, error){Regular, Bold, Fallback} {
		face, err := load()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, face)
	}
	return all
}

// TestCutDrawsTheSame parses each cut with a reader other than ours and compares
// every outline and advance with the whole font's.
func TestCutDrawsTheSame(t *testing.T) {
	for _, face := range faces(t) {
		codes := map[uint16]Glyph{}
		text := "髙﨑神濵邉É①㈱～ａA b Çé・〓"
		if strings.HasPrefix(face.Name, "Noto") { // which has what the others lack
			text = "㐧㒈㔾丷伌佒"
		}
		for _, r := range text {
			glyph, ok := face.Glyph(r)
			if !ok {
				t.Fatalf("%s has no %c", face.Name, r)
			}
			codes[uint16(r)] = glyph
		}
		if glyph, ok := face.Glyph('𠮷'); ok {
			codes[0xE000] = glyph
		}
		cut, err := sfnt.Parse(face.Cut(codes))
		if err != nil {
			t.Fatalf("%s: %v", face.Name, err)
		}
		for code, glyph := range codes {
			index, err := cut.GlyphIndex(nil, rune(code))
			if err != nil || index == 0 {
				t.Fatalf("%s: %U is gone: %v", face.Name, code, err)
			}
			if got, want := outlineOf(t, cut, index), outlineOf(t, face.font, sfnt.GlyphIndex(glyph.Index)); !slices.Equal(got, want) {
				t.Errorf("%s: %U is drawn otherwise", face.Name, code)
			}
			checkAdvance(t, face, cut, index, glyph)
		}
	}
}

func outlineOf(t *testing.T, font *sfnt.Font, index sfnt.GlyphIndex) []sfnt.Segment {
	t.Helper()
	segments, err := font.LoadGlyph(&sfnt.Buffer{}, index, fixed.I(1000), nil)
	if err != nil {
		t.Fatal(err)
	}
	return segments
}

func checkAdvance(t *testing.T, face *Face, cut *sfnt.Font, index sfnt.GlyphIndex, glyph Glyph) {
	t.Helper()
	for _, of := range []struct {
		font  *sfnt.Font
		index sfnt.GlyphIndex
	}{{cut, index}, {face.font, sfnt.GlyphIndex(glyph.Index)}} {
		advance, err := of.font.GlyphAdvance(&sfnt.Buffer{}, of.index, fixed.I(1000), 0)
		if off := advance - fixed.I(glyph.Advance); err != nil || off < -fixed.I(1)/2 || off > fixed.I(1)/2 {
			t.Errorf("%s: glyph %d advances by %v, want %d: %v", face.Name, of.index, advance, glyph.Advance, err)
		}
	}
}

// TestNoGlyphIsComposed: a program takes glyphs one by one.
func TestNoGlyphIsComposed(t *testing.T) {
	for _, face := range faces(t) {
		for glyph := range face.font.NumGlyphs() {
			if outline := face.outline(uint16(glyph)); len(outline) > 0 && contours(outline) < 0 {
				t.Errorf("%s: glyph %d is composed of others", face.Name, glyph)
			}
		}
	}
}

func TestCutHoldsNothingElse(t *testing.T) {
	for _, face := range faces(t) {
		glyph, _ := face.Glyph('円')
		cut, err := sfnt.Parse(face.Cut(map[uint16]Glyph{'円': glyph}))
		if err != nil {
			t.Fatal(err)
		}
		if n := cut.NumGlyphs(); n != 2 { // with the box that must come first
			t.Errorf("%s: %d glyphs", face.Name, n)
		}
		if index, _ := cut.GlyphIndex(nil, '様'); index != 0 {
			t.Errorf("%s: 様 is in a cut for 円", face.Name)
		}
	}
}

func TestCutIsAlwaysTheSame(t *testing.T) {
	face := faces(t)[0]
	codes := map[uint16]Glyph{}
	for _, r := range "請求書番号Éé" {
		codes[uint16(r)], _ = face.Glyph(r)
	}
	before := bytes.Clone(face.tables["glyf"])
	if !bytes.Equal(face.Cut(codes), face.Cut(codes)) {
		t.Error("two cuts differ")
	}
	if !bytes.Equal(before, face.tables["glyf"]) {
		t.Error("cutting wrote into the font")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, data := range [][]byte{nil, []byte("OTTO"), make([]byte, 100)} {
		if _, err := parse("broken", data); err == nil {
			t.Errorf("%q is taken for a font", data)
		}
	}
}

func TestLicencesAreEmbedded(t *testing.T) {
	for _, name := range []string{"OFL-BIZUDPGothic.txt", "OFL-NotoSansJP.txt"} {
		text, err := files.ReadFile(name)
		if err != nil || !bytes.Contains(text, []byte("SIL OPEN FONT LICENSE")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
