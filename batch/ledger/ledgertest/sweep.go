package ledgertest

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

func testAdopt(t *testing.T, newStore Store) {
	t.Run("new", func(t *testing.T) { testAdoptNew(t, newStore) })
	t.Run("known", func(t *testing.T) { testAdoptKnown(t, newStore) })
	t.Run("every field", func(t *testing.T) { testAdoptEveryField(t, newStore) })
	t.Run("refused", func(t *testing.T) { testAdoptRefused(t, newStore) })
	t.Run("never chargeable", func(t *testing.T) { testNeverChargeable(t, newStore) })
	t.Run("described", func(t *testing.T) { testDescribed(t, newStore) })
	t.Run("one adopts", func(t *testing.T) { testOneAdopts(t, newStore) })
}

// foreign is an invoice as the API's charge tells of it.
func foreign(number string) batch.Entry {
	key := batch.KeyOf(account, number)
	known := sample(number)
	return batch.Entry{
		Key: key, Account: account, State: batch.Charged, Revision: 1, Elsewhere: true,
		Invoice: invoice.Invoice{
			Number: number, SentName: known.SentName, Email: known.Email, Phone: known.Phone, Amount: known.Amount, Due: known.Due,
		},
		Charge:     batch.Charge{ID: "chrg_foreign_" + string(key), Amount: known.Amount, ExpiresAt: known.Due},
		AcceptedAt: stored(at(3)), UpdatedAt: stored(at(3)),
	}
}

func (b book) adopt(e batch.Entry) batch.Entry {
	b.t.Helper()
	adopted, err := b.Adopt(b.t.Context(), e, "reconcile", "found in a sweep")
	if err != nil {
		b.t.Fatal(err)
	}
	return adopted
}

func testAdoptNew(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	e := foreign("1")
	same(t, "adopted", b.adopt(e), e)
	same(t, "entry", b.entry(e.Key), e)
	same(t, "history", b.history(e.Key), []batch.Event{
		{Key: e.Key, At: stored(at(3)), Who: "reconcile", To: batch.Charged, Why: "found in a sweep"},
	})
	same(t, "by number", b.numbers(batch.Query{Numbers: []string{"1"}}), []string{"1"})
	same(t, "by state", b.numbers(batch.Query{States: []batch.State{batch.Charged}}), []string{"1"})
	first, _ := b.open()
	same(t, "in a job", len(b.numbers(batch.Query{Job: first})), 0)
	b.step(b.step(e, batch.Mailing), batch.Mailed) // as any other, if a person wants so
}

// testAdoptKnown finds a charge for an invoice in every state: the ledger knows
// it, so nothing is adopted.
func testAdoptKnown(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	for i, state := range states {
		e := b.walk(b.accept(sample(number(i)))[0], state)
		b.wantKnown(foreign(number(i)), e.State)
	}
	again := foreign("adopted before")
	b.adopt(again)
	b.wantKnown(again, batch.Charged)
}

func (b book) wantKnown(e batch.Entry, have batch.State) {
	b.t.Helper()
	b.unchanged(e.Key, func() {
		got, err := b.Adopt(b.t.Context(), e, "reconcile", "found in a sweep")
		var stale *batch.StaleError
		if !errors.As(err, &stale) {
			b.t.Fatalf("adopting what is %s: %v, want a *StaleError", have, err)
		}
		same(b.t, "stale", *stale, batch.StaleError{Key: e.Key, Have: have})
		same(b.t, "entry of a failed adoption", got, batch.Entry{})
	})
}

// testAdoptEveryField gives every time more digits than a ledger keeps, too.
func testAdoptEveryField(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	e := batch.Entry{}
	fill(reflect.ValueOf(&e).Elem(), new(int))
	want := e
	want.State, want.Job = batch.Charged, 0 // whatever was asked for
	eachTime(reflect.ValueOf(&e).Elem(), func(at time.Time) time.Time { return at.Add(999 * time.Nanosecond).In(japan) })
	same(t, "adopted", b.adopt(e), want)
	same(t, "entry", b.entry(e.Key), want)
	same(t, "events", len(b.history(e.Key)), 1)
}

// eachTime edits every time below v.
func eachTime(v reflect.Value, edit func(time.Time) time.Time) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(edit(v.Interface().(time.Time))))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			eachTime(v.Field(i), edit)
		}
	}
}

// testAdoptRefused adopts what can't be: without a charge, with that of another
// invoice, of another account.
func testAdoptRefused(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	issued := b.walk(b.accept(sample("issued"))[0], batch.Charged)
	for name, edit := range map[string]func(*batch.Entry){
		"no charge":          func(e *batch.Entry) { e.Charge = batch.Charge{} },
		"another's charge":   func(e *batch.Entry) { e.Charge.ID = issued.Charge.ID },
		"of another account": func(e *batch.Entry) { e.Account.ID = "account_test_2" },
	} {
		e := foreign("1")
		edit(&e)
		_, err := b.Adopt(t.Context(), e, "reconcile", "found in a sweep")
		if err == nil || errors.Is(err, batch.ErrOtherAccount) != (e.Account != account) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := b.Entry(t.Context(), e.Key); !errors.Is(err, batch.ErrNotFound) {
			t.Errorf("%s: it is there: %v", name, err)
		}
		same(t, "events after "+name, len(b.history(e.Key)), 0)
	}
	if _, err := b.Adopt(cancelled(t), foreign("1"), "", ""); err == nil {
		t.Error("adopted under an ended context")
	}
}

