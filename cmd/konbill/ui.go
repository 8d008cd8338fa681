package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/invoice"
	"konbill/invoice/csvfile"
	"konbill/templates"
)

// How konbill talks to people:
//
//   - stdout carries data, stderr carries talk;
//   - a complaint is one "error:" line saying what happened and to what, then,
//     when there is something to do about it, a "hint:" line;
//   - no colours, so nothing to switch off; progress bars only on a terminal;
//   - in JSON the names are the ones of the results file, in English.

// complain tells a person why a command failed.
func (a *app) complain(err error) {
	told := reportedError{}
	if err == nil || errors.Is(err, errNeedsPerson) || errors.As(err, &told) {
		return
	}
	reason, hint := a.explain(err)
	fmt.Fprintf(a.stderr, "%s %s\n", a.say("エラー：", "error:"), printable(reason))
	if hint != "" {
		fmt.Fprintf(a.stderr, "%s %s\n", a.say("対処：", "hint:"), printable(hint))
	}
}

// explain turns an error into a sentence and what to do about it.
func (a *app) explain(err error) (reason, hint string) {
	var (
		file     *csvfile.FileError
		settings *configError
		usage    *usageError
		refused  *refusal
		limit    *batch.LimitError
		prints   *batch.PrintError
		control  *batch.ControlError
		total    *inbox.TotalError
		stop     *batch.Stop
		gateway  *batch.GatewayError
		texts    *templates.FolderError
		path     *fs.PathError
	)
	switch {
	case errors.As(err, &usage):
		return usage.Error(), a.say("konbill --help で使い方をご覧ください", "see konbill --help")
	case errors.As(err, &refused):
		return refused.reason, refused.hint
	case errors.As(err, &file):
		return file.Message(a.lang), ""
	case errors.Is(err, csvfile.ErrChanged):
		return a.say("点検中にファイルの内容が変わりました。", "The file changed while it was checked."),
			a.say("書き込みが終わってから、もう一度点検してください", "check it again once nothing writes to it")
	case errors.As(err, &settings):
		return settings.Message(a.lang), ""
	case errors.As(err, &texts):
		return a.explainTexts(texts)
	case errors.As(err, &limit):
		return fmt.Sprintf(a.say("請求の合計 %s円が、上限 limits.max_total の %s円を超えています。何も請求していません。",
				"The file asks for ¥%s in all, limits.max_total allows ¥%s. Nothing was charged."), limit.Total, limit.Max),
			a.say("ファイルを確かめ、正しければ設定の上限を上げてください", "check the file; if it is right, raise the limit in the configuration")
	case errors.As(err, &prints):
		return fmt.Sprintf(a.say("発行する請求が %d 件あります。印刷用ファイルは %d 件までです。何も請求していません。",
				"The file has %d invoices to issue; a print file holds %d. Nothing was charged."), prints.Rows, prints.Max),
			a.say("ファイルを分けるか、--print-file なしで実行してください", "split the file, or run it without --print-file")
	case errors.As(err, &control):
		return a.explainControl(control)
	case errors.As(err, &total):
		return total.Message(a.lang), ""
	case errors.Is(err, inbox.ErrHeld):
		return a.say("この受付フォルダーは、ほかの konbill serve が使用中です。", "Another konbill serve has this inbox."),
			a.say("二つ同時には動かせません。先のものを止めるか、別の inbox.folder を使ってください", "only one can; stop the other, or use another inbox.folder")
	case errors.Is(err, batch.ErrHeld):
		return a.say("この台帳は、ほかの実行が使用中です。何も請求していません。", "Another run holds this ledger. Nothing was charged."),
			a.say("終わるのを待って、もう一度実行してください", "wait for it to finish and run again")
	case errors.Is(err, batch.ErrOtherAccount):
		return a.say("この台帳は別の Omise アカウントのものです。何も請求していません。", "This ledger belongs to another Omise account. Nothing was charged."),
			a.say("鍵を確かめるか、別の台帳（ledger.url）を使ってください", "check the key, or use another ledger (ledger.url)")
	case errors.As(err, &stop):
		return a.explainStop(stop)
	case errors.As(err, &gateway):
		return a.explainGateway(gateway)
	case errors.As(err, &path) && errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf(a.say("%s が見つかりません", "%s does not exist"), path.Path), ""
	}
	return err.Error(), ""
}

// explainControl says what differs from the control total.
func (a *app) explainControl(e *batch.ControlError) (reason, hint string) {
	var differences []string
	if e.Want.HasRows && e.Want.Rows != e.Have.Rows {
		differences = append(differences, fmt.Sprintf(a.say("件数は合計ファイルでは %d 件、ファイルでは %d 件です。", "The control total says %d rows, the file holds %d."), e.Want.Rows, e.Have.Rows))
	}
	if e.Want.HasYen && e.Want.Yen != e.Have.Yen {
		differences = append(differences, fmt.Sprintf(a.say("金額は合計ファイルでは %s円、ファイルでは %s円です。", "The control total says ¥%s, the file adds up to ¥%s."), e.Want.Yen, e.Have.Yen))
	}
	if e.Unread > 0 {
		differences = append(differences, fmt.Sprintf(a.say("金額を読み取れない行が %d 件あります。", "The amounts of %d rows can't be read."), e.Unread))
	}
	return a.say("合計が一致しないため、何も請求していません。", "The control total does not match, so nothing was charged. ") + strings.Join(differences, a.say("", " ")),
		a.say("ファイルが途中で切れていないか、別のファイルではないかを確かめ、正しい合計ファイルと一緒に置き直してください",
			"check whether the file was cut short or is another one, and drop it again with the right control total")
}

