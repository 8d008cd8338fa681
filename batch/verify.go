package batch

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
)

// SlipVerdict is what a look at a slip told. Verdicts are stable.
type SlipVerdict string

// The verdicts. Only the first is as it should be.
const (
	SlipSame         SlipVerdict = "same"          // drawn again, and in the results folder, it is byte for byte what was given out
	SlipFileMissing  SlipVerdict = "file_missing"  // drawn again it is, but the folder doesn't have it
	SlipFileDiffers  SlipVerdict = "file_differs"  // drawn again it is, but the folder has another
	SlipDrawnDiffers SlipVerdict = "drawn_differs" // drawn again it isn't: the merchant's facts, or the version of Konbill, have changed
	SlipUnknown      SlipVerdict = "unknown"       // the ledger doesn't know what was given out
)

// SlipCheck is a look at the slip of one invoice.
type SlipCheck struct {
	Number  string
	Verdict SlipVerdict
	SHA256  string // of what was given out, hex; empty when unknown
}

// VerifySlips draws the slips of a file that was run before once more, and
// compares them with what the ledger remembers and with those in the results
// folder, which stands beside the file or under outDir. Nothing is changed. Rows
// without a charge have no slip and are left out. The error is ErrNotFound when
// the ledger hasn't met the file's bytes.
func (r *Runner) VerifySlips(ctx context.Context, path, outDir string) ([]SlipCheck, error) {
	job, err := r.recall(ctx, path)
	if err != nil {
		return nil, err
	}
	settler, err := r.settler(job)
	if err != nil {
		return nil, err
	}
	folder := r.outputOf(path, outDir, job)
	var checks []SlipCheck
	charged := job.where(func(o *standing) bool { return o.state.HasCharge() })
	err = r.withEntries(ctx, charged, func(_ *standing, e Entry) error {
		verdict, err := settler.verify(e, folder)
		if err == nil {
			checks = append(checks, SlipCheck{Number: e.Invoice.Number, Verdict: verdict, SHA256: e.SlipSHA256})
		}
		return err
	})
	return checks, err
}

func (s *settler) verify(e Entry, folder *output) (SlipVerdict, error) {
	if e.SlipSHA256 == "" || !e.PurgedAt.IsZero() {
		return SlipUnknown, nil
	}
	drawn, err := s.press.Draw(s.instructions(e))
	if err != nil {
		return "", err
	}
	if digest(drawn) != e.SlipSHA256 {
		return SlipDrawnDiffers, nil
	}
	file, err := s.disk().Read(filepath.Join(folder.dir, filepath.FromSlash(folder.slipOf(e.Invoice.Number))))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return SlipFileMissing, nil
	case err != nil:
		return "", err
	case digest(file) != e.SlipSHA256:
		return SlipFileDiffers, nil
	}
	return SlipSame, nil
}

// IssuedSlip returns the invoices whose slip a file is, byte for byte, and its
// SHA-256 in hex. Two invoices never share a slip, so there is one at most.
func (r *Runner) IssuedSlip(ctx context.Context, path string) (found []Entry, sha256 string, err error) {
	data, err := r.disk().Read(path)
	if err != nil {
		return nil, "", err
	}
	sha256 = digest(data)
	err = r.Ledger.Entries(ctx, Query{SlipSHA256: sha256}, func(e Entry) error {
		found = append(found, e)
		return nil
	})
	return found, sha256, err
}
