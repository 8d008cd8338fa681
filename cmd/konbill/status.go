package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/fleet"
	"konbill/batch/ledger"
)

// jobsShown is how many of the latest runs status lists.
const jobsShown = 10

func (a *app) statusCommand() *cobra.Command {
	var s selection
	cmd := a.withJSON(&cobra.Command{
		Use:   "status [NUMBER...]",
		Short: a.say("台帳の状況、または請求書ごとの経過を表示", "Show how things stand, or the history of invoices"),
		Long: a.say(`請求書番号を指定するとその経過を、指定しなければ最近の実行と、まだ終わっていない請求書を表示します。
--open などを付けると、ファイルをまたいで該当する請求書と合計を一覧にします。お支払いの状況は、最後に konbill sync で確認した時点のものです。`,
			`With invoice numbers: their history. Without: the latest runs, and the invoices that are not finished.
With --open and the like: the invoices of all files that fit, and their sums. Payments are as the latest konbill sync found them.`),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, numbers []string) error { return a.status(cmd.Context(), s, numbers) },
	})
	a.withSelection(cmd, &s)
	return cmd
}

func (a *app) status(ctx context.Context, s selection, numbers []string) error {
	if err := a.checkSelection(&s, numbers); err != nil {
		return err
	}
	c, book, err := a.openBook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	if s.lists() {
		return a.list(ctx, c, book, s)
	}
	if len(numbers) > 0 {
		return a.statusOf(ctx, book, numbers)
	}
	return a.overview(ctx, book)
}

// unfinished are the states in which something is still to be done.
var unfinished = []batch.State{
	batch.Accepted, batch.Charging, batch.Unknown, batch.Declined,
	batch.Mailing, batch.Deferred, batch.Refused, batch.Held,
}

// overview shows the latest runs and what they left open.
func (a *app) overview(ctx context.Context, book *ledger.Ledger) error {
	jobs, err := book.Jobs(ctx, jobsShown)
	if err != nil {
		return err
	}
	open, err := invoices(ctx, book, batch.Query{States: unfinished})
	if err != nil {
		return err
	}
	machines, err := book.Machines(ctx, machinesShown)
	if err != nil {
		return err
	}
	work, err := fleet.Seen(ctx, book)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{
			"jobs": jobsJSON(jobs), "unfinished": entriesJSON(open), "machines": machinesJSON(machines),
			"fleet": fleetData{Waiting: work.Waiting, UnderWay: work.UnderWay},
		})
	}
	fmt.Fprintln(a.stdout, a.say("最近の実行", "Latest runs"))
	rows := [][]string{{"", a.say("実行番号", "run"), a.say("開始", "started"), a.say("ファイル", "file"), a.say("発行", "issued"), a.say("発行済み", "already"),
		a.say("要修正", "rejected"), a.say("失敗", "failed"), a.say("不明", "unknown")}}
	for _, j := range jobs {
		row := []string{"", fmt.Sprint(j.ID), japanTime(j.StartedAt), j.File}
		for _, result := range batch.Results {
			row = append(row, fmt.Sprint(j.Totals[result].Rows))
		}
		if j.FinishedAt.IsZero() {
			row = append(row[:4], a.say("（終了していません）", "(not finished)"))
		}
		rows = append(rows, row)
	}
	table(a.stdout, rows, 1, 4, 5, 6, 7, 8)
	fmt.Fprintf(a.stdout, a.say("終わっていない請求書：%d 件\n", "Unfinished invoices: %d\n"), len(open))
	a.printEntries(open)
	a.printMachines(machines, work)
	return nil
}

// machinesShown is how long a machine that has fallen silent is still listed.
const machinesShown = 24 * time.Hour

// printMachines lists the machines that share the ledger, if any do.
func (a *app) printMachines(machines []ledger.Machine, work fleet.Work) {
	if len(machines) == 0 {
		return
	}
	fmt.Fprintln(a.stdout, a.say("台帳を共有しているサーバー", "Machines that share the ledger"))
	rows := [][]string{{"", a.say("サーバー", "machine"), a.say("役割", "role"), a.say("処理中のファイル", "file at work"), a.say("処理中の請求", "invoices in hand"),
		a.say("API の割り当て", "share of the API"), a.say("起動", "since"), a.say("最後の連絡", "last heard of")}}
	for _, m := range machines {
		rows = append(rows, []string{"", m.Name, a.roleOf(m), m.Doing, fmt.Sprint(m.InHand),
			fmt.Sprintf(a.say("毎秒 %.1f 回・同時 %d 件", "%.1f a second, %d at once"), m.PerSecond, m.AtOnce), japanTime(m.Since), japanTime(m.Seen)})
	}
	table(a.stdout, rows, 4)
	fmt.Fprintf(a.stdout, a.say("処理を待っている請求：%d 件、処理中：%d 件\n", "Invoices that wait to be settled: %d, under way: %d\n"), work.Waiting, work.UnderWay)
}

func (a *app) roleOf(m ledger.Machine) string {
	switch {
	case m.Inbox == "" && m.Leads:
		return a.say("ファイルを発行中", "runs a file")
	case m.Inbox == "":
		return a.say("処理のみ", "settles only")
	case m.Turn:
		return a.say("受付の担当", "serves the inbox")
	}
	return a.say("受付は待機", "stands by for the inbox")
}

