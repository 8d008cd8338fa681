package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"konbill/batch/fleet"
	"konbill/batch/ledger"
)

func (a *app) migrateCommand() *cobra.Command {
	return a.withJSON(&cobra.Command{
		Use:   "migrate",
		Short: a.say("台帳の表を、このバージョンの Konbill に合わせる", "Bring the ledger's tables up to date"),
		Long: a.say("台帳の表は、ほかのコマンドが台帳を開くときにも自動で更新されます。更新だけを先に済ませたい場合に使います。",
			"Whatever opens the ledger brings its tables up to date by itself; this does that and nothing else."),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.migrate(cmd.Context()) },
	})
}

func (a *app) migrate(ctx context.Context) error {
	_, book, err := a.openBook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	if book.Shared() {
		if err := fleet.Migrate(ctx, book); err != nil {
			return err
		}
	}
	found, now := book.Versions()
	if a.json {
		return a.printJSON(map[string]any{"ledger": book.Place(), "found": found, "version": now})
	}
	switch {
	case found == 0:
		_, err = fmt.Fprintf(a.stdout, a.say("%s に台帳を作りました（バージョン %d）\n", "Made the ledger %s (version %d)\n"), book.Place(), now)
	case found == now:
		_, err = fmt.Fprintf(a.stdout, a.say("台帳 %s は最新です（バージョン %d）\n", "The ledger %s is up to date (version %d)\n"), book.Place(), now)
	default:
		_, err = fmt.Fprintf(a.stdout, a.say("台帳 %s を更新しました（バージョン %d → %d）\n", "Brought the ledger %s up to date (version %d to %d)\n"), book.Place(), found, now)
	}
	return err
}

func (a *app) ledgerCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ledger", Short: a.say("台帳の引っ越し", "Move the ledger")}
	var to string
	move := a.withJSON(&cobra.Command{
		Use:   "copy --to postgres://USER@HOST:5432/DATABASE",
		Short: a.say("ファイルの台帳を、履歴ごと PostgreSQL へ移す", "Move a ledger from its file to PostgreSQL, with all its history"),
		Long: a.say(`ledger.url のファイルにある台帳を、空の PostgreSQL データベースへ移し、件数と金額が一致することを確かめます。
移したあとのファイルは使えなくなります（二重請求を防ぐため）。konbill serve などを止め、ファイルをバックアップしてから実行してください。
パスワードは URL に書かず、環境変数 PGPASSWORD かパスワードファイル（~/.pgpass）で渡せます。`,
			`Moves the ledger in the file that ledger.url names to an empty PostgreSQL database, and compares counts and sums.
Afterwards the file can't be used any more, so that nothing is charged twice. Stop konbill serve and the like, and back the file up before.
The password need not stand in the URL: PGPASSWORD and the password file (~/.pgpass) are understood.`),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.copyLedger(cmd.Context(), to) },
	})
	move.Flags().StringVar(&to, "to", "", a.say("移す先のデータベース", "the database to move to"))
	move.Args = a.usage(nil)
	cmd.AddCommand(move)
	return cmd
}

func (a *app) copyLedger(ctx context.Context, to string) error {
	if to == "" || ledger.CheckURL(to) != nil {
		return &usageError{errors.New(a.say("--to には移す先を postgres://USER@HOST:5432/DATABASE の形で指定してください",
			"give --to the database to move to, as postgres://USER@HOST:5432/DATABASE"))}
	}
	c, book, err := a.openBook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	if _, err := ledger.Path(c.Ledger.URL); err != nil {
		return a.copyRefused(ledger.ErrNotFromFile, to)
	}
	target, err := ledger.Open(ctx, to)
	if err != nil {
		return err
	}
	defer target.Close()
	copied, err := book.CopyTo(ctx, target)
	if err != nil {
		return a.copyRefused(err, to)
	}
	if a.json {
		return a.printJSON(map[string]any{"from": book.Place(), "to": target.Place(), "tables": copied})
	}
	var rows [][]string
	for _, t := range copied {
		rows = append(rows, []string{"", t.Table, fmt.Sprint(t.Rows)})
	}
	fmt.Fprintf(a.stdout, a.say("%s を %s へ移しました（件数と金額は一致しています）\n", "Moved %s to %s (counts and sums agree)\n"), book.Place(), target.Place())
	table(a.stdout, rows, 2)
	_, err = fmt.Fprintf(a.stdout, a.say("設定ファイルの ledger.url を次のように変えてください：\n  url = \"%s\"\n移す前のファイルは、もう使えません。控えとして保管してください。\n",
		"Now change ledger.url in the configuration:\n  url = \"%s\"\nThe file can't be used any more; keep it as a record.\n"), ledger.Redacted(to))
	return err
}

// copyRefused says what to do where nothing was copied.
func (a *app) copyRefused(err error, to string) error {
	switch {
	case errors.Is(err, ledger.ErrNotEmpty):
		return &refusal{
			reason: a.say("移す先の台帳にはすでに記録があります。何も移していません。", "The ledger to move to holds something already. Nothing was moved."),
			hint:   fmt.Sprintf(a.say("空のデータベースを作り、%s の代わりに指定してください", "make an empty database and name that (not %s)"), ledger.Redacted(to)),
		}
	case errors.Is(err, ledger.ErrNotFromFile):
		return &refusal{
			reason: a.say("移せるのは、ファイルの台帳から PostgreSQL へだけです。何も移していません。", "A ledger can be moved from a file to PostgreSQL only. Nothing was moved."),
			hint:   a.say("移す前の台帳のファイルを ledger.url に、移す先のデータベースを --to に指定してください", "let ledger.url name the file to move, and --to the database"),
		}
	}
	return err
}
