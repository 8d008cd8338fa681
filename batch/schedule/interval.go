package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// interval is the timetable of "@every": each run comes a while after the one
// before, on the second.
type interval struct {
	calendar calendar
	every    cron.ConstantDelaySchedule
}

func (i *interval) next(after time.Time) time.Time {
	run := i.every.Next(after)
	day := i.calendar.day(run)
	if i.calendar.open(day) {
		return run
	}
	return i.calendar.begins(i.calendar.openFrom(day))
}

func (i *interval) latest(last, now time.Time) time.Time {
	latest := last
	for run := i.next(last); !run.After(now); run = i.next(latest) {
		latest = i.lastOfDay(run, now)
	}
	return latest
}

// lastOfDay is the last run until an instant on the day of a run, which may be
// that run.
func (i *interval) lastOfDay(run, until time.Time) time.Time {
	tomorrow := i.calendar.day(run).AddDate(0, 0, 1)
	if end := justBefore(i.calendar.begins(tomorrow)); end.Before(until) {
		until = end
	}
	more := until.Sub(run) / i.every.Delay
	return run.Add(more * i.every.Delay)
}
