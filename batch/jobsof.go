package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
)

// JobsOf returns the jobs in which this very file, by its bytes, was run, newest
// first. The error is the disk's or the ledger's.
func (r *Runner) JobsOf(ctx context.Context, path string) ([]Job, error) {
	data, err := r.disk().Read(path)
	if err != nil {
		return nil, err
	}
	return r.Ledger.JobsOfFile(ctx, digest(data))
}

// Complete reports whether a job came to its end with every row issued: to run
// its file again would do nothing.
func (j Job) Complete() bool {
	all := j.Totals.All().Rows
	return !j.FinishedAt.IsZero() && all > 0 && all == j.Totals[Issued].Rows+j.Totals[AlreadyIssued].Rows
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
