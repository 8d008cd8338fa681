package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/batch/ledger"
	"konbill/invoice"
	"konbill/mailer"
)

func (a *app) purgeCommand() *cobra.Command {
	var p purge
	cmd := a.withJSON(&cobra.Command{
		Use:   "purge --before DATE [FOLDER...]",
		Short: a.say("終わった請求の個人情報を削除", "Remove the personal data of closed invoices"),
		Long: a.say(`指定した日より前に終わった請求（支払い済み・期限切れ・不成立）について、氏名・メールアドレス・電話番号などを台帳から削除します。
請求書番号・金額・日付・経過は残り、同じ番号が再び請求されることはありません。受付フォルダーに保管したファイルと伝票も、含まれる請求が
すべて終わっていれば削除します。FOLDER に結果フォルダー（名前-results）を指定すると、その伝票と結果も同様に削除します。
先に内容を表示して確認します。もとの CSV や送信済みのメールは、お手元で削除してください。`,
			`Removes names, mail addresses, phone numbers and the like from invoices that were closed before a date: paid,
expired, or never charged. Numbers, yen, dates and history remain, and no number is charged again. Files and slips
kept in the inbox go, too, once all of their invoices are closed; so do those in results folders (NAME-results) that
are given. It shows first what it would do, and asks. Your own CSV files and sent mails are yours to delete.`),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, folders []string) error {
			p.app, p.folders = a, folders
			return p.run(cmd.Context())
		},
	})
	cmd.Flags().StringVar(&p.day, "before", "", a.say("この日より前に終わったもの（例：2025-04-01）", "closed before this day, such as 2025-04-01"))
	cmd.Flags().BoolVar(&p.yes, "yes", false, a.say("確認せずに削除する", "remove without asking"))
	cmd.Flags().BoolVar(&p.dryRun, "dry-run", false, a.say("削除せずに、対象だけを表示", "only show what would be removed"))
	return cmd
}

// purge is konbill purge at work.
type purge struct {
	*app
	day         string
	yes, dryRun bool
	folders     []string // of results, as given

	config config
	before time.Time
	book   *ledger.Ledger
	runner *batch.Runner
	done   purged
}

// purged is what a purge did, as data.
type purged struct {
	Before   string                   `json:"before"`
	DryRun   bool                     `json:"dry_run"`
	Invoices map[string]batch.Sum     `json:"purged"` // by payment status; "none" is that of invoices without a charge
	Kept     map[batch.Kept]batch.Sum `json:"kept"`
	Files    int                      `json:"files"`        // of the inbox, with their slips and results
	Folders  int                      `json:"folders"`      // of results
	Mails    int                      `json:"mails"`        // stored as files
	Failed   []string                 `json:"failed"`       // what could not be removed
	LogKept  bool                     `json:"log_kept"`     // others were reading: SQLite's log goes with the next purge
	Oldest   string                   `json:"oldest_close"` // of those purged
	Newest   string                   `json:"newest_close"`
}

func (p *purge) run(ctx context.Context) (err error) {
	if p.before, err = p.readDay(); err != nil {
		return err
	}
	if p.config, p.book, err = p.openBook(ctx); err != nil {
		return err
	}
	defer p.book.Close()
	if p.runner, err = p.recorder(p.config, p.book); err != nil {
		return err
	}
	p.runner.Settings.Who, p.runner.Drain = "purge", p.drain
	plan, err := p.runner.PlanPurge(ctx, p.before)
	if err != nil {
		return err
	}
	if p.dryRun {
		return p.tell(plan)
	}
	if !p.yes {
		p.printPlan(plan)
		if err := p.confirm(); err != nil {
			return err
		}
	}
	return p.remove(ctx)
}

// readDay reads the day in Japan at whose beginning what counts as before ends.
func (p *purge) readDay() (time.Time, error) {
	day, err := invoice.ParseDay(p.day)
	switch {
	case p.day == "":
		err = errors.New(p.say("--before で日付を指定してください（例：--before 2025-04-01）", "give a day with --before, such as --before 2025-04-01"))
	case err != nil:
		err = fmt.Errorf(p.say("--before の日付 %q を読み取れません（例：2025-04-01）", "--before: %q is not a day; write it like 2025-04-01"), p.day)
	case day.After(p.now()):
		err = fmt.Errorf(p.say("--before の日付 %s は未来の日付です", "--before: %s is in the future"), p.day)
	}
	if err != nil {
		return day, &usageError{err}
	}
	return day, nil
}

// confirm asks for a yes.
func (p *purge) confirm() error {
	if p.agreed(p.say("削除したものは元に戻せません。よろしいですか？（はい = y）： ", "What is removed can't be brought back. Go on? (y for yes) ")) {
		return nil
	}
	return &refusal{
		reason: p.say("何も削除していません。", "Nothing was removed."),
		hint:   p.say("確認せずに削除するには --yes を付けてください", "to remove without being asked, add --yes"),
	}
}

// remove removes the data first from the ledger, then what lies beside it: what
// a purge that is cut short leaves, the next one finds.
func (p *purge) remove(ctx context.Context) error {
	plan, err := p.runner.Purge(ctx, p.before, func(e batch.Entry) error { return p.removeMails(ctx, e) })
	if plan == nil {
		return err
	}
	if err == nil {
		whole, scrubbed := p.book.Scrub(ctx)
		p.done.LogKept, err = !whole, scrubbed
	}
	if err == nil {
		err = errors.Join(p.removeFiled(ctx), p.removeResults(ctx))
	}
	if told := p.tell(plan); told != nil {
		return worse(err, told)
	}
	if err == nil && len(p.done.Failed) > 0 {
		return errNeedsPerson
	}
	return err
}

