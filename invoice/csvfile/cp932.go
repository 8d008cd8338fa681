package csvfile

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/unicode/norm"
)

// sameInCP932 gives characters the form in which CP932 has them. They are the
// same characters to those who write them; x/text follows JIS, and the width
// folding of names, phones and marks has left others.
var sameInCP932 = strings.NewReplacer(
	"〜", "～", // U+301C wave dash to U+FF5E
	"−", "－", // U+2212 minus to U+FF0D
	"—", "―", // U+2014 em dash to U+2015
	"–", "－", "‒", "－", "‑", "‐",
	"¥", "￥", "¢", "￠", "£", "￡", "¬", "￢", "¯", "￣", "¦", "￤",
	"‖", "∥", // U+2016 to U+2225
	"•", "・",
	"\u00A0", " ",
)

// missing stands where a character has no place in CP932 at all.
const missing = '〓'

// fitting makes a cell that an encoding can write. lost tells that another
// character had to be put in place of one.
type fitting func(cell string) (fits string, lost bool)

func asItIs(cell string) (string, bool) { return cell, false }

// cp932Fitter fits cells to CP932, one after the other.
func cp932Fitter() fitting {
	encoder := japanese.ShiftJIS.NewEncoder()
	hasPlace := func(s string) bool {
		encoder.Reset()
		_, err := encoder.String(s)
		return err == nil
	}
	return func(cell string) (fits string, lost bool) {
		if isASCII(cell) {
			return cell, false
		}
		cell = sameInCP932.Replace(cell)
		if hasPlace(cell) {
			return cell, false
		}
		return strings.Map(func(r rune) rune {
			if hasPlace(string(r)) {
				return r
			}
			return closest(r)
		}, cell), true
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// closest is a Latin letter without its accent; for anything else there is no
// character that would not make another word of it.
func closest(r rune) rune {
	base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
	if unicode.Is(unicode.Latin, r) && base < utf8.RuneSelf {
		return base
	}
	return missing
}
