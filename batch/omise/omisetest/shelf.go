package omisetest

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/big"
	"sort"
	"time"

	"konbill/invoice"
)

// shelf holds all that was made. Server.mu guards it.
type shelf struct {
	began    time.Time
	made     int // objects, so far
	firstPay int // the first payment code

	sources map[string]*heldSource
	charges map[string]*heldCharge
	pages   map[string]*heldCharge // by the id in the authorize URI
	byTime  map[bool][]*heldCharge // by livemode, oldest first
	changes []change               // in the order in which they happened
}

type heldSource struct {
	id        string
	live      bool
	createdAt time.Time
	payer     payer
	charge    *heldCharge // the latest; nil before the first
	usedAt    time.Time   // when the first was made
}

// payer is what a source is made of.
type payer struct {
	amount             invoice.Yen
	name, email, phone string
}

type heldCharge struct {
	id, page    string
	source      *heldSource
	amount      invoice.Yen
	description string
	metadata    map[string]string
	paymentCode string
	link        string
	createdAt   time.Time
	expiresAt   time.Time

	// How it ended, as far as anyone said so; see statusAt.
	status      string
	endedAt     time.Time
	transaction string
}

// The states of a charge. econtext charges are never reversed.
const (
	pending    = "pending"
	successful = "successful"
	failed     = "failed"
	expired    = "expired"
)

func newShelf(now time.Time) *shelf {
	s := &shelf{
		began: now, sources: map[string]*heldSource{}, charges: map[string]*heldCharge{},
		pages: map[string]*heldCharge{}, byTime: map[bool][]*heldCharge{},
	}
	s.firstPay = int(s.number("code").Int64() % paymentCodes)
	return s
}

// number is drawn from when the shelf was made and what is already on it: two
// practice APIs give out different ids, unless their clocks stand still.
func (s *shelf) number(kind string) *big.Int {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", s.began.UnixNano(), s.made, kind))
	return new(big.Int).SetBytes(sum[:7])
}

// newID makes an id in the API's form: the prefix, _test for a test object, and
// 19 digits or lower-case letters.
func (s *shelf) newID(prefix string, live bool) string {
	s.made++
	mode := "_test"
	if live {
		mode = ""
	}
	return fmt.Sprintf("%s%s_5%07s%011s", prefix, mode, base36(int64(s.made)), s.number(prefix).Text(36))
}

func base36(n int64) string { return big.NewInt(n).Text(36) }

// paymentCodes is how many codes of six digits there are.
const paymentCodes = 1_000_000

// newCode makes a payment code of six digits. A million of them are different,
// and some begin with zeros, which must survive.
func (s *shelf) newCode() string {
	const stride = 619_001 // has no divisor in common with the number of codes
	return fmt.Sprintf("%06d", (s.firstPay+len(s.charges)*stride)%paymentCodes)
}

func (s *shelf) addSource(p payer, live bool, now time.Time) *heldSource {
	h := &heldSource{id: s.newID("src", live), live: live, createdAt: now, payer: p}
	s.sources[h.id] = h
	return h
}

// addCharge keeps the charges in the order of time, even when the clock was set
// back.
func (s *shelf) addCharge(c *heldCharge) {
	live := c.source.live
	c.id, c.page = s.newID("chrg", live), s.newID("oflp", live)
	c.paymentCode = s.newCode()
	c.status = pending
	if c.source.charge == nil {
		c.source.usedAt = c.createdAt
	}
	c.source.charge = c
	s.charges[c.id] = c
	s.pages[c.page] = c
	row := s.byTime[live]
	at := sort.Search(len(row), func(i int) bool { return row[i].createdAt.After(c.createdAt) })
	row = append(row, nil)
	copy(row[at+1:], row[at:])
	row[at] = c
	s.byTime[live] = row
	s.note("charge.create", c, c.createdAt)
}

// between returns the charges made from one instant to another, both included,
// oldest first.
func (s *shelf) between(live bool, from, to time.Time) []*heldCharge {
	row := s.byTime[live]
	first := sort.Search(len(row), func(i int) bool { return !row[i].createdAt.Before(from) })
	end := sort.Search(len(row), func(i int) bool { return row[i].createdAt.After(to) })
	return row[first:max(first, end)]
}

// statusAt lets an unpaid charge expire. That it then is expired, not failed
// with the code timeout, is the practice API's choice: the page names both.
func (c *heldCharge) statusAt(now time.Time) (status string, since time.Time) {
	if c.status == pending && !now.Before(c.expiresAt) {
		return expired, c.expiresAt
	}
	return c.status, c.endedAt
}

// end settles a pending charge. It reports whether it was.
func (s *shelf) end(c *heldCharge, as string, now time.Time) bool {
	if status, _ := c.statusAt(now); status != pending {
		return false
	}
	s.settle(c, as, now)
	return true
}

func (s *shelf) settle(c *heldCharge, as string, now time.Time) {
	c.status, c.endedAt = as, now
	if as == successful {
		c.transaction = s.newID("trxn", c.source.live)
	}
	s.note(keyOfEnd(as), c, now)
}

// Charge is a charge that was really made, whatever the client was told.
type Charge struct {
	ID           string
	SourceID     string
	Live         bool
	Amount       invoice.Yen
	Name         string
	Email        string
	Phone        string
	Description  string
	Metadata     map[string]string
	PaymentCode  string
	AuthorizeURI string
	Status       string
	CreatedAt    time.Time
	ExpiresAt    time.Time
}

// Charges returns all charges, test and live, each kind oldest first.
func (s *Server) Charges() []Charge {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var all []Charge
	for _, live := range []bool{false, true} {
		for _, c := range s.shelf.byTime[live] {
			status, _ := c.statusAt(now)
			all = append(all, Charge{
				ID: c.id, SourceID: c.source.id, Live: live, Amount: c.amount,
				Name: c.source.payer.name, Email: c.source.payer.email, Phone: c.source.payer.phone,
				Description: c.description, Metadata: maps.Clone(c.metadata), PaymentCode: c.paymentCode, AuthorizeURI: c.link,
				Status: status, CreatedAt: c.createdAt, ExpiresAt: c.expiresAt,
			})
		}
	}
	return all
}

// now is the API's clock, in whole seconds.
func (s *Server) now() time.Time { return s.options.Now().UTC().Truncate(time.Second) }
