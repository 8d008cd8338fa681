package templates

import (
	"strings"
	"unicode"
)

// fact is one line of the bill.
type fact struct {
	Label, Value string
	Note         string // smaller, behind the value; may be empty
	Strong       bool   // what the customer acts on
}

// withValues drops the facts that nobody gave, and makes one line of each: a
// line break in a field must not look like a line of ours.
func withValues(facts ...fact) []fact {
	var given []fact
	for _, f := range facts {
		if f.Value = oneLine(f.Value); f.Value != "" {
			given = append(given, f)
		}
	}
	return given
}

// oneLine makes a line of a text, without control characters.
func oneLine(text string) string {
	visible := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' { // line and paragraph separators
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Join(strings.Fields(visible), " ")
}

func lines(text string) []string {
	var given []string
	for line := range strings.Lines(text) {
		if line = oneLine(line); line != "" {
			given = append(given, line)
		}
	}
	return given
}
