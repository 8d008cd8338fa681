package main

import (
	"fmt"
	"os"
	"path/filepath"

	"konbill/batch"
	"konbill/invoice"
)

// runReport is what run and results say of one file, as data.
type runReport struct {
	batch.Receipt
	Dir         string      `json:"dir"`
	ResultsFile string      `json:"results_file"`
	ErrorsFile  string      `json:"errors_file,omitempty"`
	PrintFile   string      `json:"print_file,omitempty"`
	NeedsPerson int         `json:"needs_person"`
	Rows        []reportRow `json:"rows"`
}

type reportRow struct {
	Line         int            `json:"line"`
	Number       string         `json:"invoice_no"`
	Revision     int            `json:"revision"` // of the bill under the number; 0: there is none
	Result       batch.Result   `json:"result"`
	Codes        []invoice.Code `json:"codes"`
	Message      string         `json:"message"`
	Amount       invoice.Yen    `json:"amount"`
	ChargeID     string         `json:"charge_id"`
	PaymentCode  string         `json:"payment_code"`
	AuthorizeURI string         `json:"authorize_uri"`
	ExpiresAt    string         `json:"expires_at"`
	ChargeStatus string         `json:"charge_status"`
	Slip         string         `json:"slip"`
	Mail         string         `json:"mail"`
	MailedAt     string         `json:"mailed_at"`
	PaidAt       string         `json:"paid_at"`
	Fee          invoice.Yen    `json:"fee"`
	Net          invoice.Yen    `json:"net"`
}

func (a *app) runReport(r *batch.Report) runReport {
	report := runReport{
		Receipt: r.Receipt, Dir: r.Dir, ResultsFile: r.Results, ErrorsFile: r.Errors, PrintFile: r.Prints,
		NeedsPerson: r.NeedsPerson, Rows: []reportRow{},
	}
	for o := range r.Rows {
		charge := o.Entry.Charge
		paidAt, fee, net := paymentOf(o.Entry)
		report.Rows = append(report.Rows, reportRow{
			Line: o.Line, Number: o.Invoice.Number, Revision: o.Entry.Revision, Result: o.Result,
			Codes: o.Codes(r.Reach), Message: o.Message(a.lang, r.Reach), Amount: o.Invoice.Amount,
			ChargeID: charge.ID, PaymentCode: charge.PaymentCode, AuthorizeURI: charge.AuthorizeURI,
			ExpiresAt: batch.Timestamp(charge.ExpiresAt), ChargeStatus: charge.Status,
			Slip: o.Slip, Mail: o.Mail(r.Reach.MailOff), MailedAt: batch.Timestamp(o.Entry.MailedAt),
			PaidAt: paidAt, Fee: fee, Net: net,
		})
	}
	return report
}

// printReport tells a person what a run did: the sums, the rows to look at, and
// where everything is.
func (a *app) printReport(r *batch.Report) {
	fmt.Fprintln(a.stdout, printable(r.Receipt.File))
	var sums [][]string
	for _, result := range batch.Results {
		if sum := r.Receipt.Results[result]; sum.Rows > 0 {
			sums = append(sums, []string{"", a.resultName(result), a.rows(sum), a.yen(sum)})
		}
	}
	sums = append(sums, []string{"", a.say("合計", "total"), a.rows(r.Receipt.RowsIn), a.yen(r.Receipt.RowsIn)})
	table(a.stdout, sums, 2, 3)
	a.printRevisions(r)
	a.printConcerns(r)
	fmt.Fprintf(a.stdout, "  %s %s\n", a.say("結果：", "results:"), printable(relative(r.Results)))
	if r.Errors != "" {
		fmt.Fprintf(a.stdout, "  %s %s\n", a.say("要修正の行：", "rows to correct:"), printable(relative(r.Errors)))
	}
	fmt.Fprintf(a.stdout, "  %s %s\n", a.say("伝票：", "slips:"), printable(relative(filepath.Join(r.Dir, "slips"))))
	if r.Prints != "" {
		fmt.Fprintf(a.stdout, "  %s %s\n", a.say("印刷用：", "print file:"), printable(relative(r.Prints)))
	}
}

// printRevisions says how many bills were issued again, and how many could be.
func (a *app) printRevisions(r *batch.Report) {
	if n := r.Codes[batch.CodeReissued]; n > 0 {
		fmt.Fprintf(a.stdout, a.say("  再発行：%d 件（支払われずに終わった請求に代わるもの）\n", "  issued again: %d (in the place of bills that ended unpaid)\n"), n)
	}
	if n := r.Codes[batch.CodeEndedUnpaid]; n > 0 {
		fmt.Fprintf(a.stdout, a.say("  支払われずに終わっている請求：%d 件（konbill run --reissue-expired で再発行できます）\n",
			"  ended unpaid: %d (konbill run --reissue-expired issues them again)\n"), n)
	}
}

// concernsShown bounds what is printed; the results file has them all.
const concernsShown = 20

func (a *app) printConcerns(r *batch.Report) {
	left := r.NeedsPerson - r.NotAttempted
	if shown := min(left, concernsShown); shown > 0 {
		a.printFirstConcerns(r, shown)
		left -= shown
	}
	if left > 0 {
		fmt.Fprintf(a.stdout, a.say("  ほか %d 件は結果ファイルをご覧ください\n", "  %d more are in the results file\n"), left)
	}
	if r.NotAttempted > 0 {
		fmt.Fprintf(a.stdout, a.say("  %d 件は、処理が途中で止まったため、まだ請求していません。同じファイルを再度実行してください\n",
			"  %d were not charged, since the run stopped before; run the same file again\n"), r.NotAttempted)
	}
}

func (a *app) printFirstConcerns(r *batch.Report, shown int) {
	for o := range r.Rows {
		if !o.NeedsPerson(r.Reach) || o.NotAttempted(r.Reach) {
			continue
		}
		fmt.Fprintf(a.stdout, a.say("  %d行目（%s）%s\n", "  line %d (%s) %s\n"), o.Line, o.Invoice.Number, o.Message(a.lang, r.Reach))
		if shown--; shown == 0 {
			return
		}
	}
}

func (a *app) resultName(r batch.Result) string {
	switch r {
	case batch.Issued:
		return a.say("発行した", "issued")
	case batch.AlreadyIssued:
		return a.say("発行済み", "already issued")
	case batch.Rejected:
		return a.say("発行できない（要修正）", "rejected")
	case batch.Failed:
		return a.say("発行できなかった", "failed")
	}
	return a.say("結果不明（要確認）", "unknown")
}

// relative shows a path as seen from here, when that is shorter.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, full); err == nil && len(short) < len(full) {
		return short
	}
	return full
}
