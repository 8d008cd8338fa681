package schedule

import (
	"slices"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
)

var specs = []string{
	"0 2 * * *", "30 14,2 * * *", "*/30 * * * *", "0 2 * * 6", "0 14 * * sat", "0 23,1 * * 0", "15 3 1 * *", "0 2 13 * 5",
	"0 0 */2 * *", "5 4 29 2 *", "0 0 3-5 5 *", "@hourly", "@daily", "@weekly", "@monthly", "@yearly", "59 23 31 12 ?",
}

// TestRunsAreCronsOwn compares every run of a year with those of robfig/cron.
func TestRunsAreCronsOwn(t *testing.T) {
	for _, zone := range []string{"Asia/Tokyo", "America/New_York"} {
		for _, spec := range specs {
			s := mustParse(t, spec, zone, RunOnHolidays)
			compare(t, spec+" "+zone, s, cronsRuns(t, spec, s.calendar.zone, 2028))
		}
	}
}

// TestMovedRunsAreTheEarliest moves every run of a year by brute force, and
// compares: moving is not monotone, since Saturday's 14:00 is due after Sunday's
// 2:00 then.
func TestMovedRunsAreTheEarliest(t *testing.T) {
	for _, spec := range specs {
		s := mustParse(t, spec, "Asia/Tokyo", SkipHolidays)
		var moved []time.Time
		for _, run := range cronsRuns(t, spec, s.calendar.zone, 2026) {
			run = run.In(s.calendar.zone)
			for run.Weekday() == time.Saturday || run.Weekday() == time.Sunday || holidays.names[run.Format(time.DateOnly)] != "" {
				run = run.AddDate(0, 0, 1)
			}
			moved = append(moved, run.UTC())
		}
		slices.SortFunc(moved, time.Time.Compare)
		compare(t, spec, s, slices.Compact(moved))
	}
}

// cronsRuns are all runs of robfig/cron in a year, in UTC.
func cronsRuns(t *testing.T, spec string, zone *time.Location, year int) []time.Time {
	t.Helper()
	parsed, err := cron.ParseStandard(spec)
	if err != nil {
		t.Fatal(err)
	}
	parsed.(*cron.SpecSchedule).Location = zone
	var runs []time.Time
	end := time.Date(year+1, time.January, 1, 0, 0, 0, 0, zone)
	for run := parsed.Next(justBefore(end.AddDate(-1, 0, 0))); run.Before(end) && !run.IsZero(); run = parsed.Next(run) {
		runs = append(runs, run.UTC())
	}
	return runs
}

// compare wants exactly these runs, from just before the first to the last, and
// the latest one of them found from any instant.
func compare(t *testing.T, about string, s *Schedule, want []time.Time) {
	t.Helper()
	if len(want) == 0 {
		return // 29 February, in most years
	}
	start := justBefore(want[0])
	got := s.NextRuns(start, len(want))
	for i := range want {
		if i >= len(got) || !got[i].Equal(want[i]) {
			t.Errorf("%s: run %d is not %s, of %d", about, i, s.inZone(want[i]), len(got))
			return
		}
		if i%(len(want)/20+1) != 0 {
			continue
		}
		if missed, any := s.Missed(start, want[i].Add(time.Second)); !any || !missed.Equal(want[i]) {
			t.Errorf("%s: missed %s instead of %s", about, s.inZone(missed), s.inZone(want[i]))
		}
		if i == 0 {
			continue
		}
		if missed, any := s.Missed(start, justBefore(want[i])); !any || !missed.Equal(want[i-1]) {
			t.Errorf("%s: missed %s instead of %s", about, s.inZone(missed), s.inZone(want[i-1]))
		}
	}
}