// removeMails removes the mails about an invoice that were stored as files: they
// bear their Message-IDs.
func (p *purge) removeMails(ctx context.Context, e batch.Entry) error {
	if p.config.SMTP.Mode != "folder" {
		return nil
	}
	notices, err := p.book.Notices(ctx, e.Key)
	if err != nil {
		return err
	}
	var ids []string
	for n := range e.MailAttempt {
		ids = append(ids, mailer.MessageID(string(e.Key), n+1, p.config.SMTP.From))
	}
	for _, n := range notices {
		ids = append(ids, n.MessageID)
	}
	for _, id := range ids {
		p.count(&p.done.Mails, os.Remove(filepath.Join(p.config.SMTP.Folder, id+".eml")))
	}
	return nil
}

// count counts what was removed, and notes what could not be.
func (p *purge) count(n *int, err error) {
	switch {
	case err == nil:
		*n++
	case !errors.Is(err, fs.ErrNotExist):
		p.done.Failed = append(p.done.Failed, err.Error())
	}
}

// removeFiled removes the files that the inbox keeps, of before the day, if all
// of their invoices are purged, and those that could not be processed.
func (p *purge) removeFiled(ctx context.Context) error {
	filed, err := inbox.Archive(p.config.Inbox.Folder)
	if err != nil {
		return err
	}
	for _, f := range filed {
		if !f.Day.Before(p.before) {
			continue
		}
		if f.Done && f.Path != "" {
			all, err := p.runner.AllPurged(ctx, f.Path)
			if err != nil && ctx.Err() != nil {
				return err
			}
			if err != nil {
				p.done.Failed = append(p.done.Failed, err.Error())
			}
			if !all {
				continue
			}
		}
		p.count(&p.done.Files, f.Remove())
	}
	return nil
}

// removeResults removes what runs by hand have left in the folders given.
func (p *purge) removeResults(ctx context.Context) error {
	for _, folder := range p.folders {
		left, err := batch.ResultsIn(folder)
		if err != nil {
			p.done.Failed = append(p.done.Failed, err.Error())
			continue
		}
		for _, results := range left {
			all, err := p.runner.AllPurged(ctx, results.File)
			switch {
			case err != nil && ctx.Err() != nil:
				return err
			case err != nil:
				p.done.Failed = append(p.done.Failed, err.Error())
			case all && results.Written.Before(p.before):
				p.count(&p.done.Folders, results.Remove())
			}
		}
	}
	return nil
}

// tell says what was done, or with a dry run would be.
func (p *purge) tell(plan *batch.Purging) error {
	if p.json {
		p.done.Before, p.done.DryRun = batch.Timestamp(p.before), p.dryRun
		p.done.Invoices, p.done.Kept = map[string]batch.Sum{}, plan.Kept
		for status, sum := range plan.Purged {
			p.done.Invoices[cmp.Or(status, "none")] = sum
		}
		p.done.Oldest, p.done.Newest = batch.Timestamp(plan.Oldest), batch.Timestamp(plan.Newest)
		p.done.Failed = append([]string{}, p.done.Failed...)
		return p.printJSON(p.done)
	}
	if p.dryRun || p.yes {
		p.printPlan(plan)
	}
	if p.dryRun {
		return nil
	}
	fmt.Fprintf(p.stdout, p.say("請求書 %d 件の個人情報を削除しました（受付フォルダーのファイル %d 件、結果フォルダー %d 件、メールのファイル %d 件）。\n",
		"Removed the personal data of %d invoices (with %d files of the inbox, %d results folders, %d mails stored as files).\n"),
		plan.All().Rows, p.done.Files, p.done.Folders, p.done.Mails)
	if p.done.LogKept {
		fmt.Fprintln(p.stderr, p.say("注意：ほかの konbill が台帳を読んでいるため、台帳のログに一部が残っています。ほかを止めて、もう一度実行してください。",
			"warning: another konbill reads the ledger, so some may be left in its log; stop that and run this again."))
	}
	for _, failure := range p.done.Failed {
		fmt.Fprintf(p.stderr, p.say("削除できませんでした：%s\n", "could not be removed: %s\n"), printable(failure))
	}
	return nil
}

func (p *purge) printPlan(plan *batch.Purging) {
	rows := [][]string{{p.say("削除の対象", "to be purged"), "", ""}}
	for _, status := range append([]string{""}, ends...) {
		if sum := plan.Purged[status]; sum.Rows > 0 {
			rows = append(rows, []string{"  " + p.paymentName(status), p.rows(sum), p.yen(sum)})
		}
	}
	all := plan.All()
	rows = append(rows, []string{"  " + p.say("合計", "total"), p.rows(all), p.yen(all)}, []string{p.say("残すもの", "to be kept"), "", ""})
	for _, why := range []batch.Kept{batch.KeptOpen, batch.KeptPerson, batch.KeptRevised, batch.KeptLater} {
		if sum := plan.Kept[why]; sum.Rows > 0 {
			rows = append(rows, []string{"  " + p.keptText(why), p.rows(sum), p.yen(sum)})
		}
	}
	table(p.stdout, rows, 1, 2)
	if all.Rows > 0 {
		fmt.Fprintf(p.stdout, p.say("終わった日：%s から %s まで\n", "closed from %s to %s\n"), japanTime(plan.Oldest), japanTime(plan.Newest))
	}
}

func (p *purge) keptText(why batch.Kept) string {
	switch why {
	case batch.KeptOpen:
		return p.say("まだ終わっていない", "not closed yet")
	case batch.KeptPerson:
		return p.say("請求が重複している（要確認）", "with more than one charge: see to it")
	case batch.KeptRevised:
		return p.say("再発行した請求がまだ新しい", "billed again, and that is not closed for so long")
	}
	return p.say("指定した日より後に終わった", "closed since")
}
