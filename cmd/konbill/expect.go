package main

import (
	"context"
	"time"

	"konbill/templates/staff"
)

// expectation notices, once a day, that a scheduled run has not ended by
// notify.expected_by.
type expectation struct {
	*service
	clock time.Time // the time of day
	zone  *time.Location
	next  time.Time // when to check; zero: nobody expects anything
}

// newExpectation begins with the next time of day: what was missed before
// serve started, it makes up for and tells of.
func (s *service) newExpectation() *expectation {
	e := &expectation{service: s}
	clock, err := time.Parse("15:04", s.config.Notify.ExpectedBy)
	if err != nil {
		return e // nobody expects anything: the configuration was checked
	}
	if e.zone, err = time.LoadLocation(s.config.Schedule.Timezone); err != nil {
		return e // likewise
	}
	e.clock, e.next = clock, e.after(clock, s.now())
	return e
}

// after is the first such time of day after an instant.
func (e *expectation) after(clock, at time.Time) time.Time {
	local := at.In(e.zone)
	for day := local.Day(); ; day++ {
		next := time.Date(local.Year(), local.Month(), day, clock.Hour(), clock.Minute(), 0, 0, e.zone)
		if next.After(at) {
			return next
		}
	}
}

// check tells staff of a run that is missing, when it is time.
func (e *expectation) check(ctx context.Context) {
	if e.next.IsZero() || e.now().Before(e.next) {
		return
	}
	by := e.next
	e.next = e.after(e.clock, e.now())
	last, err := e.ledger.PassedAt(ctx)
	if err != nil {
		e.log.Error("the ledger can't be read", "reason", e.reason(err))
		return
	}
	due, missing := e.times.Missed(last, by)
	if !missing {
		return
	}
	e.log.Error("a run has not ended by the time it was expected to", "due", due, "expected_by", by)
	e.staff.send(staff.RunMissing(staff.Missing{
		Sender: e.staff.sender, Due: due, ExpectedBy: by, Began: e.running.since(), LastEnded: last, Inbox: e.config.Inbox.Folder,
	}))
}
