package main

import (
	"bufio"
	"io"

	"konbill/batch"
	"konbill/invoice"
)

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

// checkJSON prints for programs, row by row, so that no file need be held. The
// totals stand before the rows: each file is checked twice.
type checkJSON struct {
	*app
	out   *bufio.Writer
	files int // printed so far
}

func (p *checkJSON) begin() { io.WriteString(p.out, "{\n  \"files\": [") }

func (p *checkJSON) end() {
	if p.files > 0 {
		io.WriteString(p.out, "\n  ")
	}
	io.WriteString(p.out, "]\n}\n")
}

func (p *checkJSON) file(file *batch.Checkup) (t checkedTotals, err error) {
	for row, err := range file.Rows() {
		if err != nil {
			return t, err
		}
		t.add(row)
	}
	if p.files > 0 {
		io.WriteString(p.out, ",")
	}
	p.files++
	io.WriteString(p.out, "\n    {\n      ")
	if err := p.members(file, t); err != nil {
		return t, err
	}
	io.WriteString(p.out, `"rows": [`)
	between := "\n        "
	for row, rowErr := range file.Rows() {
		text := ""
		if err = rowErr; err == nil {
			text, err = jsonText(p.row(row), "        ")
		}
		if err != nil {
			break
		}
		io.WriteString(p.out, between)
		io.WriteString(p.out, text)
		between = ",\n        "
	}
	if t.Rows.Rows > 0 {
		io.WriteString(p.out, "\n      ")
	}
	io.WriteString(p.out, "]\n    }") // also after an error, which stderr and the exit code tell
	return t, err
}

// members prints what stands before the rows. "refused" is there for a file
// that a run would refuse as a whole, whatever its rows are.
func (p *checkJSON) members(file *batch.Checkup, t checkedTotals) error {
	members := []struct {
		name string
		data any
	}{{"file", file.Name}, {"sha256", file.SHA256}, {"totals", t}}
	if file.Refusal != nil {
		reason, _ := p.explain(file.Refusal)
		members = append(members, struct {
			name string
			data any
		}{"refused", reason})
	}
	for _, member := range members {
		text, err := jsonText(member.data, "      ")
		if err != nil {
			return err
		}
		io.WriteString(p.out, `"`+member.name+`": `+text+",\n      ")
	}
	return nil
}

func (p *checkJSON) row(row batch.Row) checkedRow {
	inv := row.Invoice
	checked := checkedRow{
		Line: row.Line, Number: inv.Number, Accepted: !row.Rejected(), SentName: inv.SentName,
		Phone: inv.Phone, Email: inv.Email, Amount: inv.Amount, Findings: []checkedFinding{},
	}
	if !inv.Due.IsZero() {
		checked.Due = batch.Timestamp(inv.Due)
	}
	for _, finding := range row.Findings {
		checked.Findings = append(checked.Findings, checkedFinding{finding, finding.Message(p.lang)})
	}
	return checked
}
