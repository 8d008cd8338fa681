package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"konbill/invoice"
	"konbill/invoice/csvfile"
	"konbill/templates"
)

// output is the folder in which a run leaves what people keep of it.
type output struct {
	*Runner
	dir   string // STEM-results
	stem  string
	slips map[string]string // path of each invoice number's slip, relative to dir
}

// createOutput makes the folder beside the file, or under outDir when that is
// given. It holds personal data, so only its owner may look inside.
func (r *Runner) createOutput(path, outDir string, j *job) (*output, error) {
	o := r.outputOf(path, outDir, j)
	return o, errors.Join(r.disk().MakeFolder(o.dir), r.disk().MakeFolder(filepath.Join(o.dir, slipsFolder)))
}

// outputOf says where the folder is, and where in it the slips are.
func (r *Runner) outputOf(path, outDir string, j *job) *output {
	if outDir == "" {
		outDir = filepath.Dir(path)
	}
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	o := &output{Runner: r, dir: filepath.Join(outDir, stem+folderSuffix), stem: stem, slips: map[string]string{}}
	names := slipNames{} // given in file order, so that they don't depend on who is settled first
	for _, row := range j.sheet.Rows {
		o.slips[row.Invoice.Number] = slipsFolder + "/" + names.nameOf(row.Invoice.Number) + ".pdf"
	}
	return o
}

const slipsFolder = "slips"

func (o *output) results() string { return filepath.Join(o.dir, o.stem+resultsSuffix) }
func (o *output) errors() string  { return filepath.Join(o.dir, o.stem+errorsSuffix) }
func (o *output) receipt() string { return filepath.Join(o.dir, receiptFile) }
func (o *output) prints() string  { return filepath.Join(o.dir, o.stem+printsSuffix) }

// slip stores an invoice's slip, drawing it unless that was done already. One
// that lies there as it was given out stays: drawn again it could differ, once
// the merchant's facts have changed. It returns the path relative to the folder,
// with forward slashes, and the slip.
func (o *output) slip(s *settler, e Entry, pdf []byte) (string, []byte, error) {
	if pdf == nil {
		if name, stored := o.stored(e); stored != nil && digest(stored) == e.SlipSHA256 {
			return name, stored, nil
		}
		var err error
		if pdf, err = s.press.Draw(s.instructions(e)); err != nil {
			return "", nil, err
		}
	}
	name := o.slips[e.Invoice.Number]
	o.at(SlipWriting)
	if err := o.disk().Write(filepath.Join(o.dir, filepath.FromSlash(name)), pdf); err != nil {
		return "", nil, err
	}
	o.at(SlipWritten)
	return name, pdf, nil
}

// stored returns the path, as slip does, and the bytes of the slip that lies in
// the folder; nothing if none can be read there.
func (o *output) stored(e Entry) (string, []byte) {
	name := o.slips[e.Invoice.Number]
	pdf, err := o.disk().Read(filepath.Join(o.dir, filepath.FromSlash(name)))
	if err != nil {
		return "", nil
	}
	return name, pdf
}

// printFile stores all slips of a job in row order as one file, when the settings
// want it: those that can still be paid, since it is made to be sent out. It
// returns the file's path, or none when there is no slip.
func (o *output) printFile(s *settler, j *job) (string, error) {
	if !o.Settings.PrintFile {
		return "", nil
	}
	var slips []templates.Instructions
	for _, row := range j.where(func(row *RowOutcome) bool { return row.Slip != "" && s.payable(row.Entry) }) {
		slips = append(slips, s.instructions(row.Entry))
	}
	if len(slips) == 0 {
		return "", o.disk().Remove(o.prints())
	}
	pdf, err := s.press.PrintFile(slips)
	if err == nil {
		err = o.disk().Write(o.prints(), pdf)
	}
	if err != nil {
		return "", fmt.Errorf("print file: %w", err)
	}
	return o.prints(), nil
}

// Report is what a run did.
type Report struct {
	Receipt Receipt
	Rows    []RowOutcome
	Dir     string // the folder of everything below
	Results string // path of the results file
	Errors  string // path of the errors file; empty when no row was rejected
	Prints  string // path of the print file; empty when none was asked for, or no slip was made
	Reach   Reach
}

// NeedsPerson counts the rows somebody has to look at.
func (r *Report) NeedsPerson() int {
	n := 0
	for _, o := range r.Rows {
		if o.NeedsPerson(r.Reach) {
			n++
		}
	}
	return n
}

