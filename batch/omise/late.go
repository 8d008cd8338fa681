package omise

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// errLate says that a request did not leave, since others may have judged its intent
// lost, or have its share of the pace: this process was stopped in between, or its machine was.
var errLate = errors.New("the process was stopped before the request")

// lateAfter is how old an intent may be when its request leaves. A process that runs
// needs less: the gate and the time of a request bound it. Others wait five seconds
// longer at least (see longestWait), which is for the way to the API.
func (c *Client) lateAfter() time.Duration { return longestWait + c.config.Timeout }

// punctualConn doesn't begin a request that is late: it asks at the last moment there is
// before the bytes are the operating system's. One that has begun goes on: of that
// nobody could say that nothing was sent.
type punctualConn struct {
	net.Conn
	late atomic.Pointer[func() bool] // of the request that is to begin; nil: none is
}

func (p *punctualConn) Write(b []byte) (int, error) {
	if late := p.late.Swap(nil); late != nil && (*late)() {
		return 0, errLate
	}
	return p.Conn.Write(b)
}

// punctual makes connections so.
func punctual(dial func(ctx context.Context, network, address string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &punctualConn{Conn: conn}, nil
	}
}

// expectBy tells a connection, new or kept, of when the intent is that the next request
// on it comes from. A request is late, too, once its share of the pace is over: others
// have it by now. Without HTTP/2 it has one request at a time.
func (c *Client) expectBy(conn net.Conn, intended time.Time) {
	for encrypted, is := conn.(*tls.Conn); is; encrypted, is = conn.(*tls.Conn) { // twice by way of some proxies
		conn = encrypted.NetConn()
	}
	late := func() bool { return age(intended) > c.lateAfter() || c.gate.closed() }
	conn.(*punctualConn).late.Store(&late)
}

// age is how long ago a moment was: by the clock that nobody sets, which may stand
// still while a machine sleeps, and by the other.
func age(moment time.Time) time.Duration {
	if moment.IsZero() {
		return 0
	}
	now := time.Now()
	return max(now.Sub(moment), now.Round(0).Sub(moment.Round(0)))
}
