package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/invoice"
)

func (a *app) remindCommand() *cobra.Command {
	var dryRun bool
	cmd := a.withJSON(&cobra.Command{
		Use:   "remind",
		Short: a.say("支払い期限が近いお客様にお知らせメールを送る", "Remind customers of bills that are about to fall due"),
		Long: a.say(`設定の follow.remind_before に従い、支払い期限の所定の日数前になっても支払われていない請求について、お客様にメールでお知らせします。
送る直前に決済サービスで支払い状況を確かめます。同じお知らせを二度送ることはありません。konbill serve は自動で送ります。`,
			`Mails customers whose bills are unpaid so many days before their due dates as follow.remind_before says. Whether a
bill was paid is asked for right before the mail, and none is sent twice. konbill serve does so by itself.`),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.remind(cmd.Context(), dryRun) },
	})
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, a.say("送らずに、対象だけを表示", "only show who would get one"))
	return cmd
}

func (a *app) remind(ctx context.Context, dryRun bool) error {
	c, err := a.load(nil)
	if err != nil {
		return err
	}
	switch {
	case c.Follow.RemindBefore == "":
		return &configError{Key: "follow.remind_before", Code: configMissing}
	case c.SMTP.Mode == "off":
		return &configError{Key: "follow.remind_before", Code: configNeedsMail}
	}
	shop, err := a.open(ctx, c, "remind")
	if err != nil {
		return err
	}
	defer shop.Close()
	do := shop.runner.Remind
	if dryRun {
		do = shop.runner.RemindersDue // which asks nobody but the ledger
	}
	noticed, err := do(ctx)
	if err != nil && noticed == nil {
		return err
	}
	if told := a.tellNoticed(noticed); told != nil {
		return worse(err, told)
	}
	if err == nil && !dryRun && slices.ContainsFunc(noticed, batch.Noticed.NeedsPerson) {
		return errNeedsPerson
	}
	return err
}

// noticedData is what remind says of one reminder, as data.
type noticedData struct {
	Number  string              `json:"invoice_no"`
	Amount  invoice.Yen         `json:"amount"`
	Due     string              `json:"expires_at"`
	Days    int                 `json:"days_before"`
	Mail    batch.State         `json:"mail,omitempty"` // empty: not begun
	Reply   string              `json:"reply,omitempty"`
	NotSent batch.NotSentReason `json:"not_sent,omitempty"`
}

func (a *app) tellNoticed(noticed []batch.Noticed) error {
	if a.json {
		data := []noticedData{}
		for _, n := range noticed {
			data = append(data, noticedData{
				Number: n.Entry.Invoice.Number, Amount: n.Entry.Invoice.Amount, Due: batch.Timestamp(n.Entry.Charge.ExpiresAt), Days: n.Days,
				Mail: n.Notice.State, Reply: n.Notice.Reply, NotSent: n.NotSent,
			})
		}
		return a.printJSON(map[string]any{"reminders": data})
	}
	var rows [][]string
	var all batch.Sum
	for _, n := range noticed {
		all.Add(n.Entry.Invoice.Amount)
		rows = append(rows, []string{
			n.Entry.Invoice.Number, n.Entry.Invoice.Amount.Format(a.lang), japanDeadline(n.Entry.Charge.ExpiresAt), a.noticedText(n),
		})
	}
	rows = append(rows, []string{a.say("合計", "total"), a.yen(all), a.rows(all), ""})
	table(a.stdout, rows, 1)
	return nil
}

// noticedText says what became of a reminder, or why there was none.
func (a *app) noticedText(n batch.Noticed) string {
	switch n.NotSent {
	case "":
	case batch.NotPayable:
		return a.say("支払い済みか、支払えない状態になったため、送っていません", "not sent: it is paid, or can't be paid any more")
	case batch.NotAnswered:
		return a.say("支払い済みかどうかを決済サービスに確認できないため、送っていません。konbill sync を実行し、管理画面で確かめてください",
			"not sent: the payment service could not say whether it is paid; run konbill sync and see to it in the dashboard")
	default:
		return a.say("まだ送っていません。次の機会に送ります", "not sent yet; it will be the next time")
	}
	switch n.Notice.State {
	case batch.Mailed:
		return fmt.Sprintf(a.say("%s 宛てに送りました", "mailed to %s"), n.Notice.MailedTo)
	case batch.Deferred:
		return fmt.Sprintf(a.say("%s 宛てには、いま送れません（%s）。次の機会にもう一度送ります", "can't be mailed to %s now (%s); it is tried again the next time"), n.Notice.MailedTo, n.Notice.Reply)
	case batch.Refused:
		return fmt.Sprintf(a.say("%s 宛てのメールは拒否されました（%s）。お客様に別の方法でお知らせください", "the mail to %s was refused (%s); reach the customer by other means"), n.Notice.MailedTo, n.Notice.Reply)
	case batch.Held:
		return fmt.Sprintf(a.say("%s 宛てに届いたかどうか分かりません（%s）。二重には送りません", "whether the mail to %s arrived is not known (%s); it is not sent twice"), n.Notice.MailedTo, n.Notice.Reply)
	}
	return fmt.Sprintf(a.say("%d 日前のお知らせを %s 宛てに送ります", "the reminder of %d days before is to go to %s"), n.Days, n.Notice.MailedTo)
}

// mostRemindDays is the furthest that a customer is reminded before the date.
const mostRemindDays = 60

// remindDays reads how many days before the last one to pay customers are
// reminded, such as "7d, 3d, 1d".
func remindDays(text string) (days []int, ok bool) {
	if strings.TrimSpace(text) == "" {
		return nil, true
	}
	for part := range strings.SplitSeq(text, ",") {
		number, isDays := strings.CutSuffix(strings.TrimSpace(part), "d")
		n, err := strconv.Atoi(number)
		if !isDays || err != nil || n < 0 || n > mostRemindDays || slices.Contains(days, n) {
			return nil, false
		}
		days = append(days, n)
	}
	return days, true
}

func remindBefore(text string) *configError {
	if _, ok := remindDays(text); ok {
		return nil
	}
	return &configError{Key: "follow.remind_before", Code: configNotOneOf, Detail: text, Wanted: `"3d" | "7d, 3d, 1d" (0d–60d)`}
}
