package main

import (
	"bufio"
	"fmt"

	"github.com/spf13/cobra"

	"konbill/batch"
	"konbill/invoice"
)

func (a *app) checkCommand() *cobra.Command {
	return a.withJSON(&cobra.Command{
		Use:   "check FILE...",
		Short: a.say("請求せずにファイルを点検", "Check files without charging anything"),
		Long: a.say("ファイルの各行を点検し、直すべき箇所と合計を表示します。通信も台帳も使いません。",
			"Checks every row and prints what to mend, and the totals. It uses no network and no ledger."),
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error { return a.check(files) },
	})
}

// check prints the findings of files. Its error says whether rows were
// rejected, or a file could not be read; the other files are checked even so.
func (a *app) check(files []string) error {
	c, err := a.load(nil)
	if err != nil {
		return err
	}
	if _, err := c.layout(); err != nil {
		return err
	}
	worst := a.checkTexts(c)
	out := bufio.NewWriter(a.stdout)
	var print checkPrinter = &checkText{app: a, out: out}
	if a.json {
		print = &checkJSON{app: a, out: out}
	}
	print.begin()
	for _, path := range files {
		err := a.checkFile(path, c.reading(a.lang), print)
		if err := out.Flush(); err != nil {
			return err
		}
		if err != nil {
			a.complain(err)
			worst = worse(worst, reported(err))
		}
	}
	print.end()
	return worse(worst, out.Flush())
}

// checkPrinter prints what check finds, file after file.
type checkPrinter interface {
	begin()
	file(*batch.Checkup) (checkedTotals, error)
	end()
}

// checkFile checks one file and prints what it finds. The findings of a file
// that a run would refuse for its size are told before the refusal.
func (a *app) checkFile(path string, how batch.Reading, print checkPrinter) error {
	makeRoomToCheck(path)
	file, err := batch.CheckUp(path, how, a.now())
	if err != nil {
		return err
	}
	defer file.Close()
	totals, err := print.file(file)
	switch {
	case err != nil:
		return err
	case file.Refusal != nil:
		return file.Refusal
	case totals.Rejected.Rows > 0:
		return errNeedsPerson
	}
	return nil
}

type checkedTotals struct {
	Rows     batch.Sum `json:"rows"`
	Accepted batch.Sum `json:"accepted"` // would be issued
	Warned   batch.Sum `json:"warned"`   // of those accepted: worth a look
	Rejected batch.Sum `json:"rejected"`
}

func (t *checkedTotals) add(row batch.Row) {
	yen := row.Invoice.Amount
	t.Rows.Add(yen)
	switch {
	case row.Rejected():
		t.Rejected.Add(yen)
	case row.Warned():
		t.Warned.Add(yen)
		fallthrough
	default:
		t.Accepted.Add(yen)
	}
}

// checkText prints for people: the findings line by line, worst marked, then
// the totals.
type checkText struct {
	*app
	out *bufio.Writer
}

func (p *checkText) begin() {}
func (p *checkText) end()   {}

func (p *checkText) file(file *batch.Checkup) (t checkedTotals, err error) {
	fmt.Fprintln(p.out, printable(file.Name))
	for row, err := range file.Rows() {
		if err != nil {
			return t, err
		}
		t.add(row)
		for _, finding := range row.Findings {
			fmt.Fprintf(p.out, "  %s %s\n", p.mark(finding.Severity), finding.Text(p.lang))
		}
	}
	table(p.out, [][]string{
		{"", p.say("全行", "rows"), p.rows(t.Rows), p.yen(t.Rows)},
		{"", p.say("発行できる", "can be issued"), p.rows(t.Accepted), p.yen(t.Accepted)},
		{"", p.say("うち要確認", "  of which warned"), p.rows(t.Warned), p.yen(t.Warned)},
		{"", p.say("発行できない", "rejected"), p.rows(t.Rejected), p.yen(t.Rejected)},
	}, 2, 3)
	return t, nil
}

func (a *app) mark(s invoice.Severity) string {
	switch s {
	case invoice.Error:
		return a.say("［エラー］", "error  ")
	case invoice.Warning:
		return a.say("［確認］　", "warning")
	}
	return a.say("［補正］　", "notice ")
}

func (a *app) rows(s batch.Sum) string {
	return fmt.Sprintf(a.say("%d件", "%d"), s.Rows)
}

func (a *app) yen(s batch.Sum) string { return s.Yen.Format(a.lang) }
