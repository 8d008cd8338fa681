// Package mailertest is a mail server on loopback for tests. The protocol is
// spoken by a server that shares no code with the mailer; between it and the
// network every command is counted and written down, and faults that a test
// orders are played out.
package mailertest

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/emersion/go-smtp"
)

// Options are how the server wants to be spoken to.
type Options struct {
	TLS                string // none (or empty), starttls, implicit
	Username, Password string // empty: no login is offered or needed
	Keep               int    // bytes of each message's data, for many messages; 0: all
}

// Message is one mail that the server stored.
type Message struct {
	From, To string // of the envelope, unquoted
	Data     []byte // without the dots that SMTP adds
}

// Server is a running mail server.
type Server struct {
	options     Options
	listener    net.Listener
	smtp        *smtp.Server
	certificate tls.Certificate
	roots       *x509.CertPool

	mu          sync.Mutex
	messages    []Message
	faults      []Fault
	held        []*Hold
	open        map[*conn]bool
	connections int
	transcript  []string
}

// Start starts a server on a port that is free.
func Start(o Options) (*Server, error) {
	s := &Server{options: o, open: map[*conn]bool{}}
	var err error
	if s.certificate, s.roots, err = newCertificate(); err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.smtp.Domain = "mailertest.invalid"
	s.smtp.AllowInsecureAuth = true // conn refuses logins before TLS: the server behind it can't see TLS
	s.smtp.ErrorLog = log.New(io.Discard, "", 0)
	if o.TLS == "starttls" {
		s.smtp.TLSConfig = s.tlsConfig() // only so that STARTTLS is offered; conn does it
	}
	go s.smtp.Serve(&listener{Listener: s.listener, server: s}) // ends in Close
	return s, nil
}

func (s *Server) tlsConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{s.certificate}}
}

// Host is the address to connect to.
func (s *Server) Host() string { return "127.0.0.1" }

// Port is the port to connect to.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// RootCAs vouch for the server's certificate.
func (s *Server) RootCAs() *x509.CertPool { return s.roots }

// Close stops the server and closes its connections.
func (s *Server) Close() error {
	s.mu.Lock()
	for _, h := range s.held {
		h.Release()
	}
	s.mu.Unlock()
	return s.smtp.Close()
}

// Messages are the mails stored so far, in order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Connections counts the connections that clients have opened so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// Commands counts how often a command was given so far.
func (s *Server) Commands(verb string) int {
	n := 0
	for _, line := range s.Transcript() {
		if strings.EqualFold(verbOf(line), verb) {
			n++
		}
	}
	return n
}

// Transcript is every command so far as it came over the wire, of all
// connections, without messages and credentials.
func (s *Server) Transcript() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.transcript)
}

// DropConnections closes every open connection, as a server does that has
// waited long enough for the next mail.
func (s *Server) DropConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		c.raw.Close()
	}
}

// listener counts connections and puts a conn around each.
type listener struct {
	net.Listener
	server *Server
}

func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.server.welcome(raw), nil
}

func (s *Server) welcome(raw net.Conn) *conn {
	c := newConn(s, raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections++
	s.open[c] = true
	return c
}

func (s *Server) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *Server) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transcript = append(s.transcript, line)
}

func (s *Server) store(m Message) {
	if keep := s.options.Keep; keep > 0 && len(m.Data) > keep {
		m.Data = slices.Clone(m.Data[:keep])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
}