// conclude writes results, errors and receipt, and closes the job. It does so
// however the run ended: nothing that was issued may be missing from them.
func (r *Runner) conclude(ctx context.Context, j *job, s *settler, out *output, stop *Stop) (*Report, error) {
	ctx = context.WithoutCancel(ctx)
	if err := r.noteReplaced(ctx, j); err != nil && stop == nil {
		stop = &Stop{Reason: StopLedger, Err: err}
	}
	report := &Report{
		Receipt: j.receipt(r, stop), Rows: j.outcomes, Dir: out.dir, Results: out.results(), Reach: r.reach(),
	}
	var err error
	if report.Errors, err = out.write(r.Settings, j, report); err != nil {
		return report, errors.Join(stopError(stop), err)
	}
	report.Prints, err = out.printFile(s, j)
	if err := r.Ledger.CloseJob(ctx, j.id, r.Now(), report.Receipt.Results); err != nil && stop == nil {
		stop = &Stop{Reason: StopLedger, Err: err}
	}
	r.at(JobClosed)
	if err != nil {
		return report, errors.Join(stopError(stop), err)
	}
	return report, stopError(stop)
}

// stopError keeps a nil *Stop from becoming a non-nil error.
func stopError(s *Stop) error {
	if s == nil {
		return nil
	}
	return s
}

func (o *output) write(settings Settings, j *job, report *Report) (errorsPath string, err error) {
	o.at(ResultsWriting)
	if err := o.writeResults(settings, j.sheet, report); err != nil {
		return "", err
	}
	o.at(ResultsWritten)
	if errorsPath, err = o.writeErrors(j.sheet, report); err != nil {
		return "", err
	}
	o.at(ErrorsWritten)
	receipt, err := json.MarshalIndent(report.Receipt, "", "  ")
	if err != nil {
		return "", err
	}
	if err := o.disk().Write(o.receipt(), append(receipt, '\n')); err != nil {
		return "", err
	}
	o.at(ReceiptWritten)
	return errorsPath, nil
}

func (o *output) writeResults(settings Settings, s *Sheet, report *Report) error {
	var b bytes.Buffer
	i := -1 // rows come in the order of the outcomes
	err := s.file.WriteResults(&b, settings.ResultsEncoding, func(csvfile.Row) csvfile.Result {
		i++
		return report.Rows[i].csv(settings, report.Reach)
	})
	if err != nil {
		return err
	}
	return o.disk().Write(o.results(), b.Bytes())
}

// csv is the row's part of the results file.
func (o RowOutcome) csv(settings Settings, reach Reach) csvfile.Result {
	e := o.Entry
	inv := e.Invoice
	if !o.known() {
		inv = o.Invoice
	}
	var codes []string
	for _, c := range o.Codes(reach) {
		codes = append(codes, string(c))
	}
	added := csvfile.Result{
		Result: string(o.Result), Codes: strings.Join(codes, ";"),
		Message: o.Message(settings.Reading.Language, reach), Language: settings.Reading.Language, Line: o.Line,
		SentName: inv.SentName, SentPhone: inv.Phone,
		ChargeID: e.Charge.ID, PaymentCode: e.Charge.PaymentCode, AuthorizeURI: e.Charge.AuthorizeURI,
		ExpiresAt: Timestamp(e.Charge.ExpiresAt), ChargeStatus: e.Charge.Status,
		Slip: o.Slip, Mail: o.Mail(reach.MailOff), MailedAt: Timestamp(e.MailedAt),
	}
	if e.Charge.Paid() {
		added.PaidAt = Timestamp(e.Charge.PaidAt)
		added.Fee, added.Net = digits(e.Charge.Fee+e.Charge.FeeVAT), digits(e.Charge.Net)
	}
	return added
}

// digits writes yen for programs.
func digits(y invoice.Yen) string { return strconv.FormatInt(int64(y), 10) }

// writeErrors stores the rejected rows for correction, and removes those of an
// earlier run when there are none now.
func (o *output) writeErrors(s *Sheet, report *Report) (string, error) {
	rejected := map[int]bool{}
	for _, row := range report.Rows {
		if row.Result == Rejected {
			rejected[row.Line] = true
		}
	}
	if len(rejected) == 0 {
		return "", o.disk().Remove(o.errors())
	}
	var b bytes.Buffer
	if err := s.file.WriteErrors(&b, func(line int) bool { return rejected[line] }); err != nil {
		return "", err
	}
	return o.errors(), o.disk().Write(o.errors(), b.Bytes())
}
