// Package schedule says when runs are due, and starts them.
//
// A schedule is a cron spec of five fields (minute, hour, day of month, month,
// weekday; day of month and weekday are alternatives when both are given), a
// descriptor such as @daily, or an interval such as "@every 90s", read in a
// time zone. What is promised:
//
//  1. No run is lost. One that came while the machine was off or asleep is
//     caught up, and several of them are caught up once.
//  2. One run at a time. A run that comes while the one before is still at work
//     is skipped, and told.
//  3. A panic ends one run, and not the ones after it.
//  4. With SkipHolidays nothing runs on Saturdays, Sundays and Japanese public
//     holidays; what falls on one moves to the next business day.
//
// Where clocks change for summer, a time of day that a day lacks does not come
// on that day, and one that it has twice comes twice, as robfig/cron documents.
package schedule

import (
	"time"
	_ "time/tzdata" // Windows and small containers have no time zones of their own
)

// Schedule says when runs are due. It never changes.
type Schedule struct {
	calendar  calendar
	timetable timetable
}

// timetable is how often runs come: by the fields of a cron spec, or by an
// interval.
type timetable interface {
	// next is the first run due after an instant; zero if none comes.
	next(after time.Time) time.Time

	// latest is the last run due in (last, now], given that there is one.
	latest(last, now time.Time) time.Time
}

// Next is the first run due after an instant, in UTC. It is zero if none comes
// within five years.
//
// With SkipHolidays a run that falls on a closed day is due on the next business
// day at the same time of day, and several at the same instant are one. The
// days are those of the schedule's time zone, though the list is Japan's. An
// interval has no time of day to keep: it goes on at the start of the business
// day, and is counted from there.
func (s *Schedule) Next(after time.Time) time.Time {
	next := s.timetable.next(after)
	if next.IsZero() {
		return time.Time{}
	}
	return next.UTC()
}

// NextRuns are the first n runs due after an instant, in UTC; fewer if no more
// come.
func (s *Schedule) NextRuns(after time.Time, n int) []time.Time {
	var runs []time.Time
	for next := s.Next(after); len(runs) < n && !next.IsZero(); next = s.Next(next) {
		runs = append(runs, next)
	}
	return runs
}

// Missed is the latest run due in (last, now], in UTC, if there is any: a
// machine that was off catches up once, not once for each. With last zero, at
// the first start, nothing was missed.
func (s *Schedule) Missed(last, now time.Time) (time.Time, bool) {
	if last.IsZero() {
		return time.Time{}, false
	}
	next := s.timetable.next(last)
	if next.IsZero() || next.After(now) {
		return time.Time{}, false
	}
	return s.timetable.latest(last, now).UTC(), true
}
