package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// selection is which invoices status lists, across files, and how.
type selection struct {
	open, paid, expired, unknown bool
	dueWithin                    string
	since, until                 string // days of payment
	csv                          bool
	encoding                     string // of the CSV; empty: as results are

	within              time.Duration // what dueWithin says
	paidFrom, paidUntil time.Time     // what since and until say: from the one until before the other; zero is open
}

func (a *app) withSelection(cmd *cobra.Command, s *selection) {
	flags := cmd.Flags()
	flags.BoolVar(&s.open, "open", false, a.say("支払い待ちの請求書を一覧", "list those that wait for payment"))
	flags.BoolVar(&s.paid, "paid", false, a.say("支払い済みの請求書を一覧", "list those that are paid"))
	flags.BoolVar(&s.expired, "expired", false, a.say("支払われずに終わった請求書を一覧", "list those that ended unpaid"))
	flags.BoolVar(&s.unknown, "unknown", false, a.say("請求の結果が不明な請求書を一覧", "list those of which it isn't known whether they were charged"))
	flags.StringVar(&s.dueWithin, "due-within", "", a.say("支払い待ちのうち、期限がこの期間内（例：3d、12h）のものを一覧", "list those that wait for payment and are due within a time, such as 3d or 12h"))
	flags.StringVar(&s.since, "since", "", a.say("--paid のうち、この日（例：2026-12-01）以降に支払われたものを一覧", "of those that are paid, list those paid on or after a day such as 2026-12-01"))
	flags.StringVar(&s.until, "until", "", a.say("--paid のうち、この日まで（当日を含む）に支払われたものを一覧", "of those that are paid, list those paid on or before a day"))
	flags.BoolVar(&s.csv, "csv", false, a.say("CSV で出力（絞り込みがなければ全件）", "print a list as CSV, of all invoices if none are selected"))
	flags.StringVar(&s.encoding, "encoding", "", a.say("CSV の文字コード（utf-8 または cp932。省略時は results.encoding）", "encoding of the CSV, utf-8 or cp932; as results.encoding if left out"))
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
	case (s.since != "" || s.until != "") && !s.paid:
		return &usageError{errors.New(a.say("--since と --until は --paid と一緒に指定してください", "--since and --until go with --paid"))}
	case s.encoding != "" && !s.csv:
		return &usageError{errors.New(a.say("--encoding は --csv と一緒に指定してください", "--encoding goes with --csv"))}
	case s.encoding != "" && s.encoding != string(csvfile.UTF8) && s.encoding != string(csvfile.CP932):
		return &usageError{errors.New(a.say("--encoding には utf-8 か cp932 を指定してください", "--encoding can be utf-8 or cp932"))}
	}
	return cmp.Or(a.readPeriod(s), a.readDays(s))
}

func (a *app) readPeriod(s *selection) (err error) {
	if s.dueWithin == "" {
		return nil
	}
	if s.within, err = parsePeriod(s.dueWithin); err != nil {
		return &usageError{fmt.Errorf(a.say("--due-within には 3d や 12h のように期間を指定してください（%q は使えません）",
			"--due-within takes a time such as 3d or 12h, not %q"), s.dueWithin)}
	}
	return nil
}

