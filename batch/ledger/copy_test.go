//go:build unix

package ledger

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
	"konbill/samples/peertest"
)

// everything is all that a ledger tells.
type everything struct {
	Entries []batch.Entry
	Events  map[batch.Key][]batch.Event
	Notices map[batch.Key][]batch.Notice
	Jobs    []batch.Job
	Sums    map[string]batch.Sum
	Passed  any
}

func tellAll(t *testing.T, l *Ledger) everything {
	t.Helper()
	all := everything{Events: map[batch.Key][]batch.Event{}, Notices: map[batch.Key][]batch.Notice{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(l.Entries(t.Context(), batch.Query{}, func(e batch.Entry) (err error) {
		all.Entries = append(all.Entries, e)
		if all.Events[e.Key], err = l.Events(t.Context(), e.Key); err != nil {
			return err
		}
		all.Notices[e.Key], err = l.Notices(t.Context(), e.Key)
		return err
	}))
	var err error
	all.Jobs, err = l.Jobs(t.Context(), 100)
	must(err)
	all.Sums, err = l.Sums(t.Context(), batch.Query{})
	must(err)
	all.Passed, err = l.PassedAt(t.Context())
	must(err)
	return all
}

// furnish fills a ledger with something of all there is.
func furnish(t *testing.T, l *Ledger) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(l.RememberAccount(t.Context(), "fingerprint", account))
	must(l.AddPerson(t.Context(), batch.Person{Name: "佐藤", Role: batch.Approver, Password: "hash", CreatedAt: opened}))
	for _, what := range []string{"signed_in", "signed_out"} {
		must(l.RecordAct(t.Context(), batch.Act{At: opened, Person: "佐藤", What: what}))
	}
	for i, e := range acceptedIn(t, l, 1200) {
		if i%400 != 0 {
			continue
		}
		asked, err := l.Move(t.Context(), step(e, batch.Charging), intent)
		must(err)
		charged, err := l.Move(t.Context(), step(asked, batch.Charged), func(e *batch.Entry) {
			e.Charge = batch.Charge{ID: "chrg_" + e.Invoice.Number, Amount: e.Invoice.Amount, Status: "expired", Fee: 150, Net: 2850, CreatedAt: opened}
			e.MailReply = "nul \x00, \xff no text"
		})
		must(err)
		if i == 800 {
			continue
		}
		// The first two are issued again; the first is paid after all.
		_, _, err = ledgertest.OpenJob(t.Context(), l, batch.Job{
			File: "again.csv", SHA256: "bb", Account: account, StartedAt: opened, Reissue: true,
		}, invoices(1200)[i:i+1])
		must(err)
		if i == 0 {
			_, err = l.Move(t.Context(), step(charged, batch.Charged), func(e *batch.Entry) { e.Charge.Status, e.Charge.PaidAt = "successful", opened })
			must(err)
		}
		must(l.MoveNotice(t.Context(), batch.NoticeMove{Notice: batch.Notice{
			Key: charged.Key, Kind: "remind-3d", State: batch.Mailing, Attempt: 1, MessageID: charged.Charge.ID + "@example.jp", UpdatedAt: opened,
		}, Who: "remind", Why: "test"}))
	}
	_, _, err := ledgertest.OpenJob(t.Context(), l, batch.Job{File: "others.csv", SHA256: "cc", Account: account, StartedAt: opened}, invoices(1200)[800:801])
	must(err) // lists what another file has
	must(l.RememberWebhook(t.Context(), "evnt_1", opened, opened.AddDate(0, -1, 0)))
	must(l.RecordPass(t.Context(), opened))
	must(l.RecordSweep(t.Context(), account, opened))
}

func TestCopy(t *testing.T) {
	server := peertest.StartPostgres(t)
	url := scheme + filepath.Join(t.TempDir(), "konbill.db")
	file := openURL(t, url)
	furnish(t, file)
	before := tellAll(t, file)
	target := openURL(t, server.NewDatabase())

	release, err := file.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.CopyTo(t.Context(), target); !errors.Is(err, batch.ErrHeld) {
		t.Errorf("while a run is on: %v", err)
	}
	release()
	full := openURL(t, server.NewDatabase())
	acceptedIn(t, full, 1)
	if _, err := file.CopyTo(t.Context(), full); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("to one that isn't empty: %v", err)
	}
	if _, err := full.CopyTo(t.Context(), target); !errors.Is(err, ErrNotFromFile) {
		t.Errorf("from a database: %v", err)
	}
	if now := tellAll(t, file); !reflect.DeepEqual(now, before) {
		t.Fatal("the refusals have changed something")
	}

	copied, err := file.CopyTo(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	want := []Copied{{"account", 1}, {"api_key", 1}, {"job", 4}, {"invoice", 1202}, {"listed", 1}, {"event", int64(events(before))}, {"notice", 2}, {"webhook", 1}, {"person", 1}, {"act", 2}}
	if !reflect.DeepEqual(copied, want) {
		t.Errorf("copied %v, want %v", copied, want)
	}
	if after := tellAll(t, target); !reflect.DeepEqual(after, before) {
		t.Error("the copy tells something else")
	}
	if known, err := target.WebhookKnown(t.Context(), "evnt_1"); !known || err != nil {
		t.Errorf("the webhook: %v, %v", known, err)
	}
	job, _, err := ledgertest.OpenJob(t.Context(), target, batch.Job{File: "next.csv", SHA256: "dd", Account: account, StartedAt: opened}, invoices(1201)[1200:])
	if err != nil || job != 5 {
		t.Errorf("the next job is %d, %v", job, err)
	}
	testMoved(t, file, url, before.Entries[1])
}

func events(all everything) (n int) {
	for _, history := range all.Events {
		n += len(history)
	}
	return n
}

// testMoved tries to go on with a file that has moved.
func testMoved(t *testing.T, file *Ledger, url string, accepted batch.Entry) {
	_, err := file.Move(t.Context(), step(accepted, batch.Charging), intent)
	wantText(t, err, "this ledger has moved")
	_, _, err = ledgertest.OpenJob(t.Context(), file, batch.Job{File: "next.csv", SHA256: "dd", Account: account, StartedAt: opened}, invoices(1201)[1200:])
	wantText(t, err, "this ledger has moved")
	_, err = Open(t.Context(), url)
	wantText(t, err, "it has moved to a database")
}
