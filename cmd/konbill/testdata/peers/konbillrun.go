package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/batch/omise"
	"konbill/invoice"
	"konbill/invoice/csvfile"
	"konbill/mailer"
)

// workers is how many invoices either side settles at once.
const workers = 8

// runKonbill issues a file against the servers and returns the seconds that its
// run took, from the file's bytes to the results.
func runKonbill(at address, file, folder string, rows int) (seconds float64, err error) {
	ctx := context.Background()
	book, err := ledger.Open(ctx, "sqlite:"+filepath.Join(folder, "konbill.db"))
	if err != nil {
		return 0, err
	}
	defer book.Close()
	wait := func(ctx context.Context, d time.Duration) error {
		return fmt.Errorf("nothing should have to wait %s here", d)
	}
	api, err := omise.New(omise.Config{
		URL: at.API, SecretKey: "skey_test_peers", RequestsPerSecond: 1e6, AtOnce: workers, Timeout: 10 * time.Second, Wait: wait,
	})
	if err != nil {
		return 0, err
	}
	post, err := mailer.NewSMTP(mailer.SMTPConfig{Host: "127.0.0.1", Port: at.MailPort, TLS: "none", Connections: 4})
	if err != nil {
		return 0, err
	}
	defer post.Close()
	settings.Workers, settings.Charging = batch.WorkersFor(workers)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + 1)) // as the command does
	r := &batch.Runner{
		Ledger: book, Gateway: api, Mailer: post, Fingerprint: api.Fingerprint(), Settings: settings, Now: time.Now, Wait: wait,
	}
	begun := time.Now()
	report, err := r.Run(ctx, file, folder)
	seconds = time.Since(begun).Seconds()
	if err == nil && report.Receipt.Results[batch.Issued].Rows != rows {
		err = fmt.Errorf("konbill did not issue all rows: %v", report.Receipt.Results)
	}
	return seconds, err
}

var settings = batch.Settings{
	Reading: batch.Reading{
		Rules:    invoice.Rules{DueDays: dueDays, MaxDueDays: 60, NameOverflow: invoice.CutName, Language: invoice.Japanese},
		Language: invoice.Japanese,
	},
	Merchant: merchant, SettleAfter: time.Minute, MailFrom: merchant.Email,
	ResultsEncoding: csvfile.UTF8, ConfigHash: "peers", Who: "peers", LoopbackAPI: true,
}

const dueDays = 30
