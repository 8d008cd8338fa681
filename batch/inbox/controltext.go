package inbox

import (
	"cmp"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"konbill/batch"
	"konbill/invoice"
)

// tokenForm splits a control total into numbers with whatever points and commas
// they have, words (the longest that fits), what ties a word to the number
// behind it, and what stands between. Anything else may not be there.
var tokenForm = func() *regexp.Regexp {
	longestFirst := slices.SortedFunc(maps.Keys(words), func(x, y string) int {
		return cmp.Or(len(y)-len(x), strings.Compare(x, y))
	})
	for i, w := range longestFirst {
		longestFirst[i] = regexp.QuoteMeta(w)
	}
	return regexp.MustCompile(`\d(?:[\d.,]*\d)?|` + strings.Join(longestFirst, "|") + `|[:=]|[ \t]+|[\r\n,、。;/|・]|.`)
}()

// figure is a number and what it counts.
type figure struct {
	measure measure
	value   int64
}

// parseControl reads a control total: a number of rows, a sum in yen, or both,
// in any order. It never guesses: 3,00 and 12.5 are faults, and so is a number
// that may be either.
func parseControl(text string) (batch.Control, totalFault) {
	text = strings.ToLower(width.Fold.String(text))
	r := &figureReader{tokens: tokenForm.FindAllString(text, -1)}
	var figures []figure
	for r.skip(isBetween); r.token() != ""; r.skip(isBetween) {
		f, fault := r.figure()
		if fault != "" {
			return batch.Control{}, fault
		}
		figures = append(figures, f)
	}
	return controlOf(figures)
}

// controlOf puts the figures in their places. A number without a mark is the
// rows if nothing else is.
func controlOf(figures []figure) (batch.Control, totalFault) {
	var values [perhapsYen + 1][]int64
	for _, f := range figures {
		values[f.measure] = append(values[f.measure], f.value)
	}
	counts, bare, sums := values[rows], values[unmarked], append(values[yen], values[perhapsYen]...)
	switch {
	case len(figures) == 0:
		return batch.Control{}, totalEmpty
	case len(counts) > 1, len(sums) > 1:
		return batch.Control{}, totalRepeated
	case len(counts)+len(bare) > 1:
		return batch.Control{}, totalAmbiguous
	}
	var c batch.Control
	for _, n := range append(counts, bare...) {
		if n > math.MaxInt32 {
			return batch.Control{}, totalUnreadable
		}
		c.Rows, c.HasRows = int(n), true
	}
	for _, n := range sums {
		c.Yen, c.HasYen = invoice.Yen(n), true
	}
	return c, ""
}

// figureReader goes through the tokens of a control total.
type figureReader struct{ tokens []string }

// token is the next one; "" at the end.
func (r *figureReader) token() string { return r.after(0) }

func (r *figureReader) after(n int) string {
	if n >= len(r.tokens) {
		return ""
	}
	return r.tokens[n]
}

func (r *figureReader) skip(unwanted func(string) bool) {
	for r.token() != "" && unwanted(r.token()) {
		r.tokens = r.tokens[1:]
	}
}

func isSpace(token string) bool   { return strings.Trim(token, " \t") == "" }
func isBetween(token string) bool { return strings.Trim(token, " \t\r\n,、。;/|・") == "" }
func isTie(token string) bool     { return token == ":" || token == "=" }
func isNumber(token string) bool  { return token != "" && token[0] >= '0' && token[0] <= '9' }

// figure reads the words before a number, the number, and the word behind it.
func (r *figureReader) figure() (figure, totalFault) {
	measure, fault := r.label()
	if fault != "" {
		return figure{}, fault
	}
	value, ok := wholeNumber(r.token())
	if !ok {
		return figure{}, totalUnreadable
	}
	r.tokens = r.tokens[1:]
	measure, fault = r.unit(measure)
	return figure{measure, value}, fault
}

func (r *figureReader) label() (measure, totalFault) {
	m := unmarked
	for ; ; r.skip(isSpace) {
		w, known := words[r.token()]
		if !known {
			break
		}
		if w.where&before == 0 {
			return m, totalUnreadable
		}
		var agree bool
		if m, agree = m.and(w.measure); !agree {
			return m, totalAmbiguous
		}
		r.tokens = r.tokens[1:]
		r.skip(isSpace)
		if isTie(r.token()) {
			r.tokens = r.tokens[1:]
		}
	}
	return m, ""
}

// unit reads the word behind a number that has been given a measure by those
// before it. A word of another measure may belong to the next number.
func (r *figureReader) unit(given measure) (measure, totalFault) {
	r.skip(isSpace)
	w, known := words[r.token()]
	if !known || w.where&behind == 0 {
		return given, ""
	}
	rest := figureReader{r.tokens[1:]}
	rest.skip(isSpace)
	m, agree := given.and(w.measure)
	belongsToNext := w.where == around && isTie(rest.token())
	switch {
	case belongsToNext, !agree && w.where == around:
		return given, ""
	case !agree:
		return given, totalAmbiguous
	case given == unmarked && w.where == around && rest.startsBare():
		return given, totalAmbiguous // 12 JPY 5000
	}
	r.tokens = rest.tokens
	return m, ""
}

// startsBare reports whether a number comes next with no word behind it.
func (r *figureReader) startsBare() bool {
	if !isNumber(r.token()) {
		return false
	}
	behindIt := figureReader{r.tokens[1:]}
	behindIt.skip(isSpace)
	w, known := words[behindIt.token()]
	return !known || w.where&behind == 0
}

// numberForm is a whole number: separators stand where they belong, and a
// fraction is nothing.
var numberForm = regexp.MustCompile(`^(\d+|\d{1,3}(?:,\d{3})+)(?:\.0{1,2})?$`)

// wholeNumber reads a number of at most 15 digits, which is far from overflow.
func wholeNumber(token string) (int64, bool) {
	parts := numberForm.FindStringSubmatch(token)
	if parts == nil {
		return 0, false
	}
	digits := strings.TrimLeft(strings.ReplaceAll(parts[1], ",", ""), "0")
	if len(digits) > 15 {
		return 0, false
	}
	var n int64
	for _, d := range digits {
		n = n*10 + int64(d-'0')
	}
	return n, true
}
