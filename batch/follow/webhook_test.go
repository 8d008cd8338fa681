package follow_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/follow"
	"konbill/batch/omise/omisetest"
)

var (
	secret    = []byte("0123456789abcdef0123456789abcdef")
	newSecret = []byte("fedcba9876543210fedcba9876543210")
)

// hearing is an office that hears of payments.
type hearing struct {
	*office
	webhook *follow.Webhook
	heeding *follow.Follower
	url     string

	mu      sync.Mutex
	notices []follow.Notice
}

func newHearing(t *testing.T, secrets ...[]byte) *hearing {
	t.Helper()
	if len(secrets) == 0 {
		secrets = [][]byte{secret}
	}
	h := &hearing{office: newOffice(t)}
	heeding := *h.follower
	heeding.Who = "webhook"
	h.heeding = &heeding
	h.webhook = follow.NewWebhook(h.heeding, secrets, func(n follow.Notice) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.notices = append(h.notices, n)
	})
	server := httptest.NewServer(h.webhook)
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// event finds what the practice API has to tell of a charge.
func (h *hearing) event(c batch.Charge, key string) omisetest.Event {
	h.Helper()
	for _, e := range h.api.Events() {
		if e.ChargeID == c.ID && e.Key == key {
			return e
		}
	}
	h.Fatalf("the practice API has no %s of %s", key, c.ID)
	return omisetest.Event{}
}

// paid pays a charge and returns what is to be told of it.
func (h *hearing) paid(c batch.Charge) omisetest.Event {
	h.Helper()
	h.post(c, "mark_as_paid")
	return h.event(c, "charge.complete")
}

// send wants an event to be answered with a status.
func (h *hearing) send(e omisetest.Event, at time.Time, want int, secrets ...[]byte) {
	h.Helper()
	status, err := e.Send(h.Context(), h.url, at, secrets...)
	h.must(err)
	if status != want {
		h.Errorf("%s of %s is answered with %d, want %d", e.Key, e.ChargeID, status, want)
	}
}

// work heeds all that waits, and returns how many it left.
func (h *hearing) work(ctx context.Context) (left int) {
	closing := make(chan struct{})
	close(closing)
	return h.webhook.Run(ctx, closing)
}

// outcomes are those told since the last time, once all that waits is heeded.
func (h *hearing) outcomes() []follow.Outcome {
	h.Helper()
	h.work(h.Context())
	h.mu.Lock()
	defer h.mu.Unlock()
	var outcomes []follow.Outcome
	for _, n := range h.notices {
		outcomes = append(outcomes, n.Outcome)
	}
	h.notices = nil
	return outcomes
}

func (h *hearing) wantOutcomes(want ...follow.Outcome) {
	h.Helper()
	if got := h.outcomes(); !slices.Equal(got, want) {
		h.Errorf("outcomes %q, want %q", got, want)
	}
}

func TestWebhook(t *testing.T) {
	h := newHearing(t)
	c := h.issue("A-1")
	e := h.paid(c)
	h.send(e, h.now(), http.StatusOK, secret)
	if _, singles := h.reads(); singles != 0 || h.entry("A-1").Charge.Status != "pending" {
		t.Error("something was done before the answer")
	}
	h.work(t.Context())
	if n := h.notices[0]; n != (follow.Notice{
		Outcome: follow.Stored, Event: follow.Event{ID: e.ID, Key: "charge.complete", ChargeID: c.ID}, Entry: h.entry("A-1"), Was: "pending",
	}) {
		t.Errorf("told %+v", n)
	}
	h.equalsAPI()
	events := h.events("A-1")
	if last := events[len(events)-1]; len(events) != 2 || last.Who != "webhook" || last.Why != "the payment is successful, was pending" {
		t.Errorf("events %+v", events)
	}
	h.want(h.sync(), nil, 0, 0)
}

