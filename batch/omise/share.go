package omise

import (
	"sync"
	"sync/atomic"
	"time"

	"konbill/batch"
)

// Share is what a client may ask of the API, of that which several machines may ask
// together: so many requests a second, and so many under way, until an instant. From
// then on it asks for nothing before it has another.
type Share struct {
	PerSecond float64
	AtOnce    int
	Until     time.Time // by this machine's clock
}

// sharing is what a client knows of those that it shares with.
type sharing struct {
	join func() // called once, before the first request; nil: there is nobody

	once    sync.Once
	tooMany atomic.Bool // the API said so since it was last asked
}

// begin joins those that the pace is shared with.
func (s *sharing) begin() {
	if s.join != nil {
		s.once.Do(s.join)
	}
}

// TakeShare has the client keep to a share from now on. What is under way ends. It is
// for clients with a Config.Join.
func (c *Client) TakeShare(s Share) {
	c.pace.share(s)
	c.gate.Offer(s.AtOnce, s.Until)
}

// UnderWay is how many requests haven't ended. It is for clients with a Config.Join.
func (c *Client) UnderWay() int { return c.gate.Taken() }

// Wanted reports whether anything is being asked of the API, or waits to be.
func (c *Client) Wanted() bool { return c.pace.waiting.Load() > 0 || c.gate.Wanted() }

// TooMany reports whether the API has said, since this was last asked, that requests are
// too many: the others are to give way, too.
func (c *Client) TooMany() bool { return c.sharing.tooMany.Swap(false) }

// GiveWay slows down as if the API had said to this client what it said to another.
func (c *Client) GiveWay() {
	c.pace.heed(&batch.GatewayError{Outcome: batch.TooMany, Status: tooManyRequests})
}
