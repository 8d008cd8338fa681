package schedule

import "time"

// calendar knows the days of a time zone, and which of them are open. A day is
// held as its midnight in UTC, so that days can be counted without a change of
// clocks in between.
type calendar struct {
	zone         *time.Location
	skipHolidays bool
}

// day is the day of an instant.
func (c calendar) day(t time.Time) time.Time {
	year, month, day := t.In(c.zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// begins is the first instant of a day: midnight, or a little later where the
// clocks leap over it.
func (c calendar) begins(day time.Time) time.Time {
	midnight := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, c.zone)
	if c.day(midnight).Before(day) {
		_, leap := midnight.ZoneBounds()
		return leap
	}
	return midnight
}

// open reports whether runs are due on a day.
func (c calendar) open(day time.Time) bool {
	return !c.skipHolidays ||
		day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !isHoliday(day)
}

// openFrom is the first open day from a day on.
func (c calendar) openFrom(day time.Time) time.Time {
	for !c.open(day) {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// gathersFrom is the first of the days whose runs are due on an open day: the
// closed ones just before it, and itself.
func (c calendar) gathersFrom(open time.Time) time.Time {
	first := open
	for before := first.AddDate(0, 0, -1); !c.open(before); before = before.AddDate(0, 0, -1) {
		first = before
	}
	return first
}
