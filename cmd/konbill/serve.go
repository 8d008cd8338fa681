package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/schedule"
)

// serving is who runs the files of the inbox, as the ledger remembers it.
const serving = "serve"

func (a *app) serveCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: a.say("受付フォルダーを見張り、予定の時刻に自動で発行", "Watch the inbox and issue on schedule"),
		Long: a.say(`受付フォルダー（inbox.folder）に置かれたファイルを、予定の時刻（schedule.cron）に処理します。
結果と要修正の行は受付フォルダーの中の outbox に置き、notify.to にメールでお知らせします。
止めるときは Ctrl-C または SIGTERM で。途中のファイルは、次に起動したときに続きから処理します。`,
			`Processes the files dropped into the inbox (inbox.folder) on schedule (schedule.cron). Results and rows to
correct are left in the inbox's outbox folder, and staff (notify.to) are told by mail.
Stop it with Ctrl-C or SIGTERM; what is not finished goes on at the next start.`),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), once) },
	}
	cmd.Flags().BoolVar(&once, "once", false, a.say("今すぐ 1 回だけ処理して終わる", "process what is there now, once, and end"))
	return cmd
}

func (a *app) serve(ctx context.Context, once bool) error {
	c, err := a.load(nil)
	if err != nil {
		return err
	}
	if err := c.validateForServe(); err != nil {
		return err
	}
	a.log = newLog(a.stderr, c.Serve.Log, a.now)
	shop, err := a.open(ctx, c, serving)
	if err != nil {
		return err
	}
	defer shop.Close()
	shop.runner.Settings.Unattended = !once // only a konbill that stays goes on by itself
	if err := a.unattendedGuard(shop.runner, c); err != nil {
		return err
	}
	s, err := a.newService(c, shop)
	if err != nil {
		return err
	}
	if once {
		return s.once(ctx)
	}
	return s.serve(ctx)
}

// unattendedGuard stands between a live key and charges that nobody watches:
// they must be wished for, and bounded.
func (a *app) unattendedGuard(r *batch.Runner, c config) error {
	if !r.Live {
		return nil
	}
	reason := a.say("本番の鍵です。自動では何も請求しません。", "This is a live key. Nothing is charged unattended.")
	switch {
	case !c.Schedule.Live:
		return &refusal{reason: reason, hint: a.say("自動で実際に請求するには、設定で schedule.live = true にしてください", "to charge for real, set schedule.live = true")}
	case c.Limits.MaxTotal == 0:
		return &refusal{reason: reason, hint: a.say("1 ファイルの請求総額の上限（円）を limits.max_total に設定してください", "set limits.max_total, the most yen of one file")}
	}
	r.Confirm = func(batch.Sum) error { return nil } // limits.max_total is checked with every file
	return nil
}

// newService puts together what serve needs.
func (a *app) newService(c config, shop *workshop) (*service, error) {
	times, err := c.Schedule.parse()
	if err != nil {
		return nil, err
	}
	monitor := newMonitor()
	shop.runner.Gateway = monitor.timeGateway(shop.runner.Gateway)
	shop.runner.Mailer = monitor.timeMailer(shop.runner.Mailer)
	s := &service{
		app: a, config: c, shop: shop, runner: shop.runner, ledger: shop.ledger, times: times, monitor: monitor,
		log: a.log,
	}
	s.staff = a.newStaffPost(c, s.runner, s.log)
	s.drafts, err = s.openDrafts()
	return s, err
}

// newLog writes lines for operators: what happened, and to which file, and
// nothing of any customer.
func newLog(w io.Writer, format string, now func() time.Time) *slog.Logger {
	options := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case a.Key == slog.TimeKey && len(groups) == 0:
			return slog.Time(slog.TimeKey, now().UTC())
		case a.Value.Kind() == slog.KindString:
			return slog.String(a.Key, printable(a.Value.String()))
		}
		return a
	}}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// nextRuns are the next three, as people read them.
func nextRuns(s *schedule.Schedule, now time.Time) []string {
	var runs []string
	for _, at := range s.NextRuns(now, 3) {
		runs = append(runs, japanTime(at))
	}
	return runs
}

// reason says in one line, for the log, why something went wrong.
func (a *app) reason(err error) string {
	reason, hint := a.explain(err)
	if hint == "" {
		return reason
	}
	return fmt.Sprintf("%s (%s)", reason, hint)
}

// interruptedBy reports whether an error is only the end that was asked for.
func interruptedBy(err error) bool {
	var stop *batch.Stop
	return errors.As(err, &stop) && stop.Reason == batch.StopInterrupted || errors.Is(err, context.Canceled)
}