// history is one bill under an invoice number, and what became of it.
type history struct {
	batch.Entry
	events   []batch.Event
	replaces string // the charge that it takes the place of
}

// statusOf shows invoices with their history, all that were issued under a number.
func (a *app) statusOf(ctx context.Context, book *ledger.Ledger, numbers []string) error {
	found, err := invoices(ctx, book, batch.Query{Numbers: numbers})
	if err != nil {
		return err
	}
	histories, err := historiesOf(ctx, book, found)
	if err != nil {
		return err
	}
	if err := a.showHistories(histories); err != nil {
		return err
	}
	for _, number := range numbers {
		if !slices.ContainsFunc(found, func(e batch.Entry) bool { return e.Invoice.Number == number }) {
			return fmt.Errorf(a.say("請求書番号 %s は台帳にありません", "invoice %s is not in the ledger"), number)
		}
	}
	return nil
}

// historiesOf looks them up, those of a number together and the newest last.
func historiesOf(ctx context.Context, book *ledger.Ledger, found []batch.Entry) ([]history, error) {
	first := map[string]int{} // where a number first comes
	charges := map[batch.Key]string{}
	for i, e := range slices.Backward(found) {
		first[e.Invoice.Number], charges[e.Key] = i, e.Charge.ID
	}
	slices.SortStableFunc(found, func(a, b batch.Entry) int {
		return cmp.Or(cmp.Compare(first[a.Invoice.Number], first[b.Invoice.Number]),
			cmp.Compare(a.Account.Mode(), b.Account.Mode()), cmp.Compare(a.Revision, b.Revision))
	})
	histories := make([]history, len(found))
	for i, e := range found {
		events, err := book.Events(ctx, e.Key)
		if err != nil {
			return nil, err
		}
		histories[i] = history{e, events, charges[e.Previous()]}
	}
	return histories, nil
}

func (a *app) showHistories(histories []history) error {
	if !a.json {
		for _, h := range histories {
			a.printHistory(h)
		}
		return nil
	}
	data := []entryData{}
	for _, h := range histories {
		one := entriesJSON([]batch.Entry{h.Entry})[0]
		one.Replaces, one.Events = h.replaces, eventsJSON(h.events)
		data = append(data, one)
	}
	return a.printJSON(map[string]any{"invoices": data})
}

func invoices(ctx context.Context, book *ledger.Ledger, q batch.Query) ([]batch.Entry, error) {
	var found []batch.Entry
	err := book.Entries(ctx, q, func(e batch.Entry) error {
		found = append(found, e)
		return nil
	})
	return found, err
}

func (a *app) printEntries(entries []batch.Entry) {
	const most = 50
	var rows [][]string
	for i, e := range entries {
		if i == most {
			defer fmt.Fprintf(a.stdout, a.say("ほか %d 件（--json ですべて表示）\n", "%d more (--json lists them all)\n"), len(entries)-most)
			break
		}
		rows = append(rows, []string{"", e.Invoice.Number, a.stateName(e.State), e.Invoice.Amount.Format(a.lang), japanTime(e.UpdatedAt), e.Refusal.Code + e.MailReply})
	}
	table(a.stdout, rows, 3)
}

func (a *app) printHistory(e history) {
	fmt.Fprintf(a.stdout, "%s  %s  %s\n", e.Invoice.Number, a.stateName(e.State), e.Invoice.Amount.Format(a.lang))
	facts := [][]string{
		{"", a.say("発行", "revision"), a.revisionName(e.Revision)},
		{"", a.say("以前の請求", "replaces"), e.replaces},
		{"", a.say("宛名", "name"), e.Invoice.Name},
		{"", a.say("請求 ID", "charge"), e.Charge.ID},
		{"", a.say("支払い状況", "payment"), e.Charge.Status},
		{"", a.say("支払日時", "paid at"), japanTime(e.Charge.PaidAt)},
		{"", a.say("支払番号", "payment code"), e.Charge.PaymentCode},
		{"", a.say("リンク", "link"), e.Charge.AuthorizeURI},
		{"", a.say("支払期限", "due"), japanDeadline(e.Charge.ExpiresAt)},
		{"", a.say("メール", "mailed to"), e.MailedTo},
		{"", a.say("応答", "reply"), e.MailReply},
		{"", a.say("理由", "reason"), e.Refusal.Code},
	}
	var shown [][]string
	for _, fact := range facts {
		if fact[2] != "" {
			shown = append(shown, fact)
		}
	}
	table(a.stdout, shown)
	var steps [][]string
	for _, event := range e.events {
		steps = append(steps, []string{"", japanTime(event.At), string(event.From) + " → " + string(event.To), event.Who, event.Why})
	}
	table(a.stdout, steps)
}

// revisionName says that a bill wasn't the first; empty when it was.
func (a *app) revisionName(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(a.say("%d 回目（再発行）", "%d (issued again)"), n)
}

func (a *app) stateName(s batch.State) string {
	names := map[batch.State]string{
		batch.Accepted: "未請求", batch.Charging: "請求中（結果未確認）", batch.Unknown: "結果不明", batch.Declined: "請求不可",
		batch.Charged: "請求済み", batch.Mailing: "メール送信中", batch.Mailed: "メール送信済み",
		batch.Deferred: "メール再送待ち", batch.Refused: "メール拒否", batch.Held: "メール確認待ち",
	}
	return a.say(names[s], string(s))
}
