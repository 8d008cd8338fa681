package ledgertest

import (
	"errors"
	"testing"

	"konbill/batch"
	"konbill/invoice"
)

func testRevisions(t *testing.T, newStore Store) {
	t.Run("verdicts", func(t *testing.T) { testReissue(t, newStore) })
	t.Run("one after the other", func(t *testing.T) { testOneAfterTheOther(t, newStore) })
	t.Run("latest", func(t *testing.T) { testLatest(t, newStore) })
	t.Run("overtaken", func(t *testing.T) { testOvertaken(t, newStore) })
}

// end gives a charged invoice a payment status.
func (b book) end(e batch.Entry, status string) batch.Entry {
	b.t.Helper()
	ended, err := b.Move(b.t.Context(), move(e, e.State), func(e *batch.Entry) { e.Charge.Status = status })
	if err != nil {
		b.t.Fatal(err)
	}
	return ended
}

func (b book) reissue(row invoice.Invoice) batch.Verdict {
	b.t.Helper()
	again := job(account)
	again.Reissue, again.StartedAt = true, at(9)
	_, verdicts, err := OpenJob(b.t.Context(), b, again, []invoice.Invoice{row})
	if err != nil {
		b.t.Fatal(err)
	}
	return verdicts[0]
}

// testReissue wants a second revision of what is over unpaid, whatever the row
// says, and of nothing else.
func testReissue(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	n := 0
	for _, state := range states {
		for _, status := range []string{"", "pending", "successful", "reversed", "expired", "failed"} {
			for _, content := range []string{"same", "other"} {
				n++
				row := sample(number(n))
				e := b.end(b.walk(b.accept(row)[0], state), status)
				if content == "other" {
					row.Amount++
				}
				history := len(b.history(e.Key))
				v := b.reissue(row)
				over := state.HasCharge() && (status == "expired" || status == "failed")
				if (v.Outcome == batch.Reissued) != over {
					t.Fatalf("%s, %s, %s content: %s", state, status, content, v.Outcome)
				}
				if !over {
					continue
				}
				if b.entry(e.Key) != e || len(b.history(e.Key)) != history+1 || len(b.history(v.Entry.Key)) != 1 {
					t.Errorf("%s, %s: the first revision is %+v with %d new events", state, status, b.entry(e.Key), len(b.history(e.Key))-history)
				}
				want := batch.Entry{
					Key: batch.KeyOfRevision(account, row.Number, 2), Account: account, State: batch.Accepted, Revision: 2,
					Invoice: row, Job: v.Entry.Job, AcceptedAt: stored(at(9)), UpdatedAt: stored(at(9)),
				}
				same(t, "second revision", b.entry(v.Entry.Key), want)
				same(t, "its predecessor", v.Entry.Previous(), e.Key)
				if again := b.reissue(row); again.Outcome != batch.Known || again.Entry.Key != v.Entry.Key {
					t.Errorf("a bill that waits to be charged was reissued: %s", again.Outcome)
				}
			}
		}
	}
}

// testOneAfterTheOther: a bill that turns out to be paid after all, since stores
// report late, keeps the next from being asked for.
func testOneAfterTheOther(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	row := sample("1")
	first := b.end(b.walk(b.accept(row)[0], batch.Mailed), "expired")
	second := b.reissue(row).Entry
	first = b.end(first, "successful")
	b.unchanged(second.Key, func() {
		var stale *batch.StaleError
		if _, err := b.Move(t.Context(), move(second, batch.Charging), proofs(second, batch.Charging)); !errors.As(err, &stale) {
			t.Errorf("asking for a second charge beside a paid one: %v", err)
		}
	})
	b.end(first, "expired")
	second = b.end(b.walk(second, batch.Charged), "pending")
	if v := b.reissue(row); v.Outcome != batch.Known || v.Entry.Key != second.Key {
		t.Errorf("a bill that can be paid was reissued: %s", v.Outcome)
	}
	b.end(second, "failed")
	third := b.reissue(row).Entry
	same(t, "third revision", third.Revision, 3)
	if _, verdicts := b.open(row); verdicts[0].Entry.Key != third.Key || verdicts[0].Outcome != batch.Known {
		t.Errorf("a row is compared with %+v", verdicts[0])
	}
}

func testLatest(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	ctx := t.Context()
	if _, err := b.Latest(ctx, account, "1"); !errors.Is(err, batch.ErrNotFound) {
		t.Errorf("of an unknown number: %v", err)
	}
	want := func(revision int) {
		t.Helper()
		if e, err := b.Latest(ctx, account, "1"); e.Revision != revision || e != b.entry(e.Key) || err != nil {
			t.Errorf("the latest revision is %d, want %d: %v", e.Revision, revision, err)
		}
	}
	second := foreign("1")
	second.Revision, second.Key, second.Charge.ID = 2, batch.KeyOfRevision(account, "1", 2), "chrg_foreign_2"
	b.adopt(second) // issued elsewhere, as is the first, which is not known here
	want(2)
	if _, verdicts := b.open(sample("1")); verdicts[0].Entry.Key != second.Key {
		t.Errorf("a row is compared with %+v", verdicts[0])
	}
	b.adopt(foreign("1"))
	want(2)
	same(t, "by number", len(b.numbers(batch.Query{Numbers: []string{"1"}})), 2)
	same(t, "reissued", b.numbers(batch.Query{Reissued: true, ChargeStatuses: []string{second.Charge.Status}}), []string{"1"})
	same(t, "reissued, with a payment status nobody has", b.numbers(batch.Query{Reissued: true, ChargeStatuses: []string{"failed"}}), []string{})
	if _, err := b.Latest(ctx, batch.Account{ID: account.ID, Live: true}, "1"); !errors.Is(err, batch.ErrNotFound) {
		t.Errorf("in the other mode: %v", err)
	}
}

// testOvertaken: a bill that isn't charged here, and that another ledger has issued
// again, is none to ask for.
func testOvertaken(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	first := b.accept(sample("1"))[0]
	second := foreign("1")
	second.Revision, second.Key = 2, batch.KeyOfRevision(account, "1", 2)
	b.adopt(second)
	b.unchanged(first.Key, func() {
		var stale *batch.StaleError
		if _, err := b.Move(t.Context(), move(first, batch.Charging), proofs(first, batch.Charging)); !errors.As(err, &stale) {
			t.Errorf("asking for a charge that was issued again elsewhere: %v", err)
		}
	})
}
