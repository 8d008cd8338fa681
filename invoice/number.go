package invoice

import (
	"strings"
	"unicode"
)

// maxNumber is the longest invoice number, in characters.
const maxNumber = 64

// number reads an invoice number: 1–64 printable characters, as written but for
// what can't be seen. Widths are kept: the number is a key in other systems,
// too.
func (r *row) number(written string) string {
	number := clean(written)
	switch {
	case number == "":
		r.reject(FieldNumber, CodeNumberMissing, written)
	case longerThan(number, maxNumber):
		r.reject(FieldNumber, CodeNumberTooLong, written)
	case !isPrintableASCII(number) && strings.ContainsFunc(number, isUnprintable):
		r.reject(FieldNumber, CodeNumberUnprintable, written)
	}
	return number
}

func isUnprintable(r rune) bool { return !unicode.IsPrint(r) }
