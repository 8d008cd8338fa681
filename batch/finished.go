package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
)

// Finished reports whether this very file, by its bytes, was run to its end
// before, with every row issued, and by which job: to run it again would do
// nothing. The error is the disk's or the ledger's.
func (r *Runner) Finished(ctx context.Context, path string) (Job, bool, error) {
	data, err := r.disk().Read(path)
	if err != nil {
		return Job{}, false, err
	}
	jobs, err := r.Ledger.JobsOfFile(ctx, digest(data))
	if err != nil {
		return Job{}, false, err
	}
	for _, j := range jobs {
		if j.complete() {
			return j, true, nil
		}
	}
	return Job{}, false, nil
}

// complete reports whether a job left nothing to do.
func (j Job) complete() bool {
	all := j.Totals.All().Rows
	return !j.FinishedAt.IsZero() && all > 0 && all == j.Totals[Issued].Rows+j.Totals[AlreadyIssued].Rows
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
