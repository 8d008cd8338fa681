package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) configCommand() *cobra.Command {
	cmd := a.withJSON(&cobra.Command{
		Use:   "config",
		Short: a.say("有効な設定を表示", "Print the configuration in force"),
		RunE: func(*cobra.Command, []string) error {
			c, err := a.load(nil)
			if err != nil {
				return err
			}
			if !a.json {
				fmt.Fprintf(a.stderr, "%s %s\n", a.say("設定ファイル：", "configuration file:"), orNone(a, a.configPath))
			}
			return c.print(a.stdout, a.json)
		},
	})
	cmd.AddCommand(&cobra.Command{
		Use:   "init [FILE]",
		Short: a.say("設定ファイルのひな形を作る", "Write a configuration file to start from"),
		Args:  a.usage(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			path := "konbill.toml"
			if len(args) == 1 {
				path = args[0]
			}
			if err := writeExampleConfig(path); err != nil {
				return err
			}
			_, err := fmt.Fprintf(a.stdout, a.say("%s を作りました。店名とメールの設定を書き込み、konbill doctor で確かめてください。\n",
				"Wrote %s. Fill in the merchant and mail settings, then run konbill doctor.\n"), path)
			return err
		},
	})
	return cmd
}

func orNone(a *app, path string) string {
	if path == "" {
		return a.say("なし（既定値）", "none (defaults)")
	}
	return path
}
