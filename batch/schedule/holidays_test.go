package schedule

import (
	"maps"
	"strings"
	"testing"
	"time"

	"konbill/invoice"
)

// TestHolidaysFollowFromTheLaw computes every year of the list from 国民の祝日に
// 関する法律, articles 2 and 3, so that a wrong or missing entry can't stand.
func TestHolidaysFollowFromTheLaw(t *testing.T) {
	want := map[string]string{}
	for year := 2026; year <= LastYear(); year++ {
		for day, name := range lawfulHolidays(year) {
			want[day.Format(time.DateOnly)] = name
		}
	}
	for date, name := range want {
		if holidays.names[date] != name {
			t.Errorf("%s is %q by law, %q in the list", date, name, holidays.names[date])
		}
	}
	for date, name := range holidays.names {
		if want[date] == "" {
			t.Errorf("%s %s is in the list, not in the law", date, name)
		}
	}
	if LastYear() < 2027 || !strings.Contains(Source(), "内閣府") {
		t.Errorf("last year %d, source %q", LastYear(), Source())
	}
}

func lawfulHolidays(year int) map[time.Time]string {
	date := func(m time.Month, day int) time.Time { return time.Date(year, m, day, 0, 0, 0, 0, time.UTC) }
	monday := func(m time.Month, nth int) time.Time {
		first := date(m, 1)
		return date(m, 1+(int(time.Monday-first.Weekday())+7)%7+7*(nth-1))
	}
	// The equinoxes by the usual approximation for 1980 to 2099.
	equinox := func(base float64) int {
		since := year - 1980
		return int(base+0.242194*float64(since)) - since/4
	}
	named := map[time.Time]string{ // article 2
		date(time.January, 1): "元日", monday(time.January, 2): "成人の日", date(time.February, 11): "建国記念の日",
		date(time.February, 23): "天皇誕生日", date(time.March, equinox(20.8431)): "春分の日", date(time.April, 29): "昭和の日",
		date(time.May, 3): "憲法記念日", date(time.May, 4): "みどりの日", date(time.May, 5): "こどもの日",
		monday(time.July, 3): "海の日", date(time.August, 11): "山の日", monday(time.September, 3): "敬老の日",
		date(time.September, equinox(23.2488)): "秋分の日", monday(time.October, 2): "スポーツの日",
		date(time.November, 3): "文化の日", date(time.November, 23): "勤労感謝の日",
	}
	all := maps.Clone(named)
	for day := range named {
		if day.Weekday() == time.Sunday { // article 3 (2)
			instead := day
			for named[instead] != "" {
				instead = instead.AddDate(0, 0, 1)
			}
			all[instead] = "振替休日"
		}
		between := day.AddDate(0, 0, 1) // article 3 (3)
		if named[between] == "" && named[between.AddDate(0, 0, 1)] != "" {
			all[between] = "国民の休日"
		}
	}
	return all
}

func TestWarningBeforeTheListEnds(t *testing.T) {
	for _, c := range []struct {
		now          string
		warns, ended bool
	}{
		{"2027-10-02T23:59:59+09:00", false, false},
		{"2027-10-03T00:00:00+09:00", true, false},
		{"2027-12-31T23:59:59+09:00", true, false},
		{"2028-01-01T00:00:00+09:00", true, true},
	} {
		w, warns := mustParse(t, "0 2 * * *", "Asia/Tokyo", SkipHolidays).Warning(at(t, c.now))
		if warns != c.warns || w.Ended != c.ended {
			t.Errorf("at %s: %v, %+v", c.now, warns, w)
		}
		for _, lang := range []invoice.Language{invoice.Japanese, invoice.English} {
			if text := w.Message(lang); warns && !(strings.Contains(text, "2027") && strings.Contains(text, "2028")) {
				t.Errorf("at %s: %s", c.now, text)
			}
		}
		if _, warns := mustParse(t, "0 2 * * *", "Asia/Tokyo", RunOnHolidays).Warning(at(t, c.now)); warns {
			t.Errorf("at %s: warns of a list that is not used", c.now)
		}
	}
}

func TestWeekendsAreSkippedPastTheList(t *testing.T) {
	s := mustParse(t, "0 2 * * *", "Asia/Tokyo", SkipHolidays)
	friday := time.Date(LastYear()+1, time.December, 29, 12, 0, 0, 0, s.calendar.zone)
	for friday.Weekday() != time.Friday {
		friday = friday.AddDate(0, 0, -1)
	}
	if next := s.Next(friday).In(s.calendar.zone); next.Weekday() != time.Monday {
		t.Errorf("after %s comes %s", friday, next)
	}
}

func TestABrokenListIsNotRead(t *testing.T) {
	for _, text := range []string{"2026-02-30 x", "2026-01-01", "# of: x", "# last year: x", "1 January"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is read", text)
				}
			}()
			readHolidays(text)
		}()
	}
}

func mustParse(t testing.TB, spec, zone string, h Holidays) *Schedule {
	t.Helper()
	s, err := Parse(spec, zone, h)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

// inZone writes instants as a person of the schedule's zone reads them.
func (s *Schedule) inZone(instants ...time.Time) string {
	var texts []string
	for _, i := range instants {
		texts = append(texts, i.In(s.calendar.zone).Format("Mon 01-02 15:04:05 -0700"))
	}
	return strings.Join(texts, "\n")
}