// TestWebhookTwice: an event that comes again, at once or later, does nothing.
func TestWebhookTwice(t *testing.T) {
	h := newHearing(t)
	e := h.paid(h.issue("B-1"))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { h.send(e, opening, http.StatusOK, secret) })
	}
	group.Wait()
	twice := slices.Repeat([]follow.Outcome{follow.Twice}, 7)
	h.wantOutcomes(append([]follow.Outcome{follow.Stored}, twice...)...)
	h.later(20 * 24 * time.Hour)
	h.send(e, h.now(), http.StatusOK, secret)
	h.wantOutcomes(follow.Twice)
	if _, singles := h.reads(); singles != 1 || len(h.events("B-1")) != 2 {
		t.Errorf("%d requests, %d events", singles, len(h.events("B-1")))
	}
	h.later(20 * 24 * time.Hour)
	h.send(h.event(h.issue("B-2"), "charge.create"), h.now(), http.StatusOK, secret) // makes the first be forgotten
	h.send(e, h.now(), http.StatusOK, secret)
	h.wantOutcomes(follow.Unchanged, follow.Unchanged)
}

// TestWebhookNotBelieved: nobody who lacks a secret is heard, and none is told
// why.
func TestWebhookNotBelieved(t *testing.T) {
	h := newHearing(t)
	e := h.paid(h.issue("C-1"))
	changed := e
	changed.Body = bytes.Replace(e.Body, []byte(`"successful"`), []byte(`"reversed"`), 1)
	huge := e
	huge.Body = append(bytes.Clone(e.Body), bytes.Repeat([]byte(" "), 256<<10)...)
	now := h.now()
	h.send(e, now, http.StatusUnauthorized, newSecret)
	h.send(e, now, http.StatusUnauthorized)
	h.send(e, now, http.StatusUnauthorized, []byte{})
	h.send(e, now.Add(-6*time.Minute), http.StatusUnauthorized, secret)
	h.send(e, now.Add(6*time.Minute), http.StatusUnauthorized, secret)
	h.send(huge, now, http.StatusRequestEntityTooLarge, secret)
	h.send(e, now, http.StatusUnauthorized, append(slices.Repeat([][]byte{newSecret}, 8), secret)...)

	sent := func(header http.Header, body []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url, bytes.NewReader(body))
		h.must(err)
		r.Header = header
		answer, err := http.DefaultClient.Do(r)
		h.must(err)
		defer answer.Body.Close()
		said, err := io.ReadAll(answer.Body)
		h.must(err)
		if answer.StatusCode != http.StatusUnauthorized || len(said) != 0 {
			t.Errorf("%v: %s %q", header, answer.Status, said)
		}
	}
	signed := h.signature(e)
	sent(http.Header{}, e.Body)
	sent(signed, changed.Body)
	for _, at := range []string{"", "now", "1e9", "99999999999999999999", "-9223372036854775808", "9223372036854775807"} {
		header := signed.Clone()
		header.Set("Omise-Signature-Timestamp", at)
		sent(header, e.Body)
	}
	for _, text := range []string{"", ",", "zz", signed.Get("Omise-Signature")[2:], base64.StdEncoding.EncodeToString(secret)} {
		header := signed.Clone()
		header.Set("Omise-Signature", text)
		sent(header, e.Body)
	}
	answer, err := http.Get(h.url)
	h.must(err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a GET: %s", answer.Status)
	}
	if got := h.outcomes(); len(got) != 21 || slices.ContainsFunc(got, func(o follow.Outcome) bool { return o != follow.Refused }) {
		t.Errorf("outcomes %q", got)
	}
	if _, singles := h.reads(); singles != 0 || h.entry("C-1").Charge.Status != "pending" {
		t.Errorf("%d requests, %s", singles, h.entry("C-1").Charge.Status)
	}
}

// signature overhears how an event is signed now.
func (h *hearing) signature(e omisetest.Event) http.Header {
	h.Helper()
	var header http.Header
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { header = r.Header }))
	defer listener.Close()
	_, err := e.Send(h.Context(), listener.URL, h.now(), secret)
	h.must(err)
	return header
}

