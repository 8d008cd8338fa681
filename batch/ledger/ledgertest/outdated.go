package ledgertest

import (
	"testing"

	"konbill/batch"
)

// testOutdated changes invoices of jobs in and after their time.
func testOutdated(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	ctx := t.Context()
	want := func(what string, ids ...int64) {
		t.Helper()
		jobs, err := b.Outdated(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got := []int64{}
		for _, j := range jobs {
			got = append(got, j.ID)
		}
		same(t, what, got, append([]int64{}, ids...))
	}
	updated := func(job int64, asOf int) {
		t.Helper()
		if err := b.RecordUpdated(ctx, job, at(asOf)); err != nil {
			t.Fatal(err)
		}
	}
	first, _ := b.open(sample("1"))
	second, _ := b.open(sample("2"))
	one := b.walk(b.entry(batch.KeyOf(account, "1")), batch.Charged)
	two := b.walk(b.entry(batch.KeyOf(account, "2")), batch.Charged)
	want("before anything is done")

	moved, err := b.Move(ctx, move(one, batch.Charged), func(e *batch.Entry) { e.Charge.Status = "pending" })
	if err != nil {
		t.Fatal(err)
	}
	want("after a charge that says nothing")
	if err := b.CloseJob(ctx, first, at(3), nil); err != nil {
		t.Fatal(err)
	}
	step := move(moved, batch.Charged)
	step.At = at(5)
	if _, err = b.Move(ctx, step, func(e *batch.Entry) { e.Charge.Status = "successful" }); err != nil {
		t.Fatal(err)
	}
	want("after a payment", first)
	updated(first, 4)
	want("after results of a moment before", first)
	updated(second, 9)
	updated(first+100, 9)
	want("after results of others", first)
	updated(first, 5)
	want("after its results")

	if _, err := b.Move(ctx, move(two, batch.Charged), func(e *batch.Entry) { e.Charge.Status = "pending" }); err != nil {
		t.Fatal(err)
	}
	step = move(two, batch.Charged)
	step.At = at(6)
	if _, err := b.Move(ctx, step, func(e *batch.Entry) { e.Charge.Status = "expired" }); err != nil {
		t.Fatal(err)
	}
	want("after a payment's end while the job is run", second)
	step = move(moved, batch.Mailing)
	step.At = at(7)
	if _, err := b.Move(ctx, step, proofs(moved, batch.Mailing)); err != nil {
		t.Fatal(err)
	}
	want("after a mail of a finished job", first, second)
}
