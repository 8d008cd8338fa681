//go:build unix

package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"konbill/batch"
)

// interrupted is a run of five invoices by two workers, both of which are
// waiting for the API's answer to a charge that it has made.
type interrupted struct {
	*shop
	*process
	held held
}

func interruptedRun(t *testing.T) interrupted {
	t.Helper()
	s := newShop(t, "KONBILL_OMISE__WORKERS=2")
	file := s.file("rows.csv", numbered("I", 5)...)
	r := interrupted{shop: s, held: s.hold("POST", "/charges", 2)}
	r.process = s.start(nil, "run", file)
	select {
	case <-r.held.come:
	case <-r.ended:
		t.Fatalf("it ended:\n%s%s", r.stdout, r.stderr)
	}
	return r
}

// signal sends a signal.
func (r interrupted) signal(which os.Signal) {
	r.Helper()
	r.must(r.Process.Signal(which))
}

// drains waits until the first signal has been heard.
func (r interrupted) drains() {
	r.Helper()
	if !r.stderr.heard(draining) {
		r.Fatalf("it ended:\n%s%s", r.stdout, r.stderr)
	}
}

// ends makes sure that an interrupted run says so, and left results with so
// many rows of each kind.
func (r interrupted) ends(want map[batch.Result]int) {
	r.Helper()
	if code := r.end(r.process); code != exitInterrupted {
		r.Errorf("exit code %d, want %d\n%s%s", code, exitInterrupted, r.stdout, r.stderr)
	}
	if !strings.Contains(r.stderr.String(), "中断しました") {
		r.Errorf("it says %q", r.stderr)
	}
	r.hasResults(want)
}

func (s *shop) hasResults(want map[batch.Result]int) {
	s.Helper()
	have := map[batch.Result]int{}
	for _, row := range s.results("rows.csv") {
		have[batch.Result(row["result"])]++
	}
	for _, result := range batch.Results {
		if have[result] != want[result] {
			s.Errorf("results %v, want %v", have, want)
			return
		}
	}
}

// goesOn runs the file again, which must settle the rest.
func (r interrupted) goesOn(want map[batch.Result]int) {
	r.Helper()
	r.konbill(exitDone, "run", "rows.csv")
	r.hasResults(want)
	mails := r.mailed()
	for number, ids := range r.charged() {
		if len(ids) != 1 || mails[number] != 1 {
			r.Errorf("%s: charged %q, %d mails", number, ids, mails[number])
		}
	}
	if got := r.requests("POST", "/charges"); got != 5 || len(r.charged()) != 5 {
		r.Errorf("%d requests, charges %q", got, r.charged())
	}
}

// Once: what is in flight is charged and mailed, nothing else is begun.
func TestInterruptOnce(t *testing.T) {
	for _, which := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(which.String(), func(t *testing.T) {
			t.Parallel()
			r := interruptedRun(t)
			r.signal(which)
			r.drains()
			r.held.release()
			r.ends(map[batch.Result]int{batch.Issued: 2, batch.Failed: 3})
			if charges, mails := len(r.charged()), len(r.mail.Messages()); charges != 2 || mails != 2 {
				t.Errorf("%d charges, %d mails", charges, mails)
			}
			r.goesOn(map[batch.Result]int{batch.AlreadyIssued: 2, batch.Issued: 3})
		})
	}
}

// Twice: the answers are not waited for, and what became of the two charges is
// looked up by the next run.
func TestInterruptTwice(t *testing.T) {
	t.Parallel()
	r := interruptedRun(t)
	r.signal(os.Interrupt)
	r.drains()
	r.signal(os.Interrupt)
	r.ends(map[batch.Result]int{batch.UnknownResult: 2, batch.Failed: 3})
	r.goesOn(map[batch.Result]int{batch.AlreadyIssued: 2, batch.Issued: 3})
}

// The countdown to the look for unknown outcomes can be cut short, too.
func TestInterruptCountdown(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	file := s.file("rows.csv", "I-1")
	loseAnswer(s)
	r := interrupted{shop: s, process: s.start([]string{scriptWait + "=really"}, "run", file)}
	if !r.stderr.heard("照合まで") {
		t.Fatalf("no countdown:\n%s%s", r.stdout, r.stderr)
	}
	r.signal(os.Interrupt)
	r.ends(map[batch.Result]int{batch.UnknownResult: 1})
	s.konbill(exitDone, "run", file)
	if ids := s.charged()["I-1"]; len(ids) != 1 || s.requests("POST", "/charges") != 1 {
		t.Errorf("charged %q by %d requests", ids, s.requests("POST", "/charges"))
	}
}
