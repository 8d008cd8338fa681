package omisetest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"konbill/batch/omise/omisetest"
)

// TestWhomFaultsConcern: the earliest order that fits counts, as often as it
// says.
func TestWhomFaultsConcern(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	onlyVersioned := func(r *http.Request) bool { return r.Header.Get("Omise-Version") != "" }
	p.Order(
		omisetest.Fault{Kind: omisetest.TooManyRequests, Method: "POST", Path: "/charges", Count: 2, RetryAfter: 1500 * time.Millisecond},
		omisetest.Fault{Kind: omisetest.Error500Before, Path: "/charges"},
		omisetest.Fault{Kind: omisetest.BackendError, Match: onlyVersioned},
	)
	for i, c := range []struct {
		do   func() answer
		want int
	}{
		{func() answer { return p.get(secretKey, "/account") }, 200},
		{func() answer { return p.post(secretKey, "/charges", form()) }, 429},
		{func() answer { return p.get(secretKey, "/charges") }, 500},
		{func() answer { return p.post(secretKey, "/charges", form()) }, 429},
		{func() answer { return p.post(secretKey, "/charges", form()) }, 200},
	} {
		if got := c.do(); got.status != c.want {
			t.Errorf("request %d: %d", i, got.status)
		}
	}
	if n := len(p.Charges()); n != 1 {
		t.Errorf("%d charges", n)
	}
}

func TestRetryAfterIsInWholeSeconds(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	p.Order(omisetest.Fault{Kind: omisetest.TooManyRequests, RetryAfter: 1500 * time.Millisecond})
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/account", nil))
	if got := w.Header().Get("Retry-After"); w.Code != 429 || got != "2" {
		t.Errorf("%d, Retry-After %q", w.Code, got)
	}
}

func TestALateAnswerComes(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	release, arrived := make(chan struct{}), make(chan struct{})
	p.Order(omisetest.Fault{Kind: omisetest.Late, Release: release, Match: func(*http.Request) bool {
		close(arrived)
		return true
	}})
	came := make(chan answer)
	go func() { came <- p.post(secretKey, "/charges", form()) }()
	<-arrived
	select {
	case a := <-came:
		t.Errorf("it came early: %s", a.body)
	default:
		close(release)
		if a := <-came; a.status != 200 {
			t.Errorf("%d", a.status)
		}
	}
}

// TestLatencyEndsWithTheClient: who has gone isn't charged afterwards.
func TestLatencyEndsWithTheClient(t *testing.T) {
	p := newPractice(t, omisetest.Options{Latency: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("it was answered")
		}
		if n := len(p.Charges()); n != 0 {
			t.Errorf("%d charges", n)
		}
	}()
	p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/charges", nil).WithContext(ctx))
}

// TestALateCommit: the client is cut off at once, and the charge is made when
// the test says so, as of then.
func TestALateCommit(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	release, committed := make(chan struct{}), make(chan struct{})
	p.Order(omisetest.Fault{Kind: omisetest.LateCommit, Release: release, Committed: func() { close(committed) }})
	stop, err := p.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	address := strings.Replace(p.URL(), "http://", "http://"+secretKey+":@", 1) + "/charges"
	if a, err := http.PostForm(address, form()); err == nil {
		a.Body.Close()
		t.Fatalf("answered %d", a.StatusCode)
	}
	if n := len(p.Charges()); n != 0 {
		t.Fatalf("%d charges before the release", n)
	}
	p.clock.set(sampleTime.Add(time.Minute))
	close(release)
	<-committed
	made := p.Charges()
	if len(made) != 1 || !made[0].CreatedAt.Equal(sampleTime.Add(time.Minute)) || made[0].Name != "ヤマダタロウ" {
		t.Errorf("made %+v", made)
	}
}

// TestALateCommitWithoutRelease never commits, and leaves nothing behind that
// waits.
func TestALateCommitWithoutRelease(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	p.Order(omisetest.Fault{Kind: omisetest.LateCommit})
	before := runtime.NumGoroutine()
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("it was answered")
		}
		if n, after := len(p.Charges()), runtime.NumGoroutine(); n != 0 || after > before {
			t.Errorf("%d charges, %d goroutines instead of %d", n, after, before)
		}
	}()
	p.post(secretKey, "/charges", form())
}

// TestFaultsOfLists: orders for GET leave the making of charges alone, and what
// is told wrongly is told so in lists, too.
func TestFaultsOfLists(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	p.Order(
		omisetest.Fault{Kind: omisetest.TooManyRequests, Method: "GET", Path: "/charges"},
		omisetest.Fault{Kind: omisetest.WrongLivemode, Method: "GET", Path: "/charges"},
	)
	if a := p.post(secretKey, "/charges", form()); a.status != 200 || a.object["livemode"] != false {
		t.Errorf("the charge: %s", a.body)
	}
	if a := p.get(secretKey, "/charges"); a.status != 429 {
		t.Errorf("the first list: %d", a.status)
	}
	for _, want := range []bool{true, false} {
		first := p.get(secretKey, "/charges").object["data"].([]any)[0].(map[string]any)
		if first["livemode"] != want {
			t.Errorf("livemode %v in the list", first["livemode"])
		}
	}
}

func TestForgive(t *testing.T) {
	p := newPractice(t, omisetest.Options{})
	p.Order(omisetest.Fault{Kind: omisetest.Error500Before, Count: 1000})
	p.Forgive()
	if a := p.get(secretKey, "/account"); a.status != 200 {
		t.Errorf("%d", a.status)
	}
}
