package batch

import "sync"

// A run stops issuing when the API's answers can't be trusted any more: every
// further request would leave one more outcome for a person to settle.
const (
	mostUnknownInARow = 5
	recentOutcomes    = 50
	mostUnknownRecent = recentOutcomes / 5
	mostUnsentInARow  = 5 // mails, for want of a mail server
)

// breaker watches how requests end. It trips for the rest of the run.
type breaker struct {
	mu      sync.Mutex
	recent  []bool // whether the latest outcomes were unknown
	inARow  int
	tripped bool
}

// note takes in one outcome and reports whether the breaker has tripped.
func (b *breaker) note(unknown bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recent = append(b.recent, unknown)
	if len(b.recent) > recentOutcomes {
		b.recent = b.recent[1:]
	}
	b.inARow++
	if !unknown {
		b.inARow = 0
	}
	b.tripped = b.tripped || b.inARow >= mostUnknownInARow || count(b.recent) >= mostUnknownRecent
	return b.tripped
}

// trip has it tripped.
func (b *breaker) trip() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tripped = true
}

// open reports whether the breaker has tripped.
func (b *breaker) open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tripped
}

func count(of []bool) int {
	n := 0
	for _, is := range of {
		if is {
			n++
		}
	}
	return n
}

// streak counts mails in a row that found no mail server.
type streak struct {
	mu     sync.Mutex
	unsent int
}

func (s *streak) note(unsent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsent++
	if !unsent {
		s.unsent = 0
	}
}

// tooLong reports whether there is no use in trying the next mail now.
func (s *streak) tooLong() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unsent >= mostUnsentInARow
}

func (s *streak) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsent = 0
}
