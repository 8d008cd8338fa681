package schedule

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/robfig/cron/v3"
)

// Parse reads a cron spec of five fields, a descriptor (@daily) or an interval
// ("@every 90s", in whole seconds), in the time zone of an IANA name. Every
// error is a *SpecError.
func Parse(spec, timezone string, h Holidays) (*Schedule, error) {
	zone, reason := parseZone(timezone)
	if reason != "" {
		return nil, &SpecError{Field: FieldTimezone, Value: timezone, Reason: reason}
	}
	if h != RunOnHolidays && h != SkipHolidays {
		return nil, &SpecError{Field: FieldHolidays, Value: string(h), Reason: ReasonHolidays}
	}
	c := calendar{zone: zone, skipHolidays: h == SkipHolidays}
	timetable, reason, part := parseSpec(strings.Fields(spec), c)
	if reason != "" {
		return nil, &SpecError{Field: FieldCron, Value: spec, Reason: reason, Part: part}
	}
	return &Schedule{calendar: c, timetable: timetable}, nil
}

func parseZone(name string) (*time.Location, Reason) {
	if name == "" || name == "Local" {
		return nil, ReasonZoneMissing // they stand for UTC and for whatever the machine has
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, ReasonZoneUnknown
	}
	return zone, ""
}

// parseSpec reads the words of a spec. It looks closer than the parser of cron,
// which reads "1,,5", "*-5" and "*/90" as something, panics at a bare
// "CRON_TZ=", and rounds intervals.
func parseSpec(words []string, c calendar) (timetable, Reason, Part) {
	whole := strings.Join(words, " ")
	upper := strings.ToUpper(whole)
	switch {
	case whole == "":
		return nil, ReasonEmpty, ""
	case strings.IndexFunc(whole, func(r rune) bool { return r > unicode.MaxASCII }) >= 0:
		return nil, ReasonNotASCII, ""
	case strings.HasPrefix(upper, "TZ=") || strings.HasPrefix(upper, "CRON_TZ="):
		return nil, ReasonZoneInCron, ""
	case words[0] == "@every":
		return parseInterval(words[1:], c)
	case words[0][0] == '@':
		return parseFields(whole, ReasonDescriptor, c)
	case len(words) != len(parts):
		return nil, ReasonFieldCount, ""
	}
	for i, p := range parts {
		if reason := p.check(words[i], i); reason != "" {
			return nil, reason, p.name
		}
	}
	return parseFields(whole, ReasonField, c)
}

func parseInterval(words []string, c calendar) (timetable, Reason, Part) {
	every, err := time.ParseDuration(strings.Join(words, ""))
	if err != nil || every < time.Second || every%time.Second != 0 {
		return nil, ReasonInterval, ""
	}
	return &interval{calendar: c, every: cron.Every(every)}, "", ""
}

// parseFields reads a descriptor, or fields that were checked one by one.
// otherwise is what is wrong with what can't be read.
func parseFields(whole string, otherwise Reason, c calendar) (timetable, Reason, Part) {
	spec, ok := parseStandard(whole)
	if !ok {
		return nil, otherwise, ""
	}
	times := newFieldTimes(c, spec, everyMinute)
	leapYear := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	if times.next(leapYear).IsZero() {
		return nil, ReasonNever, ""
	}
	return times, "", ""
}

var everyMinute, _ = parseStandard("* * * * *")

// parseStandard has cron read fields or a descriptor, but no interval.
func parseStandard(spec string) (cron.SpecSchedule, bool) {
	parsed, err := cron.ParseStandard(spec)
	fields, ok := parsed.(*cron.SpecSchedule)
	if err != nil || !ok {
		return cron.SpecSchedule{}, false
	}
	return *fields, true
}

// Part is a field of a cron spec.
type Part string

// The fields of a cron spec.
const (
	minute     Part = "minute"
	hour       Part = "hour"
	dayOfMonth Part = "day of month"
	month      Part = "month"
	weekday    Part = "weekday"
)

// part is a field of a cron spec, its name in Japanese and its bounds.
type part struct {
	name     Part
	ja       string
	min, max int
}

var parts = []part{
	{minute, "分", 0, 59}, {hour, "時", 0, 23}, {dayOfMonth, "日", 1, 31}, {month, "月", 1, 12}, {weekday, "曜日", 0, 6},
}

var (
	itemForm     = regexp.MustCompile(`^(?:[*?]|\w+(?:-\w+)?)(?:/(\d+))?$`)
	weekdaySeven = regexp.MustCompile(`(?:^|[-,])7(?:$|[-,/])`)
	quartzMark   = regexp.MustCompile(`(?i)^(?:\d*[LW]|LW|(?:\d|[A-Z]{3})(?:L|#\d))$`)
)

// check says what is wrong with a field, if anything.
func (p part) check(written string, place int) Reason {
	alone := []string{"*", "*", "*", "*", "*"}
	alone[place] = written
	_, readable := parseStandard(strings.Join(alone, " "))
	for item := range strings.SplitSeq(written, ",") {
		form := itemForm.FindStringSubmatch(item)
		readable = readable && form != nil && p.stepFits(form[1])
		if (p.name == dayOfMonth || p.name == weekday) && quartzMark.MatchString(item) {
			return ReasonLastDay
		}
	}
	switch {
	case readable:
		return ""
	case p.name == weekday && weekdaySeven.MatchString(written):
		return ReasonWeekdaySeven
	}
	return ReasonField
}

// stepFits reports whether a step, which may be missing, stays within the
// field: "*/90" minutes would be every hour.
func (p part) stepFits(step string) bool {
	if step == "" {
		return true
	}
	n, err := strconv.Atoi(step)
	return err == nil && n <= p.max-p.min+1
}
