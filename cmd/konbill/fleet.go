package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/fleet"
	"konbill/batch/ledger"
)

// hostName names the computer, for people only.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "?"
	}
	return name
}

// joinFleet has a workshop share its ledger's work, and the pace of requests, with other
// machines.
func (a *app) joinFleet(w *workshop, c config) {
	log := cmp.Or(a.log, slog.New(slog.DiscardHandler))
	w.keeper.Keep(fleet.KeeperConfig{
		Ledger: w.ledger, Name: hostName(), Log: log,
		Whole: ledger.Whole{PerSecond: c.Omise.RequestsPerSecond, AtOnce: c.Omise.Workers},
	}, w.client)
	w.fleet = fleet.New(fleet.Config{
		Ledger: w.ledger, Keeper: w.keeper, Account: w.runner.Identify, Hand: w.runner.Hand(),
		Workers: w.runner.Settings.Workers, Log: log,
	})
	w.runner.Crew = w.fleet
	w.close = append([]func() error{w.fleet.Close, w.keeper.Close}, w.close...)
}

// working is who settles what others have taken, as the ledger remembers it.
const working = "worker"

func (a *app) workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "worker",
		Short: a.say("ほかのサーバーの発行を手伝う（PostgreSQL の台帳を共有しているとき）", "Help other machines that share a PostgreSQL ledger"),
		Long: a.say(`台帳（ledger.url の PostgreSQL）を共有するほかのサーバーが処理しているファイルの請求を、手分けして作成し、メールを送ります。
結果の書き出しは、ファイルを受け付けたサーバーが行います。API への問い合わせの速さの上限は、全サーバーの合計で守ります。
止めるときは Ctrl-C または SIGTERM で。処理中の請求が終わってから止まります。`,
			`Makes the charges and sends the mails of files that other machines process, which share the ledger (ledger.url, on
PostgreSQL). The machine that took a file writes its results. All machines together keep to the limits of the API.
Stop it with Ctrl-C or SIGTERM; it ends once what is in flight is done.`),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.worker(cmd.Context()) },
	}
}

func (a *app) worker(ctx context.Context) error {
	c, err := a.load(nil)
	if err != nil {
		return err
	}
	if !ledger.IsShared(c.Ledger.URL) {
		return &refusal{
			reason: a.say("台帳がこのサーバーだけのファイルなので、手伝うほかのサーバーがありません。", "The ledger is a file of this machine alone: there is no other to help."),
			hint:   a.say("ledger.url に、ほかのサーバーと共有する PostgreSQL を指定してください", "let ledger.url name the PostgreSQL database that the others use"),
		}
	}
	a.log = newLog(a.stderr, c.Serve.Log, a.now)
	shop, err := a.open(ctx, c, working)
	if err != nil {
		return err
	}
	if err := a.unattendedGuard(shop.runner, c); err != nil {
		return errors.Join(err, shop.Close())
	}
	err = a.workUntilDrained(ctx, shop)
	if err == nil {
		a.log.Info("stopped")
	}
	return errors.Join(err, shop.Close())
}

// startAgainAfter is how long after a failure a machine tries to join the others again.
const startAgainAfter = 5 * time.Second

// workUntilDrained takes part until it is told to stop.
func (a *app) workUntilDrained(ctx context.Context, shop *workshop) error {
	for said := ""; ; {
		err := shop.fleet.Start(ctx)
		switch {
		case err == nil:
			a.log.Info("working", "machine", hostName(), "live", shop.runner.Live)
			return a.stayUntilDrained(ctx)
		case exitCode(err) == exitRefused, errors.Is(err, batch.ErrOtherAccount):
			return err
		case said != err.Error():
			said = err.Error()
			a.log.Error("not working", "reason", a.reason(err))
		}
		select {
		case <-time.After(startAgainAfter):
		case <-a.drain:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

func (a *app) stayUntilDrained(ctx context.Context) error {
	select {
	case <-a.drain:
	case <-ctx.Done():
	}
	return nil
}
