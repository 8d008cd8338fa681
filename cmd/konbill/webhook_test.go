package main

import (
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"konbill/batch/omise/omisetest"
)

// hearing is a night that hears of payments.
type hearing struct {
	*night
	secret []byte
	url    string
}

func newHearing(t *testing.T, settings ...string) *hearing {
	t.Helper()
	secret := []byte("PLANTED-webhook-secret-of-a-shop")
	listen := closedPort(t)
	return &hearing{
		// Without looks of its own: those could be faster than the webhook.
		night: newNight(t, append(settings, "KONBILL_FOLLOW__SYNC=0s",
			"KONBILL_FOLLOW__WEBHOOK_LISTEN="+listen, "KONBILL_WEBHOOK_SECRET="+base64.StdEncoding.EncodeToString(secret))...),
		secret: secret, url: "http://" + listen + "/webhooks/omise",
	}
}

// end lets a charge end, as the customer or the merchant would, and returns what
// the API has to tell of it.
func (h *hearing) end(number, action string) omisetest.Event {
	h.Helper()
	status, err := h.ask(http.MethodPost, "/charges/"+h.charged()[number][0]+"/"+action, nil)
	h.must(err)
	if status != http.StatusOK {
		h.Fatalf("%s: %d", action, status)
	}
	events := h.api.Events()
	return events[len(events)-1]
}

// tell wants an event to be answered with a status.
func (h *hearing) tell(e omisetest.Event, want int, secrets ...[]byte) {
	h.Helper()
	status, err := e.Send(h.Context(), h.url, h.clock.now(), secrets...)
	h.must(err)
	if status != want {
		h.Errorf("%s is answered with %d, want %d", e.Key, status, want)
	}
}

// wantStatus asks konbill what it knows, which asks nobody.
func (h *hearing) wantStatus(number, want string) {
	h.Helper()
	p := h.start(nil, "status", number)
	<-p.ended
	if code := p.ProcessState.ExitCode(); code != exitDone || !strings.Contains(p.stdout.String(), want) {
		h.Errorf("status exits with %d and says no %s\n%s", code, want, p.stdout)
	}
}

// TestServeHearsWebhooks: the ledger has a payment as soon as the API tells, and
// an end that finishes what it heard.
func TestServeHearsWebhooks(t *testing.T) {
	t.Parallel()
	h := newHearing(t)
	p := h.serve()
	h.hear(p, `msg="hearing webhooks" address=`+h.url)
	h.drop("paid.csv", rowsOf("W-1", "W-2", "W-3"))
	h.hear(p, "rows=3 yen=9000 issued=3")

	paid := h.end("W-1", "mark_as_paid")
	h.tell(paid, http.StatusUnauthorized, []byte("the secret of somebody else, who"))
	h.hear(p, `msg="a webhook was refused`)
	h.wantStatus("W-1", "pending")
	h.tell(paid, http.StatusOK, h.secret)
	h.hear(p, "msg=webhook outcome=stored event="+paid.ID+" key=charge.complete charge="+paid.ChargeID+" payment=successful")
	h.wantStatus("W-1", "successful")
	h.tell(paid, http.StatusOK, []byte("the next one, which is not ours."), h.secret)
	h.hear(p, "msg=webhook outcome=twice event="+paid.ID)
	h.hear(p, `msg="results brought up to date" file=paid.csv`)
	metrics := h.get("/metrics")
	for _, line := range []string{
		`webhooks_total{outcome="stored"} 1`, `webhooks_total{outcome="twice"} 1`, `webhooks_total{outcome="refused"} 1`,
		`webhooks_total{outcome="failed"} 0`, `payments_yen_total{status="successful"} 3000`,
	} {
		if !strings.Contains(metrics, "konbill_"+line) {
			t.Errorf("metrics lack %s\n%s", line, metrics)
		}
	}
	elsewhere, err := http.Get(strings.TrimSuffix(h.url, "omise"))
	h.must(err)
	h.must(elsewhere.Body.Close())
	if elsewhere.StatusCode != http.StatusNotFound {
		t.Errorf("another path: %s", elsewhere.Status)
	}

	failed, recalled := h.end("W-2", "mark_as_failed"), h.end("W-3", "expire")
	order := h.hold("GET", "/charges/"+failed.ChargeID, 1)
	h.tell(failed, http.StatusOK, h.secret)
	<-order.come
	h.tell(recalled, http.StatusOK, h.secret) // waits behind it
	h.must(p.Process.Signal(syscall.SIGTERM))
	h.hear(p, draining)
	order.release()
	if code := h.night.end(p); code != exitDone {
		t.Errorf("ends with %d\n%s", code, p.stderr)
	}
	h.wantStatus("W-2", "failed")
	h.wantStatus("W-3", "expired")
	if said := p.stderr.String(); personalOrSecret(said, h.secret) {
		t.Errorf("says too much:\n%s", said)
	}
}

// TestServeAgreesWithTheAPI: whatever webhooks come, in whatever order, once or
// more, the ledger, the lists and the results in the outbox say in the end what
// the API says.
func TestServeAgreesWithTheAPI(t *testing.T) {
	t.Parallel()
	const id = "2026-12-01-mixed"
	h := newHearing(t)
	p := h.serve()
	numbers := numbered("X", 12)
	h.drop("mixed.csv", rowsOf(numbers...))
	h.hear(p, "id="+id+" rows=12 yen=36000 issued=12")
	want := map[string]string{}
	sums := map[string]int{}
	for i, number := range numbers {
		end := []struct{ action, status string }{
			{"mark_as_paid", "successful"}, {"mark_as_failed", "failed"}, {"expire", "expired"}, {"", "pending"},
		}[i%4]
		if end.action != "" {
			h.end(number, end.action)
		}
		want[number] = end.status
		sums[end.status]++
	}
	told := slices.Repeat(h.api.Events(), 3)
	random := rand.New(rand.NewPCG(1, 5))
	random.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
	told = told[:len(told)/4] // some come more than once, some never
	for _, e := range told {
		h.tell(e, http.StatusOK, h.secret)
	}
	h.stop(p) // it has heeded them all by then
	heeded := map[string]bool{}
	for _, e := range told {
		heeded[e.ChargeID] = true
	}
	if n := len(heeded); n == len(numbers) || n == len(told) {
		t.Fatalf("%d events are about %d charges: none is lost, or none doubled", len(told), n)
	}
	for number, made := range h.charged() {
		if heeded[made[0]] {
			h.wantStatus(number, want[number])
		}
	}
	h.konbill(exitDone, "sync")
	h.konbill(exitDone, "serve", "--once")
	h.wantOutbox(id, want)
	h.wantOutdated(0)
	for flag, statuses := range map[string][]string{"--open": {"pending"}, "--paid": {"successful"}, "--expired": {"expired", "failed"}} {
		list := h.start(nil, "status", flag, "--csv")
		<-list.ended
		rows := 0
		for _, status := range statuses {
			rows += sums[status]
			if got := strings.Count(list.stdout.String(), ","+status+","); got != sums[status] {
				t.Errorf("%s lists %d that are %s, want %d", flag, got, status, sums[status])
			}
		}
		if lines := strings.Count(list.stdout.String(), "\n"); lines != rows+1 {
			t.Errorf("%s lists %d lines", flag, lines)
		}
	}
}

func personalOrSecret(text string, secret []byte) bool {
	for _, word := range []string{"山田", "taro@", "0901111", string(secret), base64.StdEncoding.EncodeToString(secret)} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
