package invoice

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Japan is where due dates end and the people are. It has had no daylight saving
// since 1951, so a fixed zone is exact and needs no time zone data.
var Japan = time.FixedZone("JST", 9*60*60)

var (
	dateForm    = regexp.MustCompile(`^(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?$`)
	compactForm = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)
	eraForm     = regexp.MustCompile(`^(令和|平成|昭和|R|H|S|r|h|s)\.?(\d{1,2}|元)(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?$`)
	weekday     = regexp.MustCompile(`(?i)\((?:[日月火水木金土]曜?日?(?:・祝)?|祝日?|(?:sun|mon|tue|wed|thu|fri|sat)\.?)\)`)
	wholeDay    = regexp.MustCompile(`(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?| ?24:00| ?23:59(?::59)?)$`) // midnight: a spreadsheet's time of a plain date
	instantForm = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d.*)$`)
	dayFirst    = regexp.MustCompile(`^\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}$`)
	serialForm  = regexp.MustCompile(`^\d{5}(?:\.\d+)?$`)
)

// eras give the year before the first of each era.
var eras = map[string]int{"令和": 2018, "R": 2018, "平成": 1988, "H": 1988, "昭和": 1925, "S": 1925}

// due reads a due date. A date means the end of that day in Japan, which is
// the first instant of the next (payment page, "Setting the charge to
// expire"). An empty one follows from the rules. The last day allowed can be
// paid to its end.
func (r *row) due(written string) (at time.Time, given bool) {
	s := fold(written)
	if s == "" {
		return endOf(r.today().AddDate(0, 0, r.rules.DueDays)), false
	}
	at, fault, suggestion := parseDue(s)
	if fault != "" {
		r.add(Finding{Field: FieldDue, Code: fault, Severity: Error, Before: written, After: suggestion})
		return time.Time{}, true
	}
	furthest := r.today().AddDate(0, 0, r.rules.MaxDueDays)
	switch {
	case !at.After(r.now):
		r.reject(FieldDue, CodeDuePast, written)
	case at.After(endOf(furthest)):
		r.add(Finding{Field: FieldDue, Code: CodeDueTooFar, Severity: Error, Before: written, Ref: furthest.Format(time.DateOnly)})
	}
	return at, true
}

// today is the day in Japan, at its first instant.
func (r *row) today() time.Time {
	y, m, d := r.now.In(Japan).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, Japan)
}

// endOf is the first instant after a day, in UTC.
func endOf(day time.Time) time.Time { return day.AddDate(0, 0, 1).UTC() }

// parseDue reads every form of a due date that has one meaning. For those that
// have none it says why, and what may have been meant.
func parseDue(s string) (at time.Time, fault Code, suggestion string) {
	year, month, day, ok := dateParts(s)
	if !ok {
		if instant, isInstant := parseInstant(s); isInstant {
			return instant, "", ""
		}
		s = strings.TrimSpace(weekday.ReplaceAllString(s, ""))
		s = strings.ReplaceAll(wholeDay.ReplaceAllString(s, ""), " ", "")
		year, month, day, ok = dateParts(s)
	}
	switch {
	case ok:
	case serialForm.MatchString(s):
		return time.Time{}, CodeDueSerial, fromSerial(s)
	case dayFirst.MatchString(s):
		return time.Time{}, CodeDueAmbiguous, ""
	default:
		return time.Time{}, CodeDueUnreadable, ""
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, Japan)
	if date.Year() != year || int(date.Month()) != month || date.Day() != day {
		return time.Time{}, CodeDueInvalid, ""
	}
	return endOf(date), "", ""
}

// ParseDay reads a day written as due dates may be, and returns its beginning in
// Japan. What isn't a day is an error that says no more than that.
func ParseDay(written string) (time.Time, error) {
	end, fault, _ := parseDue(fold(written))
	if day := end.In(Japan).AddDate(0, 0, -1); fault == "" && day.Hour()+day.Minute()+day.Second() == 0 {
		return day.UTC(), nil
	}
	return time.Time{}, errors.New("not a day")
}

// parseInstant reads RFC 3339, of which this is the only form that means less
// than a whole day. A fraction of a second is dropped: the API takes whole
// seconds.
func parseInstant(s string) (time.Time, bool) {
	m := instantForm.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	instant, err := time.Parse(time.RFC3339, m[1]+"T"+strings.ToUpper(m[2]))
	return instant.UTC().Truncate(time.Second), err == nil
}

// dateParts takes a date apart into year, month and day.
func dateParts(s string) (year, month, day int, ok bool) {
	if isISODate(s) { // as most are; the patterns read the same, but take longer
		return atoi(s[:4]), atoi(s[5:7]), atoi(s[8:]), true
	}
	for _, form := range []*regexp.Regexp{dateForm, compactForm} {
		if m := form.FindStringSubmatch(s); m != nil {
			return atoi(m[1]), atoi(m[2]), atoi(m[3]), true
		}
	}
	m := eraForm.FindStringSubmatch(s)
	if m == nil {
		return 0, 0, 0, false
	}
	ofEra := 1
	if m[2] != "元" {
		ofEra = atoi(m[2])
	}
	return eras[strings.ToUpper(m[1])] + ofEra, atoi(m[3]), atoi(m[4]), true
}

// isISODate reports the form 2026-12-31.
func isISODate(s string) bool {
	return len(s) == len(time.DateOnly) && onlyDigits(s[:4]) && s[4] == '-' && onlyDigits(s[5:7]) && s[7] == '-' && onlyDigits(s[8:])
}

// atoi is for digits that a pattern has counted.
func atoi(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// fromSerial is the date a spreadsheet means by a number of days: 1 is 1
// January 1900, and it believes in 29 February 1900. A fraction is the time.
func fromSerial(s string) string {
	days, _, _ := strings.Cut(s, ".")
	return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, atoi(days)).Format(time.DateOnly)
}
