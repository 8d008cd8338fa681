package batch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
	"konbill/invoice"
	"konbill/mailer/mailertest"
)

// crew is several hands in this process, of which some may fall silent.
type crew struct {
	hands               []*batch.Hand
	silent              func(i int) bool // whose invoices nobody settles but the leader; nil: none
	gathered, dismissed int

	after []time.Duration // how long nobody was to begin, of each handout
	wait  func(context.Context, time.Duration) error

	forgets int // so many of the first are told as settled, and aren't
}

func newCrew(s *shop, hands int) *crew {
	c := &crew{wait: s.clock.wait}
	for range hands {
		c.hands = append(c.hands, s.runner.Hand())
	}
	s.runner.Crew = c
	return c
}

func (c *crew) Gather(context.Context) (func(), error) {
	c.gathered++
	return func() { c.dismissed++ }, nil
}

func (c *crew) Settle(ctx context.Context, keys []batch.Key, h batch.Handout) error {
	if c.after = append(c.after, h.After); h.After > 0 {
		if err := c.wait(ctx, h.After); err != nil {
			return err
		}
	}
	todo, settled := make(chan int), make(chan int)
	stopped := make(chan error, len(keys))
	var working sync.WaitGroup
	for _, hand := range c.hands {
		working.Go(func() {
			for i := range todo {
				if i >= c.forgets {
					if err := hand.Settle(ctx, keys[i]); err != nil {
						stopped <- err
					}
				}
				settled <- i
			}
		})
	}
	go func() {
		for i := range keys {
			if c.silent == nil || !c.silent(i) {
				todo <- i
			}
		}
		close(todo)
		working.Wait()
		close(settled)
	}()
	for i := range settled {
		if err := h.Settled([]int{i}); err != nil {
			return err
		}
	}
	for i := range keys {
		if c.silent != nil && c.silent(i) {
			if i%2 == 0 { // it fell silent when all was done
				if err := c.hands[0].Settle(ctx, keys[i]); err != nil {
					return err
				}
			}
			if settled, err := h.Lost(i); err != nil || !settled {
				return fmt.Errorf("what was lost is settled: %v, %w", settled, err)
			}
		}
	}
	close(stopped)
	return <-stopped
}

func numberedRows(prefix string, n int) []string {
	var rows []string
	for i := range n {
		rows = append(rows, fmt.Sprintf("%s-%d,1000", prefix, i))
	}
	return rows
}

