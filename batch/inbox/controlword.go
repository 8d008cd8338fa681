package inbox

// measure is what a number in a control total counts.
type measure int

const (
	unmarked measure = iota
	rows
	yen
	perhapsYen // behind 合計 or "total", unless the number is marked otherwise
)

// and joins what two words say of one number, if they agree.
func (m measure) and(other measure) (joined measure, agree bool) {
	switch {
	case m == other, other == unmarked, other == perhapsYen && m != unmarked:
		return m, true
	case m == unmarked, m == perhapsYen:
		return other, true
	}
	return m, false
}

// word is one that may stand before or behind a number.
type word struct {
	measure measure
	where   place
}

type place int

const (
	before place = 1 << iota
	behind
	around = before | behind
)

// words are all that a control total may hold beside its numbers, in lower
// case. Anything else makes it unreadable: it could change what the numbers
// mean (12 rows, 3 of them ...).
var words = map[string]word{
	"件数": {rows, before}, "行数": {rows, before}, "枚数": {rows, before}, "通数": {rows, before}, "明細数": {rows, before},
	"count": {rows, before},
	"件":     {rows, behind}, "行": {rows, behind}, "枚": {rows, behind}, "通": {rows, behind},
	"rows": {rows, around}, "row": {rows, around}, "records": {rows, around}, "record": {rows, around},
	"lines": {rows, around}, "line": {rows, around}, "invoices": {rows, around}, "invoice": {rows, around},

	"金額": {yen, before}, "総額": {yen, before}, "合計額": {yen, before}, "請求額": {yen, before}, "金": {yen, before},
	"amount": {yen, before}, "¥": {yen, before}, `\`: {yen, before}, // what ¥ is in CP932
	"円": {yen, behind}, "円也": {yen, behind},
	"yen": {yen, around}, "jpy": {yen, around},

	"合計": {perhapsYen, before}, "総計": {perhapsYen, before}, "計": {perhapsYen, before}, "total": {perhapsYen, before}, "sum": {perhapsYen, before},
	"請求書": {unmarked, before}, "ご請求": {unmarked, before}, "請求": {unmarked, before}, "税込": {unmarked, before}, "総": {unmarked, before},
	"データ": {unmarked, before}, "number of": {unmarked, before},
}
