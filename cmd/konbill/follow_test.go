package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
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