// TestRuns shows runs as a person reads them.
func TestRuns(t *testing.T) {
	for _, c := range []struct {
		name, spec, zone string
		holidays         Holidays
		after, want      string
	}{
		{"nights", "0 2 * * *", "Asia/Tokyo", RunOnHolidays, "2026-05-01T12:00:00+09:00",
			"Sat 05-02 02:00:00 +0900\nSun 05-03 02:00:00 +0900\nMon 05-04 02:00:00 +0900"},
		{"Golden Week is one run", "0 2 * * *", "Asia/Tokyo", SkipHolidays, "2026-05-01T12:00:00+09:00",
			"Thu 05-07 02:00:00 +0900\nFri 05-08 02:00:00 +0900\nMon 05-11 02:00:00 +0900"},
		{"the day of the run is the zone's, not Japan's", "0 20 * * *", "America/New_York", SkipHolidays, "2026-11-20T12:00:00-05:00",
			"Fri 11-20 20:00:00 -0500\nTue 11-24 20:00:00 -0500\nWed 11-25 20:00:00 -0500"},
		{"clocks leap over 2:30", "30 2 * * *", "America/New_York", RunOnHolidays, "2026-03-06T12:00:00-05:00",
			"Sat 03-07 02:30:00 -0500\nMon 03-09 02:30:00 -0400\nTue 03-10 02:30:00 -0400"},
		{"1:30 comes twice", "30 1 * * *", "America/New_York", RunOnHolidays, "2026-10-31T12:00:00-04:00",
			"Sun 11-01 01:30:00 -0400\nSun 11-01 01:30:00 -0500\nMon 11-02 01:30:00 -0500"},
		{"a run of the day of the leap moves, and is not lost", "30 2 * * 0", "America/New_York", SkipHolidays, "2026-03-06T12:00:00-05:00",
			"Mon 03-09 02:30:00 -0400\nMon 03-16 02:30:00 -0400\nMon 03-23 02:30:00 -0400"},
		{"clocks leap over midnight", "30 1 6 9 *", "America/Santiago", RunOnHolidays, "2026-01-01T00:00:00Z",
			"Sun 09-06 01:30:00 -0300\nMon 09-06 01:30:00 -0300\nWed 09-06 01:30:00 -0300"},
		{"an interval", "@every 90s", "Asia/Tokyo", RunOnHolidays, "2026-05-01T23:58:00.5+09:00",
			"Fri 05-01 23:59:30 +0900\nSat 05-02 00:01:00 +0900\nSat 05-02 00:02:30 +0900"},
		{"an interval goes on when the business day starts", "@every 90s", "Asia/Tokyo", SkipHolidays, "2026-05-01T23:58:00+09:00",
			"Fri 05-01 23:59:30 +0900\nThu 05-07 00:00:00 +0900\nThu 05-07 00:01:30 +0900"},
		{"a week's interval is not caught on Saturdays", "@every 168h", "Asia/Tokyo", SkipHolidays, "2026-06-06T12:00:00+09:00",
			"Mon 06-15 00:00:00 +0900\nMon 06-22 00:00:00 +0900\nMon 06-29 00:00:00 +0900"},
	} {
		s := mustParse(t, c.spec, c.zone, c.holidays)
		runs := s.NextRuns(at(t, c.after), 3)
		if got := s.inZone(runs...); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		for _, run := range runs {
			if run.Location() != time.UTC {
				t.Errorf("%s: %s is not in UTC", c.name, run)
			}
		}
	}
}

func TestADayBeginsWhereMidnightIsLeaptOver(t *testing.T) {
	for zone, day := range map[string]time.Time{
		"America/Santiago": time.Date(2026, time.September, 6, 0, 0, 0, 0, time.UTC),
		"Africa/Cairo":     time.Date(2026, time.April, 24, 0, 0, 0, 0, time.UTC),
	} {
		s := mustParse(t, "0 0 * * *", zone, SkipHolidays)
		begin := s.calendar.begins(day).In(s.calendar.zone)
		if begin.Hour() != 1 || begin.Day() != day.Day() || s.calendar.day(justBefore(begin)).Equal(day) {
			t.Errorf("in %s, the day begins at %s", zone, begin)
		}
	}
}

