package mailer

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"konbill/mailer/mailertest"
)

func TestOneConnectionServesManyMails(t *testing.T) {
	server, s := start(t, mailertest.Options{}, nil)
	for n := range 20 {
		deliver(t, s, numbered(t, n))
	}
	s.Close()
	for verb, want := range map[string]int{"EHLO": 1, "MAIL": 20, "RCPT": 20, "DATA": 20, "NOOP": 0, "RSET": 0, "QUIT": 1} {
		if got := server.Commands(verb); got != want {
			t.Errorf("%s: %d times, want %d", verb, got, want)
		}
	}
	if server.Connections() != 1 {
		t.Errorf("%d connections", server.Connections())
	}
	for n, m := range server.Messages() {
		if e := numbered(t, n); m.To != e.To || m.From != e.From || !bytes.Equal(m.Data, e.Data) {
			t.Errorf("mail %d arrived otherwise than it was sent", n)
		}
	}
}

// The server saw the very bytes that were composed, lines of a dot included.
func TestDotsSurvive(t *testing.T) {
	server, s := start(t, mailertest.Options{}, nil)
	e := numbered(t, 1)
	e.Data = append(e.Data, "..\r\n.\r\n.x\r\n"...)
	deliver(t, s, e)
	if got := server.Messages()[0].Data; !bytes.Equal(got, e.Data) {
		t.Errorf("arrived as %q", got[len(got)-40:])
	}
}

func TestCarrierAddressesInTheTranscript(t *testing.T) {
	for address, path := range carrierPaths {
		server, s := start(t, mailertest.Options{}, nil)
		m := bill()
		m.To = address
		deliver(t, s, composed(t, m))
		transcript := strings.Join(server.Transcript(), "\n")
		if !strings.Contains(transcript, "\nRCPT TO:<"+path+">\n") || strings.Contains(transcript, "SMTPUTF8") {
			t.Errorf("%s:\n%s", address, transcript)
		}
		if got := server.Messages()[0].To; got != address {
			t.Errorf("the server read %s as %s", address, got)
		}
	}
}

func TestTLSAndLogin(t *testing.T) {
	for _, mode := range []string{startTLS, implicitTLS} {
		server, s := start(t, mailertest.Options{TLS: mode, Username: "shop", Password: "se cret"}, nil)
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		deliver(t, s, numbered(t, 1))
		deliver(t, s, numbered(t, 2))
		if server.Connections() != 2 || server.Commands("AUTH") != 2 || len(server.Messages()) != 2 {
			t.Errorf("%s: %q", mode, server.Transcript())
		}
		if mode == startTLS {
			first := strings.Join(server.Transcript()[:4], " ")
			if !strings.Contains(first, "STARTTLS EHLO") || !strings.HasSuffix(first, "AUTH PLAIN") {
				t.Errorf("the login didn't wait for TLS: %s", first)
			}
		}
	}
}

func TestAnUntrustedServerGetsNothing(t *testing.T) {
	for _, mode := range []string{startTLS, implicitTLS} {
		server, s := start(t, mailertest.Options{TLS: mode, Username: "shop", Password: "secret"}, func(c *SMTPConfig) { c.RootCAs = x509.NewCertPool() })
		_, err := s.Deliver(t.Context(), numbered(t, 1))
		checkFault(t, err, NotSent, 0)
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: %v", mode, err)
		}
		if server.Commands("AUTH")+server.Commands("MAIL") != 0 {
			t.Errorf("%s: %q", mode, server.Transcript())
		}
	}
}

func TestAServerWithoutTLSGetsNothing(t *testing.T) {
	server, s := start(t, mailertest.Options{Username: "shop", Password: "secret"}, func(c *SMTPConfig) { c.TLS = startTLS })
	_, err := s.Deliver(t.Context(), numbered(t, 1))
	checkFault(t, err, NotSent, 0)
	if !strings.Contains(err.Error(), "STARTTLS") || server.Commands("AUTH")+server.Commands("MAIL") != 0 {
		t.Errorf("%v, %q", err, server.Transcript())
	}
}

// A wrong password is a matter of configuration. It is tried once a minute, so
// that a run of thousands doesn't lock the account.
func TestAWrongPasswordIsNotTriedForEveryCustomer(t *testing.T) {
	server, s := start(t, mailertest.Options{TLS: startTLS, Username: "shop", Password: "secret"}, func(c *SMTPConfig) { c.Password = "wrong" })
	now := time.Now()
	s.now = func() time.Time { return now }
	for n := range 5 {
		_, err := s.Deliver(t.Context(), numbered(t, n))
		checkFault(t, err, NotSent, 535)
		if !strings.Contains(err.Error(), "password") || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%v", err)
		}
	}
	if server.Commands("AUTH") != 1 || server.Connections() != 1 {
		t.Errorf("%d logins over %d connections", server.Commands("AUTH"), server.Connections())
	}
	now = now.Add(loginPause)
	s.Deliver(t.Context(), numbered(t, 6))
	if server.Commands("AUTH") != 2 {
		t.Errorf("%d logins after a pause", server.Commands("AUTH"))
	}
}

func TestAStaleConnectionIsReplaced(t *testing.T) {
	server, s := start(t, mailertest.Options{}, func(c *SMTPConfig) { c.Connections = 2 })
	deliver(t, s, numbered(t, 1))
	server.DropConnections()
	deliver(t, s, numbered(t, 2))
	if len(server.Messages()) != 2 || server.Connections() != 2 {
		t.Errorf("%d mails over %d connections", len(server.Messages()), server.Connections())
	}
}

