package ledgertest

import (
	"errors"
	"slices"
	"testing"

	"konbill/batch"
)

func testNotices(t *testing.T, newStore Store) {
	b := newBook(t, newStore)
	ctx := t.Context()
	e := b.end(b.walk(b.accept(sample("1"))[0], batch.Mailed), "pending")
	notice := func(kind batch.NoticeKind, state batch.State, n int) batch.Notice {
		return batch.Notice{
			Key: e.Key, Kind: kind, State: state, Attempt: n, MessageID: string(kind) + number(n), MailedTo: "taro@example.jp",
			Reply: "250 受け付けました", UpdatedAt: stored(at(n)),
		}
	}
	try := func(n batch.Notice, from batch.State, status string) error {
		return b.MoveNotice(ctx, batch.NoticeMove{Notice: n, From: from, ChargeStatus: status, Who: "remind", Why: "because"})
	}
	step := func(n batch.Notice, from batch.State) {
		t.Helper()
		if err := try(n, from, "pending"); err != nil {
			t.Fatalf("%s from %q to %s: %v", n.Kind, from, n.State, err)
		}
	}
	stored := func(want ...batch.Notice) {
		t.Helper()
		got, err := b.Notices(ctx, e.Key)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "notices", append([]batch.Notice{}, got...), want)
	}
	refused := func(what string, n batch.Notice, from batch.State, status string) {
		t.Helper()
		b.unchanged(e.Key, func() {
			before, _ := b.Notices(ctx, e.Key)
			if err := try(n, from, status); err == nil {
				t.Errorf("%s: no error", what)
			}
			stored(before...)
		})
	}
	step(notice("remind-3d", batch.Mailing, 1), "")
	stored(notice("remind-3d", batch.Mailing, 1))
	same(t, "the invoice", b.entry(e.Key), e)
	history := b.history(e.Key)
	same(t, "event", history[len(history)-1], batch.Event{
		Key: e.Key, At: notice("", "", 1).UpdatedAt, Who: "remind", From: batch.Mailed, To: batch.Mailed, Why: "because",
	})

	for _, from := range append([]batch.State{"", batch.Accepted}, states...) {
		for _, to := range states {
			begun := from == "" && to == batch.Mailing
			ended := from == batch.Mailing && slices.Contains([]batch.State{batch.Mailed, batch.Deferred, batch.Refused, batch.Held}, to)
			again := (from == batch.Deferred || from == batch.Held) && to == batch.Mailing
			if begun || ended || again {
				continue
			}
			refused("from "+string(from)+" to "+string(to), notice("remind-1d", to, 2), from, "pending")
		}
	}
	refused("begun twice", notice("remind-3d", batch.Mailing, 2), "", "pending")
	refused("of a paid invoice", notice("remind-1d", batch.Mailing, 2), "", "successful")
	refused("from another state", notice("remind-3d", batch.Mailing, 2), batch.Deferred, "pending")
	var stale *batch.StaleError
	if err := try(notice("remind-3d", batch.Mailing, 2), "", "pending"); !errors.As(err, &stale) {
		t.Errorf("begun twice: %v", err)
	}
	unknown := notice("remind-3d", batch.Mailing, 2)
	unknown.Key = "kb_nobody"
	if err := try(unknown, "", ""); !errors.Is(err, batch.ErrNotFound) {
		t.Errorf("of an unknown invoice: %v", err)
	}

	step(notice("remind-3d", batch.Deferred, 2), batch.Mailing)
	step(notice("remind-3d", batch.Mailing, 3), batch.Deferred)
	step(notice("remind-1d", batch.Mailing, 4), "")
	step(notice("remind-3d", batch.Held, 5), batch.Mailing)
	step(notice("remind-1d", batch.Mailed, 6), batch.Mailing)
	stored(notice("remind-3d", batch.Held, 5), notice("remind-1d", batch.Mailed, 6))
	other := newBook(t, newStore)
	if got, err := other.Notices(ctx, e.Key); len(got) != 0 || err != nil {
		t.Errorf("another store has %v, %v", got, err)
	}
}
