package batch

import (
	"context"
	"errors"
	"slices"
	"time"

	"konbill/invoice"
)

// job is a sheet opened in the ledger: from here on every accepted row is in
// durable memory.
type job struct {
	id       int64
	account  Account
	sheet    *Sheet
	started  time.Time
	outcomes []RowOutcome // one a row, in file order
}

// open accepts the rows of a sheet into the ledger. A row whose number was
// issued with other content is rejected here.
func (r *Runner) open(ctx context.Context, a Account, s *Sheet) (*job, error) {
	if r.Reissue {
		if err := r.askOverdue(ctx, a, s); err != nil {
			return nil, err
		}
	}
	j := &job{account: a, sheet: s, started: r.Now(), outcomes: make([]RowOutcome, len(s.Rows))}
	var accepted []invoice.Invoice
	var at []int
	for i, row := range s.Rows {
		j.outcomes[i] = RowOutcome{Row: row, Result: Rejected}
		if !row.Rejected() {
			accepted = append(accepted, row.Invoice)
			at = append(at, i)
		}
	}
	r.at(JobOpening)
	id, verdicts, err := r.Ledger.OpenJob(ctx, Job{
		Who: r.Settings.Who, File: s.Name, SHA256: s.SHA256, Account: a, StartedAt: j.started, Reissue: r.Reissue,
	}, accepted)
	if err != nil {
		return nil, err
	}
	r.at(JobOpened)
	j.id = id
	for n, v := range verdicts {
		j.outcomes[at[n]].judge(s, v)
	}
	for i := range j.outcomes {
		if err := r.spare(ctx, a, &j.outcomes[i]); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// judge takes over what the ledger made of the row.
func (o *RowOutcome) judge(s *Sheet, v Verdict) {
	if v.Outcome == Conflict {
		o.Findings = append(o.Findings, s.place(conflict(o.Line, v.Conflict, o.Invoice, v.Entry.Invoice)))
		o.issued = v.Entry
		return
	}
	o.take(s, v.Entry)
}

func (o *RowOutcome) take(s *Sheet, e Entry) {
	o.Entry = e
	o.Result = resultOf(e.State, false)
	o.Findings = slices.DeleteFunc(slices.Clone(o.Findings), func(f invoice.Finding) bool {
		return f.Code == invoice.CodeEmailDiffers // from an earlier bill
	})
	if e.State.HasCharge() && e.PurgedAt.IsZero() && e.Invoice.Email != o.Invoice.Email {
		o.Findings = append(o.Findings, s.place(invoice.Finding{
			Line: o.Line, Field: invoice.FieldEmail, Code: invoice.CodeEmailDiffers, Severity: invoice.Notice,
			Before: o.Invoice.Email, After: e.Invoice.Email,
		}))
	}
}

// spare looks up what was issued under the number of a row that its due date alone
// keeps from being accepted.
func (r *Runner) spare(ctx context.Context, a Account, o *RowOutcome) error {
	if !o.rejectedForDueOnly() {
		return nil
	}
	e, err := r.Ledger.Latest(ctx, a, o.Invoice.Number)
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
func (o *RowOutcome) recognise(e Entry, reissue bool) {
	perhapsCharged := e.State.HasCharge() || e.State == Charging || e.State == Unknown
	if !perhapsCharged || e.Differs(o.Invoice) != "" || reissue && e.Charge.OverUnpaid() {
		o.issued = e
		return
	}
	for i, f := range o.Findings {
		if f.Severity == invoice.Error {
			o.Findings[i].Severity = invoice.Notice
		}
	}
	o.Entry, o.Result = e, resultOf(e.State, false)
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