func TestMissed(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		holidays   Holidays
		last, now  string // last may be empty: the first start
		want       string // empty: nothing was missed
	}{
		{"first start", "0 2 * * *", RunOnHolidays, "", "2026-06-10T12:00:00+09:00", ""},
		{"on time", "0 2 * * *", RunOnHolidays, "2026-06-10T02:00:00+09:00", "2026-06-10T12:00:00+09:00", ""},
		{"due right now", "0 2 * * *", RunOnHolidays, "2026-06-10T02:00:00+09:00", "2026-06-11T02:00:00+09:00", "Thu 06-11 02:00:00 +0900"},
		{"several nights", "0 2 * * *", RunOnHolidays, "2026-06-02T02:00:00+09:00", "2026-06-10T12:00:00+09:00", "Wed 06-10 02:00:00 +0900"},
		{"a weekend is no miss", "0 2 * * *", SkipHolidays, "2026-06-05T02:00:00+09:00", "2026-06-07T12:00:00+09:00", ""},
		{"across holidays, still closed", "0 2 * * *", SkipHolidays, "2026-04-27T02:00:00+09:00", "2026-05-05T12:00:00+09:00", "Fri 05-01 02:00:00 +0900"},
		{"across holidays", "0 2 * * *", SkipHolidays, "2026-04-27T02:00:00+09:00", "2026-05-07T02:00:00+09:00", "Thu 05-07 02:00:00 +0900"},
		{"years", "5 4 29 2 *", SkipHolidays, "2020-01-01T00:00:00+09:00", "2027-12-31T00:00:00+09:00", "Thu 02-29 04:05:00 +0900"},
		{"a clock that was ahead", "0 2 * * *", RunOnHolidays, "2030-01-01T02:00:00+09:00", "2026-06-10T12:00:00+09:00", ""},
		{"an interval", "@every 90s", RunOnHolidays, "2026-06-10T12:00:00+09:00", "2026-06-10T12:10:00+09:00", "Wed 06-10 12:09:00 +0900"},
		{"an interval, too early", "@every 90s", RunOnHolidays, "2026-06-10T12:00:00+09:00", "2026-06-10T12:01:29+09:00", ""},
		{"an interval across a weekend", "@every 7h", SkipHolidays, "2026-06-05T12:00:00+09:00", "2026-06-08T13:00:00+09:00", "Mon 06-08 07:00:00 +0900"},
		{"an interval on a weekend", "@every 7h", SkipHolidays, "2026-06-05T12:00:00+09:00", "2026-06-07T13:00:00+09:00", "Fri 06-05 19:00:00 +0900"},
	} {
		var last time.Time
		if c.last != "" {
			last = at(t, c.last)
		}
		s := mustParse(t, c.spec, "Asia/Tokyo", c.holidays)
		missed, any := s.Missed(last, at(t, c.now))
		if got := s.inZone(missed); any != (c.want != "") || any && got != c.want {
			t.Errorf("%s: %v, %s; want %q", c.name, any, got, c.want)
		}
	}
}

// TestMissedIntervalsAreNextOnes walks from run to run, and compares with the
// shortcut that Missed takes.
func TestMissedIntervalsAreNextOnes(t *testing.T) {
	for _, h := range []Holidays{RunOnHolidays, SkipHolidays} {
		s := mustParse(t, "@every 5h", "Asia/Tokyo", h)
		start := at(t, "2026-04-20T10:00:03+09:00")
		for _, run := range s.NextRuns(start, 200) {
			if missed, any := s.Missed(start, run); !any || !missed.Equal(run) {
				t.Fatalf("%s: missed %s, not %s", h, s.inZone(missed), s.inZone(run))
			}
		}
	}
}

// BenchmarkDearestCalls shows that no call takes a time that a person or a
// scheduler would notice.
func BenchmarkDearestCalls(b *testing.B) {
	every := mustParse(b, "* * * * *", "Asia/Tokyo", SkipHolidays)
	rare := mustParse(b, "0 2 29 2 *", "Asia/Tokyo", SkipHolidays)
	start := at(b, "2026-05-02T00:00:00+09:00")
	for name, call := range map[string]func(){
		"next of every minute": func() { every.Next(start) },
		"next of 29 February":  func() { rare.Next(start) },
		"missed every minute":  func() { every.Missed(start.AddDate(-1, 0, 0), start) },
		"missed 29 February":   func() { rare.Missed(start.AddDate(-3, 0, 0), start) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				call()
			}
		})
	}
}
