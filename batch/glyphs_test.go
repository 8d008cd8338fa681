package batch

import (
	"slices"
	"testing"
	"unicode/utf8"

	"konbill/templates/slip"
)

// TestGlyphsSayWhatTheFontsSay asks twice: the second answer is remembered.
func TestGlyphsSayWhatTheFontsSay(t *testing.T) {
	var g glyphs
	texts := []string{"", "山田 太郎", "か\u3099", "\u3099か", "e\u0301", "x\u0301\u0327", "\u200bA\ufe0f", "𠮷野", "😀", "A\nB", "\xff", "\ue000", "\uffff"}
	for r := rune(0); r <= 0x10FFFF; r += 61 {
		if utf8.ValidRune(r) {
			texts = append(texts, string(r), "か"+string(r)+"A")
		}
	}
	for range 2 {
		for _, text := range texts {
			if got, want := g.missing(text), slip.Missing(text); !slices.Equal(got, want) {
				t.Errorf("%q: %q is missing, want %q", text, got, want)
			}
		}
	}
}
