package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

// OpenJob implements batch.Ledger. A job that names one invoice twice is
// refused.
func (l *Ledger) OpenJob(ctx context.Context, job batch.Job, invoices iter.Seq[invoice.Invoice], judge func(int, batch.Verdict)) (int64, error) {
	err := l.inTransaction(ctx, "open a job", func(ctx context.Context, tx transaction) (err error) {
		if err := tx.belongTo(ctx, job.Account); err != nil {
			return err
		}
		if job.ID, err = tx.insertJob(ctx, job); err != nil {
			return err
		}
		if err := l.keepFile(ctx, tx, job); err != nil {
			return err
		}
		return tx.acceptAll(ctx, l.beside, job, invoices, judge)
	})
	if err != nil {
		return 0, err
	}
	return job.ID, nil
}

func (tx transaction) insertJob(ctx context.Context, job batch.Job) (id int64, err error) {
	err = tx.QueryRowContext(ctx, "INSERT INTO job (who, file, sha256, account, live, started_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
		job.Who, text(job.File), job.SHA256, job.Account.ID, job.Account.Live, instant(job.StartedAt)).Scan(&id)
	return id, err
}

func (tx transaction) acceptAll(ctx context.Context, beside Beside, job batch.Job, invoices iter.Seq[invoice.Invoice], judge func(int, batch.Verdict)) error {
	a := acceptance{transaction: tx, beside: beside, job: job, judge: judge, files: map[int64]string{job.ID: job.SHA256}, named: map[string]bool{}}
	some := make([]invoice.Invoice, 0, pageSize)
	for inv := range invoices {
		if some = append(some, inv); len(some) < pageSize {
			continue
		}
		if err := a.acceptSome(ctx, some); err != nil {
			return err
		}
		some = some[:0]
	}
	return a.acceptSome(ctx, some)
}

// CloseJob implements batch.Ledger. It returns ErrNotFound for an unknown job.
func (l *Ledger) CloseJob(ctx context.Context, id int64, finishedAt time.Time, t batch.Totals) error {
	totals, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("close a job: %w", err)
	}
	return l.inTransaction(ctx, "close a job", func(ctx context.Context, tx transaction) error {
		result, err := tx.ExecContext(ctx, "UPDATE job SET finished_at = $1, totals = $2 WHERE id = $3", instant(finishedAt), string(totals), id)
		if err != nil {
			return err
		}
		if err := exactlyOne(result, batch.ErrNotFound); err != nil {
			return err
		}
		return l.forgetFile(ctx, tx, id)
	})
}

const (
	selectJob  = "SELECT id, who, file, sha256, account, live, started_at, finished_at, totals, outdated_at FROM job"
	latestJobs = selectJob + " ORDER BY id DESC LIMIT $1"
	jobByID    = selectJob + " WHERE id = $1"
	jobsOfFile = selectJob + " WHERE sha256 = $1 ORDER BY id DESC"
	outdated   = selectJob + " WHERE outdated_at <> 0 ORDER BY id"
)

// Jobs implements batch.Ledger.
func (l *Ledger) Jobs(ctx context.Context, limit int) ([]batch.Job, error) {
	return l.jobs(ctx, latestJobs, max(limit, 0))
}

// Job returns one job. The error is batch.ErrNotFound when there is none of that id.
func (l *Ledger) Job(ctx context.Context, id int64) (batch.Job, error) {
	jobs, err := l.jobs(ctx, jobByID, id)
	if err == nil && len(jobs) == 0 {
		err = batch.ErrNotFound
	}
	if err != nil {
		return batch.Job{}, err
	}
	return jobs[0], nil
}

// JobsOfFile implements batch.Ledger.
func (l *Ledger) JobsOfFile(ctx context.Context, sha256 string) ([]batch.Job, error) {
	return l.jobs(ctx, jobsOfFile, sha256)
}

// Outdated implements batch.Ledger.
func (l *Ledger) Outdated(ctx context.Context) ([]batch.Job, error) {
	return l.jobs(ctx, outdated)
}

// RecordUpdated implements batch.Ledger.
func (l *Ledger) RecordUpdated(ctx context.Context, job batch.Job) error {
	return l.inTransaction(ctx, "record that results were written", func(ctx context.Context, tx transaction) error {
		_, err := tx.ExecContext(ctx, "UPDATE job SET outdated_at = 0 WHERE id = $1 AND outdated_at = $2", job.ID, instant(job.OutdatedAt))
		return err
	})
}

func (l *Ledger) jobs(ctx context.Context, query string, args ...any) ([]batch.Job, error) {
	jobs, err := l.scanJobs(ctx, query, args)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", l.engine.explain(err))
	}
	return jobs, nil
}

func (l *Ledger) scanJobs(ctx context.Context, query string, args []any) ([]batch.Job, error) {
	rows, err := l.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var jobs []batch.Job
	for rows.Next() {
		var j batch.Job
		var totals []byte
		err := rows.Scan(&j.ID, &j.Who, &j.File, &j.SHA256, &j.Account.ID, &j.Account.Live,
			(*instant)(&j.StartedAt), (*instant)(&j.FinishedAt), &totals, (*instant)(&j.OutdatedAt))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(totals, &j.Totals); err != nil {
			return nil, fmt.Errorf("the totals of job %d: %w", j.ID, err)
		}
		jobs = append(jobs, j)
	}
	return jobs, rows.Err()
}
