package fleet

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riverqueue/river/rivertype"

	"konbill/batch"
	"konbill/batch/ledger"
)

// TestBear: a leader puts up with a database that is away, for a while, and then doesn't
// take for lost at once who couldn't be heard of meanwhile.
func TestBear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := &batch.Stop{Reason: batch.StopLedger, Err: errors.New("the database is away")}
		l := &leading{heard: time.Now(), answering: time.Now()}
		bears := func(err error, want bool) {
			t.Helper()
			if bears := l.bear(err) == nil; bears != want || l.stop != nil {
				t.Errorf("%v is borne: %v, want %v (%v)", err, bears, want, l.stop)
			}
		}
		tells := func(want bool) {
			t.Helper()
			if l.mayTell() != want {
				t.Errorf("it tells who is lost: %v, want %v", !want, want)
			}
		}
		tells(false)
		time.Sleep(answersFor) // of the bubble's clock
		tells(true)
		bears(nil, true)
		bears(errors.New("connection refused"), true)
		tells(false)
		time.Sleep(patience - time.Second)
		bears(away, true)
		bears(nil, true)
		tells(false)
		time.Sleep(answersFor)
		bears(nil, true)
		tells(true)
		time.Sleep(patience)
		bears(away, false)
		for _, other := range []*batch.Stop{{Reason: batch.StopUnauthorized}, {Reason: batch.StopLedger, Err: batch.ErrNotSwept}} {
			l.stop = nil
			if err := l.bear(other); err != nil || l.stop != other {
				t.Errorf("%v is borne: %v", other, err)
			}
		}
	})
}

// TestIsWith: a job is with a machine that can be heard of and settles something; for a
// moment also with one that doesn't say so yet.
func TestIsWith(t *testing.T) {
	server := newLedger(t)
	synctest.Test(t, func(t *testing.T) {
		f := &Fleet{config: Config{Ledger: server}, suspects: map[int64]time.Time{}}
		job := &rivertype.JobRow{ID: 1, AttemptedBy: []string{"an earlier one", "other"}}
		is := func(sharing map[string]int, want bool) {
			t.Helper()
			if f.isWith(job, sharing) != want {
				t.Errorf("with %v it is: %v, want %v", sharing, !want, want)
			}
		}
		is(map[string]int{"other": 3}, true)
		is(map[string]int{"an earlier one": 3}, false)
		is(map[string]int{"other": 0}, true)
		time.Sleep(suspectFor - time.Millisecond)
		is(map[string]int{"other": 0}, true)
		is(map[string]int{"other": 1}, true)
		is(map[string]int{"other": 0}, true)
		time.Sleep(suspectFor)
		is(map[string]int{"other": 0}, false)
	})
}

func newLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), "sqlite:"+t.TempDir()+"/konbill.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestWindow(t *testing.T) {
	ids := make([]int64, windowSize+3)
	for i := range ids {
		ids[i] = int64(10 + i)
	}
	l := newLeft(ids)
	delete(l.place, 10)
	delete(l.place, 12)
	if got, want := l.window(), append([]int64{11}, ids[3:windowSize+2]...); !slices.Equal(got, want) {
		t.Errorf("the window goes from %d to %d, and has %d", got[0], got[len(got)-1], len(got))
	}
	clear(l.place)
	if got := l.window(); len(got) != 0 {
		t.Errorf("%d are left", len(got))
	}
}

// TestStopsAreToldWhole: what a job says of a stop is what the leader stops with.
func TestStopsAreToldWhole(t *testing.T) {
	for _, stop := range []*batch.Stop{
		{Reason: batch.StopUnauthorized, Err: &batch.GatewayError{Outcome: batch.Unauthorized, Status: 401, Code: "authentication_failure"}},
		{Reason: batch.StopUnreachable, Err: &batch.GatewayError{Outcome: batch.NotSent, Code: "dial", Err: errors.New("connection refused")}},
		{Reason: batch.StopUnknown},
		{Reason: batch.StopLedger, Err: batch.ErrNotSwept},
	} {
		got := stoppedBy(stop).stop()
		if got.Error() != stop.Error() || batch.OutcomeOf(got) != batch.OutcomeOf(stop) || errors.Is(got, batch.ErrNotSwept) != errors.Is(stop, batch.ErrNotSwept) {
			t.Errorf("%v is told as %v", stop, got)
		}
	}
	private := &batch.Stop{Reason: batch.StopUnauthorized, Err: &batch.GatewayError{Outcome: batch.Unauthorized, Message: "taro@example.jp"}}
	if said := stoppedBy(private); said.Why != "" {
		t.Errorf("the queue is told %q", said.Why)
	}
}
