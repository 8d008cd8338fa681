package batch

import (
	"iter"
	"runtime"

	"konbill/invoice/csvfile"
)

// inOrder does work on chunks with as many at once as there are cores, and
// yields what comes of each in the order of the chunks. Few are held at any
// time. An error of the chunks ends it. A panic goes on where the results go, for
// whoever recovers there.
func inOrder[T any](chunks iter.Seq2[csvfile.Chunk, error], work func(csvfile.Chunk) T) iter.Seq2[T, error] {
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
			for chunk, err := range chunks {
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
					done.of = work(chunk)
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

// held are chunks of a file that is held, which are without errors.
func held(chunks iter.Seq[csvfile.Chunk]) iter.Seq2[csvfile.Chunk, error] {
	return func(yield func(csvfile.Chunk, error) bool) {
		for chunk := range chunks {
			if !yield(chunk, nil) {
				return
			}
		}
	}
}
