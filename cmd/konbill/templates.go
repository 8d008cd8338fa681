package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/templates"
	"konbill/templates/slip"
)

// loadTexts reads the merchant's own texts, if there are any, and draws a
// sample slip of each kind with them.
func loadTexts(c config) (*templates.Set, error) {
	texts, err := templates.Load(c.Templates.Folder, slip.Missing)
	if err != nil || c.Templates.Folder == "" {
		return texts, err
	}
	press, err := slip.NewPress(c.merchant(), slip.Layout{}, nil)
	if err != nil {
		return nil, err
	}
	for _, specimen := range templates.Specimens(texts) {
		specimen.Merchant = c.merchant()
		if _, err := press.Draw(specimen); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Templates.Folder, err)
		}
	}
	return texts, nil
}

// checkTexts complains about the merchant's own texts. Files can be checked
// even so.
func (a *app) checkTexts(c config) error {
	if _, err := loadTexts(c); err != nil {
		a.complain(err)
		return reported(err)
	}
	return nil
}

// explainTexts tells the first fault; doctor tells them all.
func (a *app) explainTexts(e *templates.FolderError) (reason, hint string) {
	reason = e.Faults[0].Message(a.lang)
	if more := len(e.Faults) - 1; more > 0 {
		reason += fmt.Sprintf(a.say("（ほかに %d 件）", " (and %d more)"), more)
	}
	return reason, a.say("templates.folder の文面を直し、konbill doctor で確かめてください。何も請求していません",
		"mend the texts in templates.folder and look with konbill doctor; nothing was charged")
}

// examineTexts looks at the merchant's own texts, each fault by itself.
func (a *app) examineTexts(c config) []examination {
	if c.Templates.Folder == "" {
		return nil
	}
	name := a.say("文面", "texts")
	_, err := loadTexts(c)
	var found []examination
	if wrong := new(templates.FolderError); errors.As(err, &wrong) {
		for _, fault := range wrong.Faults {
			found = append(found, examination{Name: name, Detail: fault.Message(a.lang)})
		}
		return found
	}
	return append(found, a.examined(name, c.Templates.Folder, err))
}

func (a *app) templatesCommand() *cobra.Command {
	var overwrite bool
	export := &cobra.Command{
		Use:   "export DIR",
		Short: a.say("Konbill の文面を、直せるように書き出す", "Write Konbill's own texts to start from"),
		Long: a.say("お客様に届く伝票とメールの文面を、説明つきのファイルとして書き出します。直したフォルダーを設定の templates.folder に指定すると、その文面が使われます。",
			"Writes the texts of slips and mails to customers as files with comments. Set templates.folder to the folder to use them once changed."),
		Args: a.usage(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error { return a.exportTexts(args[0], overwrite) },
	}
	export.Flags().BoolVar(&overwrite, "overwrite", false, a.say("同じ名前のファイルがあれば上書きする", "write over files of the same name"))
	cmd := &cobra.Command{
		Use:   "templates",
		Short: a.say("お客様に届く文面を自分のものにする", "Make the texts that customers read your own"),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(export)
	return cmd
}

// exportTexts writes Konbill's own texts. Files of the same name are left alone
// unless the person says otherwise, and then named.
func (a *app) exportTexts(dir string, overwrite bool) error {
	var there []string
	for _, file := range templates.Files() {
		if _, err := os.Lstat(filepath.Join(dir, file.Name)); err == nil {
			there = append(there, file.Name)
		}
	}
	if len(there) > 0 && !overwrite {
		return fmt.Errorf(a.say("%s には、すでに %s があるため、何も書き出していません。別のフォルダーに書き出すか、上書きしてよければ --overwrite を付けてください",
			"%s has %s already, so nothing was written; write into another folder, or give --overwrite if what is there may be lost"), dir, strings.Join(there, ", "))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, file := range templates.Files() {
		path := filepath.Join(dir, file.Name)
		if err := batch.WriteFile(path, []byte(file.Text)); err != nil {
			return err
		}
		fmt.Fprintln(a.stdout, path)
	}
	if len(there) > 0 {
		fmt.Fprintf(a.stderr, a.say("上書きしました：%s\n", "overwritten: %s\n"), strings.Join(there, ", "))
	}
	fmt.Fprintf(a.stderr, a.say("変更しないファイルは消し、設定の templates.folder に %s を指定して、konbill doctor で確かめてください。\n",
		"Delete what you leave unchanged, set templates.folder to %s, and look with konbill doctor.\n"), dir)
	return nil
}
