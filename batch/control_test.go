package batch_test

import (
	"errors"
	"os"
	"testing"

	"konbill/batch"
)

// TestControlTotals: a file that doesn't hold what its sender says charges
// nobody, whatever else is right with it.
func TestControlTotals(t *testing.T) {
	rows, yen := 3, 3030 // with a row that is rejected: whoever added them up did not know
	for name, c := range map[string]struct {
		control *batch.Control
		matches bool
	}{
		"none":               {nil, true},
		"both":               {&batch.Control{Rows: rows, HasRows: true, Yen: 3030, HasYen: true}, true},
		"rows alone":         {&batch.Control{Rows: rows, HasRows: true}, true},
		"yen alone":          {&batch.Control{Yen: 3030, HasYen: true}, true},
		"a row too many":     {&batch.Control{Rows: rows - 1, HasRows: true, Yen: 3030, HasYen: true}, false},
		"a yen too few":      {&batch.Control{Rows: rows, HasRows: true, Yen: 3031, HasYen: true}, false},
		"without the reject": {&batch.Control{Yen: 3000, HasYen: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			path := s.file("x.csv", "X-1,1000", "X-2,2000", "X-3,30")
			s.runner.Control = c.control
			_, err := s.runner.Run(t.Context(), path, "")
			wrong := new(batch.ControlError)
			if differs := errors.As(err, &wrong); differs == c.matches || !differs && err != nil {
				t.Fatalf("error: %v", err)
			}
			if !c.matches && (wrong.Have.Rows != rows || int(wrong.Have.Yen) != yen) {
				t.Errorf("the file holds %+v", wrong.Have)
			}
			if want := map[bool]int{true: 2}[c.matches]; len(s.api.Charges()) != want {
				t.Errorf("%d charges, want %d", len(s.api.Charges()), want)
			}
		})
	}
}

// TestControlTotalOfUnreadableAmounts: a sum can't be compared when a part of it
// can't be read, even if the rest happens to add up.
func TestControlTotalOfUnreadableAmounts(t *testing.T) {
	s := newShop(t)
	path := s.file("x.csv", "X-1,1000", "X-2,1e3")
	s.runner.Control = &batch.Control{Yen: 1000, HasYen: true}
	wrong := new(batch.ControlError)
	if _, err := s.runner.Run(t.Context(), path, ""); !errors.As(err, &wrong) || wrong.Unread != 1 {
		t.Errorf("error: %v", err)
	}
	s.runner.Control = &batch.Control{Rows: 2, HasRows: true}
	if _, err := s.runner.Run(t.Context(), path, ""); err != nil {
		t.Errorf("the rows can be counted all the same: %v", err)
	}
}

// TestComplete: only a file of which every row is issued has nothing left to do,
// whatever its name.
func TestComplete(t *testing.T) {
	s := newShop(t)
	good, mixed := s.file("good.csv", "G-1,1000"), s.file("mixed.csv", "M-1,1000", "M-2,30")
	complete := func(path string) bool {
		t.Helper()
		jobs, err := s.runner.JobsOf(t.Context(), path)
		s.must(err)
		return len(jobs) > 0 && jobs[0].Complete()
	}
	if complete(good) || complete(mixed) {
		t.Error("complete before it was run")
	}
	s.run(good)
	s.run(mixed)
	if !complete(good) || complete(mixed) {
		t.Errorf("good: %t, mixed: %t", complete(good), complete(mixed))
	}
	copied := good + ".copy"
	data, err := os.ReadFile(good)
	s.must(err)
	s.must(os.WriteFile(copied, data, 0o600))
	if jobs, err := s.runner.JobsOf(t.Context(), copied); err != nil || len(jobs) != 1 || jobs[0].File != "good.csv" {
		t.Errorf("a copy: %+v, %v", jobs, err)
	}
}
