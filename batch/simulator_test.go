package batch_test

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"konbill/batch"
)

var (
	seeds = flag.Uint64("seeds", enoughSeeds, "how many histories TestSimulator plays")
	seed  = flag.Uint64("seed", 0, "the one history TestSimulator plays; with -v it tells what happens")
)

// TestSimulator plays the histories of many seeds: invoices, settings, faults
// of everything a run meets, crashes and what people do between the runs. What
// must never happen is said in simulator_invariants_test.go.
func TestSimulator(t *testing.T) {
	if *seed != 0 {
		for _, v := range play(t, *seed, sabotage{}, func(line string) { t.Log(line) }).violations {
			t.Error(v)
		}
		return
	}
	var mu sync.Mutex
	census := map[string]int{}
	forEachSeed(t, *seeds, func(seed uint64) bool {
		judge := play(t, seed, sabotage{}, nil)
		if len(judge.violations) > 0 {
			t.Errorf("seed %d: %q\nreplay it with: go test ./batch -run '^TestSimulator$' -v -seed %[1]d", seed, judge.violations)
		}
		mu.Lock()
		defer mu.Unlock()
		for what, n := range judge.census {
			census[what] += n
		}
		return len(judge.violations) == 0
	})
	if !t.Failed() {
		takeStock(t, census)
	}
}

// enoughSeeds is how many histories it takes until everything has happened.
const enoughSeeds = 2000

// takeStock makes sure that the histories were about everything.
func takeStock(t *testing.T, census map[string]int) {
	var wanted []string
	for _, p := range batch.Points {
		wanted = append(wanted, "point: "+string(p), "death at: "+string(p))
	}
	for _, faults := range [][]fault{chargeFaults, sourceFaults, mailFaults, otherFaults} {
		for _, f := range faults {
			wanted = append(wanted, "fault: "+string(f))
		}
	}
	for _, what := range []string{
		"charged", "found", "declined", "unknown", "uncharged", "charge given up",
		"mailed", "mail put off", "mail refused", "mail held", "mail given up",
	} {
		wanted = append(wanted, "tried again: "+what)
	}
	wanted = append(wanted, "a bill is issued again", "a store reports late", "row: reissued", "row: old_bill_paid", "row: old_bill_unclear")
	for _, what := range wanted {
		if census[what] == 0 && *seeds >= enoughSeeds {
			t.Errorf("in %d histories there was never: %s", *seeds, what)
		}
	}
	t.Logf("%d histories, with %d points to die at and %d deaths", *seeds, len(batch.Points), census["death"])
	for _, what := range slices.Sorted(maps.Keys(census)) {
		t.Logf("%7d  %s", census[what], what)
	}
}

// mostUnnoticed is how many histories may pass before a missing guard is
// noticed.
const mostUnnoticed = 3000

// TestSimulatorNotices takes one guard away at a time: a simulator that goes on
// finding nothing would prove nothing.
func TestSimulatorNotices(t *testing.T) {
	for _, s := range sabotages {
		t.Run(s.guard, func(t *testing.T) {
			var noticed atomic.Pointer[string]
			played := forEachSeed(t, mostUnnoticed, func(seed uint64) bool {
				violations := play(t, seed, s, nil).violations
				i := slices.IndexFunc(violations, func(v string) bool { return strings.Contains(v, s.symptom) })
				if i < 0 {
					return true
				}
				text := fmt.Sprintf("seed %d: %s", seed, violations[i])
				noticed.CompareAndSwap(nil, &text)
				return false
			})
			if noticed.Load() == nil {
				t.Errorf("without this guard nothing goes wrong in %d histories", played)
			} else {
				t.Logf("noticed after %d histories: %s", played, *noticed.Load())
			}
		})
	}
}

// TestSimulatorRepeatsItself: a seed that fails must fail again.
func TestSimulatorRepeatsItself(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		var first, second []string
		play(t, seed, sabotage{}, func(line string) { first = append(first, line) })
		play(t, seed, sabotage{}, func(line string) { second = append(second, line) })
		for i := range first {
			if i >= len(second) || first[i] != second[i] {
				t.Fatalf("seed %d, line %d: %q, then %q", seed, i, first[i], second[min(i, len(second)-1)])
			}
		}
	}
}

// play plays the history of one seed. Should it panic, the seed is the first
// argument of simulate in the traces.
func play(t *testing.T, seed uint64, s sabotage, tell func(string)) (verdict *judge) {
	synctest.Test(t, func(*testing.T) { verdict = simulate(seed, s, tell) })
	return verdict
}

// forEachSeed plays seeds on all cores until the first for which goOn is false,
// and returns how many it began.
func forEachSeed(t *testing.T, most uint64, goOn func(seed uint64) bool) uint64 {
	var next atomic.Uint64
	var stopped atomic.Bool
	t.Run("seeds", func(t *testing.T) {
		for core := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(core), func(t *testing.T) {
				t.Parallel()
				for seed := next.Add(1); seed <= most && !stopped.Load(); seed = next.Add(1) {
					if !goOn(seed) {
						stopped.Store(true)
					}
				}
			})
		}
	})
	return min(next.Load(), most)
}
