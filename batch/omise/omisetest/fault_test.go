package omisetest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
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
