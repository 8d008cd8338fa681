package batch

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"konbill/invoice"
)

// Rewrite writes the results of a file that was run before once more, from the
// ledger alone: nothing is charged and nothing is mailed. The error is
// ErrNotFound when the ledger hasn't met the file's bytes.
func (r *Runner) Rewrite(ctx context.Context, path, outDir string) (*Report, error) {
	job, err := r.recall(ctx, path)
	if err != nil {
		return nil, err
	}
	settler, err := r.settler(job)
	if err != nil {
		return nil, err
	}
	out, err := r.createOutput(path, outDir, job)
	if err != nil {
		return nil, err
	}
	err = r.withEntries(ctx, job.where((*standing).known), func(o *standing, e Entry) error {
		settler.storeSlip(o, out, settled{entry: e})
		return nil
	})
	if err != nil {
		return nil, err
	}
	report, err := out.report(ctx, job, nil)
	return report, cmp.Or(err, job.unread)
}

// recall reads a file that was run before, and what became of its rows.
func (r *Runner) recall(ctx context.Context, path string) (*job, error) {
	sheet, err := r.readSheet(path)
	if err != nil {
		return nil, err
	}
	jobs, err := r.Ledger.JobsOfFile(ctx, sheet.SHA256)
	if err != nil {
		return nil, err
	}
	if len(jobs) == 0 {
		return nil, ErrNotFound
	}
	return r.remember(ctx, sheet, jobs)
}

// remember looks up the rows of a file that was run before. Those charged for
// this file, in whichever of its runs, are issued; the others already were.
func (r *Runner) remember(ctx context.Context, s *Sheet, jobs []Job) (*job, error) {
	ofThisFile := map[int64]bool{}
	for _, j := range jobs {
		ofThisFile[j.ID] = true
	}
	latest := jobs[0]
	j := newJob(latest.Account, s, latest.StartedAt)
	j.id = latest.ID
	for i := range j.standings {
		if err := r.lookUp(ctx, j, &j.standings[i], ofThisFile); err != nil {
			return nil, err
		}
	}
	return j, r.noteReplaced(ctx, j)
}

// lookUp judges a row by what the ledger has, without changing it.
func (r *Runner) lookUp(ctx context.Context, j *job, o *standing, ofThisFile map[int64]bool) error {
	if o.row.Rejected() && !o.row.rejectedForDueOnly() {
		return nil
	}
	revisions, err := r.revisions(ctx, j.account, o.row.Invoice.Number)
	if err != nil {
		return err
	}
	if len(revisions) == 0 {
		if !o.row.Rejected() {
			o.result = Failed
		}
		return nil
	}
	e := meant(revisions, o.row.Invoice, ofThisFile)
	if o.compare(j.sheet, e); !o.known() {
		return nil
	}
	o.chargedIn = ofThisFile[e.Job]
	o.see(e)
	if latest := revisions[0]; latest.Revision > e.Revision {
		o.remark().replacedBy = latest.Charge.ID
	}
	return nil
}

// compare judges a row by a bill under its number.
func (o *standing) compare(s *Sheet, e Entry) {
	field := e.Differs(o.row.Invoice)
	switch {
	case o.row.Rejected():
		o.recognise(e, false)
	case field != "":
		o.judge(s, Verdict{Outcome: Conflict, Entry: e, Conflict: field})
	default:
		o.judge(s, Verdict{Outcome: Known, Entry: e})
	}
}

// meant is the bill that a row of a file was about: the one that the file was
// charged for, else the one that says the same, else the latest. Of several the
// later one counts.
func meant(revisions []Entry, row invoice.Invoice, ofThisFile map[int64]bool) Entry {
	for _, is := range []func(Entry) bool{
		func(e Entry) bool { return ofThisFile[e.Job] },
		func(e Entry) bool { return e.Differs(row) == "" },
	} {
		if i := slices.IndexFunc(revisions, is); i >= 0 {
			return revisions[i]
		}
	}
	return revisions[0]
}

// revisions returns the bills under a number, latest first.
func (r *Runner) revisions(ctx context.Context, a Account, number string) ([]Entry, error) {
	latest, err := r.Ledger.Latest(ctx, a, number)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	earlier, err := r.before(ctx, latest)
	return append([]Entry{latest}, earlier...), err
}

// before returns the bills under an invoice's number that came before its own,
// latest first. One that was issued elsewhere may not be known here.
func (r *Runner) before(ctx context.Context, e Entry) ([]Entry, error) {
	var earlier []Entry
	for n := e.Revision - 1; n >= 1; n-- {
		one, err := r.Ledger.Entry(ctx, KeyOfRevision(e.Account, e.Invoice.Number, n))
		switch {
		case err == nil:
			earlier = append(earlier, one)
		case !errors.Is(err, ErrNotFound):
			return nil, err
		}
	}
	return earlier, nil
}
