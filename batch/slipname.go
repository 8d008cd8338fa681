package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// SlipNames gives every invoice number a file name of its own, safe on every
// system: an invoice number is a customer's text and may hold slashes, or
// differ from another by case alone.
type SlipNames map[string]string // folded name to the number that has it

// NameOf returns the file name of a number, without extension.
func (n SlipNames) NameOf(number string) string {
	name := safeName(number)
	if name != number || hasUncertainCase(name) || n.taken(name, number) {
		name = n.distinct(name, number)
	}
	n[fold(name)] = number
	return name
}

// distinct adds to a name what no other has. Another number may have been
// written to look like that, so it may take more than once.
func (n SlipNames) distinct(name, number string) string {
	sum := sha256.Sum256([]byte(number))
	for length := 4; ; length++ {
		longer := name + "-" + hex.EncodeToString(sum[:length])
		if length == len(sum) || !n.taken(longer, number) {
			return longer
		}
	}
}

// hasUncertainCase reports letters beyond ASCII that have a case: systems that
// ignore it don't agree on which are the same, as with ſ and s, or ı and i.
func hasUncertainCase(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool {
		return r > unicode.MaxASCII && (unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r))
	})
}

func (n SlipNames) taken(name, number string) bool {
	other, ok := n[fold(name)]
	return ok && other != number
}

// fold is what a file system that ignores case and composition sees.
func fold(name string) string { return strings.ToLower(norm.NFC.String(name)) }

// maxName is how long a name may be, in bytes: systems take 255, with extension
// and what tells names apart.
const maxName = 200

// safeName replaces all but letters, digits, - and _ (and dots inside), and
// avoids the device names of Windows.
func safeName(number string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, number)
	name = strings.Trim(name, ".")
	for len(name) > maxName {
		_, last := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-last]
	}
	if name == "" || reserved[strings.ToUpper(strings.SplitN(name, ".", 2)[0])] {
		return "_" + name
	}
	return name
}

// reserved are the names Windows keeps for devices, with any extension.
var reserved = func() map[string]bool {
	names := map[string]bool{"CON": true, "PRN": true, "AUX": true, "NUL": true}
	for _, digit := range "123456789" {
		names["COM"+string(digit)] = true
		names["LPT"+string(digit)] = true
	}
	return names
}()
