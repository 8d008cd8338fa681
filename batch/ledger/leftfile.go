package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"konbill/batch"
)

// A machine may die in the middle of a file that no other sees: the ledger has the file
// until its results are written. It holds personal data, and is forgotten then.

// keepFile stores the file of a job, in the place of what is there of earlier ones.
func (l *Ledger) keepFile(ctx context.Context, tx transaction, job batch.Job) error {
	p, shared := l.engine.(*postgres)
	if !shared || job.Content == nil {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM file WHERE job IN (SELECT id FROM job WHERE sha256 = $1)", job.SHA256); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO file (job, machine, content) VALUES ($1, $2, $3)", job.ID, p.session, job.Content)
	return err
}

func (l *Ledger) forgetFile(ctx context.Context, tx transaction, job int64) error {
	if !l.Shared() {
		return nil
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM file WHERE job = $1", job)
	return err
}

// forgetFilesWith removes the files that nobody has finished and that hold an invoice.
func (l *Ledger) forgetFilesWith(ctx context.Context, tx transaction, key batch.Key) error {
	if !l.Shared() {
		return nil
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM file WHERE job IN (SELECT job FROM invoice WHERE key = $1 UNION ALL SELECT job FROM listed WHERE key = $1)", key)
	return err
}

// isLeft is the condition that the machine of a file was lost.
var isLeft = "NOT EXISTS (SELECT FROM machine WHERE machine.id = file.machine AND " + sharesNow + ")"

var jobsLeft = selectJob + " WHERE id IN (SELECT job FROM file WHERE " + isLeft + ") ORDER BY id"

// JobsLeft lists the jobs whose machine was lost before it had written their results,
// oldest first.
func (l *Ledger) JobsLeft(ctx context.Context) ([]batch.Job, error) {
	if !l.Shared() {
		return nil, nil
	}
	return l.jobs(ctx, jobsLeft)
}

// TakeJobLeft returns the file of such a job, which is this machine's to finish from now
// on. The error is batch.ErrNotFound where another was faster.
func (l *Ledger) TakeJobLeft(ctx context.Context, id int64) (content []byte, err error) {
	p, shared := l.engine.(*postgres)
	if !shared {
		return nil, ErrNotShared
	}
	err = l.inTransaction(ctx, "take over a job", func(ctx context.Context, tx transaction) error {
		err := tx.QueryRowContext(ctx, "UPDATE file SET machine = $2 WHERE job = $1 AND machine <> $2 AND "+isLeft+" RETURNING content", id, p.session).Scan(&content)
		if errors.Is(err, sql.ErrNoRows) {
			return batch.ErrNotFound
		}
		return err
	})
	if err != nil && !errors.Is(err, batch.ErrNotFound) {
		return nil, fmt.Errorf("take over job %d: %w", id, err)
	}
	return content, err
}
