package mailertest

import (
	"fmt"
	"strings"
	"sync"
)

// Point is where in a session a fault strikes.
type Point string

// The points, in the order of a session. At a command the server answers with
// the fault's code in place of obeying.
const (
	AtConnect   Point = "connect" // in place of the greeting
	AtEHLO      Point = "EHLO"
	AtSTARTTLS  Point = "STARTTLS"
	AtAUTH      Point = "AUTH"
	AtMAIL      Point = "MAIL"
	AtRCPT      Point = "RCPT"
	AtDATA      Point = "DATA"
	InData      Point = "data"  // in the middle of the message; can only cut
	AfterDot    Point = "dot"   // a code: nothing is stored; a cut: the mail is stored, the answer isn't sent
	AfterAnswer Point = "reply" // after the mail was stored and accepted; can only cut
	AtRSET      Point = "RSET"
)

// Fault is one thing that goes wrong.
type Fault struct {
	At   Point
	Code int    // what the server answers; 0: it cuts the connection
	Text string // its words; may have several lines
	// Recipient restricts the fault to mail for this address, every time it
	// comes. Empty: it strikes once, at whichever mail comes first. Before RCPT
	// no recipient is known.
	Recipient string
}

// reply is the fault as a line of SMTP.
func (f Fault) reply() string {
	lines := strings.Split(f.Text, "\n")
	for i, line := range lines {
		separator := "-"
		if i == len(lines)-1 {
			separator = " "
		}
		lines[i] = fmt.Sprintf("%d%s%s\r\n", f.Code, separator, line)
	}
	return strings.Join(lines, "")
}

// Order has a fault happen.
func (s *Server) Order(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// strikes takes the fault that is due at a point, if any.
func (s *Server) strikes(at Point, recipient string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.At != at || f.Recipient != "" && !strings.EqualFold(f.Recipient, recipient) {
			continue
		}
		if f.Recipient == "" {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		return f, true
	}
	return Fault{}, false
}

// Hold is one message whose answer is withheld.
type Hold struct {
	Reached <-chan struct{} // closed when the message has come in whole
	reached chan struct{}
	release chan struct{}
	once    sync.Once
}

// HoldAnswer withholds the answer to the next message until Release.
func (s *Server) HoldAnswer() *Hold {
	reached := make(chan struct{})
	h := &Hold{Reached: reached, reached: reached, release: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = append(s.held, h)
	return h
}

// Release lets the answer go.
func (h *Hold) Release() { h.once.Do(func() { close(h.release) }) }

// waitIfHeld waits as long as a test withholds this answer.
func (s *Server) waitIfHeld() {
	s.mu.Lock()
	if len(s.held) == 0 {
		s.mu.Unlock()
		return
	}
	h := s.held[0]
	s.held = s.held[1:]
	s.mu.Unlock()
	close(h.reached)
	<-h.release
}

// Forgive takes back every order.
func (s *Server) Forgive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}
