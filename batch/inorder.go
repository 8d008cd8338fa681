package batch

import (
	"iter"
	"runtime"
)

// inOrder does work on parts with as many at once as there are cores, and
// yields what comes of each in the order of the parts. Few are held at any
// time. An error of the parts ends it. A panic goes on where the results go, for
// whoever recovers there.
func inOrder[P, T any](parts iter.Seq2[P, error], work func(P) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		type result struct {
			of       T
			err      error
			panicked any
		}
		coming := make(chan chan result, runtime.GOMAXPROCS(0))
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			defer close(coming)
			for part, err := range parts {
				one := make(chan result, 1)
				select {
				case coming <- one:
				case <-stop:
					return
				}
				if err != nil {
					one <- result{err: err}
					return
				}
				go func() {
					var done result
					defer func() {
						done.panicked = recover()
						one <- done
					}()
					done.of = work(part)
				}()
			}
		}()
		for one := range coming {
			r := <-one
			if r.panicked != nil {
				panic(r.panicked)
			}
			if !yield(r.of, r.err) || r.err != nil {
				return
			}
		}
	}
}

// held are parts that are at hand, which are without errors.
func held[P any](parts iter.Seq[P]) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		for part := range parts {
			if !yield(part, nil) {
				return
			}
		}
	}
}
