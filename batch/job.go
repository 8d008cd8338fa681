package batch

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"konbill/invoice"
)

// job is a sheet opened in the ledger: from here on every accepted row is in
// durable memory.
type job struct {
	id        int64
	account   Account
	sheet     *Sheet // without its rows once shed
	rowsIn    Sum    // counted from the sheet
	started   time.Time
	standings []standing // one a row, in file order
	told      bool       // the results are written: what they say of a row stays its result
	unread    error      // why the ledger couldn't be read for the results
}

// open accepts the rows of a sheet into the ledger. A row whose number was
// issued with other content is rejected here.
func (r *Runner) open(ctx context.Context, a Account, s *Sheet) (*job, error) {
	if r.Reissue {
		if err := r.askOverdue(ctx, a, s); err != nil {
			return nil, err
		}
	}
	j := newJob(a, s, r.Now())
	good := j.where(func(o *standing) bool { return !o.row.Rejected() })
	r.at(JobOpening)
	var err error
	j.id, err = r.Ledger.OpenJob(ctx, Job{
		Who: r.Settings.Who, File: s.Name, SHA256: s.SHA256, Account: a, StartedAt: j.started, Reissue: r.Reissue, Content: s.content,
	}, contentOf(good), func(i int, v Verdict) { good[i].judge(s, v) })
	if err != nil {
		return nil, err
	}
	s.content = nil
	r.at(JobOpened)
	for i := range j.standings {
		if err := r.spare(ctx, a, &j.standings[i]); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// contentOf yields the invoices of rows as the file has them.
func contentOf(rows []*standing) iter.Seq[invoice.Invoice] {
	return mapped(rows, func(o *standing) invoice.Invoice { return o.row.Invoice })
}

// newJob is a job whose rows the ledger hasn't been asked about.
func newJob(a Account, s *Sheet, started time.Time) *job {
	j := &job{account: a, sheet: s, started: started, standings: make([]standing, len(s.Rows))}
	for i := range s.Rows {
		row := &s.Rows[i]
		j.standings[i] = standing{
			line: int32(row.Line), place: int32(i), number: row.Invoice.Number, amount: row.Invoice.Amount, row: row, result: Rejected,
		}
		j.rowsIn.Add(row.Invoice.Amount)
	}
	return j
}

// judge takes over what the ledger made of the row.
func (o *standing) judge(s *Sheet, v Verdict) {
	o.row.Findings = slices.DeleteFunc(slices.Clone(o.row.Findings), func(f invoice.Finding) bool {
		return f.Code == invoice.CodeConflict || f.Code == invoice.CodeEmailDiffers // judged before
	})
	if v.Outcome == Conflict {
		o.row.Findings = append(o.row.Findings, s.place(conflict(o.row.Line, v.Conflict, o.row.Invoice, v.Entry.Invoice)))
		o.remark().issued = v.Entry.Charge
		return
	}
	o.take(s, v.Entry)
}

func (o *standing) take(s *Sheet, e Entry) {
	o.see(e)
	if e.State.HasCharge() && e.PurgedAt.IsZero() && e.Invoice.Email != o.row.Invoice.Email {
		o.row.Findings = append(o.row.Findings, s.place(invoice.Finding{
			Line: o.row.Line, Field: invoice.FieldEmail, Code: invoice.CodeEmailDiffers, Severity: invoice.Notice,
			Before: o.row.Invoice.Email, After: e.Invoice.Email,
		}))
	}
}

// spare looks up what was issued under the number of a row that its due date alone
// keeps from being accepted.
func (r *Runner) spare(ctx context.Context, a Account, o *standing) error {
	if !o.row.rejectedForDueOnly() {
		return nil
	}
	e, err := r.Ledger.Latest(ctx, a, o.row.Invoice.Number)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil {
		o.recognise(e, r.Reissue)
	}
	return err
}

// recognise spares a row that was issued before and whose due date alone has
// become unacceptable since: it is not a mistake, it is already issued. One that
// is to be issued again needs another date.
func (o *standing) recognise(e Entry, reissue bool) {
	perhapsCharged := e.State.HasCharge() || e.State == Charging || e.State == Unknown
	if !perhapsCharged || e.Differs(o.row.Invoice) != "" || reissue && e.Charge.OverUnpaid() {
		o.remark().issued = e.Charge
		return
	}
	for i, f := range o.row.Findings {
		if f.Severity == invoice.Error {
			o.row.Findings[i].Severity = invoice.Notice
		}
	}
	o.see(e)
}

func (r Row) rejectedForDueOnly() bool {
	for _, f := range r.Findings {
		if f.Severity == invoice.Error && f.Code != invoice.CodeDuePast && f.Code != invoice.CodeDueTooFar {
			return false
		}
	}
	return r.Rejected()
}

// conflict says that a number was issued with another amount, name, phone or
// due date.
func conflict(line int, field invoice.Field, row, issued invoice.Invoice) invoice.Finding {
	f := invoice.Finding{
		Line: line, Field: field, Code: invoice.CodeConflict, Severity: invoice.Error, Ref: row.Number,
	}
	switch field {
	case invoice.FieldAmount:
		f.Before, f.After = row.Amount.String(), issued.Amount.String()
	case invoice.FieldName:
		f.Before, f.After = row.SentName, issued.SentName
	case invoice.FieldPhone:
		f.Before, f.After = row.Phone, issued.Phone
	case invoice.FieldDue:
		f.Before, f.After = Timestamp(row.Due), Timestamp(issued.Due)
	}
	return f
}

// resultOf is what a state means for a row of a file.
func resultOf(s State, chargedIn bool) Result {
	switch {
	case s.HasCharge() && chargedIn:
		return Issued
	case s.HasCharge():
		return AlreadyIssued
	case s == Charging, s == Unknown:
		return UnknownResult
	}
	return Failed
}

// Timestamp writes an instant as the results do: RFC 3339 in Japan time; empty
// for the zero time.
func Timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(invoice.Japan).Format(time.RFC3339)
}
