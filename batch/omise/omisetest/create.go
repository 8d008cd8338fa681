package omisetest

import (
	"net/http"
	"slices"
	"strings"

	"konbill/invoice"
)

// What requests may hold.
var (
	moneyFields  = []string{"amount", "currency"}
	payerFields  = []string{"type", "name", "email", "phone_number"}
	chargeFields = slices.Concat(moneyFields, []string{"source", "description", "expires_at"})
)

func (s *Server) createSource(c call) reply {
	var wrong faults
	payer := wrong.checkPayer(c.in, wrong.checkMoney(c.in))
	wrong.checkKnown(c.in, slices.Concat(moneyFields, payerFields)...)
	if len(wrong) > 0 {
		return refuse(http.StatusBadRequest, "bad_request", wrong.sentence())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	return found(s.shelf.addSource(payer, c.live, now).object(now))
}

func (s *Server) retrieveSource(c call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	source := s.shelf.sources[c.id]
	if source == nil || source.live != c.live {
		return notFound("source " + c.id)
	}
	return found(s.sourceAsShown(source).object(s.now()))
}

// createCharge charges a source that was made before, or one made on the way. A
// source may be charged again: no page says that it can't, and a client that
// does so must be found out by the charges it made.
func (s *Server) createCharge(c call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var wrong faults
	amount := wrong.checkMoney(c.in)
	expiresAt := wrong.checkExpiry(c.in, now)
	metadata, plain := c.in.chargeParts()
	wrong.checkKnown(plain, chargeFields...)
	if len(wrong) > 0 {
		return refuse(http.StatusBadRequest, "invalid_charge", wrong.sentence())
	}
	source, refused := s.sourceFor(c, amount)
	if refused != nil {
		return *refused
	}
	charge := &heldCharge{
		source: source, amount: amount, description: c.in.get("description"), metadata: metadata,
		createdAt: now, expiresAt: expiresAt,
	}
	s.shelf.addCharge(charge)
	charge.link = c.base + pagePath + charge.page
	return found(charge.object(now))
}

// chargeParts takes the metadata out of a charge's fields, and the payer's
// fields, which are checked on their own.
func (in input) chargeParts() (metadata map[string]string, plain input) {
	metadata, plain = map[string]string{}, input{}
	for name, values := range in.under("metadata") {
		metadata[name] = values[0]
	}
	for name, values := range in {
		if !strings.HasPrefix(name, "source[") && !strings.HasPrefix(name, "metadata[") {
			plain[name] = values
		}
	}
	return metadata, plain
}

// sourceFor finds or makes the source of a charge.
func (s *Server) sourceFor(c call, amount invoice.Yen) (*heldSource, *reply) {
	inline := c.in.under("source")
	if len(inline) > 0 && c.in.has("source") {
		return nil, refused("bad_request", "source must be an id or an object, not both")
	}
	if len(inline) > 0 {
		var wrong faults
		payer := wrong.checkPayer(inline, amount)
		wrong.checkKnown(inline, payerFields...)
		if len(wrong) > 0 {
			return nil, refused("bad_request", wrong.sentence())
		}
		return s.shelf.addSource(payer, c.live, s.now()), nil
	}
	id := c.in.get("source")
	if id == "" {
		return nil, refused("invalid_charge", "source can't be blank")
	}
	source := s.shelf.sources[id]
	switch {
	case source == nil || source.live != c.live:
		out := notFound("source " + id)
		return nil, &out
	case source.payer.amount != amount:
		return nil, refused("invalid_charge", "amount must match the source's amount")
	}
	return source, nil
}

func refused(code, message string) *reply {
	out := refuse(http.StatusBadRequest, code, message)
	return &out
}
