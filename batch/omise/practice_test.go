package omise_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise"
	"konbill/batch/omise/omisetest"
)

const (
	secretKey = "skey_test_5secretkeyofthetests"
	publicKey = "pkey_test_5publickeyofthetests"
)

// request is a charge to ask for; its personal data must never show in errors.
func request() batch.ChargeRequest {
	return batch.ChargeRequest{
		Key: "kb_0123456789abcdef0123456789abcdef", Number: "請求-1", Amount: 3000, Name: "ヤマダタロウ",
		Email: "taro.yamada@example.com", Phone: "09012345678", Description: "請求-1 12月分 月謝",
		ExpiresAt: time.Date(2030, 12, 31, 15, 0, 0, 987654321, time.UTC),
	}
}

// startPractice starts a practice API and ends it with the test.
func startPractice(t *testing.T, o omisetest.Options) *omisetest.Server {
	t.Helper()
	s := omisetest.NewServer(o)
	stop, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return s
}

func config(url string) omise.Config {
	return omise.Config{
		URL: url, SecretKey: secretKey, PublicKey: publicKey,
		RequestsPerSecond: 10_000, Timeout: 30 * time.Second, UserAgent: "konbill/test",
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func newClient(t *testing.T, c omise.Config) *omise.Client {
	t.Helper()
	client, err := omise.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// gatewayError checks what holds for every error: it is a GatewayError, and its
// text holds no key and nothing personal.
func gatewayError(t *testing.T, err error) *batch.GatewayError {
	t.Helper()
	var g *batch.GatewayError
	if !errors.As(err, &g) {
		t.Fatalf("not a GatewayError: %v", err)
	}
	for _, secret := range []string{
		secretKey, publicKey, "c2tleV90ZXN0", "ヤマダ", "%E3%83%A4", "taro.yamada", "09012345678", "PERSONAL",
	} {
		if strings.Contains(g.Error(), secret) {
			t.Errorf("the error holds %q: %v", secret, g)
		}
	}
	return g
}

// requestsTo counts the requests for a path.
func requestsTo(s *omisetest.Server, path string) int {
	n := 0
	for _, r := range s.Requests() {
		if r.Path == path {
			n++
		}
	}
	return n
}

var background = context.Background()
