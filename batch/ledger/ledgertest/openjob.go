package ledgertest

import (
	"errors"
	"testing"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

func testOpenJob(t *testing.T, newStore Store) {
	t.Run("new", func(t *testing.T) { testNew(t, newStore) })
	t.Run("all or nothing", func(t *testing.T) { testAllOrNothing(t, newStore) })
	t.Run("verdicts", func(t *testing.T) { testVerdicts(t, newStore) })
	t.Run("open due date", func(t *testing.T) { testOpenDue(t, newStore) })
	t.Run("proved absent", func(t *testing.T) { testTakenOver(t, newStore) })
	t.Run("declined again", func(t *testing.T) { testAttemptsGoOn(t, newStore) })
}

func testNew(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	inv := sample("1")
	inv.Due = inv.Due.Add(1500 * time.Nanosecond).In(japan)
	id, verdicts := b.open(inv)
	inv.Due = stored(inv.Due)
	want := batch.Entry{
		Key: batch.KeyOf(account, "1"), Account: account, State: batch.Accepted, Revision: 1, Invoice: inv, Job: id,
		AcceptedAt: stored(opened), UpdatedAt: stored(opened),
	}
	same(t, "verdict", verdicts[0], batch.Verdict{Outcome: batch.New, Entry: want})
	same(t, "entry", b.entry(want.Key), want)

	events := b.history(want.Key)
	if len(events) != 1 {
		t.Fatalf("%d events, want one", len(events))
	}
	first := events[0]
	if first.Who != "run" || first.Why == "" {
		t.Errorf("the first event doesn't say who or why: %+v", first)
	}
	first.Who, first.Why = "", ""
	same(t, "first event", first, batch.Event{Key: want.Key, At: stored(opened), To: batch.Accepted})

	again, _ := b.open()
	if again <= id {
		t.Errorf("job %d was opened after job %d", again, id)
	}
}

func testAllOrNothing(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	known := b.accept(sample("known"))[0]
	corrected := sample("known")
	corrected.Amount = 4000
	fail := func(name string, try func() error) {
		b.unchanged(known.Key, func() {
			if try() == nil {
				t.Errorf("%s: no error", name)
			}
		})
		same(t, "invoices after "+name, b.numbers(batch.Query{}), []string{"known"})
		if jobs, err := b.Jobs(t.Context(), 10); len(jobs) != 1 || err != nil {
			t.Errorf("%s: jobs %v, %v", name, jobs, err)
		}
	}
	fail("a number twice", func() error {
		_, _, err := OpenJob(t.Context(), b, job(account), []invoice.Invoice{corrected, sample("1"), sample("2"), sample("1")})
		return err
	})
	fail("a cancelled context", func() error {
		_, _, err := OpenJob(cancelled(t), b, job(account), []invoice.Invoice{corrected, sample("1")})
		return err
	})
}

// difference is a way in which a row can differ from what was issued under its
// number.
type difference struct {
	name     string
	edit     func(*invoice.Invoice)
	conflict invoice.Field // once there may be a charge; "" when the charge is the same
}

var differences = []difference{
	{"nothing", func(*invoice.Invoice) {}, ""},
	{"amount", func(i *invoice.Invoice) { i.Amount++ }, invoice.FieldAmount},
	{"sent name", func(i *invoice.Invoice) { i.SentName = "山田花子" }, invoice.FieldName},
	{"phone", func(i *invoice.Invoice) { i.Phone = "09012345679" }, invoice.FieldPhone},
	{"due date", func(i *invoice.Invoice) { i.Due = i.Due.AddDate(0, 0, 1) }, invoice.FieldDue},
	{"due date left open", func(i *invoice.Invoice) { i.Due, i.DueGiven = i.Due.AddDate(0, 0, 1), false }, ""},
	{"e-mail", func(i *invoice.Invoice) { i.Email = "hanako@example.jp" }, ""},
	{"full name", func(i *invoice.Invoice) { i.Name = "山田 太郎" }, ""},
	{"company", func(i *invoice.Invoice) { i.Company = true }, ""},
	{"description", func(i *invoice.Invoice) { i.Description = "12月分" }, ""},
	{"language", func(i *invoice.Invoice) { i.Language = invoice.English }, ""},
	{"tax", func(i *invoice.Invoice) { i.TaxRate, i.Tax = 8, 222 }, ""},
}

// testVerdicts opens a second job with every difference, for an invoice in
// every state.
func testVerdicts(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	for i, state := range states {
		for j, d := range differences {
			inv := sample(number(i*len(differences) + j))
			e := b.walk(b.accept(inv)[0], state)
			d.edit(&inv)
			t.Run(string(state)+", other "+d.name, func(t *testing.T) { testVerdict(book{b.Ledger, t}, e, inv, d) })
		}
	}
}

func testVerdict(b book, e batch.Entry, row invoice.Invoice, d difference) {
	history := b.history(e.Key)
	id, verdicts := b.open(row)
	got := verdicts[0]
	want := batch.Verdict{Outcome: batch.Known, Entry: e}
	events := 0
	switch {
	case e.State == batch.Accepted, e.State == batch.Declined && d.name != "nothing":
		if d.name != "nothing" {
			want.Outcome = batch.Corrected
		}
		want.Entry.State, want.Entry.Invoice, want.Entry.Job, want.Entry.UpdatedAt = batch.Accepted, row, id, stored(opened)
		events = 1
	case e.State != batch.Declined && d.conflict != "":
		want.Outcome, want.Conflict = batch.Conflict, d.conflict
	}
	same(b.t, "verdict", got, want)
	same(b.t, "entry", b.entry(e.Key), want.Entry)
	now := b.history(e.Key)
	if len(now) != len(history)+events {
		b.t.Fatalf("%d new events, want %d", len(now)-len(history), events)
	}
	if events == 1 {
		last := now[len(now)-1]
		if last.From != e.State || last.To != batch.Accepted || last.Who != "run" || last.Why == "" {
			b.t.Errorf("event %+v", last)
		}
	}
}

// testOpenDue reads a row without a due date on another day: it is the same
// row, and an invoice that was not begun follows the new day.
func testOpenDue(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	for i, c := range []struct {
		state   batch.State
		follows bool
	}{{batch.Accepted, true}, {batch.Declined, false}, {batch.Unknown, false}, {batch.Charged, false}} {
		inv := sample(number(i))
		inv.DueGiven = false
		e := b.walk(b.accept(inv)[0], c.state)
		inv.Due = inv.Due.AddDate(0, 0, 1)
		_, verdicts := b.open(inv)
		if got := verdicts[0]; got.Outcome != batch.Known || got.Entry.State != c.state {
			t.Errorf("%s: %s, %s", c.state, got.Outcome, got.Entry.State)
		}
		want := e.Invoice.Due
		if c.follows {
			want = inv.Due
		}
		same(t, "due of a known "+string(c.state), b.entry(e.Key).Invoice.Due, want)
	}
}

// testTakenOver brings up an invoice again that was proved to have no charge:
// from then on it is the new job's to charge, and nobody else's.
func testTakenOver(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	inv := sample("1")
	e := b.walk(b.accept(inv)[0], batch.Unknown)
	_, err := b.Move(t.Context(), move(e, batch.Accepted), func(e *batch.Entry) { e.MissedAt, e.Retries = at(1), 2 })
	if err != nil {
		t.Fatal(err)
	}
	id, verdicts := b.open(inv)
	if got := verdicts[0]; got.Outcome != batch.Known || got.Entry.Job != id || !got.Entry.MissedAt.IsZero() || got.Entry.Retries != 0 {
		t.Errorf("accepted again: %+v", got)
	}
	same(t, "entry", b.entry(e.Key), verdicts[0].Entry)
}

// testAttemptsGoOn corrects a declined invoice: the refusal is over, the count
// of attempts is not.
func testAttemptsGoOn(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	inv := sample("1")
	e := b.walk(b.accept(inv)[0], batch.Charging)
	e, err := b.Move(t.Context(), move(e, batch.Declined), func(e *batch.Entry) {
		e.Refusal = batch.Refusal{Code: "invalid_charge", Message: "no"}
	})
	if err != nil {
		t.Fatal(err)
	}
	inv.Phone = "09000000000"
	_, verdicts := b.open(inv)
	got := verdicts[0].Entry
	if got.Refusal != (batch.Refusal{}) || got.Attempt != e.Attempt || !got.AcceptedAt.Equal(e.AcceptedAt) {
		t.Errorf("accepted again: %+v", got)
	}
	got = b.walk(got, batch.Charged)
	same(t, "attempts", got.Attempt, 2)

	inv.Amount++
	if _, verdicts = b.open(inv); verdicts[0].Outcome != batch.Conflict {
		t.Error("a charged invoice was corrected")
	}
	var stale *batch.StaleError
	if _, err := b.Move(t.Context(), move(e, batch.Accepted), proofs(e, batch.Accepted)); !errors.As(err, &stale) {
		t.Errorf("a step from before the correction: %v", err)
	}
}
