package omisetest

import "sync"

// underway counts the requests that are being answered.
type underway struct {
	mu        sync.Mutex
	now, most int
}

func (u *underway) come() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.now++
	u.most = max(u.most, u.now)
}

func (u *underway) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.now--
}

// MostAtOnce is how many requests of the API were being answered at the same
// time at most.
func (s *Server) MostAtOnce() int {
	s.underway.mu.Lock()
	defer s.underway.mu.Unlock()
	return s.underway.most
}
