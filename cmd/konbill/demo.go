package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
	"konbill/samples"
)

func (a *app) demoCommand() *cobra.Command {
	var out string
	cmd := a.withJSON(&cobra.Command{
		Use:   "demo",
		Short: a.say("見本のファイルで、ひと通り試す", "Try it all on a sample file"),
		Long: a.say("見本の請求を、組み込みの練習用決済サービスで発行し、伝票・メール・結果を書き出します。鍵も設定も要りません。",
			"Issues sample invoices with a built-in practice payment service and writes slips, mails and results. It needs no keys and no configuration."),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), out) },
	})
	cmd.Flags().StringVar(&out, "out", "", a.say("書き出すフォルダー（省略時は一時フォルダー）", "folder to write into (default: a temporary one)"))
	return cmd
}

// demoSample is the file the demo runs.
const demoSample = "invoices.csv"

// demo runs the main job, as run does, on the embedded sample.
func (a *app) demo(ctx context.Context, dir string) error {
	dir, err := demoFolder(dir)
	if err != nil {
		return err
	}
	practice := omisetest.NewServer(omisetest.Options{Now: a.now})
	stop, err := practice.Start()
	if err != nil {
		return err
	}
	defer stop()
	c := demoConfig(dir, practice.URL())
	// The keys of the practice API alone: the person's own are none of the demo's business.
	a.env = append(a.env, secretKeyVariable+"="+practiceSecretKey, publicKeyVariable+"="+practicePublicKey)
	shop, err := a.open(ctx, c, "demo")
	if err != nil {
		return err
	}
	defer shop.Close()
	report, err := shop.runner.Run(ctx, filepath.Join(dir, demoSample), "")
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"files": []runReport{a.runReport(report)}, "mails": c.SMTP.Folder})
	}
	a.printDemo(report, c.SMTP.Folder)
	return nil
}

// demoFolder makes the folder and puts the sample there.
func demoFolder(dir string) (string, error) {
	var err error
	if dir == "" {
		dir, err = os.MkdirTemp("", "konbill-demo-")
	} else {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", err
	}
	sample, err := samples.Files.ReadFile(demoSample)
	if err != nil {
		return "", err
	}
	return dir, batch.WriteFile(filepath.Join(dir, demoSample), sample)
}

func demoConfig(dir, apiURL string) config {
	c := defaultConfig()
	c.Merchant = merchantConfig{
		Name: "さくらカルチャースクール", Address: "〒100-0001 東京都千代田区千代田1-1", Phone: "03-0000-0000",
		Hours: "平日 10:00〜17:00", Email: "billing@sakura-school.example", RegistrationNumber: "T9234567890123",
	}
	c.Omise.APIURL = apiURL
	c.Omise.RequestsPerSecond = 100
	c.SMTP.Mode = "folder"
	c.SMTP.From = "さくらカルチャースクール <billing@sakura-school.example>"
	c.SMTP.Folder = filepath.Join(dir, "mails")
	c.Ledger.URL = "sqlite:" + filepath.Join(dir, "konbill.db")
	return c
}

// printDemo shows every row: what came in, what went to the API, what became of
// it and why.
func (a *app) printDemo(r *batch.Report, mails string) {
	rows := [][]string{{
		a.say("行", "line"), a.say("番号", "number"), a.say("宛名", "name"), a.say("送信名", "sent name"),
		a.say("金額", "amount"), a.say("結果", "result"), a.say("支払番号", "code"), a.say("メール", "mail"),
	}}
	for o := range r.Rows {
		rows = append(rows, []string{
			fmt.Sprint(o.Line), o.Invoice.Number, o.Invoice.Name, o.Invoice.SentName, o.Invoice.Amount.Format(a.lang),
			string(o.Result), o.Entry.Charge.PaymentCode, o.Mail(r.Reach.MailOff),
		})
	}
	table(a.stdout, rows, 0, 4)
	fmt.Fprintln(a.stdout)
	for o := range r.Rows {
		for _, f := range o.Findings {
			fmt.Fprintf(a.stdout, "%s %s\n", a.mark(f.Severity), f.Text(a.lang))
		}
	}
	fmt.Fprintln(a.stdout)
	table(a.stdout, [][]string{
		{a.say("見本のファイル", "sample file"), filepath.Join(filepath.Dir(r.Dir), demoSample)},
		{a.say("結果", "results"), r.Results},
		{a.say("要修正の行", "rows to correct"), r.Errors},
		{a.say("伝票", "slips"), filepath.Join(r.Dir, "slips")},
		{a.say("メール", "mails"), mails},
	})
	fmt.Fprintln(a.stdout, a.say("\n練習用の決済サービスで発行したもので、実際の請求は発生していません。",
		"\nIssued with the practice payment service: nobody was charged."))
}
