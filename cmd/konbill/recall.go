package main

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/text/width"

	"konbill/batch"
	"konbill/batch/follow"
)

func (a *app) recallCommand() *cobra.Command {
	var yes bool
	cmd := a.withJSON(&cobra.Command{
		Use:   "recall NUMBER...",
		Short: a.say("支払い待ちの請求を取り消す", "Call back charges that wait for payment"),
		Long: a.say(`支払い待ちの請求を、決済サービスで期限切れにし、支払えないようにします。実行前に内容と合計額を表示して確認します。
支払い済みの請求は取り消しません。取り消した番号は再利用できません。請求し直すときは、別の番号を付けてください。`,
			`Has charges that wait for payment expire now, so that they can't be paid any more, after showing what and how
much and asking. What is paid is left alone. To bill again, use another number.`),
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, numbers []string) error { return a.recall(cmd.Context(), numbers, yes) },
	})
	cmd.Flags().BoolVar(&yes, "yes", false, a.say("確認せずに取り消す", "call back without asking"))
	return cmd
}

func (a *app) recall(ctx context.Context, numbers []string, yes bool) error {
	numbers = slices.Compact(slices.Sorted(slices.Values(numbers)))
	c, err := a.load(nil)
	if err != nil {
		return err
	}
	shop, err := a.open(ctx, c, "recall")
	if err != nil {
		return err
	}
	defer shop.Close()
	account, err := shop.runner.Identify(ctx)
	if err != nil {
		return err
	}
	if !yes {
		if err := a.confirmRecall(ctx, shop, account, numbers); err != nil {
			return err
		}
	}
	ctx, stop := a.untilDrained(ctx)
	defer stop()
	follower := &follow.Follower{Ledger: shop.ledger, Gateway: shop.client, Account: account, Who: "recall", Now: a.now}
	reports, err := follower.Recall(ctx, numbers)
	if told := a.tellRecalled(reports); told != nil {
		return worse(err, told)
	}
	if err != nil && ctx.Err() != nil {
		return &batch.Stop{Reason: batch.StopInterrupted}
	}
	if err == nil && slices.ContainsFunc(reports, func(r follow.Recalled) bool { return r.Outcome != follow.RecallDone }) {
		return errNeedsPerson
	}
	return err
}

// confirmRecall shows what would be called back and asks for a yes.
func (a *app) confirmRecall(ctx context.Context, shop *workshop, account batch.Account, numbers []string) error {
	var rows [][]string
	var total batch.Sum
	for _, number := range numbers {
		e, err := shop.ledger.Latest(ctx, account, number)
		if err != nil || !e.State.HasCharge() {
			continue // said afterwards
		}
		rows = append(rows, []string{number, e.Invoice.Amount.Format(a.lang), a.paymentName(e.Charge.Status), japanTime(e.Charge.ExpiresAt)})
		total.Rows++
		total.Yen += e.Invoice.Amount
	}
	table(a.stdout, rows, 1)
	fmt.Fprintf(a.stderr, a.say("%d 件 %s を取り消します。よろしいですか？（はい = y）： ", "Call back %d charges of %s? (y for yes) "), total.Rows, total.Yen.Format(a.lang))
	line, _ := bufio.NewReader(a.stdin).ReadString('\n') // no answer is none
	if answer := strings.ToLower(strings.TrimSpace(width.Fold.String(line))); answer == "y" || answer == "yes" || answer == "はい" {
		return nil
	}
	return &refusal{
		reason: a.say("取り消していません。", "Nothing was called back."),
		hint:   a.say("確認せずに取り消すには --yes を付けてください", "to call back without being asked, add --yes"),
	}
}

// recalledData is what recall says of one invoice, as data.
type recalledData struct {
	Number  string               `json:"invoice_no"`
	Outcome follow.RecallOutcome `json:"outcome"`
	Status  string               `json:"charge_status,omitempty"`
	Code    string               `json:"code,omitempty"`
}

func (a *app) tellRecalled(reports []follow.Recalled) error {
	if a.json {
		data := []recalledData{}
		for _, r := range reports {
			data = append(data, recalledData{Number: r.Number, Outcome: r.Outcome, Status: r.Entry.Charge.Status, Code: r.Refusal.Code})
		}
		return a.printJSON(map[string]any{"invoices": data})
	}
	var rows [][]string
	for _, r := range reports {
		rows = append(rows, []string{r.Number, a.recalledText(r)})
	}
	table(a.stdout, rows)
	return nil
}

func (a *app) recalledText(r follow.Recalled) string {
	switch r.Outcome {
	case follow.RecallDone:
		return a.say("取り消しました。お客様にお知らせください", "called back; tell the customer")
	case follow.RecallTooLate:
		return fmt.Sprintf(a.say("取り消していません（%s）", "not called back: it is %s"), a.paymentName(r.Entry.Charge.Status))
	case follow.RecallRefused:
		return fmt.Sprintf(a.say("決済サービスが取り消しを受け付けませんでした（%s）。まだ支払える状態です。管理画面で確かめてください",
			"the payment service refused (%s); it can still be paid; see the dashboard"), r.Refusal.Code)
	case follow.RecallUnclear:
		return fmt.Sprintf(a.say("取り消せたか確認できていません（%s）。もう一度実行してください", "whether it was called back is not known (%s); run it again"), r.Refusal.Code)
	case follow.RecallNoCharge:
		return a.say("まだ請求していません", "it is not charged")
	case follow.RecallNotFound:
		return a.say("台帳にありません。番号を確かめてください", "not in the ledger; check the number")
	case follow.RecallUnrelated:
		return a.say("決済サービスに請求が見つかりません。管理画面で確かめてください", "the payment service doesn't have the charge; see the dashboard")
	}
	return a.say("途中で止まったため、まだ取り消していません", "not attempted: something stopped it before")
}