// testNeverChargeable opens jobs with the number of an adopted invoice.
func testNeverChargeable(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	for i, d := range differences {
		e := b.adopt(foreign(number(i)))
		row := sample(number(i))
		d.edit(&row)
		_, verdicts := b.open(row)
		want := batch.Known
		if d.conflict != "" {
			want = batch.Conflict
			same(t, "entry after a conflict", b.entry(e.Key), e)
		}
		if v := verdicts[0]; v.Outcome != want || v.Conflict != d.conflict || v.Entry.State != batch.Charged || v.Entry.Job != 0 {
			t.Errorf("other %s: %s %q, an entry %s of job %d", d.name, v.Outcome, v.Conflict, v.Entry.State, v.Entry.Job)
		}
		same(t, "charge", b.entry(e.Key).Charge, e.Charge)
	}
	for _, to := range []batch.State{batch.Accepted, batch.Charging, batch.Declined, batch.Unknown} {
		testRefused(b, b.entry(batch.KeyOf(account, number(0))), to)
	}
}

// testDescribed takes from a row what a charge doesn't say.
func testDescribed(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	for i, name := range []string{"", sample("").SentName} {
		e := foreign(number(i))
		e.Invoice.Name = name
		b.adopt(e)
		row := sample(number(i))
		row.Email, row.Due, row.DueGiven = "hanako@example.jp", row.Due.AddDate(0, 0, 3), false
		_, verdicts := b.open(row)

		want := e
		want.UpdatedAt = stored(opened)
		want.Invoice.Name, want.Invoice.Company, want.Invoice.Description = row.Name, row.Company, row.Description
		want.Invoice.Language, want.Invoice.TaxRate, want.Invoice.Tax = row.Language, row.TaxRate, row.Tax
		same(t, "verdict", verdicts[0], batch.Verdict{Outcome: batch.Known, Entry: want})
		same(t, "entry", b.entry(e.Key), want)
		history := b.history(e.Key)
		last := history[len(history)-1]
		if len(history) != 2 || last.From != batch.Charged || last.To != batch.Charged || last.Who != "run" || last.Why == "" {
			t.Errorf("history %+v", history)
		}

		row.Description, row.Name = "別の内容", "山田 花子"
		b.unchanged(e.Key, func() { b.open(row) }) // it has a description now
	}
	e := b.walk(b.accept(sample("mine"))[0], batch.Charging)
	e, err := b.Move(t.Context(), move(e, batch.Charged), func(edited *batch.Entry) {
		proofs(e, batch.Charged)(edited)
		edited.Invoice.Name = ""
	})
	if err != nil {
		t.Fatal(err)
	}
	b.unchanged(e.Key, func() { b.open(sample("mine")) }) // issued here: it is what it is
}

// testOneAdopts lets two processes find the same charges at the same time.
func testOneAdopts(t *testing.T, newStore Store) {
	open := newStore(t)
	handles := []batch.Ledger{open(), open()}
	for i := range 20 {
		var running sync.WaitGroup
		start := make(chan struct{})
		errs := make(chan error, len(handles))
		for _, l := range handles {
			running.Go(func() {
				<-start
				_, err := l.Adopt(t.Context(), foreign(number(i)), "reconcile", "found in a sweep")
				errs <- err
			})
		}
		close(start)
		running.Wait()
		first, second := <-errs, <-errs
		var stale *batch.StaleError
		if (first == nil) == (second == nil) || !errors.As(errors.Join(first, second), &stale) {
			t.Errorf("two adopted one invoice: %v, %v", first, second)
		}
		same(t, "events", len(book{handles[0], t}.history(batch.KeyOf(account, number(i)))), 1)
	}
}

func testSweeps(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	live := batch.Account{ID: "account_1", Live: true}
	stranger := batch.Account{ID: "account_test_2"}
	want := func(a batch.Account, began time.Time) {
		t.Helper()
		if got, err := b.SweptAt(t.Context(), a); got != began || err != nil {
			t.Errorf("swept at %v, %v; want %v", got, err, began)
		}
	}
	record := func(a batch.Account, began time.Time) {
		t.Helper()
		if err := b.RecordSweep(t.Context(), a, began); err != nil {
			t.Fatal(err)
		}
	}
	want(account, time.Time{})
	want(stranger, time.Time{}) // the ledger is nobody's yet
	record(account, at(5))
	want(account, stored(at(5)))
	record(account, at(4)) // one that took longer
	want(account, stored(at(5)))
	record(account, at(6))
	want(account, stored(at(6)))

	want(live, time.Time{})
	record(live, at(1))
	want(live, stored(at(1)))
	want(account, stored(at(6)))

	if err := b.RecordSweep(t.Context(), stranger, at(9)); !errors.Is(err, batch.ErrOtherAccount) {
		t.Errorf("a sweep of another account: %v", err)
	}
	if got, err := b.SweptAt(t.Context(), stranger); !errors.Is(err, batch.ErrOtherAccount) || !got.IsZero() {
		t.Errorf("asked for another account: %v, %v", got, err)
	}
	if err := b.RecordSweep(cancelled(t), account, at(9)); err == nil {
		t.Error("recorded under an ended context")
	}
	want(account, stored(at(6)))
}
