package follow

import (
	"testing"
	"time"

	"konbill/batch"
)

func TestJudge(t *testing.T) {
	noon := time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC)
	charge := func(status string) batch.Charge {
		c := batch.Charge{ID: "chrg_test_1", Amount: 3000, Status: status, Fee: 165, FeeVAT: 17, Net: 2818}
		if c.Paid() {
			c.PaidAt = noon
		}
		return c
	}
	with := func(status string, change func(*batch.Charge)) batch.Charge {
		c := charge(status)
		change(&c)
		return c
	}
	for _, c := range []struct {
		name        string
		known, said batch.Charge
		listed      verdict // what it means in a list
		fresh       verdict // and when asked for by id
	}{
		{"still open", charge("pending"), charge("pending"), nothingNew, nothingNew},
		{"open, at another price", charge("pending"), with("pending", func(c *batch.Charge) { c.Fee++ }), nothingNew, nothingNew},
		{"paid", charge("pending"), charge("successful"), news, news},
		{"expired", charge("pending"), charge("expired"), news, news},
		{"failed", charge("pending"), charge("failed"), news, news},
		{"paid in the last minute, told late", charge("expired"), charge("successful"), news, news},
		{"paid back", charge("successful"), charge("reversed"), news, news},
		{"paid and paid back", charge("pending"), charge("reversed"), news, news},
		{"paid, then open", charge("successful"), charge("pending"), contradiction, contradiction},
		{"paid, then expired", charge("successful"), charge("expired"), contradiction, contradiction},
		{"paid back, then paid", charge("reversed"), charge("successful"), contradiction, contradiction},
		{"expired, then open", charge("expired"), charge("pending"), contradiction, contradiction},
		{"one end, then the other", charge("failed"), charge("expired"), contradiction, news},
		{"paid, the same", charge("successful"), charge("successful"), nothingNew, nothingNew},
		{"paid, fee told later", charge("successful"), with("successful", func(c *batch.Charge) { c.Fee, c.Net = 200, 2783 }), news, news},
		{"paid at an earlier time", charge("successful"), with("successful", func(c *batch.Charge) { c.PaidAt = noon.Add(-time.Hour) }), contradiction, news},
		{"paid back, without its time", charge("reversed"), with("reversed", func(c *batch.Charge) { c.PaidAt = time.Time{} }), nothingNew, nothingNew},
		{"another amount", charge("pending"), with("successful", func(c *batch.Charge) { c.Amount = 1 }), contradiction, contradiction},
		{"a status of the future", charge("pending"), charge("frozen"), contradiction, contradiction},
		{"from a status of the future", charge("frozen"), charge("successful"), news, news},
	} {
		if got := judge(c.known, c.said, false); got != c.listed {
			t.Errorf("%s: in a list %d, want %d", c.name, got, c.listed)
		}
		if got := judge(c.known, c.said, true); got != c.fresh {
			t.Errorf("%s: asked for %d, want %d", c.name, got, c.fresh)
		}
	}
}
