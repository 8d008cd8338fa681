package omise_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
)

// TestOutcomes orders every fault for both requests and compares what the
// client says with what the API really did.
func TestOutcomes(t *testing.T) {
	const ok = batch.Outcome("")
	for _, c := range []struct {
		fault  omisetest.Fault
		source batch.Outcome // what the client says
		charge batch.Outcome
		code   string
		made   int  // charges the API made
		named  bool // the client names the charge that was made
	}{
		{omisetest.Fault{Kind: omisetest.CutBefore}, batch.UnknownOutcome, batch.UnknownOutcome, "connection_cut", 0, false},
		{omisetest.Fault{Kind: omisetest.CutAfter}, batch.UnknownOutcome, batch.UnknownOutcome, "connection_cut", 1, false},
		{omisetest.Fault{Kind: omisetest.Error500Before}, batch.UnknownOutcome, batch.UnknownOutcome, "internal_error", 0, false},
		{omisetest.Fault{Kind: omisetest.Error500After}, batch.UnknownOutcome, batch.UnknownOutcome, "internal_error", 1, false},
		{omisetest.Fault{Kind: omisetest.BadGateway}, batch.UnknownOutcome, batch.UnknownOutcome, "unexpected_answer", 1, false},
		{omisetest.Fault{Kind: omisetest.Truncated}, batch.UnknownOutcome, batch.UnknownOutcome, "answer_cut", 1, true},
		{omisetest.Fault{Kind: omisetest.TooManyRequests}, batch.TooMany, batch.TooMany, "too_many_requests", 0, false},
		{omisetest.Fault{Kind: omisetest.Late}, batch.UnknownOutcome, batch.UnknownOutcome, "timeout", 1, false},
		{omisetest.Fault{Kind: omisetest.Redirect307}, batch.UnknownOutcome, batch.UnknownOutcome, "redirected", 0, false},
		{omisetest.Fault{Kind: omisetest.BackendError}, batch.UnknownOutcome, batch.UnknownOutcome, "backend_error", 0, false},
		{omisetest.Fault{Kind: omisetest.BackendError, Commit: true}, batch.UnknownOutcome, batch.UnknownOutcome, "backend_error", 1, false},
		{omisetest.Fault{Kind: omisetest.WrongLivemode}, batch.Unauthorized, batch.Unauthorized, "livemode_mismatch", 1, true},
		{omisetest.Fault{Kind: omisetest.WrongAmount}, batch.UnknownOutcome, batch.UnknownOutcome, "amount_mismatch", 1, true},
		{omisetest.Fault{Kind: omisetest.NullPaymentCode}, ok, ok, "", 1, true},
		{omisetest.Fault{Kind: omisetest.ForeignAuthorizeURI}, ok, ok, "", 1, true},
		{omisetest.Fault{Kind: omisetest.HugeBody}, batch.UnknownOutcome, batch.UnknownOutcome, "answer_too_large", 1, true},
	} {
		name := string(c.fault.Kind)
		if c.fault.Commit {
			name += "_committing"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := startPractice(t, omisetest.Options{})
			settings := config(api.URL())
			if c.fault.Kind == omisetest.Late {
				settings.Timeout = 500 * time.Millisecond
			}
			client := newClient(t, settings)
			if _, err := client.Account(background); err != nil { // later requests reuse its connection
				t.Fatal(err)
			}
			api.Order(c.fault)
			source, err := client.CreateSource(background, request())
			if got := outcome(t, err); got != c.source || (source != "") != (got == ok) {
				t.Errorf("source %q: %s (%v)", source, got, err)
			}
			api.Order(c.fault)
			charge, err := client.CreateCharge(background, request())
			if got := outcome(t, err); got != c.charge {
				t.Errorf("charge: %s (%v)", got, err)
			}
			if err != nil && gatewayError(t, err).Code != c.code {
				t.Errorf("code: %v", err)
			}
			made := api.Charges()
			if len(made) != c.made {
				t.Fatalf("the API made %d charges", len(made))
			}
			if named := charge.ID != ""; named != c.named || named && charge.ID != made[0].ID {
				t.Errorf("the client names %q, the API made %v", charge.ID, made)
			}
			if n, m := requestsTo(api, "/sources"), requestsTo(api, "/charges"); n != 1 || m != 1 {
				t.Errorf("%d and %d requests", n, m)
			}
		})
	}
}

