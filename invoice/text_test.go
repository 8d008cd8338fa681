package invoice

import (
	"testing"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// TestWidthsAreFoldedByTheirFirstByte goes through Unicode: no character that has
// another width may be taken for one that has none.
func TestWidthsAreFoldedByTheirFirstByte(t *testing.T) {
	folded := 0
	for r := rune(0); r <= utf8.MaxRune; r++ {
		s := string(r)
		if width.Fold.String(s) == s || clean(s) == "" {
			continue
		}
		folded++
		if s[0] != foldedLead {
			t.Errorf("%q (%U) is folded, but begins with %#x", r, r, s[0])
		}
	}
	if folded < 100 {
		t.Errorf("only %d characters are folded", folded)
	}
}

func TestSearchName(t *testing.T) {
	for text, want := range map[string]string{
		"山田 太郎": "山田太郎", " 山田　": "山田", "ﾔﾏﾀﾞ": "ヤマダ", "㈱さくら": "さくら", "(株) さくら商会": "さくら商会", "": "", "@": "",
		"寿限無寿限無五劫のすりきれ": "寿限無寿限無五劫のす",
	} {
		if got := SearchName(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