// readDays reads the days, of Japan, between which invoices were paid.
func (a *app) readDays(s *selection) error {
	for _, day := range []struct {
		flag, text string
		at         *time.Time
		days       int // from its beginning
	}{{"--since", s.since, &s.paidFrom, 0}, {"--until", s.until, &s.paidUntil, 1}} {
		if day.text == "" {
			continue
		}
		begins, err := time.ParseInLocation("2006-01-02", strings.ReplaceAll(day.text, "/", "-"), invoice.Japan)
		if err != nil {
			return &usageError{fmt.Errorf(a.say("%s には 2026-12-01 のように日付を指定してください（%q は使えません）",
				"%s takes a day such as 2026-12-01, not %q"), day.flag, day.text)}
		}
		*day.at = begins.AddDate(0, 0, day.days)
	}
	if !s.paidUntil.IsZero() && !s.paidFrom.Before(s.paidUntil) {
		return &usageError{errors.New(a.say("--until には --since 以降の日付を指定してください", "--until must not be before --since"))}
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

// query is what selects them in the ledger.
func (s selection) query(now time.Time) batch.Query {
	switch {
	case s.dueWithin != "":
		return batch.Query{ChargeStatuses: []string{batch.StatusPending}, DueAfter: now, DueUntil: now.Add(s.within)}
	case s.open:
		return batch.Query{ChargeStatuses: []string{batch.StatusPending}}
	case s.paid:
		return batch.Query{ChargeStatuses: []string{batch.StatusSuccessful}, PaidSince: s.paidFrom, PaidUntil: s.paidUntil}
	case s.expired:
		return batch.Query{ChargeStatuses: []string{batch.StatusExpired, batch.StatusFailed}}
	case s.unknown:
		return batch.Query{States: []batch.State{batch.Charging, batch.Unknown}}
	}
	return batch.Query{}
}

// list shows the invoices selected, whichever files they came in, and what they
// add up to. There may be more of them than fit into memory.
func (a *app) list(ctx context.Context, c config, book *ledger.Ledger, s selection) error {
	q := s.query(a.now())
	each := func(f func(batch.Entry) error) error { return book.Entries(ctx, q, f) }
	switch {
	case a.json:
		return a.listJSON(each)
	case s.csv:
		return a.listCSV(each, csvfile.Encoding(cmp.Or(s.encoding, c.Results.Encoding)))
	}
	sums, err := book.Sums(ctx, q)
	if err != nil {
		return err
	}
	return a.printList(each, sums)
}

// selected calls f with each invoice selected, until its first error.
type selected func(f func(batch.Entry) error) error

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

// printList shows a list to a person: the first of it, and the sums of all.
func (a *app) printList(each selected, sums map[string]batch.Sum) error {
	const most = 50
	enough := errors.New("enough")
	rows := [][]string{{a.say("番号", "number"), a.say("金額", "amount"), a.say("支払い", "payment"), a.say("支払期限", "due"), a.say("支払日時", "paid at")}}
	err := each(func(e batch.Entry) error {
		if len(rows) > most {
			return enough
		}
		rows = append(rows, []string{
			e.Invoice.Number, e.Invoice.Amount.Format(a.lang), a.paymentOrState(e), japanDeadline(dueOf(e)), japanTime(e.Charge.PaidAt),
		})
		return nil
	})
	if err != nil && err != enough {
		return err
	}
	if len(rows) > 1 {
		table(a.stdout, rows, 1)
	}
	if left := total(sums).Rows - (len(rows) - 1); left > 0 {
		fmt.Fprintf(a.stdout, a.say("ほか %d 件（--csv か --json ですべて表示）\n", "%d more (--csv or --json list them all)\n"), left)
	}
	table(a.stdout, a.sumRows(sums), 1, 2)
	return nil
}

func (a *app) paymentOrState(e batch.Entry) string {
	if e.State.HasCharge() {
		return a.paymentName(e.Charge.Status)
	}
	return a.stateName(e.State)
}

// sumRows are the sums of a list, by payment status where that differs, and in
// all.
func (a *app) sumRows(sums map[string]batch.Sum) [][]string {
	var rows [][]string
	for _, status := range append([]string{batch.StatusPending, ""}, ends...) {
		if sum := sums[status]; sum.Rows > 0 && len(sums) > 1 {
			rows = append(rows, []string{a.paymentName(status), a.rows(sum), a.yen(sum)})
		}
	}
	all := total(sums)
	return append(rows, []string{a.say("合計", "total"), a.rows(all), a.yen(all)})
}

func total(sums map[string]batch.Sum) batch.Sum {
	var all batch.Sum
	for _, sum := range sums {
		all.Rows += sum.Rows
		all.Yen += sum.Yen
	}
	return all
}
