package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"konbill/batch"
)

func (a *app) verifyCommand() *cobra.Command {
	var out string
	cmd := a.withJSON(&cobra.Command{
		Use:   "verify FILE...",
		Short: a.say("伝票が発行時のものと同じか確認", "Check that slips are those that were issued"),
		Long: a.say(`伝票（PDF）を指定すると、どの請求書として発行したものかを調べます。1 バイトでも違えば、発行したものではありません。
実行済みのファイル（CSV）を指定すると、伝票をもう一度作成し、発行時の記録と結果フォルダーの伝票に一致するかを確認します。何も変更しません。`,
			`Of a slip (PDF): which invoice it was issued for. One that differs in a single byte was not issued.
Of a file that was run (CSV): draws its slips again and compares them with what was issued and with those in the
results folder. Nothing is changed.`),
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error { return a.verify(cmd.Context(), files, out) },
	})
	cmd.Flags().StringVar(&out, "out", "", a.say("結果フォルダーの場所（ファイルと同じでない場合）", "where the results folder is, if not beside the file"))
	return cmd
}

// verify's error says whether a slip isn't as it was issued, or a file could not
// be read; the other files are looked at even so.
func (a *app) verify(ctx context.Context, files []string, out string) error {
	c, book, err := a.openBook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	runner, err := a.recorder(c, book)
	if err != nil {
		return err
	}
	var worst error
	verified := []verifiedFile{}
	for _, path := range files {
		file, err := verifyFile(ctx, runner, path, out)
		if err != nil {
			err = a.ifNotRun(err, path, c)
			a.complain(err)
			worst = worse(worst, reported(err))
			continue
		}
		if !file.asIssued() {
			worst = worse(worst, errNeedsPerson)
		}
		verified = append(verified, file)
		if !a.json {
			a.printVerified(file)
		}
	}
	if a.json {
		if err := a.printJSON(map[string]any{"files": verified}); err != nil {
			return err
		}
	}
	return worst
}

// verifiedFile is what verify says of one file, as data.
type verifiedFile struct {
	File   string         `json:"file"`
	SHA256 string         `json:"sha256,omitempty"` // of a slip
	Slips  []verifiedSlip `json:"slips"`            // of a slip: the invoice it was issued for, if any
}

type verifiedSlip struct {
	Number  string            `json:"invoice_no"`
	Verdict batch.SlipVerdict `json:"verdict"`
	SHA256  string            `json:"sha256,omitempty"` // of what was issued
}

func (f verifiedFile) isSlip() bool { return f.SHA256 != "" }

func (f verifiedFile) asIssued() bool {
	for _, s := range f.Slips {
		if s.Verdict != batch.SlipSame {
			return false
		}
	}
	return !f.isSlip() || len(f.Slips) > 0
}

func verifyFile(ctx context.Context, runner *batch.Runner, path, out string) (verifiedFile, error) {
	file := verifiedFile{File: filepath.Base(path), Slips: []verifiedSlip{}}
	if strings.EqualFold(filepath.Ext(path), ".pdf") {
		found, sha256, err := runner.IssuedSlip(ctx, path)
		file.SHA256 = sha256
		for _, e := range found {
			file.Slips = append(file.Slips, verifiedSlip{Number: e.Invoice.Number, Verdict: batch.SlipSame, SHA256: sha256})
		}
		return file, err
	}
	checks, err := runner.VerifySlips(ctx, path, out)
	for _, c := range checks {
		file.Slips = append(file.Slips, verifiedSlip(c))
	}
	return file, err
}

func (a *app) printVerified(f verifiedFile) {
	if f.isSlip() {
		what := a.say("発行した伝票ではありません", "was not issued")
		if len(f.Slips) > 0 {
			what = fmt.Sprintf(a.say("請求書 %s の伝票として発行したものです", "was issued for invoice %s"), f.Slips[0].Number)
		}
		table(a.stdout, [][]string{{f.File, what}})
		return
	}
	same := 0
	rows := [][]string{}
	for _, s := range f.Slips {
		if s.Verdict == batch.SlipSame {
			same++
			continue
		}
		rows = append(rows, []string{"", s.Number, a.verdictText(s.Verdict)})
	}
	fmt.Fprintf(a.stdout, a.say("%s：伝票 %d 件中 %d 件が発行時と同じです\n", "%s: of %d slips, %d are as they were issued\n"), printable(f.File), len(f.Slips), same)
	table(a.stdout, rows)
}

func (a *app) verdictText(v batch.SlipVerdict) string {
	switch v {
	case batch.SlipFileMissing:
		return a.say("結果フォルダーに伝票がありません。konbill results で作り直せます（支払えるものに限ります）", "the results folder doesn't have it; konbill results makes it again while it can be paid")
	case batch.SlipFileDiffers:
		return a.say("結果フォルダーの伝票は、発行したものと違います。使わないでください", "the one in the results folder is not what was issued; do not use it")
	case batch.SlipDrawnDiffers:
		return a.say("いま作ると、発行時と違う伝票になります（請求元の情報か Konbill の版が変わりました）", "drawn now it would differ: the merchant's facts, or the version of Konbill, have changed")
	}
	return a.say("発行時の記録がありません", "what was issued is not on record")
}
