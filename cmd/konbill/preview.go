package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/invoice"
	"konbill/templates"
	"konbill/templates/slip"
)

// What stands on a preview in place of what only a charge has.
const (
	sampleCode = "000000"
	sampleLink = "https://pay.omise.co/offlines/econtext/instructions/SAMPLE"
)

func (a *app) previewCommand() *cobra.Command {
	var line int
	var out string
	cmd := &cobra.Command{
		Use:   "preview FILE --line N",
		Short: a.say("1 行分の伝票とメールを、請求せずに作る", "Make the slip and mail of one row without charging it"),
		Args:  cobra.ExactArgs(1),
		RunE:  func(_ *cobra.Command, files []string) error { return a.preview(files[0], line, out) },
	}
	cmd.Flags().IntVar(&line, "line", 0, a.say("ファイルの行番号（表計算ソフトの行番号と同じ）", "line of the file, as an editor counts"))
	cmd.Flags().StringVar(&out, "out", ".", a.say("書き出すフォルダー", "folder to write into"))
	return cmd
}

func (a *app) preview(path string, line int, out string) error {
	c, err := a.load(nil)
	if err != nil {
		return err
	}
	sheet, err := batch.ReadSheet(path, c.reading(a.lang), a.now())
	if err != nil {
		return err
	}
	row, err := a.rowAt(sheet, line)
	if err != nil {
		return err
	}
	texts, err := loadTexts(c)
	if err != nil {
		return err
	}
	pdf, mail, err := c.previewOf(row.Invoice, texts)
	if err != nil {
		return err
	}
	slipPath := filepath.Join(out, fmt.Sprintf("preview-%d.pdf", line))
	htmlPath := filepath.Join(out, fmt.Sprintf("preview-%d.html", line))
	if err := errors.Join(batch.WriteFile(slipPath, pdf), batch.WriteFile(htmlPath, []byte(mail.Standalone()))); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s %s\n\n%s\n", a.say("件名：", "Subject:"), mail.Subject, mail.Text)
	fmt.Fprintf(a.stderr, a.say("伝票：%s\nHTML メール：%s\n", "slip: %s\nHTML mail: %s\n"), slipPath, htmlPath)
	return nil
}

// previewOf makes the slip and mail of an invoice as samples.
func (c config) previewOf(inv invoice.Invoice, texts *templates.Set) (pdf []byte, mail templates.Mail, err error) {
	layout, err := c.layout()
	if err != nil {
		return nil, mail, err
	}
	facts := templates.Instructions{
		Texts: texts, Merchant: c.merchant(), Invoice: inv,
		PaymentCode: sampleCode, AuthorizeURI: sampleLink, ExpiresAt: inv.Due, Sample: true,
	}
	press, err := slip.NewPress(facts.Merchant, layout, slices.Values([]invoice.Invoice{inv}))
	if err != nil {
		return nil, mail, err
	}
	if pdf, err = press.Draw(facts); err != nil {
		return nil, mail, err
	}
	mail, err = templates.MailOf(facts)
	return pdf, mail, err
}

// rowAt finds the row of a line, and refuses one that can't be issued: its
// preview would show what no customer will ever get.
func (a *app) rowAt(s *batch.Sheet, line int) (batch.Row, error) {
	if len(s.Rows) == 0 {
		return batch.Row{}, errors.New(a.say("ファイルに請求の行がありません", "the file has no rows"))
	}
	if line == 0 {
		return batch.Row{}, &usageError{fmt.Errorf(a.say("--line で行番号を指定してください（最初の行は %d）", "give a line with --line; the first row is on line %d"), s.Rows[0].Line)}
	}
	for _, row := range s.Rows {
		if row.Line != line {
			continue
		}
		if !row.Rejected() {
			return row, nil
		}
		for _, f := range row.Findings { // they quote the row, so they are data and no talk
			fmt.Fprintf(a.stdout, "%s %s\n", a.mark(f.Severity), f.Text(a.lang))
		}
		return row, fmt.Errorf(a.say("%d 行目は、このままでは発行できません", "line %d can't be issued as it is"), line)
	}
	return batch.Row{}, fmt.Errorf(a.say("%d 行目から始まる請求はありません", "no row begins on line %d"), line)
}
