package omise_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"konbill/batch"
	"konbill/batch/omise"
	"konbill/batch/omise/omisetest"
)

// discard takes what a server says of failed handshakes.
var discard = log.New(io.Discard, "", 0)

// bothFail makes both requests and checks that they fail with an outcome and
// name no charge.
func bothFail(t *testing.T, client *omise.Client, ctx context.Context, want batch.Outcome) {
	t.Helper()
	_, err := client.CreateSource(ctx, request())
	if got := outcome(t, err); got != want {
		t.Errorf("source: %s (%v)", got, err)
	}
	charge, err := client.CreateCharge(ctx, request())
	if got := outcome(t, err); got != want || charge != (batch.Charge{}) {
		t.Errorf("charge: %s (%v), %+v", got, err, charge)
	}
}

func TestClosedPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	bothFail(t, newClient(t, config("http://"+l.Addr().String())), background, batch.NotSent)
}

func TestUnknownHost(t *testing.T) {
	bothFail(t, newClient(t, config("https://api.konbill.invalid")), background, batch.NotSent)
}

func TestUntrustedCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request came through")
	}))
	server.Config.ErrorLog = discard
	server.StartTLS()
	defer server.Close()
	bothFail(t, newClient(t, config(server.URL)), background, batch.NotSent)
}

func TestCancelledBefore(t *testing.T) {
	api := startPractice(t, omisetest.Options{})
	client := newClient(t, config(api.URL()))
	if _, err := client.Account(background); err != nil { // a connection stands ready
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	bothFail(t, client, ctx, batch.NotSent)
	if _, err := client.Account(ctx); outcome(t, err) != batch.NotSent {
		t.Errorf("account: %v", err)
	}
	if n := len(api.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// rawServer speaks HTTP by hand and counts the POSTs that reach it. It answers
// GETs, keeping the connection; after that post decides what becomes of a POST.
type rawServer struct {
	url   string
	posts atomic.Int32
}

const rawAccount = `{"object":"account","id":"account_test_1","livemode":false}`

func startRaw(t *testing.T, post func(net.Conn), afterGet func(net.Conn)) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{url: "http://" + l.Addr().String()}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(conn, post, afterGet) })
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return s
}

func (s *rawServer) serve(conn net.Conn, post, afterGet func(net.Conn)) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if r.Method == http.MethodPost {
			s.posts.Add(1)
			post(conn)
			return
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(rawAccount), rawAccount)
		if afterGet != nil {
			afterGet(conn)
			return
		}
	}
}

// TestTransportNeverRepeats: Go repeats a request by itself when a kept
// connection breaks before an answer, if it believes that harmless. The control
// shows that this server makes it do so.
func TestTransportNeverRepeats(t *testing.T) {
	hangUp := func(net.Conn) {}
	reset := func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }
	for name, post := range map[string]func(net.Conn){"closed": hangUp, "reset": reset} {
		t.Run(name, func(t *testing.T) {
			s := startRaw(t, post, nil)
			client := newClient(t, config(s.url))
			if _, err := client.Account(background); err != nil {
				t.Fatal(err)
			}
			charge, err := client.CreateCharge(background, request())
			if got := outcome(t, err); got != batch.UnknownOutcome || charge.ID != "" {
				t.Errorf("charge: %s (%v)", got, err)
			}
			if n := s.posts.Load(); n != 1 {
				t.Errorf("the charge was posted %d times", n)
			}
		})
	}
	t.Run("control", func(t *testing.T) {
		s := startRaw(t, hangUp, nil)
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, err := http.NewRequest(method, s.url, strings.NewReader("a=b"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Idempotency-Key", "1")
			if answer, err := transport.RoundTrip(r); err == nil {
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		}
		if n := s.posts.Load(); n != 2 {
			t.Errorf("with an idempotency key the POST came %d times, so this server proves nothing", n)
		}
	})
}

// TestConnectionClosedWhileIdle: the server closes a kept connection just when
// the client may be about to use it. However that race ends, the POST arrives
// once at most.
func TestConnectionClosedWhileIdle(t *testing.T) {
	answer := func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n") }
	for range 30 {
		s := startRaw(t, answer, func(net.Conn) {})
		client := newClient(t, config(s.url))
		if _, err := client.Account(background); err != nil {
			t.Fatal(err)
		}
		_, err := client.CreateCharge(background, request())
		if got := outcome(t, err); got != batch.UnknownOutcome {
			t.Errorf("charge: %s (%v)", got, err)
		}
		if n := s.posts.Load(); n > 1 {
			t.Fatalf("the charge was posted %d times", n)
		}
	}
}

// TestNotHTTP: Go's own error quotes what came; ours must not.
func TestNotHTTP(t *testing.T) {
	s := startRaw(t, func(c net.Conn) { fmt.Fprint(c, "PERSONAL data\r\n\r\n") }, nil)
	bothFail(t, newClient(t, config(s.url)), background, batch.UnknownOutcome)
}

// TestEndlessHeader bounds what comes before an answer's body, too.
func TestEndlessHeader(t *testing.T) {
	s := startRaw(t, func(c net.Conn) {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\n")
		line := "X-PERSONAL: " + strings.Repeat("a", 1000) + "\r\n"
		for range 1_000_000 {
			if _, err := io.WriteString(c, line); err != nil {
				return
			}
		}
		t.Error("the client read a header of a gigabyte")
	}, nil)
	bothFail(t, newClient(t, config(s.url)), background, batch.UnknownOutcome)
}
