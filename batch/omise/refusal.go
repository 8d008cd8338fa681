package omise

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"konbill/batch"
)

// backendError is the code of a 400 that came after the payment provider had
// been contacted: unlike other refusals it says nothing about the charge.
const backendError = "backend_error"

// maxRetryAfter bounds the pause a server may ask for.
const maxRetryAfter = 24 * time.Hour

// maxMessage bounds what is kept of the API's words, in characters.
const maxMessage = 500

// refusal is nil for a whole answer of status 2xx. Else it is what the answer
// says about the request: a status that every server and proxy means the same
// by counts as it is, a definite refusal needs the API's own error object.
func (a answer) refusal() *batch.GatewayError {
	if a.succeeded() && a.fault == "" {
		return nil
	}
	said := a.errorObject()
	g := &batch.GatewayError{
		Outcome: batch.UnknownOutcome, Status: a.status, Code: said.Code, Message: shorten(said.Message), Err: a.err,
	}
	switch {
	case a.status == http.StatusTooManyRequests:
		g.Outcome = batch.TooMany
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		g.Outcome = batch.Unauthorized
	case a.refuses() && said.Code != "" && said.Code != backendError:
		g.Outcome = batch.DeclinedOutcome
	}
	if g.Code == "" {
		g.Code = a.faultWord()
	}
	if a.succeeded() {
		g.Message = "the answer could not be read"
	}
	if a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
		g.RetryAfter = retryAfter(a.header)
	}
	return g
}

func (a answer) succeeded() bool { return a.status/100 == 2 }

// refuses reports a status with which the API refuses a request for what it
// says. Others, such as 408, may come from anything on the way.
func (a answer) refuses() bool {
	switch a.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

func (a answer) faultWord() string {
	switch {
	case a.fault != "":
		return a.fault
	case a.status/100 == 3:
		return "redirected"
	}
	return "unexpected_answer"
}

// errorObject is how the API says no.
type errorObject struct {
	Object  string `json:"object"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// isErrorCode knows a code by its form. The bound is not the pattern's: a bounded
// repetition takes a millisecond to compile, at every start.
func isErrorCode(code string) bool { return len(code) <= 64 && errorCode.MatchString(code) }

var errorCode = regexp.MustCompile(`^[a-z][a-z0-9_]+$`)

// errorObject returns the zero value when someone else said no, or when the
// answer was not read whole.
func (a answer) errorObject() errorObject {
	var e errorObject
	if a.succeeded() || a.fault != "" || json.Unmarshal(a.body, &e) != nil || e.Object != "error" || !isErrorCode(e.Code) {
		return errorObject{}
	}
	return e
}

func shorten(message string) string {
	if characters := []rune(message); len(characters) > maxMessage {
		return string(characters[:maxMessage]) + "…"
	}
	return message
}

// retryAfter reads the header of that name (RFC 9110, section 10.2.3), seconds
// or a date. A date is measured against the server's own clock.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	wait := time.Duration(0)
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if until, err := http.ParseTime(value); err == nil {
		if now, err := http.ParseTime(h.Get("Date")); err == nil {
			wait = until.Sub(now)
		}
	}
	return min(max(wait, 0), maxRetryAfter)
}
