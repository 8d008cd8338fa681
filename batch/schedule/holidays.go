package schedule

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"konbill/invoice"
)

// Holidays is what becomes of runs on closed days: Saturdays, Sundays and
// Japanese public holidays.
type Holidays string

// What becomes of runs on closed days.
const (
	RunOnHolidays Holidays = "run"  // nothing: they run
	SkipHolidays  Holidays = "skip" // they move to the next business day
)

//go:embed holidays.txt
var holidayText string

var holidays = readHolidays(holidayText)

// holidayList is a list of public holidays.
type holidayList struct {
	source   string
	lastYear int
	names    map[string]string // by date, as in 2026-01-01
}

// readHolidays reads the embedded list: "# key: value" lines, then a date and a
// name a line. It panics on anything else: the list is part of the program.
func readHolidays(text string) holidayList {
	list := holidayList{names: map[string]string{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if setting, isSetting := strings.CutPrefix(line, "# "); isSetting {
			list.set(setting)
			continue
		}
		date, name, _ := strings.Cut(line, " ")
		if _, err := time.Parse(time.DateOnly, date); err != nil || name == "" {
			panic(fmt.Sprintf("holidays.txt: %q", line))
		}
		list.names[date] = name
	}
	return list
}

func (l *holidayList) set(setting string) {
	key, value, _ := strings.Cut(setting, ": ")
	switch key {
	case "source":
		l.source = value
	case "last year":
		year, err := strconv.Atoi(value)
		if err != nil {
			panic(err)
		}
		l.lastYear = year
	default:
		panic(fmt.Sprintf("holidays.txt: %q", setting))
	}
}

func isHoliday(day time.Time) bool {
	_, is := holidays.names[day.Format(time.DateOnly)]
	return is
}

// LastYear is the last year whose public holidays are known.
func LastYear() int { return holidays.lastYear }

// Source names where the list of public holidays comes from.
func Source() string { return holidays.source }

// warnDaysBefore is how long before its end the list of holidays is said to
// end: time enough for a new version to be installed.
const warnDaysBefore = 90

// Warning says that the list of public holidays ends soon, or has ended.
type Warning struct {
	LastYear int
	Ended    bool
}

// Warning warns, from 90 days before the end of the last year that the list of
// public holidays knows. A schedule that runs on holidays has nothing to warn
// of.
func (s *Schedule) Warning(now time.Time) (Warning, bool) {
	today := s.calendar.day(now)
	end := time.Date(LastYear()+1, time.January, 1, 0, 0, 0, 0, time.UTC)
	if !s.calendar.skipHolidays || today.Before(end.AddDate(0, 0, -warnDaysBefore)) {
		return Warning{}, false
	}
	return Warning{LastYear: LastYear(), Ended: !today.Before(end)}, true
}

// Message says when the list ends, what is done then, and what to do.
func (w Warning) Message(lang invoice.Language) string {
	form := "内蔵の祝日一覧には%[1]d年12月31日までしか載っていません。%[2]d年からは土日だけを休業日とし、祝日にも実行します。年内に新しい版の konbill に更新してください。"
	switch {
	case lang == invoice.English && w.Ended:
		form = "The built-in list of public holidays ended with %[1]d: only weekends are skipped now, and runs happen on public holidays. Update konbill to a version that knows %[2]d."
	case lang == invoice.English:
		form = "The built-in list of public holidays ends with %[1]d: from %[2]d on only weekends are skipped, and runs happen on public holidays. Update konbill before the year ends."
	case w.Ended:
		form = "内蔵の祝日一覧は%[1]d年で終わっているため、現在は土日だけを休業日とし、祝日にも実行しています。%[2]d年の祝日に対応した版の konbill に更新してください。"
	}
	return fmt.Sprintf(form, w.LastYear, w.LastYear+1)
}
