package ledgertest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

func testValues(t *testing.T, newStore Store) {
	t.Run("every field", func(t *testing.T) { testEveryField(t, newStore) })
	t.Run("zero", func(t *testing.T) { testZero(t, newStore) })
	t.Run("odd texts", func(t *testing.T) { testOddTexts(t, newStore) })
	t.Run("entry is not kept", func(t *testing.T) { testEntryIsNotKept(t, newStore) })
}

// testEveryField stores a value of its own in every field of an entry, found
// by reflection, so that a new field can't be forgotten.
func testEveryField(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	inv := sample("1")
	e := b.accept(inv)[0]
	later, _ := b.open()

	want := batch.Entry{}
	fill(reflect.ValueOf(&want).Elem(), new(int))
	moved, err := b.Move(t.Context(), move(e, batch.Charging), func(edited *batch.Entry) {
		*edited = want
		edited.Job = later // a job there is
	})
	if err != nil {
		t.Fatal(err)
	}
	// What a change may not set, and what is set for it.
	want.Key, want.Account, want.Invoice.Number, want.Revision, want.AcceptedAt = e.Key, e.Account, e.Invoice.Number, e.Revision, e.AcceptedAt
	want.State, want.UpdatedAt, want.Job = batch.Charging, stored(at(1)), later
	same(t, "moved", moved, want)
	same(t, "entry", b.entry(e.Key), want)
	b.t.Run("listed", func(t *testing.T) {
		err := b.Entries(t.Context(), batch.Query{}, func(listed batch.Entry) error {
			same(t, "entry", listed, want)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})

	row := invoice.Invoice{}
	fill(reflect.ValueOf(&row).Elem(), new(int))
	accepted := b.accept(row)[0]
	same(t, "accepted invoice", accepted.Invoice, row)
	same(t, "accepted invoice, read again", b.entry(accepted.Key).Invoice, row)
}

// fill gives every field below v a value of its own.
func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(stored(at(1000 * *n)).Add(time.Microsecond)))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprintf("値 %d", *n))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(int64(*n))
	default:
		panic(fmt.Sprintf("an entry holds a %s: say here how to fill it", v.Type()))
	}
}

// testZero stores the zero value of every field that may be empty.
func testZero(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	e := b.accept(invoice.Invoice{Number: "1"})[0]
	want := batch.Entry{
		Key: e.Key, Account: account, State: batch.Accepted, Revision: 1, Invoice: invoice.Invoice{Number: "1"}, Job: e.Job,
		AcceptedAt: stored(opened), UpdatedAt: stored(opened),
	}
	same(t, "accepted", b.entry(e.Key), want)

	filled := b.accept(sample("2"))[0]
	job := filled.Job
	moved, err := b.Move(t.Context(), move(filled, batch.Accepted), func(edited *batch.Entry) { *edited = batch.Entry{Job: job} })
	if err != nil {
		t.Fatal(err)
	}
	want.Key, want.Invoice.Number, want.Job, want.UpdatedAt = filled.Key, "2", job, stored(at(1))
	same(t, "emptied", moved, want)
	same(t, "emptied, read again", b.entry(filled.Key), want)
}

// testOddTexts keeps what servers say, whatever it is: an outcome must never
// be lost for the sake of its text. Bytes that are no text may be replaced.
func testOddTexts(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	e := b.walk(b.accept(sample("𠮷-'\"%;--"))[0], batch.Charging)
	for _, text := range []string{"250 受け付けました\r\n'; DROP TABLE invoice; --", "𠮷野家 😀", "nul \x00 inside", "\xff\xfe no text"} {
		moved, err := b.Move(t.Context(), move(e, batch.Charging), func(e *batch.Entry) {
			e.MailReply, e.Refusal.Message = text, text
		})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		same(t, "entry, read again", b.entry(e.Key), moved)
	}
	same(t, "listed by number", b.numbers(batch.Query{Numbers: []string{e.Invoice.Number}}), []string{e.Invoice.Number})
}

// testEntryIsNotKept lets a change keep its pointer, against the rules: what
// the ledger gave out must not change with it.
func testEntryIsNotKept(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	e := b.accept(sample("1"))[0]
	var kept *batch.Entry
	moved, err := b.Move(t.Context(), move(e, batch.Accepted), func(edited *batch.Entry) { kept = edited })
	if err != nil {
		t.Fatal(err)
	}
	kept.State = batch.Held
	same(t, "entry", moved.State, batch.Accepted)
}
