package batch

import (
	"sync/atomic"
	"unicode"

	"konbill/templates/slip"
)

// glyphs remembers which characters the slip can show, since nearly all texts
// have only such, and to ask the fonts takes longer than most rules. It holds a
// bit for each character up to U+FFFF; others are asked for every time. Several
// may use it at the same time.
type glyphs struct {
	shown [1 << 16 / 32]atomic.Uint32
}

// missing is what slip.Missing says of a text.
func (g *glyphs) missing(text string) []rune {
	if g.showAll(text) {
		return nil
	}
	for _, r := range text {
		// A mark may join the character before it: by itself it tells nothing.
		if r <= 0xFFFF && !unicode.Is(unicode.Mn, r) && len(slip.Missing(string(r))) == 0 {
			g.shown[r/32].Or(1 << (r % 32))
		}
	}
	return slip.Missing(text)
}

func (g *glyphs) showAll(text string) bool {
	for _, r := range text {
		if r > 0xFFFF || g.shown[r/32].Load()&(1<<(r%32)) == 0 {
			return false
		}
	}
	return true
}
