package main

import (
	"bytes"
	"encoding/csv"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"konbill/batch/ledger"
	"konbill/batch/omise/omisetest"
)

// pay plays the customer.
func (n *night) pay(number string) {
	n.Helper()
	status, err := n.ask(http.MethodPost, "/charges/"+n.charged()[number][0]+"/mark_as_paid", nil)
	n.must(err)
	if status != http.StatusOK {
		n.Fatalf("mark_as_paid: %d", status)
	}
}

// wantOutbox compares what staff see there of the payments of a file.
func (n *night) wantOutbox(id string, want map[string]string) {
	n.Helper()
	data, err := os.ReadFile(n.box("outbox", id+".results.csv"))
	n.must(err)
	lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF")))).ReadAll()
	n.must(err)
	number, status := slices.Index(lines[0], "invoice_no"), slices.Index(lines[0], "charge_status")
	got := map[string]string{}
	for _, line := range lines[1:] {
		got[line[number]] = line[status]
	}
	if !maps.Equal(got, want) {
		n.Errorf("the outbox says %v, want %v", got, want)
	}
}

// wantOutdated counts the jobs whose results are not known to be true.
func (n *night) wantOutdated(want int) {
	n.Helper()
	book, err := ledger.Open(n.Context(), "sqlite:"+filepath.Join(n.dir, "konbill.db"))
	n.must(err)
	defer book.Close()
	jobs, err := book.Outdated(n.Context())
	n.must(err)
	if len(jobs) != want {
		n.Errorf("%d jobs are outdated, want %d", len(jobs), want)
	}
}

// TestServeTellsWhatOthersLearnt: what a sync by hand found while nothing served
// is in the outbox after the next run, once.
func TestServeTellsWhatOthersLearnt(t *testing.T) {
	t.Parallel()
	n := newNight(t, "KONBILL_FOLLOW__SYNC=0s")
	const id = "2026-12-01-paid"
	p := n.serve()
	n.drop("paid.csv", rowsOf("P-1", "P-2"))
	n.hear(p, "id="+id+" rows=2 yen=6000 issued=2")
	n.stop(p)
	n.konbill(exitDone, "run", n.file("by-hand.csv", "H-1"))
	n.konbill(exitDone, "run", n.file("again.csv", "A-1"))
	for _, number := range []string{"P-1", "H-1", "A-1"} {
		n.pay(number)
	}
	n.konbill(exitDone, "sync")
	n.wantOutdated(3)

	n.konbill(exitDone, "results", "again.csv")
	n.wantOutdated(2)
	// Staff look into the outbox, which this doesn't reach.
	n.konbill(exitDone, "results", n.box("done", id, "paid.csv"))
	n.wantOutdated(2)
	n.wantOutbox(id, map[string]string{"P-1": "pending", "P-2": "pending"})

	n.konbill(exitDone, "serve", "--once")
	n.wantOutbox(id, map[string]string{"P-1": "successful", "P-2": "pending"})
	n.wantOutdated(0) // results of by-hand.csv are nobody's to write by themselves
}

// TestServeTellsInTheEnd: results that can't be written now are written later,
// and keep no others waiting.
func TestServeTellsInTheEnd(t *testing.T) {
	t.Parallel()
	n := newNight(t, "KONBILL_FOLLOW__SYNC=0s")
	p := n.serve()
	n.drop("first.csv", rowsOf("P-1"))
	n.hear(p, "file=first.csv id=2026-12-01-first rows=1")
	n.drop("second.csv", rowsOf("P-2"))
	n.hear(p, "file=second.csv id=2026-12-01-second rows=1")
	n.stop(p)
	n.pay("P-1")
	n.pay("P-2")
	n.konbill(exitDone, "sync")
	results := n.box("done", "2026-12-01-first", "first-results", "first.results.csv")
	n.must(os.Remove(results))
	n.must(os.MkdirAll(filepath.Join(results, "in the way"), 0o700))

	n.konbill(exitDone, "serve", "--once")
	n.wantOutbox("2026-12-01-first", map[string]string{"P-1": "pending"})
	n.wantOutbox("2026-12-01-second", map[string]string{"P-2": "successful"})
	n.wantOutdated(1)

	n.must(os.RemoveAll(results))
	notes := n.box("done", "2026-12-01-first", "a note of somebody.txt")
	n.must(os.WriteFile(notes, []byte("which hides the file"), 0o600))
	n.konbill(exitDone, "serve", "--once")
	n.wantOutdated(1)

	n.must(os.Remove(notes))
	n.konbill(exitDone, "serve", "--once")
	n.wantOutbox("2026-12-01-first", map[string]string{"P-1": "successful"})
	n.wantOutdated(0)
}

// TestPaidWhileTheFileIsRun: a payment that a webhook tells of before the run has
// ended is in the results, although the run knows nothing of it.
func TestPaidWhileTheFileIsRun(t *testing.T) {
	t.Parallel()
	h := newHearing(t, "KONBILL_OMISE__TIMEOUT=60s", "KONBILL_OMISE__SETTLE_AFTER=70s")
	charges, come, release := 0, make(chan struct{}), make(chan struct{})
	h.api.Order(omisetest.Fault{Kind: omisetest.Late, Method: http.MethodPost, Path: "/charges", Count: 1, Release: release, Match: func(*http.Request) bool {
		if charges++; charges == 2 {
			close(come)
		}
		return charges == 2
	}})
	p := h.serve()
	h.hear(p, `msg="hearing webhooks"`)
	h.drop("paid.csv", rowsOf("P-1", "P-2"))
	<-come
	paid := h.end("P-1", "mark_as_paid")
	h.tell(paid, http.StatusOK, h.secret)
	h.hear(p, "outcome=stored event="+paid.ID)
	close(release)
	h.hear(p, `msg="results brought up to date" file=paid.csv id=2026-12-01-paid`)
	h.stop(p)
	h.wantOutbox("2026-12-01-paid", map[string]string{"P-1": "successful", "P-2": "pending"})
	h.wantOutdated(0)
}
