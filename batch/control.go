package batch

import (
	"fmt"
	"slices"

	"konbill/invoice"
)

// Control is what the sender of a file says it holds, so that a file that was
// cut short, or is another one, charges nobody. Each half counts only if given.
type Control struct {
	Rows    int         // all rows of the file, headers apart
	Yen     invoice.Yen // the sum of their amounts
	HasRows bool
	HasYen  bool
}

// ControlError says that a file doesn't hold what its control total says.
// Nothing was charged.
type ControlError struct {
	Want Control
	Have Sum
	// Unread counts rows whose amount could not be read: their yen are missing
	// from the sum.
	Unread int
}

func (e *ControlError) Error() string {
	return fmt.Sprintf("the file holds %d rows and %s yen (%d amounts unreadable), its control total says otherwise", e.Have.Rows, e.Have.Yen, e.Unread)
}

// check compares a control total with the file's rows, those that are rejected
// included: whoever added them up did not know. The error is a *ControlError.
func (c *Control) check(s *Sheet) error {
	if c == nil {
		return nil
	}
	held, unread := s.held()
	if c.HasRows && c.Rows != held.Rows || c.HasYen && (c.Yen != held.Yen || unread > 0) {
		return &ControlError{Want: *c, Have: held, Unread: unread}
	}
	return nil
}

// held counts all rows of a sheet.
func (s *Sheet) held() (held Sum, unread int) {
	for _, row := range s.Rows {
		held.Add(row.Invoice.Amount)
		if row.Invoice.Amount == 0 && !row.found(invoice.CodeAmountTooSmall) { // 0 yen is an amount, if a useless one
			unread++
		}
	}
	return held, unread
}

func (r Row) found(code invoice.Code) bool {
	return slices.ContainsFunc(r.Findings, func(f invoice.Finding) bool { return f.Code == code })
}
