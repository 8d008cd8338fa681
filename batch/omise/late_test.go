package omise_test

import (
	"net/http"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
)

// TestLateRequestsDoNotLeave: neither over a new connection nor over one that was
// kept, and the next request finds everything in order.
func TestLateRequestsDoNotLeave(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	c := newClient(t, config(api.URL()))
	posts := func() (n int) {
		for _, r := range api.Requests() {
			if r.Method == http.MethodPost {
				n++
			}
		}
		return n
	}
	r := request()
	for charged := range 2 {
		for name, late := range map[string]time.Duration{"late": 36 * time.Second, "a day later": 24 * time.Hour} {
			r.Intended = time.Now().Add(-late)
			_, err := c.CreateCharge(t.Context(), r)
			if gatewayError(t, err).Outcome != batch.NotSent || gatewayError(t, err).Code != "late" || posts() != charged {
				t.Errorf("%s: %v after %d requests, want %d", name, err, posts(), charged)
			}
		}
		r.Intended = time.Now()
		if _, err := c.CreateCharge(t.Context(), r); err != nil || posts() != charged+1 {
			t.Errorf("in time: %v", err)
		}
	}
}
