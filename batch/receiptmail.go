package batch

import "context"

// receiptKind is the kind of the notice that a payment has come.
const receiptKind NoticeKind = "receipt"

// receiptsWithin is how long after a payment the customer is still told of it:
// later it would surprise, and who switches this on doesn't mail the customers of
// long ago.
const receiptsWithin = 7 * day

// MailReceipts tells customers that their payments have come, each bill once, as
// far as the ledger has heard of them. The reports stand in the order in which
// the invoices were accepted; the error is as Run's.
func (r *Runner) MailReceipts(ctx context.Context) ([]Noticed, error) {
	release, err := r.Ledger.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	errands, err := r.receipts(ctx)
	if err != nil {
		return nil, err
	}
	return r.notify(ctx, errands)
}

// ReceiptsDue reports how many customers are to be told of their payments now.
func (r *Runner) ReceiptsDue(ctx context.Context) (int, error) {
	errands, err := r.receipts(ctx)
	return len(errands), err
}

// receipts leaves out what another ledger has issued: it tells the customer.
func (r *Runner) receipts(ctx context.Context) ([]errand, error) {
	if r.Settings.MailOff {
		return nil, errNoMail
	}
	var due []errand
	now := r.Now()
	q := Query{PaidSince: now.Add(-receiptsWithin), ChargeStatuses: []string{StatusSuccessful}}
	err := r.ofMine(ctx, q, func(e Entry) error {
		if e.Elsewhere || !e.State.HasCharge() || e.State == Mailing {
			return nil
		}
		notices, err := r.Ledger.Notices(ctx, e.Key)
		if err != nil {
			return err
		}
		if begun := NoticeOf(notices, receiptKind); r.wanted(begun, now) {
			due = append(due, errand{entry: e, kind: receiptKind, begun: begun, status: StatusSuccessful})
		}
		return nil
	})
	return due, err
}
