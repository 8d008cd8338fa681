package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"konbill/templates"
)

// runsComparison issues one file with Konbill and with the script run.py.
type runsComparison struct {
	folder       string // for all that is written
	python       string
	rows, rounds int
}

// side is who runs, and how long it took.
type side struct {
	name    string
	run     func(at address, folder string) (seconds float64, err error)
	seconds []float64
	given   tally
}

func (c runsComparison) run() error {
	if err := export(c.folder, c.rows); err != nil {
		return err
	}
	if err := exportMail(c.folder); err != nil {
		return err
	}
	file := filepath.Join(c.folder, "invoices.csv")
	if err := writeInvoices(file, c.rows); err != nil {
		return err
	}
	konbill := &side{name: "konbill", run: func(at address, folder string) (float64, error) {
		return runKonbill(at, file, folder, c.rows)
	}}
	script := &side{name: "run.py", run: func(at address, folder string) (float64, error) {
		return c.runScript(at, file, folder)
	}}
	sides := []*side{konbill, script}
	if failure(c.python, "-c", "import reportlab, segno") != "" {
		sides = sides[:1]
	}
	for round := range c.rounds {
		for i := range sides {
			if err := c.round(sides[(round+i)%len(sides)], 0); err != nil {
				return err
			}
		}
	}
	c.print(sides)
	return c.atLatency(konbill)
}

// round is one run of a side against servers of its own.
func (c runsComparison) round(s *side, latency time.Duration) error {
	folder, err := os.MkdirTemp(c.folder, s.name+"-")
	if err != nil {
		return err
	}
	servers, err := startServers(latency)
	if err != nil {
		return err
	}
	seconds, runErr := s.run(servers.address, folder)
	if s.given, err = servers.stop(); err != nil {
		return err
	}
	if runErr != nil {
		return fmt.Errorf("%s: %w", s.name, runErr)
	}
	if s.given.Charges != c.rows || s.given.Mails != c.rows {
		return fmt.Errorf("%s made %d charges and %d mails of %d rows", s.name, s.given.Charges, s.given.Mails, c.rows)
	}
	s.seconds = append(s.seconds, seconds)
	return nil
}

func (c runsComparison) runScript(at address, file, folder string) (float64, error) {
	script := exec.Command(c.python, "run.py", c.folder, file, folder, at.API, strconv.Itoa(at.MailPort), strconv.Itoa(workers))
	script.Stderr = os.Stderr
	answer, err := script.Output()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(answer)), 64)
}

func (c runsComparison) print(sides []*side) {
	fmt.Printf("Runs: %d invoices charged, drawn and mailed, %d rounds in turn, %d workers, servers without latency\n\n", c.rows, c.rounds, workers)
	fmt.Printf("%-10s %11s %11s %11s\n", "", "invoices/s", "Konbill is", "bytes/mail")
	for _, s := range sides {
		fmt.Printf("%-10s %11.0f %10.2fx %11d\n", s.name, float64(c.rows)/median(s.seconds), ratio(s.seconds, sides[0].seconds), s.given.MailSize)
	}
	if len(sides) == 1 {
		fmt.Printf("%-10s no Python with reportlab and segno on this machine\n", "run.py")
	}
	fmt.Println()
}

// atLatency measures how much of the pace that the API allows a run keeps.
func (c runsComparison) atLatency(konbill *side) error {
	const latency = 50 * time.Millisecond
	konbill.seconds = nil
	for range c.rounds {
		if err := c.round(konbill, latency); err != nil {
			return err
		}
	}
	pace, allowed := float64(c.rows)/median(konbill.seconds), workers/latency.Seconds()
	fmt.Printf("Runs: the same against an API that takes %s to answer: %.0f invoices/s, %.0f%% of the %.0f that %d workers can get\n\n",
		latency, pace, 100*pace/allowed, allowed, workers)
	return nil
}

// writeInvoices writes the file that both sides read.
func writeInvoices(name string, rows int) error {
	var out bytes.Buffer
	table := csv.NewWriter(&out)
	table.Write([]string{"invoice_no", "name", "email", "phone", "amount", "description"}) // into memory
	for order := range rows {
		i := instructionsOf(order).Invoice
		table.Write([]string{i.Number, i.Name, i.Email, i.Phone, strconv.FormatInt(int64(i.Amount), 10), i.Description})
	}
	table.Flush()
	return os.WriteFile(name, out.Bytes(), 0o600)
}

// exportMail writes a mail of Konbill's for the script to fill in: the facts in
// it are those of order 0.
func exportMail(folder string) error {
	facts := instructionsOf(0)
	mail, err := templates.MailOf(facts)
	if err != nil {
		return err
	}
	return writeJSON(filepath.Join(folder, "mail.json"), map[string]any{
		"from": facts.Merchant.Email, "subject": mail.Subject, "text": mail.Text, "html": mail.HTML,
		"content_id": mail.Pictures[0].ContentID,
		"number":     facts.Invoice.Number, "name": facts.Invoice.Name, "amount": facts.Amount(), "phone": facts.Phone(),
		"description": facts.Invoice.Description, "code": facts.PaymentCode, "link": facts.AuthorizeURI, "due_days": dueDays,
	})
}