func TestAnOldConnectionIsNotTrusted(t *testing.T) {
	server, s := start(t, mailertest.Options{}, nil)
	now := time.Now()
	s.now = func() time.Time { return now }
	deliver(t, s, numbered(t, 1))
	now = now.Add(maxIdle)
	deliver(t, s, numbered(t, 2))
	if server.Connections() != 2 {
		t.Errorf("%d connections", server.Connections())
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s, err := NewSMTP(SMTPConfig{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: noTLS, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Deliver(t.Context(), numbered(t, 1))
	checkFault(t, err, NotSent, 0)
	checkFault(t, s.Check(t.Context()), NotSent, 0)
}

// While the answer is out, giving up leaves the mail unknown; before the mail
// is begun, it isn't sent.
func TestCancelling(t *testing.T) {
	server, s := start(t, mailertest.Options{}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	hold := server.HoldAnswer()
	go func() {
		<-hold.Reached
		cancel()
	}()
	_, err := s.Deliver(ctx, numbered(t, 1))
	checkFault(t, err, Unknown, 0)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	hold.Release()
	_, err = s.Deliver(ctx, numbered(t, 2))
	checkFault(t, err, NotSent, 0)
	deliver(t, s, numbered(t, 3))
	if stored := len(server.Messages()); stored != 2 {
		t.Errorf("%d mails stored, want the first and the third", stored)
	}
}

// Waiting for a free connection ends with the context, too.
func TestCancellingInTheQueue(t *testing.T) {
	server, s := start(t, mailertest.Options{}, nil)
	hold := server.HoldAnswer()
	first := make(chan error)
	go func() {
		_, err := s.Deliver(context.Background(), numbered(t, 1))
		first <- err
	}()
	<-hold.Reached
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := s.Deliver(ctx, numbered(t, 2))
	checkFault(t, err, NotSent, 0)
	hold.Release()
	if err := <-first; err != nil {
		t.Errorf("a slow answer is an answer: %v", err)
	}
}

// Each step has its time; without an answer in time the mail is unknown.
func TestTheAnswerHasItsTime(t *testing.T) {
	if standardLimits.answer != 10*time.Minute {
		t.Errorf("RFC 5321 section 4.5.3.2.6 asks for 10 minutes, not %v", standardLimits.answer)
	}
	server, s := start(t, mailertest.Options{}, nil)
	s.limits.answer = time.Millisecond
	hold := server.HoldAnswer()
	_, err := s.Deliver(t.Context(), numbered(t, 1))
	checkFault(t, err, Unknown, 0)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
	<-hold.Reached
}

func TestManyWorkersShareTheConnections(t *testing.T) {
	const workers, each, connections = 8, 200, 4
	server, s := start(t, mailertest.Options{}, func(c *SMTPConfig) { c.Connections = connections })
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range each {
				if _, err := s.Deliver(t.Context(), numbered(t, w*each+n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, m := range server.Messages() {
		seen[m.To] = true
	}
	if len(seen) != workers*each || len(server.Messages()) != workers*each || server.Connections() > connections {
		t.Errorf("%d mails to %d customers over %d connections", len(server.Messages()), len(seen), server.Connections())
	}
}

func TestAddressesAreCheckedBeforeDialling(t *testing.T) {
	server, s := start(t, mailertest.Options{}, nil)
	for to, kind := range map[string]Kind{"たろう@example.com": Refused, "": Refused, "a@b>\r\nDATA": Refused, "a b@c": Refused} {
		_, err := s.Deliver(t.Context(), Envelope{From: "a@b", To: to})
		checkFault(t, err, kind, 0)
		_, err = s.Deliver(t.Context(), Envelope{From: to, To: "a@b"})
		checkFault(t, err, NotSent, 0)
	}
	if server.Connections() != 0 {
		t.Errorf("%q", server.Transcript())
	}
}

func TestSettings(t *testing.T) {
	good := SMTPConfig{Host: "mail.example.com", Port: 587, TLS: startTLS, Username: "u", Password: "p", Connections: 4}
	if _, err := NewSMTP(good); err != nil {
		t.Error(err)
	}
	for about, spoil := range map[string]func(*SMTPConfig){
		"smtp.host": func(c *SMTPConfig) { c.Host = "" }, "smtp.port": func(c *SMTPConfig) { c.Port = 0 },
		"smtp.tls": func(c *SMTPConfig) { c.TLS = "on" }, "another machine": func(c *SMTPConfig) { c.TLS = noTLS },
		"password": func(c *SMTPConfig) { c.Password = "" }, "smtp.connections": func(c *SMTPConfig) { c.Connections = 0 },
	} {
		bad := good
		spoil(&bad)
		if _, err := NewSMTP(bad); err == nil || !strings.Contains(err.Error(), about) {
			t.Errorf("%s: %v", about, err)
		}
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	folder := NewFolder(dir, func(path string, data []byte) error { return os.WriteFile(path, data, 0o600) })
	e := numbered(t, 1)
	reply, err := folder.Deliver(t.Context(), e)
	if err != nil || reply != "stored as "+e.MessageID+".eml" {
		t.Errorf("%q, %v", reply, err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, e.MessageID+".eml")); err != nil || !bytes.Equal(got, e.Data) {
		t.Errorf("%v", err)
	}
	_, err = NewFolder(filepath.Join(dir, "missing"), func(path string, data []byte) error { return os.WriteFile(path, data, 0o600) }).Deliver(t.Context(), e)
	checkFault(t, err, NotSent, 0)
	e.MessageID = "../escape@example.com"
	_, err = folder.Deliver(t.Context(), e)
	checkFault(t, err, NotSent, 0)
}
