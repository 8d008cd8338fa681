package batch

import "errors"

// ErrNoSlip says that an invoice has no slip by which it could be paid: it isn't charged,
// it is paid or over, its link leads elsewhere, or its personal data were removed.
var ErrNoSlip = errors.New("it has no slip to be paid by")

// Slip draws the slip of an invoice once more: byte for byte the one that was given out,
// as long as the merchant's facts are the same. The error is ErrNoSlip, or about fonts or
// texts.
func (r *Runner) Slip(e Entry) ([]byte, error) {
	if !r.payable(e) || !e.PurgedAt.IsZero() {
		return nil, ErrNoSlip
	}
	s, err := r.settlerOf(invoicesOf([]Entry{e}), r.Now())
	if err != nil {
		return nil, err
	}
	return s.press.Draw(s.instructions(e))
}
