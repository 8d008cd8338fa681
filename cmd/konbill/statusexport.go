package main

import (
	"bufio"
	"cmp"
	"fmt"
	"strings"
	"time"

	"konbill/batch"
	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// listHeaders are a contract: scripts and imports look for them.
var listHeaders = []string{
	"invoice_no", "name", "amount", "issued_on", "due", "paid_on", "fee", "net", "charge_id", "charge_status", "state", "mode",
}

// listCSV writes a list for spreadsheets and for the books, and its sums for
// people.
func (a *app) listCSV(each selected, enc csvfile.Encoding) error {
	out := bufio.NewWriter(a.stdout)
	rows := csvfile.NewTable(out, enc)
	sums := map[string]batch.Sum{}
	err := rows.Write(listHeaders)
	if err == nil {
		err = each(func(e batch.Entry) error {
			addPayment(sums, e)
			return rows.Write(listRow(e))
		})
	}
	if err := cmp.Or(err, out.Flush()); err != nil {
		return err
	}
	table(a.stderr, a.sumRows(sums), 1, 2)
	return nil
}

// listRow is an invoice for the books. Amount is fee, its tax included, and net
// together.
func listRow(e batch.Entry) []string {
	due := dueOf(e)
	if !due.IsZero() {
		due = due.Add(-time.Microsecond) // midnight is the end of the day before
	}
	row := []string{
		e.Invoice.Number, e.Invoice.Name, fmt.Sprintf("%d", e.Invoice.Amount), bookDay(e.Charge.CreatedAt), bookDay(due),
		"", "", "", e.Charge.ID, e.Charge.Status, string(e.State), e.Account.Mode(),
	}
	if c := e.Charge; c.Paid() {
		_, fee, net := paymentOf(e)
		row[5], row[6], row[7] = bookDay(c.PaidAt), fmt.Sprintf("%d", fee), fmt.Sprintf("%d", net)
	}
	return row
}

// bookDay is the day of an instant in Japan, in the one form that Yayoi, freee,
// Money Forward and spreadsheets all read as a date.
func bookDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(invoice.Japan).Format("2006/01/02")
}

// listSums are what a list adds up to, as data. The sums are by payment status;
// "none" is that of invoices without a charge.
type listSums struct {
	Sums  map[string]batch.Sum `json:"sums"`
	Total batch.Sum            `json:"total"`
}

// listJSON writes a list as data, the invoices first.
func (a *app) listJSON(each selected) error {
	out := bufio.NewWriter(a.stdout) // Flush returns the error of any write
	out.WriteString("{\n  \"invoices\": [")
	sums := map[string]batch.Sum{}
	between, end := "\n    ", "]"
	err := each(func(e batch.Entry) error {
		addPayment(sums, e)
		text, err := jsonText(entryJSON(e), "    ")
		out.WriteString(between + text)
		between, end = ",\n    ", "\n  ]"
		return err
	})
	if err != nil {
		return err
	}
	data := listSums{Sums: map[string]batch.Sum{}, Total: total(sums)}
	for status, sum := range sums {
		data.Sums[cmp.Or(status, "none")] = sum
	}
	text, err := jsonText(data, "")
	if err != nil {
		return err
	}
	out.WriteString(end + "," + strings.TrimPrefix(text, "{") + "\n")
	return out.Flush()
}
