package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/text/width"

	"konbill/batch"
	"konbill/batch/follow"
)

// recallOptions are the flags of recall.
type recallOptions struct {
	run int64 // whose bills to call back; 0: none
	yes bool
}

func (a *app) recallCommand() *cobra.Command {
	var o recallOptions
	cmd := a.withJSON(&cobra.Command{
		Use:   "recall [NUMBER...] [--run N]",
		Short: a.say("支払い待ちの請求を取り消す", "Call back charges that wait for payment"),
		Long: a.say(`支払い待ちの請求を、決済サービスで期限切れにし、支払えないようにします。実行前に内容と合計額を表示して確認します。
支払い済みの請求は取り消しません。取り消した番号は、konbill run --reissue-expired で、同じ番号のまま請求し直せます。
--run を付けると、その実行で請求した支払い待ちの請求をすべて取り消します（実行番号は konbill status で確認できます）。`,
			`Has charges that wait for payment expire now, so that they can't be paid any more, after showing what and how
much and asking. What is paid is left alone. A number that was called back can be billed again with
konbill run --reissue-expired. With --run, all bills of that run that wait for payment (konbill status shows its number).`),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, numbers []string) error { return a.recall(cmd.Context(), numbers, o) },
	})
	cmd.Flags().Int64Var(&o.run, "run", 0, a.say("この実行番号の支払い待ちの請求をすべて取り消す", "all bills of the run with this number that wait for payment"))
	cmd.Flags().BoolVar(&o.yes, "yes", false, a.say("確認せずに取り消す", "call back without asking"))
	return cmd
}

func (a *app) recall(ctx context.Context, numbers []string, o recallOptions) error {
	if len(numbers) == 0 && o.run == 0 {
		return &usageError{errors.New(a.say("請求書番号か --run を指定してください", "give invoice numbers, or --run"))}
	}
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
	follower := &follow.Follower{Ledger: shop.ledger, Gateway: shop.client, Account: account, Who: "recall", Now: a.now}
	if numbers, err = a.toRecall(ctx, follower, numbers, o.run); err != nil {
		return err
	}
	if !o.yes && len(numbers) > 0 {
		if err := a.confirmRecall(ctx, shop, account, numbers); err != nil {
			return err
		}
	}
	ctx, stop := a.untilDrained(ctx)
	defer stop()
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

// toRecall adds to the numbers those of a run.
func (a *app) toRecall(ctx context.Context, f *follow.Follower, numbers []string, run int64) ([]string, error) {
	if run != 0 {
		waiting, err := f.WaitingOf(ctx, run)
		switch {
		case errors.Is(err, batch.ErrNotFound):
			return nil, fmt.Errorf(a.say("実行番号 %d は、この鍵の台帳にありません。konbill status で実行番号を確かめてください",
				"the ledger has no run %d of this key's account and mode; konbill status shows the numbers of runs"), run)
		case err != nil:
			return nil, err
		case len(waiting) == 0:
			fmt.Fprintf(a.stderr, a.say("実行番号 %d に、支払い待ちの請求はありません\n", "run %d has no bills that wait for payment\n"), run)
		}
		numbers = append(numbers, waiting...)
	}
	return slices.Compact(slices.Sorted(slices.Values(numbers))), nil
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
		rows = append(rows, []string{number, e.Invoice.Amount.Format(a.lang), a.paymentName(e.Charge.Status), japanDeadline(e.Charge.ExpiresAt)})
		total.Rows++
		total.Yen += e.Invoice.Amount
	}
	table(a.stdout, rows, 1)
	if a.agreed(fmt.Sprintf(a.say("%d 件 %s を取り消します。よろしいですか？（はい = y）： ", "Call back %d charges of %s? (y for yes) "), total.Rows, total.Yen.Format(a.lang))) {
		return nil
	}
	return &refusal{
		reason: a.say("取り消していません。", "Nothing was called back."),
		hint:   a.say("確認せずに取り消すには --yes を付けてください", "to call back without being asked, add --yes"),
	}
}

// agreed asks for a yes. No answer is none.
func (a *app) agreed(question string) bool {
	fmt.Fprint(a.stderr, question)
	line, _ := bufio.NewReader(a.stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(width.Fold.String(line)))
	return answer == "y" || answer == "yes" || answer == "はい"
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
	case follow.RecallUnknown:
		return a.say("請求が作成されたか確認中のため、取り消していません。konbill reconcile で確認してから、もう一度実行してください",
			"not called back: whether it was charged is not known; settle that with konbill reconcile, and run it again")
	case follow.RecallNoCharge:
		return a.say("まだ請求していません", "it is not charged")
	case follow.RecallNotFound:
		return a.say("台帳にありません。番号を確かめてください", "not in the ledger; check the number")
	case follow.RecallUnrelated:
		return a.say("決済サービスに請求が見つかりません。管理画面で確かめてください", "the payment service doesn't have the charge; see the dashboard")
	}
	return a.say("途中で止まったため、まだ取り消していません", "not attempted: something stopped it before")
}
