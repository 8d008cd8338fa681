package main

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"konbill/batch"
)

var (
	soakRows = flag.Int("soak", 0, "rows of TestSoak, such as 5000; 0 is a short one")
	soakSeed = flag.Uint64("soak-seed", 1, "seed of TestSoak's kills")
)

// soak is what konbill has to go through.
type soak struct {
	rows        int
	least, most time.Duration // between a start and a kill
	kills       int           // after so many it is left alone
}

// mostIdleKills is how many kills in a row may come before a new charge is
// made: a run that is always cut short must get on nevertheless.
const mostIdleKills = 100

// TestSoak kills konbill again and again at random moments until every invoice
// is charged, and then lets it finish: each must have been charged once. The
// README tells how to run the long one.
func TestSoak(t *testing.T) {
	plan := soak{rows: 60, least: 50 * time.Millisecond, most: 500 * time.Millisecond, kills: 5}
	if *soakRows > 0 {
		plan = soak{rows: *soakRows, least: 200 * time.Millisecond, most: 2 * time.Second, kills: math.MaxInt}
	} else {
		t.Parallel()
	}
	s := newShop(t, "KONBILL_OMISE__REQUESTS_PER_SECOND=100")
	numbers := numbered("S", plan.rows)
	file := s.file("soak.csv", numbers...)
	began := time.Now()
	kills := s.torment(plan, rand.New(rand.NewPCG(*soakSeed, 0)), file)
	t.Logf("seed %d: %d rows, %d kills, %s", *soakSeed, plan.rows, kills, time.Since(began).Round(time.Second))
	s.onceEach(file, numbers)
	s.leavesNothing()
}

// torment runs the file until konbill comes to its end. It returns how often it
// was killed before.
func (s *shop) torment(plan soak, random *rand.Rand, file string) (kills int) {
	for charges, idle := 0, 0; idle <= mostIdleKills; kills++ {
		spare := kills >= plan.kills || charges >= plan.rows
		p := s.start(nil, "run", file)
		after := plan.least + time.Duration(random.Int64N(int64(plan.most-plan.least)))
		if spare {
			after = time.Hour
		}
		timer := time.AfterFunc(after, func() { p.Process.Kill() }) // its error: it has just ended
		code := s.end(p)
		killed := !timer.Stop()
		if code == exitDone || code == exitNeedsPerson { // a person for held mails
			return kills
		}
		if !killed {
			s.Fatalf("exit code %d\n%s%s", code, p.stdout, p.stderr)
		}
		idle++
		if made := len(s.api.Charges()); made > charges {
			charges, idle = made, 0
		}
	}
	s.Fatalf("%d kills, and no further charge during the last %d of them: %d of %d", kills, mostIdleKills, len(s.api.Charges()), plan.rows)
	return kills
}

// onceEach makes sure that every invoice has one charge, one line in the
// results, and a mail at most.
func (s *shop) onceEach(file string, numbers []string) {
	s.Helper()
	charged, mails, rows := s.charged(), s.mailed(), s.results(file)
	if len(s.api.Charges()) != len(numbers) || len(rows) != len(numbers) {
		s.Fatalf("%d invoices, %d charges, %d results", len(numbers), len(s.api.Charges()), len(rows))
	}
	for i, number := range numbers {
		row, ids := rows[i], charged[number]
		switch {
		case row["invoice_no"] != number, len(ids) != 1, row["charge_id"] != ids[0]:
			s.Errorf("%s: charged %q, the results say %q", number, ids, row)
		case row["mail"] == string(batch.Mailed) && mails[number] == 1, row["mail"] == string(batch.Held) && mails[number] <= 1:
		default:
			s.Errorf("%s: mail %q, %d sent", number, row["mail"], mails[number])
		}
	}
	s.balances(file)
}
