package ledgertest

import (
	"testing"
	"time"

	"konbill/batch"
)

func testWebhooks(t *testing.T, newStore Store) {
	open := newStore(t)
	first, second := open(), open()
	want := func(id string, known bool) {
		t.Helper()
		for name, l := range map[string]batch.Ledger{"it": first, "another": second} {
			if got, err := l.WebhookKnown(t.Context(), id); got != known || err != nil {
				t.Errorf("%s says that it knows %s: %v, %v", name, id, got, err)
			}
		}
	}
	remember := func(l batch.Ledger, id string, at, since time.Time) {
		t.Helper()
		if err := l.RememberWebhook(t.Context(), id, at, since); err != nil {
			t.Fatal(err)
		}
	}
	want("evnt_1", false)
	remember(first, "evnt_1", at(10), at(0))
	want("evnt_1", true)
	want("evnt_2", false)
	remember(second, "evnt_1", at(30), at(0)) // again: the first time counts
	remember(second, "evnt_2", at(20), at(10))
	want("evnt_1", true)
	want("evnt_2", true)
	remember(first, "evnt_3", at(40), at(11))
	want("evnt_1", false)
	want("evnt_2", true)
	want("evnt_3", true)
	if err := first.RememberWebhook(cancelled(t), "evnt_4", at(50), at(0)); err == nil {
		t.Error("remembered under an ended context")
	}
	want("evnt_4", false)
}
