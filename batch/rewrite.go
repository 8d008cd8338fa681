package batch

import (
	"context"
	"errors"
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
	for _, o := range job.where((*RowOutcome).known) {
		settler.leaveSlip(o, out, nil)
	}
	report := &Report{
		Receipt: job.receipt(r, nil), Rows: job.outcomes, Dir: out.dir, Results: out.results(), Reach: r.reach(),
	}
	report.Errors, err = out.write(r.Settings, job, report)
	return report, err
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
	j := &job{id: latest.ID, account: latest.Account, sheet: s, started: latest.StartedAt, outcomes: make([]RowOutcome, len(s.Rows))}
	for i, row := range s.Rows {
		o := &j.outcomes[i]
		*o = RowOutcome{Row: row, Result: Rejected}
		if row.Rejected() {
			if err := r.recognise(ctx, j.account, o); err != nil {
				return nil, err
			}
		} else if err := r.lookUp(ctx, s, j.account, o); err != nil {
			return nil, err
		}
		o.chargedIn = ofThisFile[o.Entry.Job]
		if o.known() {
			o.Result = resultOf(o.Entry.State, o.chargedIn)
		}
	}
	return j, nil
}

// lookUp judges an accepted row by what the ledger has, without changing it.
func (r *Runner) lookUp(ctx context.Context, s *Sheet, a Account, o *RowOutcome) error {
	e, err := r.Ledger.Latest(ctx, a, o.Invoice.Number)
	switch {
	case errors.Is(err, ErrNotFound):
		o.Result = Failed
		return nil
	case err != nil:
		return err
	}
	verdict := Verdict{Outcome: Known, Entry: e}
	if field := e.Differs(o.Invoice); field != "" {
		verdict.Outcome, verdict.Conflict = Conflict, field
	}
	o.judge(s, verdict)
	return nil
}
