package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/follow"
	"konbill/invoice"
)

func (a *app) syncCommand() *cobra.Command {
	return a.withJSON(&cobra.Command{
		Use:   "sync",
		Short: a.say("お支払いの状況を決済サービスから取り込む", "Bring payments up to date"),
		Long: a.say("支払い待ちの請求について、入金・期限切れなどを決済サービスに問い合わせ、台帳に記録します。請求はしません。follow.receipt_mail を設定していれば、入金を確認したお客様にお知らせします。konbill run の実行中でも使えます。",
			"Asks the payment service what became of the charges that wait for payment, and records it. It charges nothing, and mails customers that their payment has come if follow.receipt_mail says so. It works while konbill run does."),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sync(cmd.Context()) },
	})
}

func (a *app) sync(ctx context.Context) error {
	c, err := a.load(nil)
	if err != nil {
		return err
	}
	shop, err := a.open(ctx, c, "sync")
	if err != nil {
		return err
	}
	defer shop.Close()
	ctx, stop := a.untilDrained(ctx)
	defer stop()
	synced, err := a.syncWith(ctx, shop)
	if err == nil && c.Follow.ReceiptMail && c.SMTP.Mode != "off" {
		err = a.mailReceipts(ctx, shop)
	}
	if synced != nil {
		if a.json {
			err = worse(err, a.printJSON(syncedJSON(synced)))
		} else {
			a.printSynced(synced)
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		fmt.Fprintln(a.stderr, a.say("中断しました。ここまでに確認したお支払いは記録済みです。もう一度実行すると残りを確認します。",
			"Interrupted. What was learnt so far is recorded; run it again for the rest."))
		return reported(&batch.Stop{Reason: batch.StopInterrupted})
	case err == nil && synced.NeedsPerson() > 0:
		return errNeedsPerson
	}
	return err
}

// mailReceipts tells customers of the payments that have come. A run that holds
// the ledger doesn't keep a sync from being one: the next tells them.
func (a *app) mailReceipts(ctx context.Context, w *workshop) error {
	noticed, err := w.runner.MailReceipts(ctx)
	switch {
	case errors.Is(err, batch.ErrHeld):
		return nil
	case err == nil && slices.ContainsFunc(noticed, batch.Noticed.NeedsPerson):
		return errNeedsPerson
	}
	return err
}

// syncWith syncs the payments of the account that the workshop's key belongs to.
func (a *app) syncWith(ctx context.Context, w *workshop) (*follow.Synced, error) {
	account, err := w.runner.Identify(ctx)
	if err != nil {
		return nil, err
	}
	follower := &follow.Follower{Ledger: w.ledger, Gateway: w.client, Account: account, Who: "sync", Now: a.now}
	return follower.Sync(ctx)
}

// untilDrained is a context that the first interrupt ends, for work that only
// reads the network: there is nothing in flight to wait for.
func (a *app) untilDrained(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		select {
		case <-a.drain:
			stop()
		case <-ctx.Done():
		}
	}()
	return ctx, stop
}

// syncedData is what sync says, as data.
type syncedData struct {
	Listed       int                  `json:"listed"`
	Fetched      int                  `json:"fetched"`
	Changed      map[string]batch.Sum `json:"changed"` // by what their payment is now
	Open         batch.Sum            `json:"open"`
	Invoices     []entryData          `json:"invoices"` // those that changed
	Missing      []entryData          `json:"missing"`
	Contradicted []entryData          `json:"contradicted"`
	Strays       []strayData          `json:"strays"`
	Overtaken    []overtakenData      `json:"overtaken"`
}

type strayData struct {
	ChargeID string      `json:"charge_id"`
	Number   string      `json:"invoice_no"` // as the charge says
	Amount   invoice.Yen `json:"amount"`
	Status   string      `json:"charge_status"`
}

// overtakenData is a bill that is paid although it was issued again.
type overtakenData struct {
	Number      string      `json:"invoice_no"`
	Amount      invoice.Yen `json:"amount"` // of the paid one
	ChargeID    string      `json:"charge_id"`
	LaterID     string      `json:"later_charge_id"`
	LaterStatus string      `json:"later_charge_status"` // pending or successful
}

// ends are the payment statuses that a charge can come to, in the order in which
// they are shown.
var ends = []string{batch.StatusSuccessful, batch.StatusExpired, batch.StatusFailed, batch.StatusReversed}

func syncedJSON(s *follow.Synced) syncedData {
	data := syncedData{
		Listed: s.Listed, Fetched: s.Fetched, Changed: map[string]batch.Sum{}, Open: s.Open, Invoices: entriesJSON(s.Changed),
		Missing: entriesJSON(s.Missing), Contradicted: entriesJSON(s.Contradicted), Strays: []strayData{},
		Overtaken: []overtakenData{},
	}
	sums := paymentSums(s.Changed)
	for _, status := range ends {
		data.Changed[status] = sums[status]
	}
	for _, f := range s.Strays {
		data.Strays = append(data.Strays, strayData{ChargeID: f.ID, Number: f.Number, Amount: f.Amount, Status: f.Status})
	}
	for _, o := range s.Overtaken {
		data.Overtaken = append(data.Overtaken, overtakenData{
			Number: o.Paid.Invoice.Number, Amount: o.Paid.Charge.Amount, ChargeID: o.Paid.Charge.ID,
			LaterID: o.Later.Charge.ID, LaterStatus: o.Later.Charge.Status,
		})
	}
	return data
}

