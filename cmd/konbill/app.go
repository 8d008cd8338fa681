package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/invoice"
)

// app is one invocation of konbill: the streams and the surroundings it works
// in, so that tests can give others.
type app struct {
	stdin    io.Reader
	stdout   io.Writer // data
	stderr   io.Writer // talk
	env      []string
	terminal bool            // stderr is one: progress bars and prompts make sense
	drain    <-chan struct{} // closed by the first interrupt
	now      func() time.Time
	// wait pauses. It returns ctx's error, or context.Canceled once interrupted.
	wait func(ctx context.Context, d time.Duration) error
	at   func(batch.Point) // nil, or hears of every durable boundary

	log      *slog.Logger  // for operators, of what stays in the background; nil: nobody reads it
	resolver *net.Resolver // who is asked about domains; nil: whom the system asks

	configPath string
	langFlag   string
	json       bool
	origins    map[string]string // of settings, see configSource
	lang       invoice.Language
}

// run carries out one command line and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	a.lang = a.language(langOf(args), "")
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	a.complain(err)
	return exitCode(err)
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "konbill",
		Short:         a.say("コンビニ払いの請求を一括で発行します", "Issue konbini payment slips in batches"),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,

		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return a.unknownCommand(cmd, args[0])
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return &usageError{errors.New(a.say("オプションが正しくありません：", "") + err.Error())}
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.configPath, "config", "", a.say("設定ファイル", "configuration file"))
	flags.StringVar(&a.langFlag, "lang", "", a.say("表示言語：ja または en", "language of messages: ja or en"))
	root.AddCommand(
		a.demoCommand(), a.checkCommand(), a.runCommand(), a.serveCommand(), a.workerCommand(), a.reconcileCommand(), a.syncCommand(), a.resendCommand(), a.remindCommand(), a.recallCommand(), a.purgeCommand(),
		a.resultsCommand(), a.verifyCommand(), a.statusCommand(),
		a.previewCommand(), a.doctorCommand(), a.sandboxCommand(), a.configCommand(), a.migrateCommand(), a.ledgerCommand(), a.userCommand(), a.templatesCommand(), a.versionCommand(),
	)
	for _, cmd := range root.Commands() {
		cmd.Args = a.usage(cmd.Args)
	}
	return root
}

// usage marks complaints about arguments as errors of usage.
func (a *app) usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check == nil {
			check = cobra.NoArgs
		}
		if check(cmd, args) != nil {
			return &usageError{errors.New(a.say("引数が正しくありません。使い方：", "wrong arguments; usage: ") + cmd.UseLine())}
		}
		return nil
	}
}

// withJSON gives a command the --json flag.
func (a *app) withJSON(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&a.json, "json", false, a.say("JSON で出力", "print data as JSON"))
	return cmd
}

// say chooses between the two languages Konbill speaks.
func (a *app) say(ja, en string) string {
	if a.lang == invoice.English {
		return en
	}
	return ja
}

// language is that of messages: the flag, then the configuration, then the
// locale, then Japanese.
func (a *app) language(flag, configured string) invoice.Language {
	for _, l := range []string{flag, configured, a.locale()} {
		switch invoice.Language(l) {
		case invoice.Japanese, invoice.English:
			return invoice.Language(l)
		}
	}
	return invoice.Japanese
}

// locale is the language of the POSIX locale: the first of these variables
// that is set decides (POSIX, section 8.2).
func (a *app) locale() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := a.getenv(name); value != "" {
			language, _, _ := strings.Cut(value, "_")
			return language
		}
	}
	return ""
}

func (a *app) getenv(name string) string { return lookUp(a.env, name) }

// langOf finds --lang before the flags are parsed: help and complaints about
// flags are in that language, too.
func langOf(args []string) string {
	for i, arg := range args {
		if value, found := strings.CutPrefix(arg, "--lang="); found {
			return value
		}
		if arg == "--lang" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// waiter waits on the machine's clock, unless drain is closed meanwhile.
func waiter(drain <-chan struct{}) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-drain:
			return context.Canceled
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func workingDirectory() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	return dir
}
