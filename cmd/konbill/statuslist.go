package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/invoice/csvfile"
)

// selection is which invoices status lists, across files, and how.
type selection struct {
	open, paid, expired, unknown bool
	dueWithin                    string
	csv                          bool

	within time.Duration // what dueWithin says
}

func (a *app) withSelection(cmd *cobra.Command, s *selection) {
	flags := cmd.Flags()
	flags.BoolVar(&s.open, "open", false, a.say("支払い待ちの請求書を一覧", "list those that wait for payment"))
	flags.BoolVar(&s.paid, "paid", false, a.say("支払い済みの請求書を一覧", "list those that are paid"))
	flags.BoolVar(&s.expired, "expired", false, a.say("支払われずに終わった請求書を一覧", "list those that ended unpaid"))
	flags.BoolVar(&s.unknown, "unknown", false, a.say("請求の結果が不明な請求書を一覧", "list those of which it isn't known whether they were charged"))
	flags.StringVar(&s.dueWithin, "due-within", "", a.say("支払い待ちのうち、期限がこの期間内（例：3d、12h）のものを一覧", "list those that wait for payment and are due within a time, such as 3d or 12h"))
	flags.BoolVar(&s.csv, "csv", false, a.say("CSV で出力（絞り込みがなければ全件）", "print a list as CSV, of all invoices if none are selected"))
}

// lists reports whether a list is asked for at all.
func (s selection) lists() bool { return s.csv || s.filters() > 0 }

func (s selection) filters() int {
	n := 0
	for _, given := range []bool{s.open, s.paid, s.expired, s.unknown, s.dueWithin != ""} {
		if given {
			n++
		}
	}
	return n
}

// checkSelection refuses flags that contradict each other.
func (a *app) checkSelection(s *selection, numbers []string) error {
	switch {
	case s.filters() > 1:
		return &usageError{errors.New(a.say("--open、--paid、--expired、--unknown、--due-within は一つだけ指定してください",
			"give only one of --open, --paid, --expired, --unknown and --due-within"))}
	case s.csv && a.json:
		return &usageError{errors.New(a.say("--csv と --json はどちらか一方を指定してください", "give either --csv or --json"))}
	case s.lists() && len(numbers) > 0:
		return &usageError{errors.New(a.say("請求書番号と一覧の指定は同時に使えません", "give either invoice numbers or what to list"))}
	case s.dueWithin != "":
		var err error
		if s.within, err = parsePeriod(s.dueWithin); err != nil {
			return &usageError{fmt.Errorf(a.say("--due-within には 3d や 12h のように期間を指定してください（%q は使えません）",
				"--due-within takes a time such as 3d or 12h, not %q"), s.dueWithin)}
		}
	}
	return nil
}

// parsePeriod reads whole days, 3d, or a duration as Go writes it, 12h30m. It
// must be above zero, and no longer than ten years.
func parsePeriod(text string) (time.Duration, error) {
	const most = 10 * 365 * 24 * time.Hour
	var period time.Duration
	var err error
	if number, isDays := strings.CutSuffix(text, "d"); isDays {
		var days int64
		days, err = strconv.ParseInt(number, 10, 16)
		period = time.Duration(days) * 24 * time.Hour
	} else {
		period, err = time.ParseDuration(text)
	}
	if err == nil && (period <= 0 || period > most) {
		err = strconv.ErrRange
	}
	return period, err
}

// query is what the ledger can select by itself.
func (s selection) query() batch.Query {
	switch {
	case s.open, s.dueWithin != "":
		return batch.Query{ChargeStatuses: []string{"pending"}}
	case s.paid:
		return batch.Query{ChargeStatuses: []string{"successful"}}
	case s.expired:
		return batch.Query{ChargeStatuses: []string{"expired", "failed"}}
	case s.unknown:
		return batch.Query{States: []batch.State{batch.Charging, batch.Unknown}}
	}
	return batch.Query{}
}

// list shows the invoices selected, whichever files they came in, and what they
// add up to.
func (a *app) list(ctx context.Context, c config, book *ledger.Ledger, s selection) error {
	found, err := invoices(ctx, book, s.query())
	if err != nil {
		return err
	}
	if s.dueWithin != "" {
		now := a.now()
		found = slices.DeleteFunc(found, func(e batch.Entry) bool {
			due := e.Charge.ExpiresAt
			return !due.After(now) || due.After(now.Add(s.within))
		})
	}
	switch {
	case a.json:
		return a.printJSON(listJSON(found))
	case s.csv:
		if err := csvfile.WriteTable(a.stdout, csvfile.Encoding(c.Results.Encoding), listCSV(found)); err != nil {
			return err
		}
		table(a.stderr, a.sumRows(found), 1, 2)
		return nil
	}
	a.printList(found)
	return nil
}