// paymentSums adds up invoices by their payment status; that of an invoice
// without a charge is empty.
func paymentSums(entries []batch.Entry) map[string]batch.Sum {
	sums := map[string]batch.Sum{}
	for _, e := range entries {
		addPayment(sums, e)
	}
	return sums
}

func addPayment(sums map[string]batch.Sum, e batch.Entry) {
	sum := sums[e.Charge.Status]
	sums[e.Charge.Status] = batch.Sum{Rows: sum.Rows + 1, Yen: sum.Yen + e.Invoice.Amount}
}

// printSynced tells a person what has changed, and what to see to.
func (a *app) printSynced(s *follow.Synced) {
	sums := paymentSums(s.Changed)
	var rows [][]string
	for _, status := range ends {
		rows = append(rows, []string{a.paymentName(status), a.rows(sums[status]), a.yen(sums[status])})
	}
	rows = append(rows, []string{a.paymentName(batch.StatusPending), a.rows(s.Open), a.yen(s.Open)})
	table(a.stdout, rows, 1, 2)
	concerns := a.syncConcerns(s)
	for _, text := range concerns[:min(len(concerns), concernsShown)] {
		fmt.Fprintln(a.stdout, printable(text))
	}
	if left := len(concerns) - concernsShown; left > 0 {
		fmt.Fprintf(a.stdout, a.say("ほか %d 件（--json ですべて表示）\n", "%d more (--json lists them all)\n"), left)
	}
}

// syncConcerns says what a person must see to, a line each.
func (a *app) syncConcerns(s *follow.Synced) []string {
	var texts []string
	add := func(format string, about ...any) { texts = append(texts, fmt.Sprintf(format, about...)) }
	for _, e := range s.Missing {
		add(a.say("%s：請求 %s が決済サービスに見つかりません。管理画面で確かめてください。",
			"%s: the payment service doesn't have the charge %s. See to it in the dashboard."), e.Invoice.Number, e.Charge.ID)
	}
	for _, e := range s.Contradicted {
		add(a.say("%s：請求 %s についての決済サービスの回答が、台帳の記録（%s）と食い違っています。台帳は変えていません。管理画面で確かめてください。",
			"%s: what the payment service says of the charge %s can't follow from what is recorded (%s). The ledger is as it was. See to it in the dashboard."),
			e.Invoice.Number, e.Charge.ID, a.paymentName(e.Charge.Status))
	}
	for _, f := range s.Strays {
		add(a.say("%s：台帳にない請求 %s（%s、%s）が決済サービスにあります。konbill reconcile を実行し、それでも残る場合は管理画面で確かめてください。",
			"%s: the payment service has a charge %s (%s, %s) that the ledger doesn't have. Run konbill reconcile; if it remains, see to it in the dashboard."),
			f.Number, f.ID, f.Amount.Format(a.lang), a.paymentName(f.Status))
	}
	for _, o := range s.Overtaken {
		texts = append(texts, a.overtakenText(o))
	}
	return texts
}

// overtakenText says what to do about a bill that is paid although it was issued
// again.
func (a *app) overtakenText(o follow.Overtaken) string {
	number, paid, later := o.Paid.Invoice.Number, o.Paid.Charge, o.Later.Charge
	if later.Paid() {
		return fmt.Sprintf(a.say("%s：請求 %s と、その後に再発行した請求 %s の両方が支払われています。お客様に連絡し、重複分を返金してください。",
			"%s: both the bill %s and the one issued again after it, %s, are paid. Tell the customer, and refund one of them."),
			number, paid.ID, later.ID)
	}
	return fmt.Sprintf(a.say("%s：再発行の後で、以前の請求 %s が支払われました。新しい請求 %s はまだ支払える状態です。konbill recall %s で取り消し、お客様にお知らせください。",
		"%s: the earlier bill %s was paid after it was issued again, and the newer one, %s, can still be paid. Call that back with konbill recall %s, and tell the customer."),
		number, paid.ID, later.ID, number)
}

// paymentName names a payment status for people.
func (a *app) paymentName(status string) string {
	switch status {
	case batch.StatusPending:
		return a.say("支払い待ち", "waiting for payment")
	case batch.StatusSuccessful:
		return a.say("支払い済み", "paid")
	case batch.StatusExpired:
		return a.say("期限切れ", "expired")
	case batch.StatusFailed:
		return a.say("支払い失敗", "failed")
	case batch.StatusReversed:
		return a.say("支払い取り消し", "reversed")
	case "":
		return a.say("請求なし", "no charge")
	}
	return status
}
