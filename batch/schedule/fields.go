package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// fieldTimes is the timetable of a cron spec's fields. They say on which days
// runs come, and at which times of day, the same on each of those days. So an
// open day has all of the times if a run falls on it or on a closed day just
// before it, and none otherwise.
type fieldTimes struct {
	calendar calendar
	days     cron.Schedule // each day of the spec, as the calendar holds it
	times    cron.Schedule // each time of day of the spec, on every day
}

func newFieldTimes(c calendar, spec, everyMinute cron.SpecSchedule) *fieldTimes {
	days, times := everyMinute, everyMinute
	days.Dom, days.Month, days.Dow = spec.Dom, spec.Month, spec.Dow
	days.Hour, days.Minute, days.Location = 1<<0, 1<<0, time.UTC
	times.Hour, times.Minute, times.Location = spec.Hour, spec.Minute, c.zone
	return &fieldTimes{calendar: c, days: &days, times: &times}
}

func (f *fieldTimes) next(after time.Time) time.Time {
	day := f.openFrom(f.calendar.openFrom(f.calendar.day(after)))
	for !day.IsZero() {
		if run := f.firstOn(day, after); !run.IsZero() {
			return run
		}
		day = f.openFrom(f.calendar.openFrom(day.AddDate(0, 0, 1)))
	}
	return time.Time{}
}

// openFrom is the first open day, from an open day on, that has runs. It is
// zero if there is none within five years.
func (f *fieldTimes) openFrom(day time.Time) time.Time {
	first := f.days.Next(justBefore(f.calendar.gathersFrom(day)))
	if first.IsZero() {
		return time.Time{}
	}
	if first.Before(day) {
		return day
	}
	return f.calendar.openFrom(first)
}

// firstOn is the first run after an instant on an open day that has runs. It is
// zero if none is left.
func (f *fieldTimes) firstOn(day, after time.Time) time.Time {
	from := justBefore(f.calendar.begins(day))
	if after.After(from) {
		from = after
	}
	run := f.times.Next(from)
	if !f.calendar.day(run).Equal(day) {
		return time.Time{}
	}
	return run
}

func (f *fieldTimes) latest(_, now time.Time) time.Time {
	for day := f.calendar.day(now); ; day = day.AddDate(0, 0, -1) {
		if !f.calendar.open(day) || !f.openFrom(day).Equal(day) {
			continue
		}
		if run := f.lastOn(day, now); !run.IsZero() {
			return run
		}
	}
}

// lastOn is the last run until an instant on an open day that has runs. It is
// zero if all come later.
func (f *fieldTimes) lastOn(day, until time.Time) time.Time {
	var last time.Time
	for run := f.firstOn(day, time.Time{}); !run.IsZero() && !run.After(until); run = f.firstOn(day, run) {
		last = run
	}
	return last
}

// justBefore makes an exclusive bound of an inclusive one.
func justBefore(t time.Time) time.Time { return t.Add(-time.Nanosecond) }