// listData is a list, as data. The sums are by payment status; "none" is that of
// invoices without a charge.
type listData struct {
	Invoices []entryData          `json:"invoices"`
	Sums     map[string]batch.Sum `json:"sums"`
	Total    batch.Sum            `json:"total"`
}

func listJSON(entries []batch.Entry) listData {
	data := listData{Invoices: entriesJSON(entries), Sums: map[string]batch.Sum{}, Total: total(entries)}
	for status, sum := range paymentSums(entries) {
		data.Sums[cmp.Or(status, "none")] = sum
	}
	return data
}

func total(entries []batch.Entry) batch.Sum {
	var all batch.Sum
	for _, e := range entries {
		all.Rows++
		all.Yen += e.Invoice.Amount
	}
	return all
}

// listCSV is a list for spreadsheets and for the books: headers, then rows.
// Amount is fee and net together.
func listCSV(entries []batch.Entry) [][]string {
	rows := [][]string{{
		"invoice_no", "name", "amount", "issued_at", "due", "paid_at", "fee", "net", "charge_id", "charge_status", "state", "mode",
	}}
	for _, e := range entries {
		paidAt, fee, net := paymentOf(e)
		row := []string{
			e.Invoice.Number, e.Invoice.Name, fmt.Sprintf("%d", e.Invoice.Amount), batch.Timestamp(e.Charge.CreatedAt),
			batch.Timestamp(dueOf(e)), paidAt, "", "", e.Charge.ID, e.Charge.Status, string(e.State), e.Account.Mode(),
		}
		if e.Charge.Paid() {
			row[6], row[7] = fmt.Sprintf("%d", fee), fmt.Sprintf("%d", net)
		}
		rows = append(rows, row)
	}
	return rows
}

// dueOf is until when an invoice can be paid: the charge's date, once there is
// one, and until then the file's.
func dueOf(e batch.Entry) time.Time {
	if !e.Charge.ExpiresAt.IsZero() {
		return e.Charge.ExpiresAt
	}
	return e.Invoice.Due
}

// japanDeadline shows a due date to people: midnight is the end of the day
// before, lest somebody take it for a day more.
func japanDeadline(t time.Time) string {
	if day, isMidnight := strings.CutSuffix(japanTime(t.Add(-time.Minute)), " 23:59"); isMidnight {
		return day + " 24:00"
	}
	return japanTime(t)
}

// printList shows a list to a person.
func (a *app) printList(entries []batch.Entry) {
	const most = 50
	rows := [][]string{{a.say("番号", "number"), a.say("金額", "amount"), a.say("支払い", "payment"), a.say("支払期限", "due"), a.say("支払日時", "paid at")}}
	for _, e := range entries[:min(len(entries), most)] {
		rows = append(rows, []string{
			e.Invoice.Number, e.Invoice.Amount.Format(a.lang), a.paymentOrState(e), japanDeadline(dueOf(e)), japanTime(e.Charge.PaidAt),
		})
	}
	if len(entries) > 0 {
		table(a.stdout, rows, 1)
	}
	if left := len(entries) - most; left > 0 {
		fmt.Fprintf(a.stdout, a.say("ほか %d 件（--csv か --json ですべて表示）\n", "%d more (--csv or --json list them all)\n"), left)
	}
	table(a.stdout, a.sumRows(entries), 1, 2)
}

func (a *app) paymentOrState(e batch.Entry) string {
	if e.State.HasCharge() {
		return a.paymentName(e.Charge.Status)
	}
	return a.stateName(e.State)
}

// sumRows are the sums of a list, by payment status where that differs, and in
// all.
func (a *app) sumRows(entries []batch.Entry) [][]string {
	var rows [][]string
	sums := paymentSums(entries)
	for _, status := range append([]string{"pending", ""}, ends...) {
		if sum := sums[status]; sum.Rows > 0 && len(sums) > 1 {
			rows = append(rows, []string{a.paymentName(status), a.rows(sum), a.yen(sum)})
		}
	}
	all := total(entries)
	return append(rows, []string{a.say("合計", "total"), a.rows(all), a.yen(all)})
}
