package schedule

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// diary notes what happens in a run of a schedule, in order.
type diary struct {
	mu    sync.Mutex
	notes []string
}

func (d *diary) note(what string, due time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notes = append(d.notes, what+" "+due.Format("02 15:04:05"))
}

func (d *diary) is(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.notes, want) {
		t.Errorf("happened:\n%s\nwant:\n%s", strings.Join(d.notes, "\n"), strings.Join(want, "\n"))
	}
}

func (d *diary) observer() Observer {
	return Observer{
		Skipped: func(due time.Time) { d.note("skipped", due) },
		Panicked: func(due time.Time, err error, stack string) {
			d.note("panicked "+err.Error(), due)
			if !strings.Contains(stack, "run_test.go") {
				d.note("without its stack", due)
			}
		},
	}
}

// started runs a schedule in the background; inside a bubble, where it is
// Saturday 1 January 2000, 0:00 UTC.
func started(t *testing.T, spec string, last time.Time, d *diary, work func(ctx context.Context, due time.Time)) (drain, done chan struct{}, stop context.CancelFunc) {
	s := mustParse(t, spec, "UTC", RunOnHolidays)
	ctx, cancel := context.WithCancel(t.Context())
	drain, done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx, drain, last, d.observer(), work)
	}()
	return drain, done, cancel
}

func TestRunWorksWhenDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		drain, done, stop := started(t, "0 2 * * *", time.Time{}, &d, func(_ context.Context, due time.Time) {
			if !due.Equal(time.Now()) {
				t.Errorf("due at %s, worked at %s", due, time.Now())
			}
			d.note("worked", due)
		})
		defer stop()
		time.Sleep(3*24*time.Hour + time.Hour)
		close(drain)
		<-done
		time.Sleep(48 * time.Hour)
		d.is(t, "worked 01 02:00:00", "worked 02 02:00:00", "worked 03 02:00:00")
	})
}

// TestAPanicDoesNotEndTheSchedule fails with the chain the other way round: the
// run that panicked would count as at work for ever.
func TestAPanicDoesNotEndTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		drain, done, stop := started(t, "0 2 * * *", time.Time{}, &d, func(_ context.Context, due time.Time) {
			d.note("worked", due)
			switch due.Day() {
			case 1:
				panic("no disk")
			case 2:
				panic(errors.New("no ledger"))
			}
		})
		defer stop()
		time.Sleep(3 * 24 * time.Hour)
		close(drain)
		<-done
		d.is(t, "worked 01 02:00:00", "panicked no disk 01 02:00:00",
			"worked 02 02:00:00", "panicked no ledger 02 02:00:00", "worked 03 02:00:00")
	})
}

func TestARunIsSkippedWhileTheOneBeforeIsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		drain, done, stop := started(t, "@every 10s", time.Time{}, &d, func(_ context.Context, due time.Time) {
			time.Sleep(25 * time.Second)
			d.note("worked", due)
		})
		defer stop()
		time.Sleep(45 * time.Second)
		close(drain)
		<-done
		d.is(t, "skipped 01 00:00:20", "skipped 01 00:00:30", "worked 01 00:00:10", "worked 01 00:00:40")
	})
}

func TestDrainWaitsForTheWorkInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		drain, done, stop := started(t, "0 2 * * *", time.Time{}, &d, func(ctx context.Context, due time.Time) {
			time.Sleep(time.Hour)
			if ctx.Err() != nil {
				t.Error("draining cancelled the work")
			}
			d.note("worked", due)
		})
		defer stop()
		time.Sleep(2*time.Hour + time.Minute)
		close(drain)
		synctest.Wait()
		select {
		case <-done:
			t.Error("Run returned while work was in progress")
		default:
		}
		<-done
		d.is(t, "worked 01 02:00:00")
	})
}

func TestTheContextReachesTheWorkAndEndsTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		_, done, stop := started(t, "0 2 * * *", time.Time{}, &d, func(ctx context.Context, due time.Time) {
			<-ctx.Done()
			d.note("cancelled", due)
		})
		time.Sleep(3 * time.Hour)
		stop()
		<-done
		d.is(t, "cancelled 01 02:00:00")
	})
}

func TestMissedRunsAreCaughtUpOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		last := time.Now().AddDate(0, 0, -5)
		drain, done, stop := started(t, "0 2 * * *", last, &d, func(_ context.Context, due time.Time) {
			d.note("worked", due)
		})
		defer stop()
		synctest.Wait()
		d.is(t, "worked 31 02:00:00")
		time.Sleep(3 * time.Hour)
		close(drain)
		<-done
		d.is(t, "worked 31 02:00:00", "worked 01 02:00:00")
	})
}

func TestALastRunInTheFutureStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		drain, done, stop := started(t, "0 2 * * *", time.Now().AddDate(10, 0, 0), &d, func(_ context.Context, due time.Time) {
			d.note("worked", due)
		})
		defer stop()
		time.Sleep(3 * time.Hour)
		close(drain)
		<-done
		d.is(t, "worked 01 02:00:00")
	})
}

// TestNothingBeginsOnceDraining starts a run as cron may just before it stops.
func TestNothingBeginsOnceDraining(t *testing.T) {
	drain := make(chan struct{})
	w := &watch{due: make(chan time.Time, 1)}
	begun := 0
	work := func(context.Context, time.Time) { begun++ }
	begin := func(ctx context.Context) {
		w.due <- at(t, "2026-06-02T02:00:00Z")
		w.begin(ctx, drain, work)
	}
	begin(t.Context())
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	begin(cancelled)
	close(drain)
	begin(t.Context())
	if begun != 1 {
		t.Errorf("begun %d runs instead of the first one only", begun)
	}
}

// TestALateRunIsTheLatestThatCame asks as cron does when it wakes late, as after
// a computer's sleep.
func TestALateRunIsTheLatestThatCame(t *testing.T) {
	start := at(t, "2026-06-01T12:00:00Z")
	w := &watch{schedule: mustParse(t, "0 2 * * *", "UTC", RunOnHolidays), last: start, due: make(chan time.Time, 1)}
	if first := w.Next(start); !first.Equal(at(t, "2026-06-02T02:00:00Z")) {
		t.Errorf("first %s", first)
	}
	next := w.Next(at(t, "2026-06-04T09:00:00Z"))
	if due := <-w.due; !due.Equal(at(t, "2026-06-04T02:00:00Z")) || !next.Equal(at(t, "2026-06-05T02:00:00Z")) {
		t.Errorf("due %s, next %s", due, next)
	}
}
