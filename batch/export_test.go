package batch

import (
	"iter"

	"konbill/invoice"
	"konbill/templates"
)

// DrawPlainly makes the runner's slips a few bytes each, for tests that are
// about everything else: cutting fonts and drawing would take most of their time.
func (r *Runner) DrawPlainly() {
	r.newPress = func(templates.Merchant, iter.Seq[invoice.Invoice]) (press, error) { return plainPress{}, nil }
}

type plainPress struct{}

func (plainPress) Draw(templates.Instructions) ([]byte, error) { return []byte("%PDF-1.4"), nil }

func (plainPress) PrintFile([]templates.Instructions) ([]byte, error) {
	return []byte("%PDF-1.4"), nil
}
