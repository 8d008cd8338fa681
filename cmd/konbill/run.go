package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/text/width"

	"konbill/batch"
	"konbill/invoice"
)

// runOptions are the flags of run.
type runOptions struct {
	out     string
	live    bool
	confirm int64 // yen; -1 when not given
	reissue bool  // rows whose bill is over unpaid
	print   bool
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	cmd := a.withJSON(&cobra.Command{
		Use:   "run FILE...",
		Short: a.say("ファイルの請求を発行", "Issue the invoices of files"),
		Long: a.say(`各行を点検し、請求を作成し、伝票（PDF）とメールを送り、結果を FILE の隣の「名前-results」フォルダーに書き出します。
同じファイルを何度実行しても、二重に請求されることはありません。`,
			`Checks every row, makes the charges, draws and mails the slips, and writes the results into a folder
"NAME-results" beside FILE. Running the same file again charges nothing twice.`),
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error { return a.runFiles(cmd.Context(), files, o) },
	})
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", "", a.say("結果フォルダーを作る場所", "where to make the results folder"))
	flags.BoolVar(&o.live, "live", false, a.say("本番の鍵で実際に請求する", "charge for real, with a live key"))
	flags.Int64Var(&o.confirm, "confirm-total", -1, a.say("本番：請求の合計額（円）。対話で確認しない場合に指定", "live: the yen total, instead of typing it at the prompt"))
	flags.BoolVar(&o.reissue, "reissue-expired", false, a.say("支払われずに終わった請求（期限切れ・取り消しなど）の行を、新しい請求として再発行する", "issue rows again whose bill ended unpaid (expired, called back)"))
	flags.BoolVar(&o.print, "print-file", false, a.say("印刷会社向けに、全件の伝票を 1 つの PDF にもまとめる", "also put all slips into one PDF file, for a printing house"))
	return cmd
}

func (a *app) runFiles(ctx context.Context, files []string, o runOptions) error {
	if o.confirm >= 0 && len(files) > 1 {
		return &usageError{errors.New(a.say("--confirm-total はファイル 1 件ずつ指定してください", "--confirm-total goes with one file at a time"))}
	}
	c, err := a.load(nil)
	if err != nil {
		return err
	}
	shop, err := a.open(ctx, c, "run")
	if err != nil {
		return err
	}
	defer shop.Close()
	shop.runner.Reissue = o.reissue
	shop.runner.Settings.PrintFile = o.print
	if err := a.liveGuard(shop.runner, o); err != nil {
		return err
	}
	defer a.sayWhenInterrupted()()
	var worst error
	reports := []runReport{}
	for _, path := range files {
		report, err := a.runFile(ctx, shop.runner, path, o.out)
		if report != nil && a.json {
			reports = append(reports, a.runReport(report))
		}
		worst = worse(worst, err)
		if stops(err) {
			break
		}
	}
	if a.json {
		if err := a.printJSON(map[string]any{"files": reports}); err != nil {
			return err
		}
	}
	return worst
}

// sayWhenInterrupted answers the first Ctrl-C, so that people know that it was
// heard, until it is told to stop.
func (a *app) sayWhenInterrupted() (stop func()) {
	over := make(chan struct{})
	go func() {
		select {
		case <-a.drain:
			fmt.Fprintln(a.stderr, a.say("中断します。処理中の請求が終わるまでお待ちください（もう一度 Ctrl-C を押すと、すぐに止めます）",
				"Stopping once what is in flight is done (Ctrl-C again stops now)"))
		case <-over:
		}
	}()
	return func() { close(over) }
}

// runFile runs one file and tells what happened.
func (a *app) runFile(ctx context.Context, r *batch.Runner, path, out string) (*batch.Report, error) {
	progress := a.newProgress()
	r.Progress, r.Waiting = progress.tell, progress.waiting
	makeRoom(path, r.Settings)
	oneMore()
	report, err := r.Run(ctx, path, out)
	progress.end()
	if report != nil && !a.json {
		a.printReport(report)
	}
	if err != nil {
		a.complain(err)
		return report, reported(err)
	}
	if report.NeedsPerson > 0 {
		return report, errNeedsPerson
	}
	return report, nil
}

// stops reports whether the files that follow would fare no better.
func stops(err error) bool {
	switch exitCode(err) {
	case exitRefused, exitHeld, exitInterrupted:
		return true
	}
	var stop *batch.Stop
	return errors.As(err, &stop)
}

// liveGuard stands between a live key and real bills: it wants --live and the
// total.
func (a *app) liveGuard(r *batch.Runner, o runOptions) error {
	if !r.Live {
		return nil
	}
	if !o.live {
		return &refusal{
			reason: a.say("本番の鍵です。何も請求していません。", "This is a live key. Nothing was charged."),
			hint:   a.say("実際に請求するには --live を付けてください", "to charge for real, add --live"),
		}
	}
	r.Confirm = func(total batch.Sum) error { return a.confirm(total, o.confirm) }
	return nil
}

// confirm compares the total with what the person says it is.
func (a *app) confirm(total batch.Sum, given int64) error {
	if given < 0 {
		fmt.Fprintf(a.stderr, a.say("本番で %d 件を請求します。合計額（円）を入力してください： ", "About to charge %d invoices for real. Type the total in yen: "), total.Rows)
		line, err := bufio.NewReader(a.stdin).ReadString('\n')
		if err != nil && !(errors.Is(err, io.EOF) && line != "") {
			return a.notConfirmed(total)
		}
		if given, err = typedYen(line); err != nil {
			return a.notConfirmed(total)
		}
	}
	if invoice.Yen(given) != total.Yen {
		return a.notConfirmed(total)
	}
	return nil
}

func typedYen(line string) (int64, error) {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune(",円¥\\", r) {
			return -1
		}
		return r
	}, width.Fold.String(line))
	var yen int64
	_, err := fmt.Sscanf(digits, "%d", &yen)
	return yen, err
}

func (a *app) notConfirmed(total batch.Sum) error {
	return &refusal{
		reason: a.say("合計額が一致しないため、中止しました。何も請求していません。", "The total does not match, so nothing was charged."),
		hint: fmt.Sprintf(a.say("konbill check で内容を確かめてください。発行できる %d 件の合計額を入力するか、--confirm-total で指定します",
			"see konbill check; type the total of the %d invoices that can be issued, or give it with --confirm-total"), total.Rows),
	}
}
