package main

import (
	"context"

	"konbill/batch"
	"konbill/batch/follow"
)

// syncWhenDue looks at the payments when it is time, tells operators what came
// of it, and staff by the results in the outbox. Whoever calls it holds busy.
func (s *service) syncWhenDue(ctx context.Context) {
	now := s.now()
	if every := s.config.Follow.Sync; every == 0 || now.Before(s.syncFrom) {
		return
	}
	s.syncFrom = now.Add(s.config.Follow.Sync)
	s.lookAtPayments(ctx)
	if err := s.updateResults(ctx); err != nil {
		s.log.Warn("results could not be brought up to date", "reason", s.reason(err))
	}
}

func (s *service) lookAtPayments(ctx context.Context) {
	ctx, stop := s.untilDrained(ctx)
	defer stop()
	synced, err := s.syncWith(ctx, s.shop)
	if err != nil && ctx.Err() == nil {
		s.log.Warn("not all payments could be looked at", "reason", s.reason(err))
	}
	if synced == nil {
		return
	}
	if err != nil { // the rest of what it tells isn't all there is
		s.monitor.countEnds(synced.Changed)
	} else {
		s.monitor.countPayments(synced)
	}
	sums := paymentSums(synced.Changed)
	s.log.Info("payments looked at", "paid", sums[batch.StatusSuccessful].Rows, "paid_yen", int64(sums[batch.StatusSuccessful].Yen), "expired", sums[batch.StatusExpired].Rows,
		"failed", sums[batch.StatusFailed].Rows, "reversed", sums[batch.StatusReversed].Rows, "open", synced.Open.Rows, "for_a_person", synced.NeedsPerson())
}

// countPayments takes in what a look at the payments told.
func (m *monitor) countPayments(s *follow.Synced) {
	m.openCharges.Set(float64(s.Open.Rows))
	m.unclear.Set(float64(s.NeedsPerson()))
	m.countEnds(s.Changed)
}

// countEnds takes in charges of which the payment has another status now.
func (m *monitor) countEnds(changed []batch.Entry) {
	for status, sum := range paymentSums(changed) {
		m.payments.WithLabelValues(status).Add(float64(sum.Rows))
		m.paymentsYen.WithLabelValues(status).Add(float64(sum.Yen))
	}
}
