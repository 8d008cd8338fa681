package mailer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// SMTPConfig is how a mail server is reached.
type SMTPConfig struct {
	Host        string
	Port        int    // 1–65535
	TLS         string // starttls, implicit, or none: on loopback only
	Username    string // empty: no login
	Password    string
	Connections int            // at most so many at a time; at least 1
	RootCAs     *x509.CertPool // who may vouch for the server; nil: those the system trusts
}

// The values of SMTPConfig.TLS.
const (
	startTLS    = "starttls"
	implicitTLS = "implicit"
	noTLS       = "none"
)

// SMTP delivers messages through one mail server. It may be used by many
// goroutines; each message has a connection for itself while it is sent, and
// the connection serves the next one afterwards.
type SMTP struct {
	config SMTPConfig
	limits limits
	now    func() time.Time
	slots  chan struct{} // one for each connection that may be open

	mu      sync.Mutex
	idle    []*connection // the last used at the end
	closed  bool
	refused refusedLogin
}

// refusedLogin remembers that the server said no to user name and password.
// Trying again for every customer would lock the account.
type refusedLogin struct {
	err   error
	until time.Time
}

const (
	// maxIdle is how long an unused connection is trusted. Servers wait for
	// minutes (RFC 5321 section 4.5.3.2.7), busy ones only for seconds.
	maxIdle = 30 * time.Second
	// loginPause is how long a refused login is not tried again.
	loginPause = time.Minute
)

// NewSMTP checks the settings. It connects to nothing yet.
func NewSMTP(c SMTPConfig) (*SMTP, error) {
	switch {
	case c.Host == "":
		return nil, errors.New("the mail server's host is missing (smtp.host)")
	case c.Port < 1 || c.Port > 65535:
		return nil, fmt.Errorf("the mail server's port %d is not between 1 and 65535 (smtp.port)", c.Port)
	case c.TLS != startTLS && c.TLS != implicitTLS && c.TLS != noTLS:
		return nil, fmt.Errorf("TLS %q is none of %s, %s and %s (smtp.tls)", c.TLS, startTLS, implicitTLS, noTLS)
	case c.TLS == noTLS && !isLoopback(c.Host):
		return nil, fmt.Errorf("a mail server on another machine needs TLS, %s or %s (smtp.tls)", startTLS, implicitTLS)
	case c.Username != "" && c.Password == "":
		return nil, errors.New("the mail server's user name comes without a password (KONBILL_SMTP_PASSWORD or smtp.password_file)")
	case c.Connections < 1:
		return nil, fmt.Errorf("%d connections are too few to mail with (smtp.connections)", c.Connections)
	}
	return &SMTP{config: c, limits: standardLimits, now: time.Now, slots: make(chan struct{}, c.Connections)}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Deliver sends one message and returns the server's words of acceptance. An
// error is an *Error, whose kind says what is known of the message.
func (s *SMTP) Deliver(ctx context.Context, e Envelope) (reply string, err error) {
	if err := e.check(); err != nil {
		return "", err
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return "", failure(ctx, StageConnect, e.To, ctx.Err())
	}
	if c := s.takeIdle(); c != nil {
		reply, err = c.deliver(ctx, e)
		s.putBack(c)
		if !c.wentStale || ctx.Err() != nil {
			return reply, err
		}
	}
	c, err := s.dial(ctx)
	if err != nil {
		return "", err
	}
	reply, err = c.deliver(ctx, e)
	s.putBack(c)
	return reply, err
}

// check refuses addresses that SMTP can't name, before a server is asked.
func (e Envelope) check() error {
	if !isPath(e.To) {
		return &Error{Kind: Refused, Stage: StageReceiver, detail: errNotASCII.Error(), cause: errNotASCII}
	}
	if !isPath(e.From) {
		return &Error{Kind: NotSent, Stage: StageSender, detail: errNotASCII.Error(), cause: errNotASCII}
	}
	return nil
}

// isPath reports whether MAIL and RCPT can hold an address as it is.
func isPath(address string) bool {
	for _, b := range []byte(address) {
		if b <= ' ' || b >= 0x7F || b == '<' || b == '>' {
			return false
		}
	}
	return address != ""
}

// Check connects, secures the connection, logs in and leaves again.
func (s *SMTP) Check(ctx context.Context) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	c.quit()
	return nil
}

// Close leaves the server. A message still being sent is not disturbed; its
// connection is closed afterwards.
func (s *SMTP) Close() error {
	s.mu.Lock()
	idle := s.idle
	s.idle, s.closed = nil, true
	s.mu.Unlock()
	for _, c := range idle {
		c.quit()
	}
	return nil
}

// dial opens a connection, unless the server has just refused the login.
func (s *SMTP) dial(ctx context.Context) (*connection, error) {
	s.mu.Lock()
	refused := s.refused
	s.mu.Unlock()
	if s.now().Before(refused.until) {
		return nil, refused.err
	}
	c, err := connect(ctx, s.config, s.limits)
	if err == nil {
		return c, nil
	}
	if err.Stage == StageLogin && err.Code/100 == 5 {
		s.mu.Lock()
		s.refused = refusedLogin{err: err, until: s.now().Add(loginPause)}
		s.mu.Unlock()
	}
	return nil, err
}

// takeIdle returns the connection that was used last, if it is fresh enough.
// Those that are not are closed without a word: nobody may be there to answer.
func (s *SMTP) takeIdle() *connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) > 0 {
		last := len(s.idle) - 1
		c := s.idle[last]
		s.idle = s.idle[:last]
		if s.now().Sub(c.usedAt) < maxIdle {
			return c
		}
		c.drop()
	}
	return nil
}

// putBack keeps a sound connection for the next message.
func (s *SMTP) putBack(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.broken || s.closed {
		c.drop()
		return
	}
	c.usedAt = s.now()
	s.idle = append(s.idle, c)
}