// TestWebhookKnownAnswer checks a signature that another program made:
//
//	printf '1796086800.{"id":"evnt_test_1"}' | openssl dgst -sha256 -mac HMAC -macopt key:0123456789abcdef0123456789abcdef
func TestWebhookKnownAnswer(t *testing.T) {
	h := newHearing(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url, strings.NewReader(`{"id":"evnt_test_1"}`))
	h.must(err)
	r.Header.Set("Omise-Signature-Timestamp", fmt.Sprint(opening.Unix()))
	r.Header.Set("Omise-Signature", "25004cd9126bb7e4f4ac9ef68d5ab53db8e8bfe876a935820fa252bf11cbb5b5")
	answer, err := http.DefaultClient.Do(r)
	h.must(err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s", answer.Status)
	}
	h.wantOutcomes(follow.Ignored) // it is about no charge
}

// TestWebhookSecretIsChanged: while the sender and we change it, in whatever
// order, no event is refused.
func TestWebhookSecretIsChanged(t *testing.T) {
	for _, c := range []struct {
		ours, theirs [][]byte
		status       int
	}{
		{[][]byte{secret}, [][]byte{newSecret, secret}, http.StatusOK},
		{[][]byte{secret, newSecret}, [][]byte{secret}, http.StatusOK},
		{[][]byte{secret, newSecret}, [][]byte{newSecret}, http.StatusOK},
		{[][]byte{newSecret}, [][]byte{secret, newSecret}, http.StatusOK},
		{[][]byte{newSecret}, [][]byte{secret}, http.StatusUnauthorized},
	} {
		h := newHearing(t, c.ours...)
		h.send(h.paid(h.issue("D-1")), h.now(), c.status, c.theirs...)
	}
}

// TestWebhooksOfOthers: what isn't about a charge of the ledger is taken and
// forgotten.
func TestWebhooksOfOthers(t *testing.T) {
	h := newHearing(t)
	h.issue("E-1")
	second, stray := h.charge("E-1"), h.charge("E-2")
	h.send(h.paid(second), h.now(), http.StatusOK, secret) // a second charge of an invoice is a sync's concern
	h.send(h.paid(stray), h.now(), http.StatusOK, secret)
	for _, body := range []string{
		`{"id":"evnt_test_x1","key":"charge.complete","data":{"object":"charge","id":"chrg_test_gone"}}`,
		`{"id":"evnt_test_x2","key":"transfer.send","data":{"object":"transfer","id":"chrg_test_gone"}}`,
		`{"id":"evnt_test_x3","key":"charge.complete"}`,
		`{"id":"evnt_test_x4","key":"charge.complete","data":null}`,
		`{"id":"evnt_test_x5","key":"charge.complete","data":"chrg_test_gone"}`,
		`{"id":"evnt_test_x6","key":"charge.complete","data":{"object":"charge","id":"../account"}}`,
		`{"id":"山田太郎","key":"charge.complete","data":{"object":"charge","id":"chrg_test_gone"}}`,
		`[]`, `null`, ``, `<html>`,
	} {
		h.send(omisetest.Event{Body: []byte(body)}, h.now(), http.StatusOK, secret)
	}
	h.work(t.Context())
	for _, n := range h.notices {
		if n.Outcome != follow.Ignored || n.Err != nil || strings.Contains(fmt.Sprint(n), "山田") {
			t.Errorf("told %+v", n)
		}
	}
	if len(h.notices) != 13 {
		t.Errorf("told %d times", len(h.notices))
	}
	if _, singles := h.reads(); singles != 3 {
		t.Errorf("%d charges were asked for", singles)
	}
	if e := h.entry("E-1"); e.Charge.Status != "pending" || len(h.events("E-1")) != 1 {
		t.Errorf("the invoice became %+v", e.Charge)
	}
}

