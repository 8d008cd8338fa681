// Package omisetest is a practice API: a server that answers like the Omise
// API does for konbini charges, for tests and for people who try things out.
//
// It is as strict as the API's pages say, so that what passes here has a chance
// there, and its objects have every documented field. Where the pages leave a
// question open, a comment says that the answer is the practice API's choice.
// Nothing leaves the process, no money moves, and everything is forgotten when
// it ends.
//
// Tests make it fail with [Server.Order], and see what it was asked with
// [Server.Requests] and what it made with [Server.Charges].
package omisetest

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Options are choices about a practice API. The zero value is good.
type Options struct {
	Now               func() time.Time                      // nil: the machine's clock
	Latency           time.Duration                         // added to every answer of the API
	RequestsPerSecond int                                   // 429 beyond; 0 is no limit
	Live              bool                                  // takes live keys, too, and answers them livemode true
	AccountID         string                                // empty: the same for every practice API
	SecretKey         string                                // the only secret key taken; empty: any of the right form
	PublicKey         string                                // the same for the public key
	Log               func(method, path string, status int) // called for every request; status 0: cut without an answer
}

// Server is a practice API. It may be used by many goroutines.
type Server struct {
	options Options
	limiter *rate.Limiter

	mu       sync.Mutex
	url      string // what authorize_uri begins with; empty: as the request addressed us
	shelf    *shelf
	lag      lag
	faults   []*Fault
	recorded []RecordedRequest
	underway underway
}

// NewServer makes a practice API that nobody can reach yet: serve it as an
// http.Handler, or call Start.
func NewServer(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{options: o, shelf: newShelf(o.Now())}
	if o.RequestsPerSecond > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(o.RequestsPerSecond), o.RequestsPerSecond)
	}
	return s
}

// Start serves on a free port of 127.0.0.1 until stop is called. stop ends
// requests in flight and waits for the server to end.
func (s *Server) Start() (stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.SetURL("http://" + listener.Addr().String())
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return func() {
		server.Close() // its error is about connections we have no more use for
		<-ended
	}, nil
}

// URL is where the API is reached, without a slash at its end; empty before
// Start or SetURL.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// SetURL says where people reach the API, such as http://127.0.0.1:8765: what
// the links to payment pages begin with.
func (s *Server) SetURL(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = strings.TrimRight(base, "/")
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := 0
	if s.options.Log != nil {
		defer func() { s.options.Log(r.Method, r.URL.Path, status) }()
	}
	if isPage(r) {
		status = s.servePage(w, r)
		return
	}
	s.underway.come()
	defer s.underway.leave()
	w.Header().Set("Date", s.options.Now().UTC().Format(http.TimeFormat)) // net/http would ask the machine's clock
	in, err := readInput(w, r)
	s.record(r, in)
	fault := s.faultFor(r)
	if err == nil && fault.is(LateCommit) && fault.Release != nil {
		go s.commitLater(fault, r.WithContext(context.WithoutCancel(r.Context())), in)
	}
	if !s.wait(r) || fault.strikesBefore() {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	var out reply
	switch {
	case err != nil:
		out = refuse(http.StatusBadRequest, "bad_request", err.Error())
	case fault.replaces():
		out = fault.reply()
	case s.limiter != nil && !s.limiter.AllowN(s.options.Now(), 1):
		out = tooMany(time.Second)
	default:
		out = s.answer(r, in)
	}
	status = fault.deliver(w, r, out)
}

// wait is the latency. It reports whether the client still waits, too.
func (s *Server) wait(r *http.Request) bool {
	if s.options.Latency <= 0 {
		return true
	}
	timer := time.NewTimer(s.options.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
