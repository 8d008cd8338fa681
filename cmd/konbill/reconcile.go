package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"konbill/batch"
)

func (a *app) reconcileCommand() *cobra.Command {
	return a.withJSON(&cobra.Command{
		Use:   "reconcile",
		Short: a.say("結果不明の請求を決済サービスと照合", "Settle charges of unknown outcome"),
		Long: a.say("決済サービスの請求一覧と台帳を照合し、結果不明の請求を確かめます。請求もメール送信もしません。",
			"Compares the charges that the payment service has with the ledger. It charges and mails nothing."),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.reconcile(cmd.Context()) },
	})
}

func (a *app) reconcile(ctx context.Context) error {
	c, err := a.load(nil)
	if err != nil {
		return err
	}
	shop, err := a.open(ctx, c, "reconcile")
	if err != nil {
		return err
	}
	defer shop.Close()
	progress := a.newProgress()
	shop.runner.Waiting = progress.waiting
	survey, err := shop.runner.Reconcile(ctx)
	progress.end()
	if survey != nil {
		if a.json {
			err = worse(err, a.printJSON(surveyJSON(survey)))
		} else {
			a.printSurvey(survey)
		}
	}
	if err == nil && len(survey.Open)+len(survey.Duplicate)+len(survey.Strays) > 0 {
		return errNeedsPerson
	}
	return err
}

// surveyData is what reconcile says, as data.
type surveyData struct {
	Listed     int         `json:"listed"`
	Adopted    []entryData `json:"adopted"`
	Found      []entryData `json:"found"`
	Absent     []entryData `json:"absent"`
	Open       []entryData `json:"open"`
	Duplicates []entryData `json:"duplicates"`
	Strays     []string    `json:"strays"` // ids of charges
}

func surveyJSON(s *batch.Survey) surveyData {
	data := surveyData{
		Listed: s.Listed, Adopted: entriesJSON(s.Adopted), Found: entriesJSON(s.Found), Absent: entriesJSON(s.Absent),
		Open: entriesJSON(s.Open), Duplicates: entriesJSON(s.Duplicate), Strays: []string{},
	}
	for _, f := range s.Strays {
		data.Strays = append(data.Strays, f.ID)
	}
	return data
}

// printSurvey says what was learnt, and what a person can do about the rest.
func (a *app) printSurvey(s *batch.Survey) {
	table(a.stdout, [][]string{
		{a.say("照合した請求", "charges looked at"), fmt.Sprint(s.Listed)},
		{a.say("請求済みと確認", "found to be charged"), fmt.Sprint(len(s.Found))},
		{a.say("未請求と確認", "proved not to be charged"), fmt.Sprint(len(s.Absent))},
		{a.say("台帳の外で請求済み", "charged outside this ledger"), fmt.Sprint(len(s.Adopted))},
		{a.say("結果不明のまま", "still unknown"), fmt.Sprint(len(s.Open))},
		{a.say("請求が複数あるもの", "with more than one charge"), fmt.Sprint(len(s.Duplicate))},
		{a.say("番号と鍵が合わない請求", "charges that don't fit their number"), fmt.Sprint(len(s.Strays))},
	}, 1)
	if len(s.Found)+len(s.Absent) > 0 {
		fmt.Fprintln(a.stdout, a.say("もとのファイルをもう一度 konbill run で実行すると、未請求の分を請求し、メールを送ります。",
			"Run the file again with konbill run: it charges what was not charged, and sends the mails."))
	}
	if len(s.Open) > 0 {
		fmt.Fprintln(a.stdout, a.say("結果不明の請求（しばらくしてからもう一度 konbill reconcile を実行するか、決済サービスの管理画面で番号を検索してください）",
			"Still unknown (run konbill reconcile again in a while, or search the payment service's dashboard for the number):"))
		a.printEntries(s.Open)
	}
	for _, e := range s.Duplicate {
		fmt.Fprintf(a.stdout, a.say("%s：請求が複数あります（%s のほかに %s）。管理画面で不要な請求を取り消してください。\n",
			"%s: more than one charge (beside %s: %s). See to it in the dashboard.\n"), e.Invoice.Number, e.Charge.ID, e.Duplicates)
	}
	for _, f := range s.Strays {
		fmt.Fprintf(a.stdout, a.say("請求 %s は Konbill のものですが、番号と鍵が合いません。管理画面で確かめてください。\n",
			"The charge %s carries Konbill's key, but not its number's. See to it in the dashboard.\n"), f.ID)
	}
}
