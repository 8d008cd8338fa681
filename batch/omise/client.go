// Package omise is a small client of the Omise API, for konbini charges.
//
// Its promise is that one call makes one request, at most. No redirect is
// followed, nothing is repeated, and no idempotency header is sent: the API
// documents none, and Go's transport would take one for the permission to
// repeat a POST by itself when a connection breaks.
//
// A request that did not succeed is a *batch.GatewayError, whose Outcome says
// what is known. NotSent is claimed only when there was no connection to send
// on; Declined only when the API itself, in its own form, refused; all that is
// left is Unknown. An answer counts only if it is about what was asked: the
// same mode, amount, currency, invoice and source.
//
// Neither a key nor anything from the body of an answer stands in the text of
// an error. What the API said about a refusal is in GatewayError.Message, which
// may repeat personal data that was sent.
package omise

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"konbill/batch"
)

var _ batch.Gateway = (*Client)(nil)

// Config says how to reach the API.
type Config struct {
	URL               string // https, or http on loopback
	SecretKey         string
	PublicKey         string          // for making sources; the secret key does so when it is empty
	RequestsPerSecond float64         // of all callers together; above 0
	Timeout           time.Duration   // of one request, answer included; above 0
	AtOnce            int             // requests of all callers together; 0 is no limit
	Drain             <-chan struct{} // once closed, nothing that may create something is sent any more
	UserAgent         string
	Wait              func(ctx context.Context, d time.Duration) error // between readings of a list; nil: by the machine's clock

	// Join, when there is one, says that other machines share pace and requests under way.
	// It is called once, before the first request; nothing is asked until [Client.TakeShare]
	// was.
	Join func()
}

// Client is a batch.Gateway. It is safe for concurrent use.
type Client struct {
	config    Config
	base      string          // the URL without a slash at its end
	transport *http.Transport // bare: an http.Client would follow redirects, and a 307 posts again
	pace      *pace
	gate      *gate
	sharing   sharing
}

// New makes a client. The error is a sentence for people and holds no key.
func New(c Config) (*Client, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	client := &Client{
		config:    c,
		base:      strings.TrimRight(c.URL, "/"),
		transport: transport(),
		pace:      newPace(c.RequestsPerSecond),
		gate:      newGate(c.AtOnce, c.Drain),
		sharing:   sharing{join: c.Join},
	}
	if c.Join != nil { // nothing, until there is a share
		client.pace, client.gate = newPace(0), &gate{drain: c.Drain}
	}
	return client, nil
}

func (c Config) check() error {
	switch {
	case !strings.HasPrefix(c.SecretKey, "skey_"):
		return errors.New("the secret key must begin with skey_: check OMISE_SECRET_KEY or omise.secret_key_file")
	case c.PublicKey != "" && !strings.HasPrefix(c.PublicKey, "pkey_"):
		return errors.New("the public key must begin with pkey_: check OMISE_PUBLIC_KEY or omise.public_key_file")
	case c.PublicKey != "" && LiveKey(c.PublicKey) != LiveKey(c.SecretKey):
		return errors.New("one of the keys is live, the other for tests: use two of a kind")
	case !(c.RequestsPerSecond > 0):
		return errors.New("omise.requests_per_second must be above 0")
	case c.Timeout <= 0:
		return errors.New("omise.timeout must be above 0")
	}
	return checkURL(c.URL)
}

// checkURL doesn't quote an address that holds a password.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return errors.New("omise.api_url is not a URL such as https://api.omise.co")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("omise.api_url must hold neither a user, nor a query, nor a fragment")
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return fmt.Errorf("omise.api_url %q: keys are sent by https only, or by http to this machine", text)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// transport is the client's own: its connections serve nobody else. It speaks
// HTTP/1.1 only, where a POST is sent again just if not one byte of it was
// written before; with HTTP/2, Go also repeats one after some errors that the
// server reports on its stream.
func transport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Protocols:              protocols,
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            punctual((&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext),
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    32,
		MaxConnsPerHost:        32,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		// What came of an answer that was cut can then be read as it stands.
		DisableCompression: true,
	}
}

// LiveKey reports whether a key asks for real money. Anything without _test_
// does.
func LiveKey(key string) bool { return !strings.Contains(key, "_test_") }

// Live reports whether the client's key is live.
func (c *Client) Live() bool { return LiveKey(c.config.SecretKey) }

// Fingerprint stands for the secret key where the key itself must not.
func (c *Client) Fingerprint() string {
	sum := sha256.Sum256([]byte(c.config.SecretKey))
	return hex.EncodeToString(sum[:16])
}

// Turn implements batch.Gateway: it waits until one more request may leave.
// There are never more than RequestsPerSecond, half as many for a while after the
// API said that they are too many, and none while it has asked for a rest, for
// five minutes at most. The error is ctx's.
//
// CreateSource and CreateCharge take no turn of their own: call Turn before
// each.
func (c *Client) Turn(ctx context.Context) error {
	c.sharing.begin()
	return c.pace.turn(ctx)
}
