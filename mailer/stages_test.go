package mailer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"konbill/mailer/mailertest"
)

// start starts a mail server and a mailer for it.
func start(t testing.TB, o mailertest.Options, change func(*SMTPConfig)) (*mailertest.Server, *SMTP) {
	t.Helper()
	server, err := mailertest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	config := SMTPConfig{
		Host: server.Host(), Port: server.Port(), TLS: o.TLS, RootCAs: server.RootCAs(),
		Username: o.Username, Password: o.Password, Connections: 1,
	}
	if config.TLS == "" {
		config.TLS = noTLS
	}
	if change != nil {
		change(&config)
	}
	s, err := NewSMTP(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return server, s
}

// numbered is the bill as mail number n, to a customer of its own.
func numbered(t testing.TB, n int) Envelope {
	m := bill()
	m.ID = MessageID(fmt.Sprintf("acct_1/test/INV-%d", n), 1, m.From)
	m.To = fmt.Sprintf("taro%d@example.com", n)
	return composed(t, m)
}

// Every way in which a delivery can fail, on a fresh connection and on one that
// has served before: what the mailer makes of it, and what the server has.
func TestEachStage(t *testing.T) {
	const unavailable, rejected, greylisted = 421, 550, 450
	for name, c := range map[string]struct {
		fault mailertest.Fault
		kind  Kind
		// stored says how many of the faulty mail the server has afterwards.
		stored int
		// A stale connection is one more try for free, so that on a reused
		// connection the fault at MAIL doesn't show.
		hidden bool
	}{
		"MAIL 5xx": {mailertest.Fault{At: mailertest.AtMAIL, Code: rejected}, NotSent, 0, false},
		"MAIL 4xx": {mailertest.Fault{At: mailertest.AtMAIL, Code: greylisted}, Deferred, 0, false},
		"MAIL 421": {mailertest.Fault{At: mailertest.AtMAIL, Code: unavailable}, Deferred, 0, true},
		"MAIL 530": {mailertest.Fault{At: mailertest.AtMAIL, Code: 530}, NotSent, 0, false},
		"MAIL cut": {mailertest.Fault{At: mailertest.AtMAIL}, NotSent, 0, true},
		"MAIL 354": {mailertest.Fault{At: mailertest.AtMAIL, Code: 354}, NotSent, 0, false},

		"RCPT 5xx": {mailertest.Fault{At: mailertest.AtRCPT, Code: rejected}, Refused, 0, false},
		"RCPT 4xx": {mailertest.Fault{At: mailertest.AtRCPT, Code: greylisted}, Deferred, 0, false},
		"RCPT 421": {mailertest.Fault{At: mailertest.AtRCPT, Code: unavailable}, Deferred, 0, false},
		"RCPT 530": {mailertest.Fault{At: mailertest.AtRCPT, Code: 530}, NotSent, 0, false},
		"RCPT cut": {mailertest.Fault{At: mailertest.AtRCPT}, NotSent, 0, false},

		"DATA 5xx": {mailertest.Fault{At: mailertest.AtDATA, Code: 554}, Refused, 0, false},
		"DATA 4xx": {mailertest.Fault{At: mailertest.AtDATA, Code: 451}, Deferred, 0, false},
		"DATA 250": {mailertest.Fault{At: mailertest.AtDATA, Code: 250}, NotSent, 0, false},
		"DATA cut": {mailertest.Fault{At: mailertest.AtDATA}, NotSent, 0, false},
		"data cut": {mailertest.Fault{At: mailertest.InData}, NotSent, 0, false},

		"dot 5xx": {mailertest.Fault{At: mailertest.AfterDot, Code: 552}, Refused, 0, false},
		"dot 4xx": {mailertest.Fault{At: mailertest.AfterDot, Code: 452}, Deferred, 0, false},
		"dot 421": {mailertest.Fault{At: mailertest.AfterDot, Code: unavailable}, Deferred, 0, false},
		"dot 354": {mailertest.Fault{At: mailertest.AfterDot, Code: 354}, Unknown, 0, false},
		"dot cut": {mailertest.Fault{At: mailertest.AfterDot}, Unknown, 1, false},
	} {
		for _, reused := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s reused=%v", name, reused), func(t *testing.T) {
				server, s := start(t, mailertest.Options{}, nil)
				before := 0
				if reused {
					deliver(t, s, numbered(t, 1))
					before = 1
				}
				server.Order(c.fault)
				big := numbered(t, 2)
				// No buffer on the way takes this whole: a cut shows while sending.
				big.Data = append(big.Data, bytes.Repeat([]byte("0123456789\r\n"), 1<<20)...)
				_, err := s.Deliver(t.Context(), big)
				stored := c.stored
				if reused && c.hidden {
					stored = 1
					if err != nil {
						t.Errorf("a stale connection wasn't replaced: %v", err)
					}
				} else {
					checkFault(t, err, c.kind, c.fault.Code)
				}
				if got := len(server.Messages()) - before; got != stored {
					t.Errorf("the server stored %d, want %d", got, stored)
				}
				// Whatever happened, the next mail goes through.
				deliver(t, s, numbered(t, 3))
			})
		}
	}
}

