package ledgertest

import (
	"testing"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

// testOutdated changes invoices of jobs in and after their time.
func testOutdated(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	ctx := t.Context()
	// want returns the jobs as they are read.
	want := func(what string, ids ...int64) []batch.Job {
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
		return jobs
	}
	updated := func(j batch.Job) {
		t.Helper()
		if err := b.RecordUpdated(ctx, j); err != nil {
			t.Fatal(err)
		}
	}
	pay := func(e batch.Entry, status string, second int) batch.Entry {
		t.Helper()
		step := move(e, batch.Charged)
		step.At = at(second)
		e, err := b.Move(ctx, step, func(e *batch.Entry) { e.Charge.Status = status })
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first, _ := b.open(sample("1"))
	second, _ := b.open(sample("2"))
	one := b.walk(b.entry(batch.KeyOf(account, "1")), batch.Charged)
	two := b.walk(b.entry(batch.KeyOf(account, "2")), batch.Charged)
	want("before anything is done")

	one = pay(one, "pending", 3)
	want("after a charge that says nothing")
	if err := b.CloseJob(ctx, first, at(3), nil); err != nil {
		t.Fatal(err)
	}
	one = pay(one, "expired", 5)
	read := want("after a payment", first)[0]
	same(t, "the change that results don't tell", read.OutdatedAt.UTC(), at(5).UTC().Truncate(time.Microsecond))

	one = pay(one, "successful", 4)
	updated(read)
	want("after a change, by a clock that is slow, while results were written", first)
	read = want("and still", first)[0]
	other := read
	other.ID = second
	updated(other)
	other.ID = first + 100
	updated(other)
	want("after results of others", first)
	updated(read)
	want("after its results")
	one = pay(one, "reversed", 2)
	updated(read)
	want("after results that somebody else wrote from what was read before", first)
	updated(want("and then", first)[0])
	want("after its results")

	pay(pay(two, "pending", 5), "expired", 6)
	want("after a payment's end while the job is run", second)
	step := move(one, batch.Mailing)
	step.At = at(7)
	if _, err := b.Move(ctx, step, proofs(one, batch.Mailing)); err != nil {
		t.Fatal(err)
	}
	want("after a mail of a finished job", first, second)
}

// testListed lets another file list an invoice again: its results are outdated
// with those of the first; the same file's second run has none of its own.
func testListed(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	ctx := t.Context()
	open := func(sha string, row invoice.Invoice) int64 {
		t.Helper()
		j := job(account)
		j.SHA256 = sha
		id, _, err := OpenJob(ctx, b, j, []invoice.Invoice{row})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	accepted := open("aa", sample("2"))
	moved := open("bb", sample("2")) // which takes it over
	first := open("aa", sample("1"))
	e := b.walk(b.entry(batch.KeyOf(account, "1")), batch.Charged)
	conflicting := sample("1")
	conflicting.Amount++
	again, other, conflict := open("aa", sample("1")), open("bb", sample("1")), open("cc", conflicting)
	for _, id := range []int64{accepted, moved, first, again, other, conflict} {
		if err := b.CloseJob(ctx, id, at(2), nil); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, ids ...int64) {
		t.Helper()
		jobs, err := b.Outdated(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got := []int64{}
		for _, j := range jobs {
			got = append(got, j.ID)
			if err := b.RecordUpdated(ctx, j); err != nil {
				t.Fatal(err)
			}
		}
		same(t, what, got, append([]int64{}, ids...))
	}
	want("before anything changes")
	b.end(e, "pending")
	want("after a change of what two files list", first, other)
	b.step(b.entry(batch.KeyOf(account, "2")), batch.Charging)
	want("after a change of what was taken over", accepted, moved)
}
