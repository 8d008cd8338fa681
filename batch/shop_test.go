package batch_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/batch/omise"
	"konbill/batch/omise/omisetest"
	"konbill/invoice"
	"konbill/invoice/csvfile"
	"konbill/mailer"
	"konbill/mailer/mailertest"
	"konbill/templates"
)

// opening is when the tests' clocks start: 1 December 2026, 10:00 in Japan.
var opening = time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC)

// shop is a merchant with everything real but the clock: a ledger on disk, a
// practice API and a mail server on loopback.
type shop struct {
	*testing.T
	dir      string
	api      *omisetest.Server
	mail     *mailertest.Server
	ledger   *ledger.Ledger
	database string // its URL, where it is one
	runner   *batch.Runner
	clock    *clock
}

// clock moves by a microsecond whenever it is looked at, and when somebody
// waits.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time {
	return opening.Add(time.Duration(c.micros.Add(1)) * time.Microsecond)
}

func (c *clock) wait(ctx context.Context, d time.Duration) error {
	c.micros.Add(d.Microseconds())
	return ctx.Err()
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{T: t, dir: t.TempDir(), clock: &clock{}}
	s.api = omisetest.NewServer(omisetest.Options{Now: s.clock.now})
	stop, err := s.api.Start()
	s.must(err)
	t.Cleanup(stop)
	s.mail, err = mailertest.Start(mailertest.Options{})
	s.must(err)
	t.Cleanup(func() { s.mail.Close() })
	s.ledger = s.openLedger()
	client, err := omise.New(omise.Config{
		URL: s.api.URL(), SecretKey: "skey_test_shop", RequestsPerSecond: 10_000, Timeout: 10 * time.Second, Wait: s.clock.wait,
	})
	s.must(err)
	post, err := mailer.NewSMTP(mailer.SMTPConfig{Host: s.mail.Host(), Port: s.mail.Port(), TLS: "none", Connections: 2})
	s.must(err)
	t.Cleanup(func() { post.Close() })
	s.runner = &batch.Runner{
		Ledger: s.ledger, Gateway: client, Mailer: post, Fingerprint: client.Fingerprint(),
		Settings: batch.Settings{
			Reading: batch.Reading{
				Rules:    invoice.Rules{DueDays: 30, MaxDueDays: 60, NameOverflow: invoice.CutName, Language: invoice.Japanese},
				Language: invoice.Japanese,
			},
			Merchant: templates.Merchant{Name: "さくら商店", Phone: "03-0000-0000"},
			Workers:  4, Charging: 3, SettleAfter: time.Minute, LoopbackAPI: true, MailFrom: "billing@sakura.example", ResultsEncoding: csvfile.UTF8,
			ConfigHash: "c0ffee", Who: "run",
		},
		Now: s.clock.now, Wait: s.clock.wait,
	}
	return s
}

func (s *shop) openLedger() *ledger.Ledger {
	s.Helper()
	l, err := ledger.Open(s.Context(), "sqlite:"+filepath.Join(s.dir, "konbill.db"))
	s.must(err)
	s.Cleanup(func() { l.Close() })
	return l
}

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// file stores rows below the usual header. Rows are written NUMBER,AMOUNT or
// NUMBER,AMOUNT,EMAIL; the rest is the same in all.
func (s *shop) file(name string, rows ...string) string {
	s.Helper()
	text := "invoice_no,amount,email,name,phone\n"
	for _, row := range rows {
		if strings.Count(row, ",") == 1 {
			row += "," + strings.ToLower(strings.Split(row, ",")[0]) + "@example.jp"
		}
		text += row + ",山田太郎,09011112222\n"
	}
	path := filepath.Join(s.dir, name)
	s.must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

// run runs a file that nothing stops.
func (s *shop) run(path string) *batch.Report {
	s.Helper()
	report, err := s.runner.Run(s.Context(), path, "")
	s.must(err)
	s.accounts(report)
	return report
}

// accounts makes sure that nothing was lost: rows and yen in are rows and yen
// out, and the results file has a line for each.
func (s *shop) accounts(r *batch.Report) {
	s.Helper()
	rows := slices.Collect(r.Rows)
	if in, out := r.Receipt.RowsIn, r.Receipt.Results.All(); in != out || in.Rows != len(rows) {
		s.Errorf("in: %+v, out: %+v, %d rows reported", in, out, len(rows))
	}
	if lines := s.results(r); len(lines) != len(rows) {
		s.Errorf("%d rows, %d in the results file", len(rows), len(lines))
	}
}

// results reads a results file with a reader that isn't ours: a map a row.
func (s *shop) results(r *batch.Report) []map[string]string {
	s.Helper()
	data, err := os.ReadFile(r.Results)
	s.must(err)
	records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\uFEFF"))).ReadAll()
	s.must(err)
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// charged counts the charges that the API really has, by invoice number.
func (s *shop) charged() map[string]int {
	counts := map[string]int{}
	for _, c := range s.api.Charges() {
		counts[c.Metadata["invoice_no"]]++
	}
	return counts
}

// neverTwice makes sure that no invoice has two charges.
func (s *shop) neverTwice() {
	s.Helper()
	for number, n := range s.charged() {
		if n > 1 {
			s.Errorf("%s was charged %d times", number, n)
		}
	}
}

func (s *shop) entry(number string) batch.Entry {
	s.Helper()
	var found []batch.Entry
	s.must(s.ledger.Entries(s.Context(), batch.Query{Numbers: []string{number}}, func(e batch.Entry) error {
		found = append(found, e)
		return nil
	}))
	if len(found) != 1 {
		s.Fatalf("the ledger has %d entries for %s", len(found), number)
	}
	return found[0]
}
