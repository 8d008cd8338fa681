package main

import (
	"context"
	"time"

	"konbill/batch"
	"konbill/invoice"
	"konbill/templates/staff"
)

// noticesEvery is how often serve looks whether customers are to be mailed about
// bills that were issued long ago.
const noticesEvery = 5 * time.Minute

// Customers are reminded at a time of day at which they may be called, too.
const remindFrom, remindUntil = 9, 21 // hours in Japan

// mailNotices reminds customers, and tells them of payments, when it is time.
// Whoever calls it holds busy.
func (s *service) mailNotices(ctx context.Context) {
	now := s.now()
	if now.Before(s.noticesFrom) {
		return
	}
	s.noticesFrom = now.Add(noticesEvery)
	if hour := now.In(invoice.Japan).Hour(); len(s.runner.Settings.RemindDays) > 0 && hour >= remindFrom && hour < remindUntil {
		if due, err := s.runner.RemindersDue(ctx); err == nil && len(due) > 0 { // a ledger that can't be read shows in /healthz
			s.tellNotices("reminder")(s.runner.Remind(ctx))
		}
	}
	if s.runner.Settings.ReceiptMail {
		if due, err := s.runner.ReceiptsDue(ctx); err == nil && due > 0 {
			s.tellNotices("receipt")(s.runner.MailReceipts(ctx))
		}
	}
}

// tellNotices tells operators, and staff of what they must see to.
func (s *service) tellNotices(kind string) func([]batch.Noticed, error) {
	return func(noticed []batch.Noticed, err error) {
		if err != nil && !interruptedBy(err) {
			s.log.Warn("not all customers could be mailed", "notice", kind, "reason", s.reason(err))
		}
		outcomes := map[string]int{}
		told := &staff.Retries{}
		for _, n := range noticed {
			outcome := string(n.Notice.State)
			if n.NotSent != "" {
				outcome = string(n.NotSent)
			}
			outcomes[outcome]++
			s.monitor.notices.WithLabelValues(kind, outcome).Inc()
			if n.NeedsPerson() {
				told.MailGivenUp = append(told.MailGivenUp, staff.Numbered{Number: n.Entry.Invoice.Number, Message: s.staff.noticedText(n)})
			}
		}
		if len(noticed) > 0 {
			s.log.Info("customers mailed", "notice", kind, "outcomes", outcomes)
		}
		if told.Errors() > 0 {
			s.staff.send(staff.RetriesReport(staff.RetriesDone{Sender: s.staff.sender, At: s.now(), Retries: told}))
		}
	}
}
