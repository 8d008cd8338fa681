package invoice

import (
	"reflect"
	"testing"
	"time"
)

func TestCheckReadsAWholeRow(t *testing.T) {
	checked := NewChecker(testRules, testNow).Check(2, Fields{
		Number: "INV-2004", Name: "㈲髙橋工務店", Email: "info@takahashi.example.jp", Phone: "(06)6123-4567",
		Amount: "12,100", Due: "令和8年12月31日", Description: "修理部品代", Language: "en", TaxRate: "10%", Tax: "1,100",
	})
	want := Invoice{
		Number: "INV-2004", Name: "㈲髙橋工務店", Company: true, SentName: "髙橋工務店", Email: "info@takahashi.example.jp",
		Phone: "0661234567", Amount: 12100, Due: time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC), DueGiven: true,
		Description: "修理部品代", Language: English, TaxRate: 10, Tax: 1100,
	}
	if !reflect.DeepEqual(checked.Invoice, want) {
		t.Errorf("%+v\nwant %+v", checked.Invoice, want)
	}
	if checked.Rejected() {
		t.Error(checked.Findings)
	}
	for _, f := range checked.Findings {
		if f.Line != 2 || f.Field == "" || f.Severity == "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestEveryFaultOfARowIsFound(t *testing.T) {
	checked := NewChecker(testRules, testNow).Check(2, Fields{TaxRate: "7", Due: "月末"})
	want := "name_missing invoice_no_missing email_missing phone_missing amount_missing tax_rate_invalid due_unreadable"
	if got := codesOf(checked.Findings); got != want || !checked.Rejected() {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestSameRowAgainIsRejectedOnce(t *testing.T) {
	c := NewChecker(testRules, testNow)
	first, again := c.Check(2, soundFields()), c.Check(7, soundFields())
	if first.Rejected() || codesOf(again.Findings) != "invoice_no_repeated" || again.Findings[0].Ref != "2" {
		t.Errorf("%v %v", first.Findings, again.Findings)
	}
	if late := c.Finish(); late != nil {
		t.Error(late)
	}
}

// Nobody knows which of two rows with one number is meant, so neither is
// issued.
func TestSameNumberWithOtherContentRejectsBoth(t *testing.T) {
	c := NewChecker(testRules, testNow)
	c.Check(2, soundFields())
	other := soundFields()
	other.Amount = "4000"
	other.Number = " INV-1 " // spaces make no other number
	if second := c.Check(3, other); codesOf(second.Findings) != "invoice_no_conflicting" || second.Findings[0].Ref != "2" {
		t.Error(second.Findings)
	}
	other.Amount = "5000"
	c.Check(4, other)
	late := c.Finish()
	if codesOf(late) != "invoice_no_conflicting" || late[0].Line != 2 || late[0].Ref != "3" || late[0].Severity != Error {
		t.Errorf("%+v", late)
	}
}
