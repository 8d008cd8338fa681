package main

import (
	"context"
	"time"

	"konbill/batch"
	"konbill/templates/staff"
)

// retryPause is how long leftovers are left alone after a try that failed as a
// whole.
const retryPause = 5 * time.Minute

// retry tries again, between runs, what is due by now, and tells staff what
// came of it. Whoever calls it holds busy.
func (s *service) retry(ctx context.Context) {
	now := s.now()
	if now.Before(s.retryFrom) {
		return
	}
	next, err := s.runner.NextRetry(ctx)
	if err != nil || next.IsZero() || now.Before(next) {
		return // a ledger that can't be read shows in /healthz
	}
	retried, err := s.runner.Retry(ctx)
	if err != nil {
		s.retryFrom = s.now().Add(retryPause)
		s.log.Warn("what was left over could not be tried again", "reason", s.reason(err))
	}
	if retried == nil {
		return
	}
	s.monitor.retriedAgain(retried)
	s.monitor.outstanding(ctx, s.ledger)
	s.log.Info("tried again what was left over", "mailed", len(retried.Mailed), "mails_deferred", len(retried.Deferred),
		"found", len(retried.Found), "charged", len(retried.Charged), "unknown", len(retried.Unknown),
		"for_a_person", len(retried.Refused)+len(retried.Held)+len(retried.GivenUpMails)+len(retried.Declined)+len(retried.GivenUpCharges))
	if told := s.retries(retried); told.Settled()+told.Errors() > 0 {
		message, err := staff.RetriesReport(staff.RetriesDone{Sender: s.staff.sender, At: s.now(), Retries: told})
		s.staff.send(message, err)
	}
}

// retries is what staff are told of it.
func (s *service) retries(r *batch.Retried) *staff.Retries {
	told := &staff.Retries{
		Mailed: numbersOf(r.Mailed), StillDeferred: numbersOf(r.Deferred), FoundCharged: numbersOf(r.Found), Charged: numbersOf(r.Charged),
		NotCharged: s.saidOf(r.Declined), StillUnknown: numbersOf(append(r.Unknown, r.Uncharged...)),
	}
	for _, mails := range [][]batch.Entry{r.Refused, r.Held} {
		told.MailGivenUp = append(told.MailGivenUp, s.saidOf(mails)...)
	}
	for _, e := range r.GivenUpMails {
		told.MailGivenUp = append(told.MailGivenUp, staff.Numbered{Number: e.Invoice.Number, Message: e.MailReply})
	}
	for _, e := range r.GivenUpCharges {
		if e.NotReissued() {
			told.NotCharged = append(told.NotCharged, s.saidOf([]batch.Entry{e})...)
			continue
		}
		told.UnknownToStay = append(told.UnknownToStay, staff.Numbered{Number: e.Invoice.Number})
	}
	return told
}

func numbersOf(entries []batch.Entry) []string {
	var numbers []string
	for _, e := range entries {
		numbers = append(numbers, e.Invoice.Number)
	}
	return numbers
}

// saidOf says of each invoice what results say of it.
func (s *service) saidOf(entries []batch.Entry) []staff.Numbered {
	reach := batch.Reach{MailOff: s.runner.Settings.MailOff, LoopbackAPI: s.runner.Settings.LoopbackAPI, Unattended: true, Now: s.now()}
	var said []staff.Numbered
	for _, e := range entries {
		o := batch.RowOutcome{Row: batch.Row{Invoice: e.Invoice}, Entry: e}
		said = append(said, staff.Numbered{Number: e.Invoice.Number, Message: o.Message(s.staff.lang, reach)})
	}
	return said
}

// retriedAgain takes in what was tried again between runs.
func (m *monitor) retriedAgain(r *batch.Retried) {
	for outcome, entries := range map[string][]batch.Entry{
		"mailed": r.Mailed, "mail_deferred": r.Deferred, "mail_refused": r.Refused, "mail_held": r.Held, "mail_given_up": r.GivenUpMails,
		"charge_found": r.Found, "charged": r.Charged, "declined": r.Declined, "unknown": r.Unknown, "uncharged": r.Uncharged,
		"charge_given_up": r.GivenUpCharges,
	} {
		m.retried.WithLabelValues(outcome).Add(float64(len(entries)))
	}
}
