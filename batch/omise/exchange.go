package omise

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"konbill/batch"
)

// apiVersion fixes the shape of the answers, whatever version the account is
// set to.
const apiVersion = "2019-05-29"

// maxAnswer bounds an answer, in bytes. A charge takes about 4 KiB.
const maxAnswer = 1 << 20

// question is one request to the API.
type question struct {
	method string
	path   string
	key    string
	form   url.Values // nil: no body
	most   int64      // bytes of the answer; 0: maxAnswer

	intended time.Time // see batch.ChargeRequest
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte // as far as it could be read
	fault  string // why the body isn't whole, as a code; empty when it is
	err    error  // what the network said to that
}

// ask makes one request and reads a whole answer of status 2xx into an object.
// All else is a *batch.GatewayError; the answer is then what there is of it.
func (c *Client) ask(ctx context.Context, q question, into any) (answer, error) {
	a, err := c.pass(ctx, q)
	if err != nil {
		return a, err
	}
	if a.succeeded() && a.fault == "" && json.Unmarshal(a.body, into) != nil {
		a.fault = "unreadable_answer"
	}
	if g := a.refusal(); g != nil {
		c.pace.heed(g)
		if g.Status == tooManyRequests {
			c.sharing.tooMany.Store(true)
		}
		return a, g
	}
	return a, nil
}

// pass sends a question through the gate, and lets the next one through once the
// answer has been read. The configured timeout runs from when it may leave.
func (c *Client) pass(ctx context.Context, q question) (answer, error) {
	c.sharing.begin()
	if err := c.gate.enter(ctx, q); err != nil {
		return answer{}, err
	}
	defer c.gate.leave()
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	return c.exchange(ctx, q)
}

// exchange sends a question. Nothing can be written before the transport has a
// connection for it, dialled and with TLS established; afterwards there is no
// telling, unless the connection itself refused to begin.
func (c *Client) exchange(ctx context.Context, q question) (answer, error) {
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			connected.Store(true)
			c.expectBy(got.Conn, q.intended)
		},
	})
	request, err := c.request(traced, q)
	if err != nil {
		return answer{}, &batch.GatewayError{Outcome: batch.NotSent, Code: "unreachable", Err: err}
	}
	response, err := c.transport.RoundTrip(request)
	switch {
	case errors.Is(err, errLate):
		return answer{}, notSent("late", errLate)
	case err != nil && !connected.Load():
		return answer{}, &batch.GatewayError{
			Outcome: batch.NotSent, Code: networkFault(err, "unreachable"), Err: err,
		}
	case err != nil:
		return answer{}, &batch.GatewayError{
			Outcome: batch.UnknownOutcome, Code: networkFault(err, "connection_cut"), Err: networkOnly(err),
		}
	}
	return readAnswer(response, cmp.Or(q.most, maxAnswer)), nil
}

func (c *Client) request(ctx context.Context, q question) (*http.Request, error) {
	var body io.Reader
	if q.form != nil {
		body = strings.NewReader(q.form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, q.method, c.base+q.path, body)
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(q.key, "")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Omise-Version", apiVersion)
	r.Header.Set("User-Agent", c.config.UserAgent)
	if q.form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r, nil
}

// readAnswer reads to the end, so that the connection can be used again.
func readAnswer(r *http.Response, most int64) answer {
	defer r.Body.Close()
	a := answer{status: r.StatusCode, header: r.Header}
	var err error
	a.body, err = io.ReadAll(io.LimitReader(r.Body, most+1))
	switch {
	case err != nil:
		a.fault, a.err = networkFault(err, "answer_cut"), networkOnly(err)
	case int64(len(a.body)) > most:
		a.fault = "answer_too_large"
	}
	return a
}

// networkFault is a word for what went wrong on the way.
func networkFault(err error, otherwise string) string {
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	}
	return otherwise
}

// networkOnly keeps an error that comes from below HTTP. Others may quote the
// answer, and with it personal data.
func networkOnly(err error) error {
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, context.Canceled) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return nil
}