// foreign makes a charge that another system of the same account would make.
func (o *office) foreign() batch.Charge {
	o.Helper()
	form := url.Values{"amount": {"3000"}, "currency": {"JPY"}, "source[type]": {"econtext"}, "source[name]": {"山田太郎"},
		"source[email]": {"taro@example.jp"}, "source[phone_number]": {"09011112222"}, "metadata[order]": {"O-1"}}
	request, err := http.NewRequestWithContext(o.Context(), http.MethodPost, o.api.URL()+"/charges", strings.NewReader(form.Encode()))
	o.must(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(secretKey, "")
	answer, err := http.DefaultClient.Do(request)
	o.must(err)
	defer answer.Body.Close()
	var made struct {
		ID string `json:"id"`
	}
	o.must(json.NewDecoder(answer.Body).Decode(&made))
	if made.ID == "" {
		o.Fatal(answer.Status)
	}
	return batch.Charge{ID: made.ID}
}

// TestChargesOfAnotherSystem are no concern of ours, paid or not.
func TestChargesOfAnotherSystem(t *testing.T) {
	h := newHearing(t)
	h.issue("P-1")
	h.foreign()
	h.send(h.paid(h.foreign()), h.now(), http.StatusOK, secret)
	h.wantOutcomes(follow.Ignored)
	s := h.sync()
	h.want(s, nil, 1, 0)
	if s.Listed != 3 {
		t.Errorf("%d charges were listed", s.Listed)
	}
}

// TestWebhooksInAnyOrder: doubled, mixed up, and some of them lost, together with
// syncs and a run that mails, they leave the ledger as the API has it.
func TestWebhooksInAnyOrder(t *testing.T) {
	for seed := range uint64(8) {
		h := newHearing(t)
		random := rand.New(rand.NewPCG(seed, 5))
		actions := []string{"mark_as_paid", "mark_as_failed", "expire", ""}
		for i := range 12 {
			c := h.issue(fmt.Sprint("F-", i))
			if action := actions[i%len(actions)]; action != "" {
				h.post(c, action)
			}
		}
		sent := slices.Repeat(h.api.Events(), 3)
		random.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
		sent = sent[:len(sent)/2]
		closing, ended := make(chan struct{}), make(chan int)
		go func() { ended <- h.webhook.Run(t.Context(), closing) }()
		var group sync.WaitGroup
		group.Go(func() { h.sync() })
		for _, part := range [][]omisetest.Event{sent[:len(sent)/2], sent[len(sent)/2:]} {
			group.Go(func() {
				for _, e := range part {
					h.send(e, opening, http.StatusOK, secret)
				}
			})
		}
		group.Wait()
		close(closing)
		if left := <-ended; left != 0 {
			t.Errorf("left %d", left)
		}
		if s := h.sync(); s.NeedsPerson() != 0 || s.Open.Rows != 3 {
			t.Errorf("%d for a person, %d open", s.NeedsPerson(), s.Open.Rows)
		}
		h.equalsAPI()
		for i := range 12 {
			if n := len(h.events(fmt.Sprint("F-", i))); n > 2 {
				t.Errorf("F-%d has %d events", i, n)
			}
		}
	}
}

// TestLateWebhook: news of long ago undo nothing, since the charge is asked for.
func TestLateWebhook(t *testing.T) {
	h := newHearing(t)
	c := h.issue("G-1")
	paid := h.paid(c)
	h.send(paid, h.now(), http.StatusOK, secret)
	h.send(h.event(c, "charge.create"), h.now(), http.StatusOK, secret) // it says pending
	h.wantOutcomes(follow.Stored, follow.Unchanged)
	h.equalsAPI()
}

// TestWebhookThatContradicts: what can't have come of a charge is left to a
// person, whom the sync tells.
func TestWebhookThatContradicts(t *testing.T) {
	h := newHearing(t)
	c := h.charge("H-1")
	c.Amount++
	h.record("H-1", c)
	h.send(h.paid(c), h.now(), http.StatusOK, secret)
	h.wantOutcomes(follow.Contradicted)
	if s := h.sync(); len(s.Contradicted) != 1 || h.entry("H-1").Charge.Status != "pending" {
		t.Errorf("contradicted %d, %s", len(s.Contradicted), h.entry("H-1").Charge.Status)
	}
}

// TestTooManyWebhooks: one beyond what can wait is to come again, and can.
func TestTooManyWebhooks(t *testing.T) {
	h := newHearing(t)
	first, second := h.paid(h.issue("I-1")), h.paid(h.issue("I-2"))
	taken, status := 0, http.StatusOK
	for ; status == http.StatusOK && taken < 10_000; taken++ {
		var err error
		status, err = first.Send(t.Context(), h.url, h.now(), secret)
		h.must(err)
	}
	h.send(second, h.now(), http.StatusServiceUnavailable, secret)
	twice := slices.Repeat([]follow.Outcome{follow.Twice}, taken-2)
	h.wantOutcomes(append([]follow.Outcome{follow.Busy, follow.Busy, follow.Stored}, twice...)...)
	h.send(second, h.now(), http.StatusOK, secret)
	h.wantOutcomes(follow.Stored)
	h.equalsAPI()
}

// TestWebhookWhileTheAPIFails: the event isn't remembered, so it may come again;
// at the end what else waits is left to the next sync.
func TestWebhookWhileTheAPIFails(t *testing.T) {
	h := newHearing(t)
	first, second := h.paid(h.issue("J-1")), h.paid(h.issue("J-2"))
	h.api.Order(omisetest.Fault{Kind: omisetest.BadGateway, Method: "GET", Path: "/charges/", Count: 1000})
	h.send(first, h.now(), http.StatusOK, secret)
	h.send(second, h.now(), http.StatusOK, secret)
	left := h.work(t.Context())
	if len(h.notices)+left != 2 || len(h.notices) == 0 {
		t.Errorf("told of %d, left %d", len(h.notices), left)
	}
	for _, n := range h.notices {
		if g := new(batch.GatewayError); !errors.As(n.Err, &g) || n.Outcome != follow.Failed {
			t.Errorf("told %+v", n)
		}
	}
	h.api.Forgive()
	h.outcomes()
	h.send(first, h.now(), http.StatusOK, secret)
	h.send(second, h.now(), http.StatusOK, secret)
	if got := h.outcomes(); !slices.Contains(got, follow.Stored) || slices.Contains(got, follow.Failed) {
		t.Errorf("outcomes %q", got)
	}
	h.equalsAPI()
}

// TestWebhookIsCutShort: one told to end at once ends.
func TestWebhookIsCutShort(t *testing.T) {
	h := newHearing(t)
	h.send(h.paid(h.issue("K-1")), h.now(), http.StatusOK, secret)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	h.webhook.Run(ctx, nil)
	if e := h.entry("K-1"); e.Charge.Status != "pending" {
		t.Errorf("stored %s under an ended context", e.Charge.Status)
	}
	h.want(h.sync(), map[string]string{"K-1": "successful"}, 0, 0)
}

func TestParseSecrets(t *testing.T) {
	one, two := base64.StdEncoding.EncodeToString(secret), base64.StdEncoding.EncodeToString(newSecret)
	got, err := follow.ParseSecrets("  " + one + "\r\n\n" + two + "\n")
	if err != nil || len(got) != 2 || !bytes.Equal(got[0], secret) || !bytes.Equal(got[1], newSecret) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := follow.ParseSecrets(" \n"); len(got) != 0 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for text, nth := range map[string]int{
		"geheim": 1, one + "\n" + two[1:]: 2, one + "\nc2hvcnQ=": 2, "skey_test_0123456789abcdef": 1,
	} {
		_, err := follow.ParseSecrets(text)
		if wrong := new(follow.SecretError); !errors.As(err, &wrong) || wrong.Nth != nth || strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
