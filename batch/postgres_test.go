//go:build unix

package batch_test

import (
	"sync/atomic"
	"testing"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/samples/peertest"
)

// TestDatabaseStopsAnywhere stops the server of a ledger at every boundary of an
// invoice. The run says so and still accounts for every row; once the server is back,
// running the file again charges and mails each invoice once.
func TestDatabaseStopsAnywhere(t *testing.T) {
	server := peertest.StartPostgres(t)
	for _, point := range []batch.Point{
		batch.JobOpened, batch.ChargeIntended, batch.ChargeAnswered, batch.ChargeRecorded,
		batch.MailIntended, batch.MailAnswered, batch.MailRecorded, batch.SlipWritten, batch.ResultsWriting,
	} {
		t.Run(string(point), func(t *testing.T) {
			s := newShop(t)
			s.useDatabase(server.NewDatabase())
			path := s.file("p.csv", "P-1,1000", "P-2,1000", "P-3,1000", "P-4,1000", "P-5,1000")
			var seen atomic.Int64
			at := int64(2)
			if point == batch.JobOpened || point == batch.ResultsWriting {
				at = 1 // there is one
			}
			s.runner.At = func(p batch.Point) {
				if p == point && seen.Add(1) == at {
					server.Stop()
				}
			}
			report, err := s.runner.Run(t.Context(), path, "")
			if err == nil {
				t.Error("the run doesn't say that its ledger is gone")
			}
			if report != nil {
				s.accounts(report)
			}
			server.Start()
			s.runner.At = nil
			s.useDatabase(s.database)
			s.runner.Settings.ResendHeld = true // a mail whose answer wasn't recorded waits for a person, who says so here
			s.accounts(s.run(path))
			for i, row := range s.results(s.run(path)) {
				if row["result"] != "already_issued" || row["codes"] != "" || row["mail"] != "mailed" {
					t.Errorf("row %d ends %s, %q, mail %q", i, row["result"], row["codes"], row["mail"])
				}
			}
			s.neverTwice()
			if n := len(s.charged()); n != 5 {
				t.Errorf("%d invoices are charged", n)
			}
		})
	}
}

// BenchmarkSettleOnPostgres is BenchmarkSettle with the ledger on a server on loopback.
func BenchmarkSettleOnPostgres(b *testing.B) {
	server := peertest.StartPostgres(b)
	benchSettle(b, func(*testing.B) string { return server.NewDatabase() })
}

// useDatabase has the shop's ledger in a database.
func (s *shop) useDatabase(url string) {
	s.Helper()
	l, err := ledger.Open(s.Context(), url)
	s.must(err)
	s.Cleanup(func() { l.Close() })
	s.database, s.ledger, s.runner.Ledger = url, l, l
}
