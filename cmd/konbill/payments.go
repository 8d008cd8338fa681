package main

import (
	"context"

	"konbill/batch/follow"
)

// syncWhenDue looks at the payments when it is time, and tells operators what
// came of it. Whoever calls it holds busy.
func (s *service) syncWhenDue(ctx context.Context) {
	now := s.now()
	if every := s.config.Follow.Sync; every == 0 || now.Before(s.syncFrom) {
		return
	}
	s.syncFrom = now.Add(s.config.Follow.Sync)
	ctx, stop := s.untilDrained(ctx)
	defer stop()
	synced, err := s.syncWith(ctx, s.shop)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("the payments could not be looked at", "reason", s.reason(err))
		}
		return
	}
	s.monitor.countPayments(synced)
	sums := paymentSums(synced.Changed)
	s.log.Info("payments looked at", "paid", sums["successful"].Rows, "paid_yen", int64(sums["successful"].Yen), "expired", sums["expired"].Rows,
		"failed", sums["failed"].Rows, "reversed", sums["reversed"].Rows, "open", synced.Open.Rows, "for_a_person", synced.NeedsPerson())
}

// countPayments takes in what a look at the payments told.
func (m *monitor) countPayments(s *follow.Synced) {
	m.openCharges.Set(float64(s.Open.Rows))
	m.unclear.Set(float64(s.NeedsPerson()))
	for status, sum := range paymentSums(s.Changed) {
		m.payments.WithLabelValues(status).Add(float64(sum.Rows))
		m.paymentsYen.WithLabelValues(status).Add(float64(sum.Yen))
	}
}
