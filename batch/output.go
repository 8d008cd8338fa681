package batch

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
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
	named map[string]string // file names of the slips whose invoice number isn't one, without extension
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
	stem := stemOf(path)
	o := &output{Runner: r, dir: filepath.Join(outDir, stem+folderSuffix), stem: stem, named: map[string]string{}}
	names := SlipNames{} // given in file order, so that they don't depend on who is settled first
	for _, row := range j.sheet.Rows {
		if name := names.NameOf(row.Invoice.Number); name != row.Invoice.Number {
			o.named[row.Invoice.Number] = name
		}
	}
	return o
}

// slipOf is the path of an invoice's slip, relative to the folder, with forward
// slashes.
func (o *output) slipOf(number string) string {
	return slipsFolder + "/" + cmp.Or(o.named[number], number) + ".pdf"
}

func (o *output) slipPath(number string) string {
	return filepath.Join(o.dir, filepath.FromSlash(o.slipOf(number)))
}

const slipsFolder = "slips"

func (o *output) results() string { return filepath.Join(o.dir, o.stem+resultsSuffix) }
func (o *output) errors() string  { return filepath.Join(o.dir, o.stem+errorsSuffix) }
func (o *output) receipt() string { return filepath.Join(o.dir, receiptFile) }
func (o *output) prints() string  { return filepath.Join(o.dir, o.stem+printsSuffix) }

// slip stores an invoice's slip, drawing it unless that was done already. One
// that lies there as it was given out stays: drawn again it could differ, once
// the merchant's facts have changed. It returns the slip's SHA-256.
func (o *output) slip(s *settler, e Entry, pdf []byte) (sha256 string, err error) {
	if pdf == nil {
		if stored := o.stored(e.Invoice.Number); stored != "" && stored == e.SlipSHA256 {
			return stored, nil
		}
		if pdf, err = s.press.Draw(s.instructions(e)); err != nil {
			return "", err
		}
	}
	o.at(SlipWriting)
	if err := o.disk().Write(o.slipPath(e.Invoice.Number), pdf); err != nil {
		return "", err
	}
	o.at(SlipWritten)
	return digest(pdf), nil
}

// stored returns the SHA-256 of the slip that lies in the folder; "" if none can be
// read there.
func (o *output) stored(number string) string {
	sha256, err := o.disk().SHA256(o.slipPath(number))
	if err != nil {
		return ""
	}
	return sha256
}

// has reports whether the slip that was given out, by its SHA-256, lies in the folder.
func (o *output) has(number string, given [32]byte) bool {
	return given != [32]byte{} && o.stored(number) == hex.EncodeToString(given[:])
}

// printFile stores all slips of a job in row order as one file, when the settings
// want it: those that can still be paid, since it is made to be sent out. It
// returns the file's path, or none when there is no slip.
func (o *output) printFile(s *settler, rows iter.Seq[RowOutcome]) (string, error) {
	if !o.Settings.PrintFile {
		return "", nil
	}
	var slips []templates.Instructions
	for row := range rows {
		if row.Slip != "" && s.payable(row.Entry) {
			slips = append(slips, s.instructions(row.Entry))
		}
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
	Dir     string // the folder of everything below
	Results string // path of the results file
	Errors  string // path of the errors file; empty when no row was rejected
	Prints  string // path of the print file; empty when none was asked for, or no slip was made
	Reach   Reach

	NeedsPerson  int                  // rows somebody has to look at
	NotAttempted int                  // of those, the ones that only want to be run again
	Codes        map[invoice.Code]int // how many rows have each
	// Rows yields what became of each row, in file order, as often as it is asked
	// to, with the invoices as the ledger has them at that time.
	Rows iter.Seq[RowOutcome]
}

// conclude writes results, errors and receipt, and closes the job. It does so
// however the run ended: nothing that was issued may be missing from them.
func (r *Runner) conclude(ctx context.Context, j *job, s *settler, out *output, stop *Stop) (*Report, error) {
	ctx = context.WithoutCancel(ctx)
	if err := r.noteReplaced(ctx, j); err != nil && stop == nil {
		stop = &Stop{Reason: StopLedger, Err: err}
	}
	report, err := out.report(ctx, j, stop)
	if err != nil {
		return report, errors.Join(stopError(stop), err)
	}
	if j.unread != nil && stop == nil {
		stop = &Stop{Reason: StopLedger, Err: j.unread}
	}
	report.Prints, err = out.printFile(s, report.Rows)
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

// report leaves results, errors and receipt in the folder, and says what they say.
// The receipt comes last: what the ledger had for the results counts.
func (o *output) report(ctx context.Context, j *job, stop *Stop) (*Report, error) {
	report := &Report{Dir: o.dir, Results: o.results(), Reach: o.reach(), Codes: map[invoice.Code]int{}, Rows: j.outcomes(context.WithoutCancel(ctx), o)}
	o.at(ResultsWriting)
	err := o.writeResults(j.sheet, report)
	j.told = err == nil
	if stop == nil && j.unread != nil {
		stop = &Stop{Reason: StopLedger, Err: j.unread}
	}
	report.Receipt = j.receipt(o.Runner, stop)
	if err != nil {
		return report, err
	}
	o.at(ResultsWritten)
	if report.Errors, err = o.writeErrors(j); err != nil {
		return report, err
	}
	o.at(ErrorsWritten)
	receipt, err := json.MarshalIndent(report.Receipt, "", "  ")
	if err != nil {
		return report, err
	}
	if err := o.disk().Write(o.receipt(), append(receipt, '\n')); err != nil {
		return report, err
	}
	o.at(ReceiptWritten)
	return report, nil
}

func (o *output) writeResults(s *Sheet, report *Report) error {
	return o.disk().WriteFrom(o.results(), func(w io.Writer) error {
		return s.file.WriteResults(w, o.Settings.ResultsEncoding, func(yield func(csvfile.Result) bool) {
			for row := range report.Rows {
				report.count(row)
				if !yield(row.csv(o.Settings, report.Reach)) {
					return
				}
			}
		})
	})
}

func (r *Report) count(o RowOutcome) {
	if o.NeedsPerson(r.Reach) {
		r.NeedsPerson++
	}
	if o.NotAttempted(r.Reach) {
		r.NotAttempted++
	}
	for _, code := range o.Codes(r.Reach) {
		r.Codes[code]++
	}
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
func (o *output) writeErrors(j *job) (string, error) {
	rejected := map[int]bool{}
	for _, row := range j.standings {
		if row.result == Rejected {
			rejected[int(row.line)] = true
		}
	}
	if len(rejected) == 0 {
		return "", o.disk().Remove(o.errors())
	}
	return o.errors(), o.disk().WriteFrom(o.errors(), func(w io.Writer) error {
		return j.sheet.file.WriteErrors(w, func(line int) bool { return rejected[line] })
	})
}
