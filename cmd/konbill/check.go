package main

import (
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
	checked := []checkedFile{}
	for _, path := range files {
		sheet, err := batch.ReadSheet(path, c.reading(a.lang), a.now())
		if err != nil {
			a.complain(err)
			worst = worse(worst, reported(err))
			continue
		}
		file := a.checkedFile(sheet)
		if file.Totals.Rejected.Rows > 0 {
			worst = worse(worst, errNeedsPerson)
		}
		checked = append(checked, file)
		if !a.json {
			a.printChecked(sheet, file)
		}
	}
	if a.json {
		if err := a.printJSON(map[string]any{"files": checked}); err != nil {
			return err
		}
	}
	return worst
}

// checkedFile is what check says of one file, as data.
type checkedFile struct {
	File   string        `json:"file"`
	SHA256 string        `json:"sha256"`
	Totals checkedTotals `json:"totals"`
	Rows   []checkedRow  `json:"rows"`
}

type checkedTotals struct {
	Rows     batch.Sum `json:"rows"`
	Accepted batch.Sum `json:"accepted"` // would be issued
	Warned   batch.Sum `json:"warned"`   // of those accepted: worth a look
	Rejected batch.Sum `json:"rejected"`
}

type checkedRow struct {
	Line     int              `json:"line"`
	Number   string           `json:"invoice_no"`
	Accepted bool             `json:"accepted"`
	SentName string           `json:"sent_name"`
	Phone    string           `json:"sent_phone"`
	Email    string           `json:"email"`
	Amount   invoice.Yen      `json:"amount"`
	Due      string           `json:"expires_at,omitempty"`
	Findings []checkedFinding `json:"findings"`
}

type checkedFinding struct {
	invoice.Finding
	Message string `json:"message"`
}

func (a *app) checkedFile(s *batch.Sheet) checkedFile {
	f := checkedFile{File: s.Name, SHA256: s.SHA256, Rows: []checkedRow{}}
	for _, row := range s.Rows {
		inv := row.Invoice
		count(&f.Totals.Rows, inv.Amount)
		switch {
		case row.Rejected():
			count(&f.Totals.Rejected, inv.Amount)
		case row.Warned():
			count(&f.Totals.Warned, inv.Amount)
			fallthrough
		default:
			count(&f.Totals.Accepted, inv.Amount)
		}
		checked := checkedRow{
			Line: row.Line, Number: inv.Number, Accepted: !row.Rejected(), SentName: inv.SentName,
			Phone: inv.Phone, Email: inv.Email, Amount: inv.Amount, Findings: []checkedFinding{},
		}
		if !inv.Due.IsZero() {
			checked.Due = batch.Timestamp(inv.Due)
		}
		for _, finding := range row.Findings {
			checked.Findings = append(checked.Findings, checkedFinding{finding, finding.Message(a.lang)})
		}
		f.Rows = append(f.Rows, checked)
	}
	return f
}

func count(s *batch.Sum, y invoice.Yen) {
	s.Rows++
	s.Yen += y
}

// printChecked prints the findings line by line, worst marked, then the totals.
func (a *app) printChecked(s *batch.Sheet, f checkedFile) {
	fmt.Fprintln(a.stdout, printable(s.Name))
	for _, row := range s.Rows {
		for _, finding := range row.Findings {
			fmt.Fprintf(a.stdout, "  %s %s\n", a.mark(finding.Severity), finding.Text(a.lang))
		}
	}
	t := f.Totals
	table(a.stdout, [][]string{
		{"", a.say("全行", "rows"), a.rows(t.Rows), a.yen(t.Rows)},
		{"", a.say("発行できる", "can be issued"), a.rows(t.Accepted), a.yen(t.Accepted)},
		{"", a.say("うち要確認", "  of which warned"), a.rows(t.Warned), a.yen(t.Warned)},
		{"", a.say("発行できない", "rejected"), a.rows(t.Rejected), a.yen(t.Rejected)},
	}, 2, 3)
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
