package batch_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"konbill/batch"
)

// learn has the ledger know what became of a charge.
func (s *shop) learn(number, status string) {
	s.Helper()
	account, err := s.runner.Identify(s.Context())
	s.must(err)
	e, err := s.ledger.Entry(s.Context(), batch.KeyOf(account, number))
	s.must(err)
	said := e.Charge
	said.Status = status
	if said.Paid() {
		said.PaidAt = s.clock.now()
	}
	_, err = batch.Payments{Ledger: s.ledger, Who: "sync", Now: s.clock.now}.Learn(s.Context(), e, said, true)
	s.must(err)
}

// TestRewriteKeepsSlips: results written again leave the slips that lie there as
// customers have them, and draw none that nobody can pay with.
func TestRewriteKeepsSlips(t *testing.T) {
	s := newShop(t)
	path := s.file("kept.csv", "K-paid,3000", "K-expired,3000", "K-open,3000")
	report := s.run(path)
	slip := func(number string) string { return filepath.Join(report.Dir, "slips", number+".pdf") }
	read := func(number string) []byte {
		t.Helper()
		data, err := os.ReadFile(slip(number))
		s.must(err)
		return data
	}
	numbers := []string{"K-paid", "K-expired", "K-open"}
	before := map[string][]byte{}
	for _, number := range numbers {
		before[number] = read(number)
	}
	s.learn("K-paid", "successful")
	s.learn("K-expired", "expired")
	s.runner.Settings.Merchant.Phone = "03-1111-1111" // slips drawn from now on differ

	report, err := s.runner.Rewrite(t.Context(), path, "")
	s.must(err)
	for i, row := range s.results(report) {
		number := numbers[i]
		if row["slip"] != "slips/"+number+".pdf" || !bytes.Equal(read(number), before[number]) {
			t.Errorf("%s: the slip is %q, or has changed", number, row["slip"])
		}
		if want := []string{"successful", "expired", "pending"}[i]; row["charge_status"] != want || (row["paid_at"] != "") != (i == 0) {
			t.Errorf("%s is %s, paid at %q", number, row["charge_status"], row["paid_at"])
		}
	}

	for _, number := range numbers {
		s.must(os.Remove(slip(number)))
	}
	report, err = s.runner.Rewrite(t.Context(), path, "")
	s.must(err)
	for i, row := range s.results(report) {
		_, err := os.Stat(slip(numbers[i]))
		payable := numbers[i] == "K-open"
		if errors.Is(err, os.ErrNotExist) == payable || (row["slip"] != "") != payable {
			t.Errorf("%s: the slip is %q, %v", numbers[i], row["slip"], err)
		}
	}
	if bytes.Equal(read("K-open"), before["K-open"]) {
		t.Error("the slip isn't drawn with the merchant's facts of today")
	}
}
