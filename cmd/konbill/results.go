package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/ledger"
)

func (a *app) resultsCommand() *cobra.Command {
	var out string
	cmd := a.withJSON(&cobra.Command{
		Use:   "results FILE",
		Short: a.say("実行済みファイルの結果と伝票を書き直す", "Write the results and slips of a file that was run once more"),
		Long: a.say("台帳だけを見て、結果ファイル・伝票・控えを書き直します。請求もメール送信もしません。",
			"Writes results, slips and receipt from the ledger alone. Nothing is charged and nothing is mailed."),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error { return a.results(cmd.Context(), files[0], out) },
	})
	cmd.Flags().StringVar(&out, "out", "", a.say("結果フォルダーを作る場所", "where to make the results folder"))
	return cmd
}

func (a *app) results(ctx context.Context, path, out string) error {
	c, book, err := a.openBook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	recorder, err := a.recorder(c, book)
	if err != nil {
		return err
	}
	report, err := rewrite(ctx, recorder, path, out)
	if err != nil {
		return a.ifNotRun(err, path, c)
	}
	if a.json {
		return a.printJSON(map[string]any{"files": []runReport{a.runReport(report)}})
	}
	a.printReport(report)
	return nil
}

// ifNotRun says of a file that the ledger hasn't met that it is one.
func (a *app) ifNotRun(err error, path string, c config) error {
	if errors.Is(err, batch.ErrNotFound) {
		return fmt.Errorf(a.say("%s は、この台帳（%s）では実行されていません", "%s has not been run with this ledger (%s)"), path, ledger.Redacted(c.Ledger.URL))
	}
	return err
}

// rewrite writes the results of a file once more, and records that they are true
// again. Where konbill serve has run the file, staff read a copy in the outbox,
// and that one isn't.
func rewrite(ctx context.Context, r *batch.Runner, path, out string) (*batch.Report, error) {
	jobs, err := r.JobsOf(ctx, path)
	if err != nil {
		return nil, err
	}
	report, err := r.Rewrite(ctx, path, out)
	if err != nil || slices.ContainsFunc(jobs, func(j batch.Job) bool { return j.Who == serving }) {
		return report, err
	}
	for _, j := range jobs {
		if err := r.Ledger.RecordUpdated(ctx, j); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// recorder is a runner that only looks into the ledger.
func (a *app) recorder(c config, book *ledger.Ledger) (*batch.Runner, error) {
	settings, err := a.settings(c, "results")
	return &batch.Runner{Ledger: book, Settings: settings, Now: a.now, Wait: a.wait}, err
}
