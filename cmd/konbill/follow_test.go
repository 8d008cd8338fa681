package main

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"konbill/batch/omise/omisetest"
)

// endCharge plays the customer, or the merchant at the dashboard, with the
// oldest charge under a number: ends paid S-1, ends failed S-1, ends recalled S-1;
// or, ends late S-1, a store that reports a payment after the charge was over.
func endCharge(ts *testscript.TestScript, neg bool, args []string) {
	actions := map[string]string{"paid": "mark_as_paid", "failed": "mark_as_failed", "recalled": "expire", "late": ""}
	if _, known := actions[args[0]]; neg || len(args) != 2 || !known {
		ts.Fatalf("usage: ends paid|failed|recalled|late NUMBER")
	}
	p := peersOf(ts)
	made := p.charged()[args[1]]
	if len(made) == 0 {
		ts.Fatalf("%s was never charged", args[1])
	}
	if args[0] == "late" {
		p.api.ReportLate(made[0])
		return
	}
	status, err := p.ask(http.MethodPost, "/charges/"+made[0]+"/"+actions[args[0]], nil)
	ts.Check(err)
	if status != http.StatusOK {
		ts.Fatalf("%s: %s is refused with %d", args[1], actions[args[0]], status)
	}
}

// passTime lets time go by: later 72h.
func passTime(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: later DURATION")
	}
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	ts.Check(peersOf(ts).clock.jump(d))
}

func TestParsePeriod(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"3d": 72 * time.Hour, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "3650d": 3650 * 24 * time.Hour,
		// Not a time from now on, or none at all.
		"0d": 0, "-3d": 0, "-1h": 0, "3": 0, "d": 0, "3 d": 0, "3days": 0, "1d12h": 0, "3651d": 0, "99999999d": 0, "90000h": 0,
	} {
		got, err := parsePeriod(text)
		if (want == 0) != (err != nil) || err == nil && got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestJapanDeadline(t *testing.T) {
	for at, want := range map[time.Time]string{
		time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC): "2026-12-31 24:00",
		time.Date(2026, 12, 31, 6, 0, 0, 0, time.UTC):  "2026-12-31 15:00",
		{}: "",
	} {
		if got := japanDeadline(at); got != want {
			t.Errorf("%v: %q, want %q", at, got, want)
		}
	}
}

// TestSyncTellsWhatItLearnt although the API fails for one of the charges.
func TestSyncTellsWhatItLearnt(t *testing.T) {
	t.Parallel()
	s := newShop(t, scriptWait+"=shortly")
	s.konbill(exitDone, "run", s.file("two.csv", "S-1", "S-2"))
	for _, number := range []string{"S-1", "S-2"} {
		status, err := s.ask(http.MethodPost, "/charges/"+s.charged()[number][0]+"/mark_as_paid", nil)
		s.must(err)
		if status != http.StatusOK {
			t.Fatalf("mark_as_paid: %d", status)
		}
	}
	s.api.SetListLag(24 * time.Hour) // so that they are asked for one by one
	s.api.Order(omisetest.Fault{Kind: omisetest.BadGateway, Method: http.MethodGet, Path: "/charges/" + s.charged()["S-1"][0], Count: 1000})
	p := s.start(nil, "sync", "--lang", "en")
	if code := s.end(p); code != exitFailed {
		t.Errorf("exits with %d", code)
	}
	for text, words := range map[string]string{p.stdout.String(): "paid +1 +¥3,000", p.stderr.String(): "502"} {
		if !regexp.MustCompile(words).MatchString(text) {
			t.Errorf("%q says no %s", text, words)
		}
	}
	s.api.Forgive()
	p = s.start(nil, "sync", "--lang", "en")
	if code := s.end(p); code != exitDone || !regexp.MustCompile("paid +1 +¥3,000").MatchString(p.stdout.String()) {
		t.Errorf("exits with %d\n%s", code, p.stdout)
	}
}
