package batch

import (
	"context"
	"errors"
	"strings"
)

// askOverdue takes over what became of the bills that rows have and that, as far
// as the ledger knows, wait for payment past their due date: only one that the
// API says is over unpaid is issued again. A bill of which the API can't tell is
// left as it is. The error is a *Stop, or the ledger's; nothing was recorded but
// payments.
func (r *Runner) askOverdue(ctx context.Context, a Account, s *Sheet) error {
	overdue, err := r.overdue(ctx, a, s)
	if err != nil {
		return err
	}
	return stopError(r.pool(ctx, len(overdue), func(i int) *Stop {
		_, err := r.askPayment(ctx, overdue[i])
		if g := new(GatewayError); errors.As(err, &g) && g.aboutOne() {
			return nil
		}
		if err != nil {
			return stopOf(surveyStop(ctx, err))
		}
		return nil
	}))
}

func (r *Runner) overdue(ctx context.Context, a Account, s *Sheet) ([]Entry, error) {
	var overdue []Entry
	now := r.Now()
	for _, row := range s.Rows {
		if row.Rejected() && !row.rejectedForDueOnly() {
			continue
		}
		e, err := r.Ledger.Latest(ctx, a, row.Invoice.Number)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if e.State.HasCharge() && e.Charge.Status == StatusPending && !e.Charge.payable(now) {
			overdue = append(overdue, e)
		}
	}
	return overdue, nil
}

// aboutOne reports whether an error of asking for a charge concerns that charge
// alone: others may be told all the same.
func (e *GatewayError) aboutOne() bool {
	return e.Outcome == DeclinedOutcome || e.Outcome == UnknownOutcome
}

// mayFollow asks what became of the bills that were issued under an invoice's number
// before, right before its own charge is asked for: stores report late. Unless all
// of them are over unpaid, the invoice is left and says why. refused is what kept
// the API from telling; the error is a *Stop.
func (s *settler) mayFollow(ctx context.Context, done *settled) (refused *GatewayError, err error) {
	if done.entry.Previous() == "" {
		return nil, nil
	}
	earlier, err := s.before(ctx, done.entry)
	if err != nil {
		return nil, ledgerStop(err)
	}
	for _, e := range earlier {
		if refused, err := s.isOver(ctx, done, e); refused != nil || err != nil || done.left {
			return refused, err
		}
	}
	return nil, nil
}

// isOver asks about one of them, and about further charges that the API has under
// its key.
func (s *settler) isOver(ctx context.Context, done *settled, earlier Entry) (refused *GatewayError, err error) {
	fault, id, err := s.whyNotOver(ctx, earlier)
	switch g := new(GatewayError); {
	case err == nil && fault == "":
		return nil, nil
	case err == nil:
		return nil, s.leave(ctx, done, fault, id)
	case !errors.As(err, &g):
		return nil, ledgerStop(err)
	case !g.aboutOne(), ctx.Err() != nil:
		return g, nil
	default:
		return g, s.leave(ctx, done, faultOldUnclear, id)
	}
}

// whyNotOver returns what keeps a bill from being over unpaid, and the charge that
// it is about; nothing when it is. The error is the gateway's, or the ledger's.
func (s *settler) whyNotOver(ctx context.Context, e Entry) (fault, id string, err error) {
	switch e.State {
	case Accepted, Declined:
		return "", "", nil // another ledger has gone on without it
	case Charging, Unknown:
		return faultOldUnclear, string(e.Key), nil
	}
	learnt, err := s.askPayment(ctx, e)
	if err != nil {
		return "", e.Charge.ID, err
	}
	if learnt.Verdict == Contradiction || !learnt.After.Charge.OverUnpaid() {
		return whyOpen(learnt), e.Charge.ID, nil
	}
	for _, id := range strings.Fields(e.Duplicates) {
		found, err := s.Gateway.Charge(ctx, id)
		switch {
		case err != nil:
			return "", id, err
		case found.Paid():
			return faultOldPaid, id, nil
		case !found.OverUnpaid():
			return faultOldOpen, id, nil
		}
	}
	return "", "", nil
}

// whyOpen says what the API's answer about a bill means that isn't over unpaid.
func whyOpen(l Learnt) string {
	switch {
	case l.After.Charge.Paid():
		return faultOldPaid
	case l.Said.Status == StatusPending && l.Said.ID == l.After.Charge.ID:
		return faultOldOpen
	}
	return faultOldUnclear
}

// leave has an invoice wait for its file to be run again. Between runs it is not
// tried again where the bill before is paid: there is nothing left to bill.
func (s *settler) leave(ctx context.Context, done *settled, fault, chargeID string) error {
	retries := done.retries
	if fault == faultOldPaid {
		retries = len(chargeDelays)
	}
	done.left = true
	return s.record(ctx, done, Accepted, "not charged: "+whyLeft[fault]+" "+chargeID, func(e *Entry) {
		e.Refusal = Refusal{Code: fault, Message: chargeID}
		e.Retries = retries
	})
}

// whyLeft is what the history says of it, before the charge's id.
var whyLeft = map[string]string{
	faultOldPaid:    "an earlier bill is paid:",
	faultOldOpen:    "an earlier bill is not over:",
	faultOldUnclear: "the API doesn't tell what became of an earlier bill:",
}

// NotReissued reports whether an invoice has no charge because of an earlier bill
// under its number that isn't over unpaid, as far as anybody could tell.
func (e Entry) NotReissued() bool {
	return e.State == Accepted && whyAccepted(e.Refusal) != codeNotAttempted
}

// noteReplaced looks up what the bills of a job took the place of, for what the
// results say.
func (r *Runner) noteReplaced(ctx context.Context, j *job) error {
	for _, o := range j.where(func(o *standing) bool { return o.result == Issued && o.revision > 1 }) {
		previous, err := r.Ledger.Entry(ctx, KeyOfRevision(j.account, o.number, int(o.revision)-1))
		if err != nil {
			return err
		}
		o.remark().replaces = previous.Charge.ID
	}
	return nil
}
