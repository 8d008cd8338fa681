package batch

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	noon := time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC)
	charge := func(status string) Charge {
		c := Charge{ID: "chrg_test_1", Amount: 3000, Status: status, Fee: 165, FeeVAT: 17, Net: 2818}
		if c.Paid() {
			c.PaidAt = noon
		}
		return c
	}
	with := func(status string, change func(*Charge)) Charge {
		c := charge(status)
		change(&c)
		return c
	}
	for _, c := range []struct {
		name        string
		known, said Charge
		listed      PaymentVerdict // what it means in a list
		fresh       PaymentVerdict // and when asked for by id
	}{
		{"still open", charge("pending"), charge("pending"), NothingNew, NothingNew},
		{"open, at another price", charge("pending"), with("pending", func(c *Charge) { c.Fee++ }), NothingNew, NothingNew},
		{"paid", charge("pending"), charge("successful"), News, News},
		{"expired", charge("pending"), charge("expired"), News, News},
		{"failed", charge("pending"), charge("failed"), News, News},
		{"paid in the last minute, told late", charge("expired"), charge("successful"), News, News},
		{"paid back", charge("successful"), charge("reversed"), News, News},
		{"paid and paid back", charge("pending"), charge("reversed"), News, News},
		{"paid, then open", charge("successful"), charge("pending"), Contradiction, Contradiction},
		{"paid, then expired", charge("successful"), charge("expired"), Contradiction, Contradiction},
		{"paid back, then paid", charge("reversed"), charge("successful"), Contradiction, Contradiction},
		{"expired, then open", charge("expired"), charge("pending"), Contradiction, Contradiction},
		{"one end, then the other", charge("failed"), charge("expired"), Contradiction, News},
		{"paid, the same", charge("successful"), charge("successful"), NothingNew, NothingNew},
		{"paid, fee told later", charge("successful"), with("successful", func(c *Charge) { c.Fee, c.Net = 200, 2783 }), News, News},
		{"paid at an earlier time", charge("successful"), with("successful", func(c *Charge) { c.PaidAt = noon.Add(-time.Hour) }), Contradiction, News},
		{"paid back, without its time", charge("reversed"), with("reversed", func(c *Charge) { c.PaidAt = time.Time{} }), NothingNew, NothingNew},
		{"another amount", charge("pending"), with("successful", func(c *Charge) { c.Amount = 1 }), Contradiction, Contradiction},
		{"a status of the future", charge("pending"), charge("frozen"), Contradiction, Contradiction},
		{"from a status of the future", charge("frozen"), charge("successful"), News, News},
	} {
		if got := judge(c.known, c.said, false); got != c.listed {
			t.Errorf("%s: in a list %d, want %d", c.name, got, c.listed)
		}
		if got := judge(c.known, c.said, true); got != c.fresh {
			t.Errorf("%s: asked for %d, want %d", c.name, got, c.fresh)
		}
	}
}
