package omisetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// FaultKind is a way to fail. The server "commits" when it does what was asked
// before failing: what the client can't know.
type FaultKind string

// The ways to fail.
const (
	CutBefore           FaultKind = "cut_before"            // closes the connection; commits nothing
	CutAfter            FaultKind = "cut_after"             // commits, then closes the connection
	Error500Before      FaultKind = "error_500_before"      // 500; commits nothing
	Error500After       FaultKind = "error_500_after"       // commits; 500
	BadGateway          FaultKind = "bad_gateway"           // commits; 502 with a proxy's HTML page
	Truncated           FaultKind = "truncated"             // commits; closes the connection half way through the answer
	TooManyRequests     FaultKind = "too_many_requests"     // 429, with RetryAfter; commits nothing
	Late                FaultKind = "late"                  // commits; answers when Release is closed, or never
	LateCommit          FaultKind = "late_commit"           // closes the connection at once; commits when Release is closed, or never
	Redirect307         FaultKind = "redirect_307"          // 307 to the same place; commits nothing
	BackendError        FaultKind = "backend_error"         // 400 backend_error; commits if Commit
	WrongLivemode       FaultKind = "wrong_livemode"        // commits; answers the other mode
	WrongAmount         FaultKind = "wrong_amount"          // commits; answers one yen more
	NullPaymentCode     FaultKind = "null_payment_code"     // commits; answers without a payment code
	ForeignAuthorizeURI FaultKind = "foreign_authorize_uri" // commits; answers a link to another site
	HugeBody            FaultKind = "huge_body"             // commits; answers with 2 MiB
)

// Fault is an order to fail. It concerns the next Count requests that fit.
type Fault struct {
	Kind       FaultKind
	Method     string                   // empty: any
	Path       string                   // what the path begins with; empty: any
	Match      func(*http.Request) bool // nil: any
	Count      int                      // 0 is 1
	RetryAfter time.Duration            // of TooManyRequests; 0: no such header
	Commit     bool                     // of BackendError
	Release    <-chan struct{}          // of Late and LateCommit; nil: never released
	Committed  func()                   // of LateCommit, called when that has been done; may be nil
}

// Order makes requests to come fail. Of several orders that fit a request the
// earliest counts.
func (s *Server) Order(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		f.Count = max(f.Count, 1)
		s.faults = append(s.faults, &f)
	}
}

// Forgive takes back every order. What waits for a release goes on waiting.
func (s *Server) Forgive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// faultFor uses up one of the ordered faults; nil when none fits.
func (s *Server) faultFor(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Count > 0 && f.fits(r) {
			f.Count--
			return f
		}
	}
	return nil
}

func (f *Fault) fits(r *http.Request) bool {
	return (f.Method == "" || f.Method == r.Method) &&
		strings.HasPrefix(r.URL.Path, f.Path) &&
		(f.Match == nil || f.Match(r))
}

func (f *Fault) is(kind FaultKind) bool { return f != nil && f.Kind == kind }

// strikesBefore reports whether the request gets neither work nor answer, at
// least not while the client is there.
func (f *Fault) strikesBefore() bool { return f.is(CutBefore) || f.is(LateCommit) }

// commitLater does what a request asks for once the fault is released, as of
// that moment, though the client has long gone: servers do finish what they had
// in a queue.
func (s *Server) commitLater(f *Fault, r *http.Request, in input) {
	<-f.Release
	s.answer(r, in)
	if f.Committed != nil {
		f.Committed()
	}
}

// replaces reports whether the request gets an answer but no work.
func (f *Fault) replaces() bool {
	return f.is(Error500Before) || f.is(TooManyRequests) || f.is(Redirect307) || f.is(BackendError) && !f.Commit
}

// reply is the answer of a fault that needs nothing of the true one.
func (f *Fault) reply() reply {
	switch f.Kind {
	case TooManyRequests:
		return tooMany(f.RetryAfter)
	case Redirect307:
		return reply{status: http.StatusTemporaryRedirect}
	case BackendError:
		return refuse(http.StatusBadRequest, "backend_error", "the payment provider gave no answer")
	}
	return refuse(http.StatusInternalServerError, "internal_error", "something went wrong")
}

func tooMany(retryAfter time.Duration) reply {
	out := refuse(http.StatusTooManyRequests, "too_many_requests", "too many requests, slow down")
	if retryAfter > 0 {
		out.header = http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(retryAfter.Seconds())))}}
	}
	return out
}

// deliver sends the answer, as far as the fault lets it. It returns the status
// sent.
func (f *Fault) deliver(w http.ResponseWriter, r *http.Request, out reply) int {
	if f == nil {
		return out.send(w)
	}
	switch f.Kind {
	case CutAfter:
		panic(http.ErrAbortHandler)
	case Late:
		f.holdBack(r)
	case Redirect307:
		out.header = http.Header{"Location": {r.URL.String()}}
	case Error500After, BackendError:
		out = f.reply()
	case BadGateway:
		return sendPage(w, http.StatusBadGateway, []byte("<html><body><h1>502 Bad Gateway</h1></body></html>\n"))
	case Truncated:
		sendHalf(w, out)
	case HugeBody:
		out.padding = 2 << 20
	case WrongLivemode, WrongAmount, NullPaymentCode, ForeignAuthorizeURI:
		distort(f.Kind, out.body)
	}
	return out.send(w)
}

// holdBack waits for release, and gives up when the client does.
func (f *Fault) holdBack(r *http.Request) {
	select {
	case <-f.Release:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// distort changes what an answer says, not what is stored.
func distort(kind FaultKind, body any) {
	switch object := body.(type) {
	case *accountObject:
		if kind == WrongLivemode {
			object.Livemode = !object.Livemode
		}
	case *sourceObject:
		distortSource(kind, object)
	case *listObject:
		for _, charge := range object.Data {
			distort(kind, charge)
		}
	case *chargeObject:
		distortSource(kind, object.Source)
		switch kind {
		case WrongLivemode:
			object.Livemode = !object.Livemode
		case WrongAmount:
			object.Amount++
		case ForeignAuthorizeURI:
			object.AuthorizeURI = "https://pay.example.com/" + object.ID
		}
	}
}

func distortSource(kind FaultKind, object *sourceObject) {
	switch kind {
	case WrongLivemode:
		object.Livemode = !object.Livemode
	case WrongAmount:
		object.Amount++
	case NullPaymentCode:
		if object.References != nil {
			object.References.PaymentCode = nil
		}
	}
}

// reply is an answer before it is sent.
type reply struct {
	status  int
	header  http.Header
	body    any // nil: none; else sent as JSON
	padding int // bytes of blanks after the body
}

func refuse(status int, code, message string) reply {
	return reply{status: status, body: &errorObject{
		Object: "error", Location: "https://www.omise.co/api-errors#" + strings.ReplaceAll(code, "_", "-"), Code: code, Message: message,
	}}
}

func (out reply) send(w http.ResponseWriter) int {
	for name, values := range out.header {
		w.Header()[name] = values
	}
	if out.body == nil {
		w.WriteHeader(out.status)
		return out.status
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(out.status)
	// A client that has gone is no concern of ours.
	_, _ = w.Write(append(encode(out.body), bytes.Repeat([]byte(" "), out.padding)...))
	return out.status
}

// sendHalf promises the whole answer and closes the connection half way.
func sendHalf(w http.ResponseWriter, out reply) {
	body := encode(out.body)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(out.status)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func encode(body any) []byte {
	data, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("omisetest: encoding %T: %v", body, err)) // our own types
	}
	return data
}

func sendPage(w http.ResponseWriter, status int, html []byte) int {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(html)
	return status
}
