package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"konbill/invoice"
)

var badSpecs = []struct {
	spec   string
	reason Reason
	part   Part
	remedy string // in the messages of both languages
}{
	{"", ReasonEmpty, "", "0 2 * * *"},
	{" \t ", ReasonEmpty, "", "0 2 * * *"},
	{"０ ２ ＊ ＊ ＊", ReasonNotASCII, "", "0 2 * * *"},
	{"CRON_TZ=Asia/Tokyo", ReasonZoneInCron, "", "schedule.timezone"}, // panics cron's own parser
	{"CRON_TZ=", ReasonZoneInCron, "", "schedule.timezone"},
	{" TZ=Asia/Tokyo 0 2 * * *", ReasonZoneInCron, "", "schedule.timezone"},
	{"cron_tz=Asia/Tokyo 0 2 * * *", ReasonZoneInCron, "", "schedule.timezone"},
	{"0 0 2 * * *", ReasonFieldCount, "", "0 2 * * *"}, // with seconds
	{"0 2 * *", ReasonFieldCount, "", "0 2 * * *"},
	{"2:00", ReasonFieldCount, "", "0 2 * * *"},
	{"60 2 * * *", ReasonField, minute, "59"},
	{"0 24 * * *", ReasonField, hour, "23"},
	{"0 2 0 * *", ReasonField, dayOfMonth, "31"},
	{"0 2 32 * *", ReasonField, dayOfMonth, "31"},
	{"0 2 * 13 *", ReasonField, month, "12"},
	{"0 2 * * 8", ReasonField, weekday, "6"},
	{"0 22-2 * * *", ReasonField, hour, "1-5"},          // downwards
	{"*/90 * * * *", ReasonField, minute, "@every 90m"}, // cron's own parser: hourly
	{"1,,5 * * * *", ReasonField, minute, "1,3"},
	{", * * * *", ReasonField, minute, "1,3"}, // never comes
	{"0 *-5 * * *", ReasonField, hour, "1-5"}, // cron's own parser: *
	{"0 2 * * monday", ReasonField, weekday, "6"},
	{"*/0 * * * *", ReasonField, minute, "*/2"},
	{"*/99999999999999999999 * * * *", ReasonField, minute, "*/2"},
	{"0 2 * * 7", ReasonWeekdaySeven, weekday, "SUN"},
	{"0 2 * * 1-7", ReasonWeekdaySeven, weekday, "SUN"},
	{"0 2 L * *", ReasonLastDay, dayOfMonth, "31"},
	{"0 2 15W * *", ReasonLastDay, dayOfMonth, "31"},
	{"0 2 * * 5L", ReasonLastDay, weekday, "SUN"},
	{"0 2 * * MON#1", ReasonLastDay, weekday, "SUN"},
	{"@reboot", ReasonDescriptor, "", "@every 90s"},
	{"@Daily", ReasonDescriptor, "", "daily"},
	{"@", ReasonDescriptor, "", "daily"},
	{"@every", ReasonInterval, "", "1h30m"},
	{"@every 1d", ReasonInterval, "", "24h"},
	{"@every 90", ReasonInterval, "", "90s"},
	{"@every -5s", ReasonInterval, "", "90s"}, // cron's own parser: every second
	{"@every 500ms", ReasonInterval, "", "90s"},
	{"@every 1500ms", ReasonInterval, "", "90s"},
	{"0 2 30 2 *", ReasonNever, "", ""},
	{"0 2 31 4,6,9,11 *", ReasonNever, "", ""},
}

func TestBadSpecsAreExplained(t *testing.T) {
	for _, c := range badSpecs {
		_, err := Parse(c.spec, "Asia/Tokyo", RunOnHolidays)
		checkExplained(t, err, SpecError{Field: FieldCron, Value: c.spec, Reason: c.reason, Part: c.part}, c.remedy)
	}
}

func TestBadZonesAndHolidaysAreExplained(t *testing.T) {
	for zone, reason := range map[string]Reason{
		"": ReasonZoneMissing, "Local": ReasonZoneMissing,
		"JST": ReasonZoneUnknown, "+09:00": ReasonZoneUnknown, "../etc": ReasonZoneUnknown,
	} {
		_, err := Parse("0 2 * * *", zone, RunOnHolidays)
		checkExplained(t, err, SpecError{Field: FieldTimezone, Value: zone, Reason: reason}, "Asia/Tokyo")
	}
	for _, h := range []Holidays{"", "Skip", "true"} {
		_, err := Parse("0 2 * * *", "Asia/Tokyo", h)
		checkExplained(t, err, SpecError{Field: FieldHolidays, Value: string(h), Reason: ReasonHolidays}, "skip")
	}
}

// checkExplained wants an error whose messages name the setting, its value and
// the remedy, in both languages and with nothing of the form left over.
func checkExplained(t *testing.T, err error, want SpecError, remedy string) {
	t.Helper()
	var got *SpecError
	if !errors.As(err, &got) || *got != want {
		t.Errorf("%q: %#v, want %#v", want.Value, err, want)
		return
	}
	japanese := got.Message(invoice.Japanese)
	if strings.IndexFunc(japanese, func(r rune) bool { return unicode.In(r, unicode.Hiragana) }) < 0 {
		t.Errorf("not Japanese: %s", japanese)
	}
	for _, text := range []string{japanese, got.Error()} {
		t.Log(text)
		if !strings.HasPrefix(text, "schedule."+want.Field+" ") || !strings.Contains(text, remedy) ||
			strings.Contains(text, "%!") || !strings.Contains(text, strings.TrimSpace(want.Value)) {
			t.Errorf("%q: %s", want.Value, text)
		}
	}
}

func TestGoodSpecs(t *testing.T) {
	for _, spec := range append(specs, "0 2 * * MON-FRI", "0 2 * jan,Dec ?", "5/10 * * * *", "*/60 * * * *", "0 2 1 * 1",
		"  0   2 * * *\t", "@every 1s", "@every  1h30m", "@annually", "@midnight", "0 0 30 2 1") {
		for _, zone := range []string{"Asia/Tokyo", "UTC", "America/New_York"} {
			mustParse(t, spec, zone, SkipHolidays)
		}
	}
}

// FuzzParse wants every spec that is read to have a next run, and every other
// one to be explained.
func FuzzParse(f *testing.F) {
	for _, c := range badSpecs {
		f.Add(c.spec)
	}
	for _, spec := range specs {
		f.Add(spec)
	}
	now := time.Date(2026, time.May, 2, 3, 4, 5, 6, time.UTC)
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := Parse(spec, "Asia/Tokyo", SkipHolidays)
		if err != nil {
			if strings.Contains(err.Error(), "%!") && !strings.Contains(spec, "%!") {
				t.Error(err)
			}
			return
		}
		next := s.Next(now)
		if !next.After(now) || !s.calendar.open(s.calendar.day(next)) {
			t.Errorf("after %s comes %s", now, next)
		}
		if missed, any := s.Missed(now, next); !any || !missed.Equal(next) {
			t.Errorf("at %s, missed is %s", next, missed)
		}
	})
}