func deliver(t testing.TB, s *SMTP, e Envelope) {
	t.Helper()
	reply, err := s.Deliver(context.Background(), e)
	if err != nil || !strings.HasPrefix(reply, "250 2.0.0 OK") {
		t.Fatalf("%q, %v", reply, err)
	}
}

func checkFault(t testing.TB, err error, kind Kind, code int) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("no *Error: %v", err)
	}
	if e.Kind != kind || KindOf(fmt.Errorf("wrapped: %w", err)) != kind || e.Code != code {
		t.Errorf("kind %v, code %d (%v); want %v, %d", e.Kind, e.Code, err, kind, code)
	}
}

// After a refusal the same connection serves the next mail, with one RSET; a
// refusal after the dot needs none.
func TestRefusalsKeepTheConnection(t *testing.T) {
	server, s := start(t, mailertest.Options{}, nil)
	server.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 550, Recipient: "taro1@example.com"})
	server.Order(mailertest.Fault{At: mailertest.AfterDot, Code: 554, Recipient: "taro2@example.com"})
	for n := 1; n <= 3; n++ {
		_, err := s.Deliver(t.Context(), numbered(t, n))
		if n < 3 && KindOf(err) != Refused || n == 3 && err != nil {
			t.Errorf("mail %d: %v", n, err)
		}
	}
	if server.Connections() != 1 || server.Commands("RSET") != 1 || len(server.Messages()) != 1 {
		t.Errorf("%d connections, %q", server.Connections(), server.Transcript())
	}
}

// What comes after the accepting reply changes nothing.
func TestAnAcceptedMailStaysAccepted(t *testing.T) {
	server, s := start(t, mailertest.Options{}, nil)
	server.Order(mailertest.Fault{At: mailertest.AfterAnswer})
	deliver(t, s, numbered(t, 1))
	deliver(t, s, numbered(t, 2)) // on a connection of its own
	if len(server.Messages()) != 2 || server.Connections() != 2 {
		t.Errorf("%d mails over %d connections", len(server.Messages()), server.Connections())
	}
	// A refused RCPT whose RSET then fails is still a refused RCPT.
	server.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 550, Text: "no such user"})
	server.Order(mailertest.Fault{At: mailertest.AtRSET})
	_, err := s.Deliver(t.Context(), numbered(t, 3))
	checkFault(t, err, Refused, 550)
	deliver(t, s, numbered(t, 4))
}

// go-mail takes only 250 for acceptance; SMTP takes every 2xx.
func TestAnyPositiveAnswerAccepts(t *testing.T) {
	server, s := start(t, mailertest.Options{}, nil)
	server.Order(mailertest.Fault{At: mailertest.AfterDot, Code: 252, Text: "will try"})
	reply, err := s.Deliver(t.Context(), numbered(t, 1))
	if err != nil || reply != "252 will try" {
		t.Errorf("%q, %v", reply, err)
	}
}

// What goes wrong before MAIL is about the server or the login: no customer's
// mail is refused for it.
func TestServerTroubleIsNotTheCustomers(t *testing.T) {
	login := mailertest.Options{TLS: startTLS, Username: "shop", Password: "secret"}
	for _, at := range []mailertest.Point{mailertest.AtConnect, mailertest.AtEHLO, mailertest.AtSTARTTLS, mailertest.AtAUTH} {
		for _, code := range []int{0, 421, 454, 554} {
			server, s := start(t, login, nil)
			f := mailertest.Fault{At: at, Code: code, Text: "not today"}
			server.Order(f)
			if at == mailertest.AtEHLO { // a server that fails EHLO is asked with HELO
				server.Order(mailertest.Fault{At: "HELO", Code: code, Text: "not today"})
			}
			_, err := s.Deliver(t.Context(), numbered(t, 1))
			checkFault(t, err, NotSent, code)
			if len(server.Messages()) != 0 {
				t.Errorf("%s %d: stored", at, code)
			}
		}
	}
}

// Servers like to show the address that they refuse, and to talk at length.
func TestRepliesAreShortAndNameNobody(t *testing.T) {
	server, s := start(t, mailertest.Options{}, nil)
	server.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 550,
		Text: "5.1.1 <Taro7@Example.com>: user unknown\nsee\thttps://example.com/help\n" + strings.Repeat("長い", 300)})
	_, err := s.Deliver(t.Context(), numbered(t, 7))
	var e *Error
	if !errors.As(err, &e) || len([]rune(e.Reply)) != maxReply || !strings.HasPrefix(e.Reply, "5.1.1 <recipient>: user unknown see https://") {
		t.Errorf("%v", err)
	}
	if text := strings.ToLower(err.Error()); strings.Contains(text, "taro7") || strings.ContainsAny(text, "\r\n\t") {
		t.Errorf("%q", text)
	}
}

func TestAnErrorWithoutAKindIsUnknown(t *testing.T) {
	if KindOf(errors.New("something")) != Unknown {
		t.Error("an error that says nothing must not allow a second mail")
	}
	for kind, text := range map[Kind]string{Unknown: "unknown", NotSent: "not sent", Deferred: "deferred", Refused: "refused"} {
		if kind.String() != text {
			t.Errorf("%d is %s", kind, kind)
		}
	}
}
