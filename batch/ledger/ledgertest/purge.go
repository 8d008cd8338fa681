package ledgertest

import (
	"errors"
	"testing"

	"konbill/batch"
	"konbill/invoice"
)

// testPurge: the person is gone, the bill remains, and is never charged again.
func testPurge(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	ctx := t.Context()
	row := sample("1")
	e := b.walk(b.accept(row)[0], batch.Mailing)
	e, err := b.Move(ctx, move(e, batch.Refused), func(e *batch.Entry) {
		e.MailedTo, e.MailReply, e.Refusal.Message = row.Email, "550 <taro@example.jp>: no", "name is 山田太郎"
	})
	if err != nil {
		t.Fatal(err)
	}
	notice := batch.Notice{Key: e.Key, Kind: "receipt", State: batch.Mailing, Attempt: 1, MessageID: "1", MailedTo: row.Email, Reply: row.Name}
	if err := b.MoveNotice(ctx, batch.NoticeMove{Notice: notice}); err != nil {
		t.Fatal(err)
	}
	history := len(b.history(e.Key))
	step := move(e, e.State)
	step.Why, step.At = "its personal data are removed", at(7)
	purged, err := b.Purge(ctx, step)
	if err != nil {
		t.Fatal(err)
	}
	want := e
	want.Invoice = invoice.Invoice{
		Number: row.Number, Amount: row.Amount, Due: row.Due, DueGiven: row.DueGiven, Language: row.Language, TaxRate: row.TaxRate, Tax: row.Tax,
	}
	want.MailedTo, want.MailReply, want.Refusal.Message = "", "", ""
	want.PurgedAt, want.UpdatedAt = stored(at(7)), stored(at(7))
	same(t, "purged", purged, want)
	same(t, "entry", b.entry(e.Key), want)
	notices, err := b.Notices(ctx, e.Key)
	if err != nil || len(notices) != 1 || notices[0].MailedTo != "" || notices[0].Reply != "" || notices[0].State != batch.Mailing {
		t.Errorf("notices %+v, %v", notices, err)
	}
	same(t, "events", len(b.history(e.Key)), history+1)

	for _, other := range []func(*invoice.Invoice){func(*invoice.Invoice) {}, func(i *invoice.Invoice) { i.SentName, i.Phone = "佐藤花子", "0312345678" }} {
		changed := row
		other(&changed)
		if _, verdicts := b.open(changed); verdicts[0].Outcome != batch.Known || verdicts[0].Entry != want {
			t.Errorf("its row again: %+v", verdicts[0])
		}
	}
	row.Amount++
	if _, verdicts := b.open(row); verdicts[0].Outcome != batch.Conflict {
		t.Errorf("its row with another amount: %+v", verdicts[0])
	}
	var stale *batch.StaleError
	if _, err := b.Purge(ctx, move(b.walk(b.accept(sample("2"))[0], batch.Charged), batch.Charged)); err != nil {
		t.Errorf("another: %v", err)
	}
	wrong := move(e, batch.Mailed)
	wrong.From = batch.Mailed
	if _, err := b.Purge(ctx, wrong); !errors.As(err, &stale) {
		t.Errorf("from another state: %v", err)
	}
}
