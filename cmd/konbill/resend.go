package main

import (
	"context"
	"errors"
	"fmt"
	"net/mail"

	"github.com/spf13/cobra"

	"konbill/batch"
)

func (a *app) resendCommand() *cobra.Command {
	var to string
	cmd := a.withJSON(&cobra.Command{
		Use:   "resend NUMBER...",
		Short: a.say("案内メールを再送", "Mail invoices again"),
		Long: a.say(`請求済みの請求書の案内メールを、もう一度送ります。届いたか不明なもの、拒否されたもの、送信済みのものも送れます。
新しく請求することはありません。支払い済みや期限切れのものは送りません。`,
			`Mails invoices that are charged again, whatever became of their mails before: held, refused, or sent. It
charges nothing. What is paid or past its due date is not mailed.`),
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, numbers []string) error { return a.resend(cmd.Context(), numbers, to) },
	})
	cmd.Flags().StringVar(&to, "to", "", a.say("この宛先に送る（今回だけ）", "mail to this address, this once"))
	return cmd
}

func (a *app) resend(ctx context.Context, numbers []string, to string) error {
	if err := a.checkRecipient(numbers, to); err != nil {
		return err
	}
	c, err := a.load(nil)
	if err != nil {
		return err
	}
	shop, err := a.open(ctx, c, "resend")
	if err != nil {
		return err
	}
	defer shop.Close()
	reports, err := shop.runner.Resend(ctx, numbers, to)
	if reports == nil {
		return err
	}
	needsPerson := false
	for _, r := range reports {
		needsPerson = needsPerson || r.NotSent != "" || r.Entry.State != batch.Mailed
	}
	if told := a.tellResent(reports); told != nil {
		return worse(err, told)
	}
	if err == nil && needsPerson {
		return errNeedsPerson
	}
	return err
}

// checkRecipient refuses an address that can't be one, and one for several
// invoices: they would most likely be of several customers.
func (a *app) checkRecipient(numbers []string, to string) error {
	if to == "" {
		return nil
	}
	if parsed, err := mail.ParseAddress(to); err != nil || parsed.Address != to {
		return &usageError{errors.New(a.say("--to にはメールアドレスを 1 つ指定してください", "--to can be one mail address"))}
	}
	if len(numbers) > 1 {
		return &usageError{errors.New(a.say("--to は請求書 1 件ずつ指定してください", "--to goes with one invoice at a time"))}
	}
	return nil
}

// resentData is what resend says of one invoice, as data.
type resentData struct {
	Number  string              `json:"invoice_no"`
	Mail    batch.State         `json:"mail,omitempty"`
	To      string              `json:"to,omitempty"`
	Reply   string              `json:"reply,omitempty"`
	NotSent batch.NotSentReason `json:"not_sent,omitempty"`
}

func (a *app) tellResent(reports []batch.Resent) error {
	if a.json {
		data := []resentData{}
		for _, r := range reports {
			one := resentData{Number: r.Number, NotSent: r.NotSent}
			if r.NotSent == "" {
				one.Mail, one.To, one.Reply = r.Entry.State, r.Entry.MailedTo, r.Entry.MailReply
			}
			data = append(data, one)
		}
		return a.printJSON(map[string]any{"invoices": data})
	}
	var rows [][]string
	for _, r := range reports {
		rows = append(rows, []string{r.Number, a.resentText(r)})
	}
	table(a.stdout, rows)
	return nil
}

// resentText says what became of a mail, or why there was none.
func (a *app) resentText(r batch.Resent) string {
	if r.NotSent != "" {
		return a.notSentText(r)
	}
	form := map[batch.State]string{
		batch.Mailed:   a.say("%s 宛てに再送しました", "mailed to %s"),
		batch.Deferred: a.say("%s 宛てには、いま送れません（%s）。しばらくしてからもう一度お試しください", "can't be mailed to %s now (%s); try again in a while"),
		batch.Refused:  a.say("%s 宛てのメールは拒否されました（%s）。アドレスを確かめてください", "the mail to %s was refused (%s); check the address"),
		batch.Held:     a.say("%s 宛てに届いたかどうか分かりません（%s）。お客様にご確認ください", "whether the mail to %s arrived is not known (%s); ask the customer"),
	}[r.Entry.State]
	if r.Entry.State == batch.Mailed {
		return fmt.Sprintf(form, r.Entry.MailedTo)
	}
	return fmt.Sprintf(form, r.Entry.MailedTo, r.Entry.MailReply)
}

func (a *app) notSentText(r batch.Resent) string {
	switch r.NotSent {
	case batch.NotInLedger:
		return a.say("台帳にありません。番号を確かめてください", "not in the ledger; check the number")
	case batch.NotCharged:
		return a.say("まだ請求していないため、送っていません。もとのファイルを konbill run で実行してください", "not mailed: it is not charged yet; run its file with konbill run")
	case batch.NotPayable:
		return a.say("支払い済みか期限切れのため、送っていません", "not mailed: it is paid, or can't be paid any more")
	case batch.NotAnswered:
		return a.say("支払い済みかどうかを決済サービスに確認できないため、送っていません。しばらくしてからもう一度お試しください", "not mailed: the payment service could not say whether it is paid; try again in a while")
	case batch.NoSafeLink:
		return a.say("支払い用リンクの接続先が決済サービスではないため、送っていません", "not mailed: its payment link does not lead to the payment service")
	case batch.MailIsOff:
		return a.say("smtp.mode が off のため、送っていません", "not mailed: smtp.mode is \"off\"")
	}
	return a.say("中断したため、まだ送っていません", "not mailed: interrupted before")
}
