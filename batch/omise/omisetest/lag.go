package omisetest

import "time"

// lag is how far what can be read is behind what was made. A charge asked for
// by its own id is never late.
type lag struct {
	lists   time.Duration
	sources time.Duration
}

// SetListLag makes lists and searches show a charge only this long after it was
// made, by the API's clock. How stale the API's own lists may be is written
// nowhere; 0, as at first, is not at all.
func (s *Server) SetListLag(behind time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag.lists = behind
}

// SetSourceLag makes a source look unused until this long after it was first
// charged, by the API's clock.
func (s *Server) SetSourceLag(behind time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag.sources = behind
}

// ReportLate plays a store that reports a payment only now, of a charge that was
// over meanwhile: the money counts. It does nothing for a charge that isn't there.
func (s *Server) ReportLate(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.shelf.charges[id]; held != nil {
		s.shelf.settle(held, successful, s.now())
	}
}

// listed are the charges from one instant to another that lists show already.
func (s *Server) listed(live bool, from, to time.Time) []*heldCharge {
	if latest := s.now().Add(-s.lag.lists); latest.Before(to) {
		to = latest
	}
	return s.shelf.between(live, from, to)
}

// sourceAsShown is a source as those see it who ask for it.
func (s *Server) sourceAsShown(source *heldSource) *heldSource {
	if !s.now().Before(source.usedAt.Add(s.lag.sources)) {
		return source
	}
	unused := *source
	unused.charge = nil
	return &unused
}