// TestCrew: what others settle is told as if the leader had, slips and all; and what one
// has fallen silent with, the leader settles.
func TestCrew(t *testing.T) {
	s := newShop(t)
	c := newCrew(s, 3)
	c.silent = func(i int) bool { return i%4 == 1 || i%4 == 2 }
	heard := 0
	s.runner.Progress = func(p batch.Progress) { heard = p.Done }
	report, err := s.runner.Run(t.Context(), s.file("c.csv", numberedRows("C", 12)...), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Receipt.Results[batch.Issued].Rows; got != 12 || heard != 12 || c.gathered != 1 || c.dismissed != 1 || len(s.api.Charges()) != 12 {
		t.Errorf("%d issued, %d heard of, gathered %d and dismissed %d times, %d charges", got, heard, c.gathered, c.dismissed, len(s.api.Charges()))
	}
	for row := range report.Rows {
		if _, err := os.Stat(report.Dir + "/" + row.Slip); err != nil || row.Slip == "" {
			t.Errorf("%s: slip %q: %v", row.Entry.Invoice.Number, row.Slip, err)
		}
	}
	// The hands know of the next run at once, and what they forget is settled all the same.
	c.forgets = 3
	next, err := s.runner.Run(t.Context(), s.file("d.csv", numberedRows("D", 12)...), "")
	if err != nil || next.Receipt.Results[batch.Issued].Rows != 12 {
		t.Errorf("of the next file's 12 rows %v are issued (%v)", next.Receipt.Results, err)
	}
	checks, err := s.runner.VerifySlips(t.Context(), s.dir+"/c.csv", "")
	if err != nil || len(checks) != 12 {
		t.Errorf("%d slips, %v", len(checks), err)
	}
	for _, c := range checks {
		if c.Verdict != batch.SlipSame {
			t.Errorf("a slip isn't the one that was mailed: %+v", c)
		}
	}
}

// TestCrewMailsAgain: mails that were put off are handed out once more, for later, and so
// each is tried twice in a run, whoever does it; one whose answer was lost is not.
func TestCrewMailsAgain(t *testing.T) {
	s := newShop(t)
	c := newCrew(s, 2)
	putOff := mailertest.Fault{At: mailertest.AtRCPT, Code: 451, Recipient: "c-1@example.jp"}
	putOffAgain := mailertest.Fault{At: mailertest.AtRCPT, Code: 451, Recipient: "c-2@example.jp"}
	s.mail.Order(putOff)
	s.mail.Order(putOffAgain)
	s.mail.Order(mailertest.Fault{At: mailertest.AfterDot, Recipient: "c-3@example.jp"})
	c.wait = func(ctx context.Context, d time.Duration) error {
		s.mail.Forgive()
		s.mail.Order(putOffAgain)
		return s.clock.wait(ctx, d)
	}
	s.runner.Settings.ResendHeld = true // by the next run
	report := s.run(s.file("c.csv", numberedRows("C", 5)...))
	if want := []time.Duration{0, 10 * time.Second}; !slices.Equal(c.after, want) {
		t.Errorf("handed out for after %v, want %v", c.after, want)
	}
	for row := range report.Rows {
		want, attempts := batch.Mailed, 1
		switch row.Entry.Invoice.Number {
		case "C-1":
			attempts = 2
		case "C-2":
			want, attempts = batch.Deferred, 2
		case "C-3":
			want = batch.Held
		}
		if row.Entry.State != want || row.Entry.MailAttempt != attempts {
			t.Errorf("%s: %s after %d mails, want %s after %d", row.Entry.Invoice.Number, row.Entry.State, row.Entry.MailAttempt, want, attempts)
		}
	}
}

// TestHandStops: a stop that one hand meets ends the run, and what it is given afterwards
// is not charged.
func TestHandStops(t *testing.T) {
	for _, c := range []struct {
		fault    omisetest.FaultKind
		requests int
		reason   batch.StopReason
	}{{omisetest.WrongLivemode, 1, batch.StopUnauthorized}, {omisetest.Error500Before, 5, batch.StopUnknown}} {
		t.Run(string(c.reason), func(t *testing.T) {
			s := newShop(t)
			newCrew(s, 1)
			s.api.Order(omisetest.Fault{Kind: c.fault, Method: "POST", Path: "/charges", Count: 20})
			_, err := s.runner.Run(t.Context(), s.file("s.csv", numberedRows("S", 20)...), "")
			stop := new(batch.Stop)
			if !errors.As(err, &stop) || stop.Reason != c.reason {
				t.Errorf("the run ends with %v", err)
			}
			asked := slices.DeleteFunc(s.api.Requests(), func(r omisetest.RecordedRequest) bool { return r.Method != "POST" })
			if len(asked) != c.requests {
				t.Errorf("%d charges were asked for, want %d", len(asked), c.requests)
			}
		})
	}
}

// TestHandThatComesLate: an invoice is charged by nobody once its run is over, and not as
// part of another.
func TestHandThatComesLate(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.Workers = 1
	s.api.Order(omisetest.Fault{Kind: omisetest.WrongLivemode, Method: "POST", Path: "/charges"})
	if _, err := s.runner.Run(t.Context(), s.file("first.csv", numberedRows("L", 4)...), ""); err == nil {
		t.Fatal("the run didn't stop")
	}
	charges := len(s.api.Charges())
	late := s.entry("L-3")
	if late.State != batch.Accepted {
		t.Fatalf("%s is %s", late.Invoice.Number, late.State)
	}
	if err := s.runner.Hand().Settle(t.Context(), late.Key); err != nil || s.entry("L-3").State != batch.Accepted {
		t.Errorf("after its run it is %s (%v)", s.entry("L-3").State, err)
	}
	c := newCrew(s, 1)
	second := &lateHand{crew: c, t: t, key: late.Key}
	s.runner.Crew = second
	if _, err := s.runner.Run(t.Context(), s.file("second.csv", numberedRows("M", 2)...), ""); err != nil {
		t.Fatal(err)
	}
	if !second.tried || s.entry("L-3").State != batch.Accepted || len(s.api.Charges()) != charges+2 {
		t.Errorf("during another's run it is %s; %d charges", s.entry("L-3").State, len(s.api.Charges()))
	}
}

// lateHand is given an invoice of an earlier run, too.
type lateHand struct {
	*crew
	t     *testing.T
	key   batch.Key
	tried bool
}

func (l *lateHand) Settle(ctx context.Context, keys []batch.Key, h batch.Handout) error {
	l.tried = true
	if err := l.hands[0].Settle(ctx, l.key); err != nil {
		l.t.Error(err)
	}
	return l.crew.Settle(ctx, keys, h)
}

// TestContentIsHandedOver: a ledger is given the file only where another machine may have
// to finish it.
func TestContentIsHandedOver(t *testing.T) {
	s := newShop(t)
	opened := &openings{Ledger: s.runner.Ledger}
	s.runner.Ledger = opened
	for _, crewed := range []bool{false, true} {
		if crewed {
			newCrew(s, 1)
		}
		name := fmt.Sprintf("h%v.csv", crewed)
		if _, err := s.runner.Run(t.Context(), s.file(name, "H-1,1000"), ""); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(opened.latest.Content), "H-1"); got != crewed {
			t.Errorf("with a crew %v: handed over %v", crewed, got)
		}
	}
}

// openings sees the jobs that are opened.
type openings struct {
	batch.Ledger
	latest batch.Job
}

func (o *openings) OpenJob(ctx context.Context, job batch.Job, invoices iter.Seq[invoice.Invoice], judge func(int, batch.Verdict)) (int64, error) {
	o.latest = job
	return o.Ledger.OpenJob(ctx, job, invoices, judge)
}
