package batch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// BenchmarkSettle runs a file of new invoices from bytes to results, with slips
// and mails, against the practice API and a mail server on loopback, at eight
// workers and no limit to the pace. In "again" the same file is run once more,
// and nothing is left to do.
func BenchmarkSettle(b *testing.B) {
	benchSettle(b, func(b *testing.B) string { return "sqlite:" + filepath.Join(b.TempDir(), "konbill.db") })
}

func benchSettle(b *testing.B, newLedger func(*testing.B) string) {
	for _, c := range []struct {
		name    string
		latency time.Duration
		mailOff bool
		again   bool
	}{
		{name: "all"}, {name: "all at 50 ms", latency: 50 * time.Millisecond}, {name: "mail off", mailOff: true}, {name: "again", again: true},
	} {
		b.Run(c.name, func(b *testing.B) {
			const rows = 2000
			for range b.N {
				b.StopTimer()
				r := benchRunner(b, c.latency, newLedger(b))
				r.Settings.MailOff = c.mailOff
				path := benchFile(b, rows)
				if c.again {
					benchRun(b, r, path, rows, batch.Issued)
				}
				b.StartTimer()
				benchRun(b, r, path, rows, map[bool]batch.Result{false: batch.Issued, true: batch.AlreadyIssued}[c.again])
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "invoices/s")
		})
	}
}

// BenchmarkMail writes a customer's mail, with its QR code and a slip of the usual
// size, and hands it to a mail server on loopback over a connection that is kept.
func BenchmarkMail(b *testing.B) {
	server, err := mailertest.Start(mailertest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	post, err := mailer.NewSMTP(mailer.SMTPConfig{Host: server.Host(), Port: server.Port(), TLS: "none", Connections: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer post.Close()
	facts := templates.Instructions{
		Merchant: templates.Merchant{Name: "さくら商店", Phone: "03-0000-0000"},
		Invoice: invoice.Invoice{
			Number: "INV-1", Name: "山田 太郎", Email: "taro@example.jp", Phone: "09011112222", Amount: 4980, Language: invoice.Japanese,
			Due: time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC), Description: "11月分ご利用料金",
		},
		PaymentCode: "709590123456", AuthorizeURI: "https://pay.omise.co/payments/pay2_test_5xuy4w91xqz7d1w9u0t/authorize",
	}
	slip := make([]byte, 42<<10)
	b.ReportAllocs()
	for b.Loop() {
		text, err := templates.MailOf(facts)
		if err != nil {
			b.Fatal(err)
		}
		envelope, err := mailer.Compose(mailer.Message{
			ID: "1@sakura.example", From: "billing@sakura.example", To: facts.Invoice.Email, ToName: facts.Invoice.Name,
			Subject: text.Subject, Text: text.Text, HTML: text.HTML, Language: "ja", Date: time.Now(),
			Pictures:    []mailer.Picture{mailer.Picture(text.Pictures[0])},
			Attachments: []mailer.Attachment{{Name: text.AttachmentName, ContentType: "application/pdf", Data: slip}},
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := post.Deliver(b.Context(), envelope); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

func benchRun(b *testing.B, r *batch.Runner, path string, rows int, want batch.Result) {
	b.Helper()
	report, err := r.Run(b.Context(), path, "")
	if err != nil || report.Receipt.Results[want].Rows != rows {
		b.Fatal(report.Receipt.Results, err)
	}
}

func benchFile(b *testing.B, rows int) string {
	b.Helper()
	var text strings.Builder
	text.WriteString("invoice_no,amount,email,name,phone,description\n")
	for i := range rows {
		fmt.Fprintf(&text, "INV-%06d,%d,customer%d@example.jp,山田 太郎,0901111%04d,11月分ご利用料金\n", i, 1000+i, i, i%10000)
	}
	path := filepath.Join(b.TempDir(), "invoices.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

const requests = 8 // at once

func benchRunner(b *testing.B, latency time.Duration, url string) *batch.Runner {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	api := omisetest.NewServer(omisetest.Options{Latency: latency})
	stop, err := api.Start()
	must(err)
	b.Cleanup(stop)
	mail, err := mailertest.Start(mailertest.Options{})
	must(err)
	b.Cleanup(func() { mail.Close() })
	book, err := ledger.Open(b.Context(), url)
	must(err)
	b.Cleanup(func() { book.Close() })
	wait := func(context.Context, time.Duration) error { return nil }
	client, err := omise.New(omise.Config{
		URL: api.URL(), SecretKey: "skey_test_bench", RequestsPerSecond: 1e6, AtOnce: requests, Timeout: 10 * time.Second, Wait: wait,
	})
	must(err)
	post, err := mailer.NewSMTP(mailer.SMTPConfig{Host: mail.Host(), Port: mail.Port(), TLS: "none", Connections: 4})
	must(err)
	b.Cleanup(func() { post.Close() })
	workers, charging := batch.WorkersFor(requests)
	return &batch.Runner{
		Ledger: book, Gateway: client, Mailer: post, Fingerprint: client.Fingerprint(),
		Settings: batch.Settings{
			Reading: batch.Reading{
				Rules:    invoice.Rules{DueDays: 30, MaxDueDays: 60, NameOverflow: invoice.CutName, Language: invoice.Japanese},
				Language: invoice.Japanese,
			},
			Merchant: templates.Merchant{Name: "さくら商店", Phone: "03-0000-0000"},
			Workers:  workers, Charging: charging, SettleAfter: time.Minute, LoopbackAPI: true, MailFrom: "billing@sakura.example", ResultsEncoding: csvfile.UTF8,
			ConfigHash: "c0ffee", Who: "run",
		},
		Now: time.Now, Wait: wait,
	}
}
