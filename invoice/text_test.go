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
