package main

import "sync"

// outdatedJobs are those of which the results in the outbox are not true any
// more. Webhooks add to them at any time.
type outdatedJobs struct {
	mu  sync.Mutex
	ids map[int64]bool
}

func (o *outdatedJobs) add(id int64) {
	o.addAll(map[int64]bool{id: true})
}

func (o *outdatedJobs) addAll(ids map[int64]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil {
		o.ids = map[int64]bool{}
	}
	for id := range ids {
		o.ids[id] = true
	}
}

// take returns all, and leaves none.
func (o *outdatedJobs) take() map[int64]bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.ids
	o.ids = nil
	return taken
}
