package main

import (
	"strings"
	"testing"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

// TestStaffAreToldWhyNothingWasIssuedAgain: it isn't unknown whether there is a
// bill, so that isn't what they read.
func TestStaffAreToldWhyNothingWasIssuedAgain(t *testing.T) {
	now := func() time.Time { return scriptNow }
	s := &service{app: &app{now: now}, runner: &batch.Runner{Now: now}, staff: &staffPost{app: &app{lang: invoice.Japanese}}}
	told := s.retries(&batch.Retried{GivenUpCharges: []batch.Entry{
		{Key: "kb_1", State: batch.Accepted, Invoice: invoice.Invoice{Number: "P-1"}, Refusal: batch.Refusal{Code: "old_bill_paid", Message: "chrg_test_5old"}},
		{Key: "kb_2", State: batch.Unknown, Invoice: invoice.Invoice{Number: "U-1"}},
	}})
	if len(told.NotCharged) != 1 || told.NotCharged[0].Number != "P-1" || !strings.Contains(told.NotCharged[0].Message, "chrg_test_5old") {
		t.Errorf("not charged: %+v", told.NotCharged)
	}
	if len(told.UnknownToStay) != 1 || told.UnknownToStay[0].Number != "U-1" {
		t.Errorf("unknown: %+v", told.UnknownToStay)
	}
}