// outcome is empty when there is no error.
func outcome(t *testing.T, err error) batch.Outcome {
	t.Helper()
	if err == nil {
		return ""
	}
	return gatewayError(t, err).Outcome
}

func TestNullPaymentCodeAndForeignLinkAreStored(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	client := newClient(t, config(api.URL()))
	api.Order(omisetest.Fault{Kind: omisetest.NullPaymentCode}, omisetest.Fault{Kind: omisetest.ForeignAuthorizeURI})
	if c, err := client.CreateCharge(background, request()); err != nil || c.PaymentCode != "" || c.AuthorizeURI == "" {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := client.CreateCharge(background, request()); err != nil || c.AuthorizeURI != "https://pay.example.com/"+c.ID {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestRefusalsOfTheAPI(t *testing.T) {
	api := startPractice(t, omisetest.Options{SecretKey: secretKey})
	client := newClient(t, config(api.URL()))
	r := request()
	r.Name, r.Email = "ヤマダタロウ・ヤマダタロウ", "x"
	_, err := client.CreateCharge(background, r)
	g := gatewayError(t, err)
	want := "name is too long (maximum is 10 characters) and email is too short (minimum is 6 characters)"
	if g.Outcome != batch.DeclinedOutcome || g.Status != 400 || g.Code != "bad_request" || g.Message != want {
		t.Errorf("bad fields: %+v", g)
	}
	r = request()
	r.SourceID = "src_test_none"
	_, err = client.CreateCharge(background, r)
	if g := gatewayError(t, err); g.Outcome != batch.DeclinedOutcome || g.Status != 404 {
		t.Errorf("unknown source: %+v", g)
	}
	c := config(api.URL())
	c.SecretKey += "x"
	_, err = newClient(t, c).CreateCharge(background, request())
	if g := gatewayError(t, err); g.Outcome != batch.Unauthorized || g.Status != 401 {
		t.Errorf("wrong key: %+v", g)
	}
	if n := len(api.Charges()); n != 0 {
		t.Errorf("%d charges", n)
	}
}

// TestInterruptedOnTheWay cancels a request that has reached the API.
func TestInterruptedOnTheWay(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	ctx, cancel := context.WithCancel(background)
	arrived := func(*http.Request) bool {
		cancel()
		return true
	}
	api.Order(omisetest.Fault{Kind: omisetest.Late, Path: "/charges", Match: arrived})
	_, err := newClient(t, config(api.URL())).CreateCharge(ctx, request())
	if g := gatewayError(t, err); g.Outcome != batch.UnknownOutcome || g.Code != "interrupted" || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v", g)
	}
}

// TestAfterTooManyNobodySends: one worker's 429 is everyone's.
func TestAfterTooManyNobodySends(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	client := newClient(t, config(api.URL()))
	api.Order(omisetest.Fault{Kind: omisetest.TooManyRequests, RetryAfter: 7 * time.Second})
	_, err := client.CreateCharge(background, request())
	if g := gatewayError(t, err); g.RetryAfter != 7*time.Second {
		t.Errorf("%+v", g)
	}
	ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
	defer cancel()
	if err := client.Turn(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a turn while resting: %v", err)
	}
	_, err = client.Account(ctx)
	if g := gatewayError(t, err); g.Outcome != batch.NotSent || len(api.Requests()) != 1 {
		t.Errorf("a question while resting: %+v", g)
	}
}
