package ledger

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"konbill/batch"
)

func TestPeople(t *testing.T) { testPeople(t, openNew(t)) }

func testPeople(t *testing.T, l *Ledger) {
	ctx, start := t.Context(), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	for _, nobody := range []string{"佐藤", "a\x00b", "\xff"} {
		_, err := l.Person(ctx, nobody)
		want("nobody", err, batch.ErrNotFound)
	}
	want("a password of nobody", l.SetPassword(ctx, "佐藤", "x"), batch.ErrNotFound)
	want("to remove nobody", l.RemovePerson(ctx, "佐藤", start), batch.ErrNotFound)

	sato := batch.Person{Name: "佐藤", Role: batch.Preparer, Password: "hash", CreatedAt: start}
	must(l.AddPerson(ctx, sato))
	want("the same again", l.AddPerson(ctx, sato), batch.ErrPersonExists)
	if l.AddPerson(ctx, batch.Person{Name: "x", Role: "owner"}) == nil {
		t.Error("a role that there isn't was stored")
	}
	if found, err := l.Person(ctx, "佐藤"); err != nil || found != sato {
		t.Errorf("%+v, %v", found, err)
	}

	session := batch.Session{Token: "aa", Person: sato, BeganAt: start, SeenAt: start}
	must(l.BeginSession(ctx, session, start))
	must(l.SeeSession(ctx, "aa", start.Add(time.Minute)))
	must(l.SeeSession(ctx, "aa", start)) // one that came late
	session.SeenAt = start.Add(time.Minute)
	if found, err := l.Session(ctx, "aa"); err != nil || found != session {
		t.Errorf("%+v, %v", found, err)
	}
	must(l.BeginSession(ctx, batch.Session{Token: "bb", Person: sato, BeganAt: start.Add(time.Hour)}, start.Add(time.Second)))
	_, err := l.Session(ctx, "aa")
	want("a session that began too long ago", err, batch.ErrNotFound)
	must(l.EndSession(ctx, "bb"))
	_, err = l.Session(ctx, "bb")
	want("one that ended", err, batch.ErrNotFound)

	for i, change := range []func() error{
		func() error { return l.SetPassword(ctx, "佐藤", "other") },
		func() error { return l.RemovePerson(ctx, "佐藤", start.Add(time.Hour)) },
	} {
		must(l.BeginSession(ctx, batch.Session{Token: "cc", Person: sato, BeganAt: start}, start))
		must(change())
		if _, err := l.Session(ctx, "cc"); !errors.Is(err, batch.ErrNotFound) {
			t.Errorf("change %d left a session: %v", i, err)
		}
	}
	want("a password of one who was removed", l.SetPassword(ctx, "佐藤", "x"), batch.ErrNotFound)
	again := batch.Person{Name: "佐藤", Role: batch.Viewer, Password: "new", CreatedAt: start.Add(2 * time.Hour)}
	must(l.AddPerson(ctx, again))
	if people, err := l.People(ctx); err != nil || !slices.Equal(people, []batch.Person{again}) {
		t.Errorf("%+v, %v", people, err)
	}

	acts := []batch.Act{{At: start, Person: "佐藤", What: "signed_in"}, {At: start, Person: "nobody", What: "refused", About: "佐藤"}}
	for _, a := range acts {
		must(l.RecordAct(ctx, a))
	}
	slices.Reverse(acts)
	if found, err := l.Acts(ctx, 10); err != nil || !reflect.DeepEqual(found, acts) {
		t.Errorf("%+v, %v", found, err)
	}
	if found, err := l.Acts(ctx, 1); err != nil || len(found) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	for _, statement := range []string{"UPDATE act SET person = 'x'", "DELETE FROM act"} {
		if _, err := l.writer.ExecContext(ctx, statement); err == nil {
			t.Errorf("%s was taken", statement)
		}
	}
}

func TestRecent(t *testing.T) { testRecent(t, openNew(t)) }

// testRecent goes through the invoices page by page.
func testRecent(t *testing.T, l *Ledger) {
	acceptedIn(t, l, 25)
	var oldestFirst, newestFirst []string
	if err := l.Entries(t.Context(), batch.Query{}, func(e batch.Entry) error {
		oldestFirst = append(oldestFirst, e.Invoice.Number)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for cursor := int64(0); ; {
		page, next, err := l.Recent(t.Context(), batch.Query{States: []batch.State{batch.Accepted}}, cursor, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			newestFirst = append(newestFirst, e.Invoice.Number)
		}
		sizes = append(sizes, len(page))
		if cursor = next; next == 0 {
			break
		}
	}
	slices.Reverse(newestFirst)
	if !slices.Equal(newestFirst, oldestFirst) || !slices.Equal(sizes, []int{10, 10, 5}) {
		t.Errorf("%v in pages of %v, want %v", newestFirst, sizes, oldestFirst)
	}
	for _, prefix := range []string{"\x00", "\xff", "a\x00b"} {
		if page, _, err := l.Recent(t.Context(), batch.Query{NumberPrefix: prefix}, 0, 25); err != nil || len(page) != 0 {
			t.Errorf("%q: %d, %v", prefix, len(page), err)
		}
	}
	if page, next, err := l.Recent(t.Context(), batch.Query{}, 0, 25); err != nil || len(page) != 25 || next != 0 {
		t.Errorf("all on one page: %d, %d, %v", len(page), next, err)
	}
}

func TestCounts(t *testing.T) { testCounts(t, openNew(t)) }

// testCounts pays and lets expire around midnight in Japan, which is 15:00 in UTC.
func testCounts(t *testing.T, l *Ledger) {
	midnight := time.Date(2026, 12, 1, 15, 0, 0, 0, time.UTC)
	at := []struct{ paid, expired time.Time }{
		{paid: midnight.Add(-time.Microsecond)}, {paid: midnight}, {paid: midnight.Add(23 * time.Hour)}, {paid: midnight.AddDate(0, 0, -5)},
		{expired: midnight}, {expired: midnight.AddDate(0, 0, 2)},
	}
	for i, e := range acceptedIn(t, l, len(at)) {
		asked, err := l.Move(t.Context(), step(e, batch.Charging), intent)
		if err == nil {
			_, err = l.Move(t.Context(), step(asked, batch.Charged), func(e *batch.Entry) {
				e.Charge.ID, e.Charge.Status, e.Charge.PaidAt, e.Charge.ExpiresAt = "chrg_"+e.Invoice.Number, batch.StatusSuccessful, at[i].paid, at[i].expired
				if at[i].paid.IsZero() {
					e.Charge.Status = batch.StatusExpired
				}
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if job, err := l.Job(t.Context(), 1); err != nil || job.File != "invoices.csv" {
		t.Errorf("%+v, %v", job, err)
	}
	if _, err := l.Job(t.Context(), 2); !errors.Is(err, batch.ErrNotFound) {
		t.Errorf("a job that there isn't: %v", err)
	}
	counts, err := l.Counts(t.Context(), midnight.AddDate(0, 0, -1))
	want := []batch.DayCount{
		{Day: midnight.AddDate(0, 0, -1), Paid: 1}, {Day: midnight, Paid: 2, Expired: 1}, {Day: midnight.AddDate(0, 0, 2), Expired: 1},
	}
	if err != nil || !reflect.DeepEqual(counts, want) {
		t.Errorf("%+v, %v\nwant %+v", counts, err, want)
	}
}