func (a *app) explainStop(s *batch.Stop) (reason, hint string) {
	goOn := a.say("同じファイルをもう一度実行すると、続きから処理します（二重に請求されることはありません）",
		"run the same file again to go on from there; nothing is charged twice")
	if errors.Is(s, batch.ErrNotSwept) {
		return a.say("実行の途中でデータベースのサーバーが切り替わったため、新しい請求を止めました。切り替わる直前の記録が失われたおそれがあります。",
				"The database has failed over to another server in the middle of the run, so nothing more was charged: its latest records may be lost."),
			a.say("同じファイルをもう一度実行すると、決済サービスの記録を確かめてから続きを処理します（二重に請求されることはありません）",
				"run the same file again: it looks at the payment service's records first and goes on from there; nothing is charged twice")
	}
	switch s.Reason {
	case batch.StopInterrupted:
		return a.say("中断しました。処理中だった請求の結果は記録済みです。", "Interrupted. What was in flight has been recorded."), goOn
	case batch.StopUnauthorized:
		reason, hint = a.explainGateway(gatewayErrorOf(s))
		return a.say("処理を止めました。", "The run stopped. ") + reason, hint
	case batch.StopUnknown:
		return a.say("決済サービスから信頼できる回答を得られないことが続いたため、新しい請求を止めました。", "Too many requests ended without a trustworthy answer, so nothing more was charged."),
			a.say("決済サービスの稼働状況を確かめてから、同じファイルをもう一度実行してください（二重に請求されることはありません）",
				"see whether the payment service is up, then run the same file again; nothing is charged twice")
	case batch.StopUnreachable:
		reason, _ = a.explainGateway(gatewayErrorOf(s))
		return a.say("処理を止めました。", "The run stopped. ") + reason, goOn
	}
	return fmt.Sprintf(a.say("台帳に記録できないため、処理を止めました：%v", "The run stopped, since the ledger can't record what happens: %v"), s.Err),
		a.say("空き容量と権限を確かめてください。", "check the disk's space and permissions; ") + goOn
}

func gatewayErrorOf(err error) *batch.GatewayError {
	g := &batch.GatewayError{Outcome: batch.UnknownOutcome}
	errors.As(err, &g)
	return g
}

func (a *app) explainGateway(g *batch.GatewayError) (reason, hint string) {
	switch {
	case g.Outcome == batch.Unauthorized && g.Code == "livemode_mismatch":
		return a.say("決済サービスの回答が、鍵の種類（テスト／本番）と一致しません。", "The payment service answered in another mode (test/live) than the key's."),
			a.say("omise.api_url と鍵を確かめてください", "check omise.api_url and the key")
	case g.Outcome == batch.Unauthorized:
		return fmt.Sprintf(a.say("決済サービスが鍵を受け付けません（%d %s）。", "The payment service refuses the key (%d %s)."), g.Status, g.Code),
			a.say("OMISE_SECRET_KEY（または omise.secret_key_file）を確かめてください", "check OMISE_SECRET_KEY (or omise.secret_key_file)")
	case g.Outcome == batch.NotSent:
		return fmt.Sprintf(a.say("決済サービスに接続できません（%v）。", "The payment service can't be reached (%v)."), g.Err),
			a.say("ネットワークと omise.api_url を確かめてください。何も送信していません", "check the network and omise.api_url; nothing was sent")
	case g.Outcome == batch.TooMany:
		return a.say("決済サービスが混み合っています（429）。", "The payment service is too busy (429)."),
			a.say("しばらくして、もう一度実行してください", "run again in a while")
	}
	return g.Error(), ""
}

func (a *app) unknownCommand(cmd *cobra.Command, name string) error {
	text := fmt.Sprintf(a.say("%q というコマンドはありません", "there is no command %q"), name)
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		text += a.say("。もしかして：", "; did you mean ") + strings.Join(near, ", ")
	}
	return &usageError{errors.New(text)}
}

// printJSON prints data for programs.
func (a *app) printJSON(data any) error {
	text, err := jsonText(data, "")
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.stdout, text+"\n")
	return err
}

// jsonText writes data for programs, each line but the first behind a margin.
// What a terminal would obey is escaped: the value stays the same, but nobody who
// looks at it is fooled.
func jsonText(data any, margin string) (string, error) {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent(margin, "  ")
	if err := e.Encode(data); err != nil {
		return "", err
	}
	var safe strings.Builder
	for _, r := range strings.TrimSuffix(text.String(), "\n") {
		if r != '\n' && obeyed(r) {
			fmt.Fprintf(&safe, `\u%04x`, r) // all of them are below U+10000
			continue
		}
		safe.WriteRune(r)
	}
	return safe.String(), nil
}

// obeyed reports characters that a terminal does something with instead of
// showing them: controls, and marks that change direction or can't be seen.
func obeyed(r rune) bool {
	return r < 0x10000 && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp))
}

// printable is a text on one line that a terminal only shows.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case obeyed(r) || r >= 0x10000 && unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
}

// table prints rows in columns aligned as a terminal shows them, where a kanji
// is two cells wide. Columns named in right are aligned to the right.
func table(w io.Writer, rows [][]string, right ...int) {
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			cell = printable(cell)
			row[i] = cell
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	alignRight := map[int]bool{}
	for _, i := range right {
		alignRight[i] = true
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-runewidth.StringWidth(cell))
			if alignRight[i] {
				cell, pad = pad+cell, ""
			}
			line.WriteString(cell + pad + "  ")
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// japanTime shows an instant to people.
func japanTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(invoice.Japan).Format("2006-01-02 15:04")
}
