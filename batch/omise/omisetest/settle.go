package omisetest

import "net/http"

func (s *Server) retrieveCharge(c call) reply {
	return s.withCharge(c, func(held *heldCharge) reply { return found(held.object(s.now())) })
}

func (s *Server) expireCharge(c call) reply {
	return s.withCharge(c, func(held *heldCharge) reply {
		return s.ended(held, expired, "failed_expire", "the charge is no longer pending and can't be expired")
	})
}

func (s *Server) markAsPaid(c call) reply { return s.mark(c, successful) }

func (s *Server) markAsFailed(c call) reply { return s.mark(c, failed) }

// mark plays the customer, which is for test mode alone.
func (s *Server) mark(c call, as string) reply {
	if c.live {
		return refuse(http.StatusBadRequest, "bad_request", "a live charge is paid by its customer only")
	}
	return s.withCharge(c, func(held *heldCharge) reply {
		return s.ended(held, as, "invalid_charge", "the charge is no longer pending")
	})
}

func (s *Server) ended(held *heldCharge, as, code, otherwise string) reply {
	now := s.now()
	if !s.shelf.end(held, as, now) {
		return refuse(http.StatusBadRequest, code, otherwise)
	}
	return found(held.object(now))
}

// withCharge does something with the charge in the path, under the lock.
func (s *Server) withCharge(c call, do func(*heldCharge) reply) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.shelf.charges[c.id]
	if held == nil || held.source.live != c.live {
		return notFound("charge " + c.id)
	}
	return do(held)
}
