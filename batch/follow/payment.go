package follow

import (
	"fmt"

	"konbill/batch"
)

// rank orders the payment statuses: a charge goes from a lower to a higher one.
// Money that was paid outweighs that the time was thought to be over, since
// stores report late. A status that nobody documents has rank 0.
var rank = map[string]int{"pending": 1, "failed": 2, "expired": 2, "successful": 3, "reversed": 4}

// verdict is what an answer of the API means for what is known.
type verdict int

const (
	nothingNew verdict = iota
	news
	// contradiction: it can't be what became of the charge since. In a list
	// that may mean that the list lags.
	contradiction
)

// judge compares what the API says of a charge with what is known. Fresh is an
// answer about this charge alone, which is never late: between statuses of the
// same rank it decides.
func judge(known, said batch.Charge, fresh bool) verdict {
	was, is := rank[known.Status], rank[said.Status]
	switch {
	case said.Amount != known.Amount, is == 0, is < was:
		return contradiction
	case is > was:
		return news
	case samePayment(known, updated(known, said)):
		return nothingNew
	case said.Status == known.Status && !known.Paid():
		return nothingNew // what an unpaid charge would cost is nothing to remember
	case fresh, said.Status == known.Status && !said.PaidAt.Before(known.PaidAt):
		return news
	}
	return contradiction
}

// updated is a charge after the API's answer.
func updated(known, said batch.Charge) batch.Charge {
	after := known
	after.Status, after.FailureCode = said.Status, said.FailureCode
	after.Fee, after.FeeVAT, after.Net = said.Fee, said.FeeVAT, said.Net
	if !said.PaidAt.IsZero() {
		after.PaidAt = said.PaidAt
	}
	return after
}

func samePayment(a, b batch.Charge) bool {
	return a.Status == b.Status && a.FailureCode == b.FailureCode &&
		a.Fee == b.Fee && a.FeeVAT == b.FeeVAT && a.Net == b.Net && a.PaidAt.Equal(b.PaidAt)
}

// why is what the event says.
func why(known, said batch.Charge) string {
	text := fmt.Sprintf("the payment is %s, was %s", said.Status, known.Status)
	if said.Status == known.Status {
		text = fmt.Sprintf("the payment is %s, with other details", said.Status)
	}
	if said.FailureCode != "" {
		text += ": " + said.FailureCode
	}
	return text
}
