package main

import (
	"context"
	"slices"

	"konbill/batch"
	"konbill/batch/follow"
	"konbill/batch/inbox"
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
	for _, e := range synced.Changed {
		s.outdated.add(e.Job)
	}
	s.monitor.countPayments(synced)
	sums := paymentSums(synced.Changed)
	s.log.Info("payments looked at", "paid", sums["successful"].Rows, "paid_yen", int64(sums["successful"].Yen), "expired", sums["expired"].Rows,
		"failed", sums["failed"].Rows, "reversed", sums["reversed"].Rows, "open", synced.Open.Rows, "for_a_person", synced.NeedsPerson())
}

// updateResults writes the results in the outbox again that are not true any
// more, so that staff see there who has paid, and what was mailed later. A file
// for which that fails is left to the next pass.
func (p *pass) updateResults(ctx context.Context) error {
	jobs := p.outdated.take()
	if len(jobs) == 0 {
		return nil
	}
	whole, err := p.updateResultsOf(ctx, jobs)
	if !whole {
		p.outdated.addAll(jobs)
	}
	return err
}

func (p *pass) updateResultsOf(ctx context.Context, outdated map[int64]bool) (whole bool, err error) {
	files, err := p.inbox.Finished()
	if err != nil {
		return false, err
	}
	for _, f := range files {
		if p.stopping(ctx) {
			return false, nil
		}
		if err := p.updateFile(ctx, f, outdated); err != nil {
			p.log.Warn("results could not be brought up to date", "file", f.Name, "id", f.ID, "reason", p.reason(err))
			return false, nil
		}
	}
	return true, nil
}

func (p *pass) updateFile(ctx context.Context, f *inbox.File, outdated map[int64]bool) error {
	jobs, err := p.runner.JobsOf(ctx, f.Path)
	if err != nil || !slices.ContainsFunc(jobs, func(j batch.Job) bool { return outdated[j.ID] }) {
		return err
	}
	report, err := p.runner.Rewrite(ctx, f.Path, "")
	if err != nil {
		return err
	}
	if err := f.Update(report.Results); err != nil {
		return err
	}
	p.log.Info("results brought up to date", "file", f.Name, "id", f.ID)
	return nil
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
