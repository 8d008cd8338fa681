package batch

import (
	"errors"
	"slices"

	"konbill/templates"
	"konbill/templates/slip"
)

// ErrNoSlip says that an invoice has no slip by which it could be paid: it isn't charged,
// it is paid or over, its link leads elsewhere, or its personal data were removed.
var ErrNoSlip = errors.New("it has no slip to be paid by")

// MostPrinted is how many slips one print file holds.
const MostPrinted = slip.MostPrinted

// Slip draws the slip of an invoice once more: byte for byte the one that was given out,
// as long as the merchant's facts are the same. The error is ErrNoSlip, or about fonts or
// texts.
func (r *Runner) Slip(e Entry) (pdf []byte, err error) {
	err = r.Slips([]Entry{e}, func(_ Entry, drawn []byte) error {
		pdf = drawn
		return nil
	})
	if pdf == nil && err == nil {
		err = ErrNoSlip
	}
	return pdf, err
}

// Slips draws the slips of those invoices that can be paid, in their order, as Slip does.
// The error is visit's, or about fonts or texts.
func (r *Runner) Slips(entries []Entry, visit func(e Entry, pdf []byte) error) error {
	s, payable, err := r.toDraw(entries)
	if err != nil {
		return err
	}
	for _, e := range payable {
		pdf, err := s.press.Draw(s.instructions(e))
		if err == nil {
			err = visit(e, pdf)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// PrintFile draws the slips of those invoices that can be paid as one file to be printed,
// at most MostPrinted of them. The error is ErrNoSlip where there are none, or about their
// number, fonts or texts.
func (r *Runner) PrintFile(entries []Entry) ([]byte, error) {
	s, payable, err := r.toDraw(entries)
	if err == nil && len(payable) == 0 {
		err = ErrNoSlip
	}
	if err != nil {
		return nil, err
	}
	return s.press.PrintFile(slices.Collect(mapped(payable, func(e Entry) templates.Instructions { return s.instructions(e) })))
}

// toDraw picks the invoices that can be paid, and prepares to draw their slips.
func (r *Runner) toDraw(entries []Entry) (s *settler, payable []Entry, err error) {
	for _, e := range entries {
		if r.payable(e) && e.PurgedAt.IsZero() {
			payable = append(payable, e)
		}
	}
	s, err = r.settlerOf(invoicesOf(payable), r.Now())
	return s, payable, err
}
