package main

import (
	"context"
	"slices"

	"konbill/batch"
	"konbill/batch/inbox"
)

// updateResults writes the results in the outbox again that are not true any
// more, so that staff see there who has paid, and what was mailed later, whoever
// heard of it. A file for which that fails is left to the next time; the error
// is one for which no file was looked at. Whoever calls it holds busy.
func (s *service) updateResults(ctx context.Context) error {
	outdated, err := s.ledger.Outdated(ctx)
	if err != nil || len(outdated) == 0 {
		return err
	}
	files, err := s.inbox.Finished()
	if err != nil {
		return err
	}
	u := &update{service: s, outdated: map[int64]bool{}, met: map[int64]bool{}, failed: map[int64]bool{}}
	for _, j := range outdated {
		u.outdated[j.ID] = true
	}
	for _, f := range files {
		if s.stopping(ctx) {
			return nil
		}
		if err := u.file(ctx, f); err != nil {
			s.log.Warn("results could not be brought up to date", "file", f.Name, "id", f.ID, "reason", s.reason(err))
		}
	}
	for _, j := range outdated {
		if u.isTold(j) {
			if err := s.ledger.RecordUpdated(ctx, j); err != nil {
				return err
			}
		}
	}
	return nil
}

// update is one under way.
type update struct {
	*service
	outdated map[int64]bool // jobs, by id
	met      map[int64]bool // those that have a file here
	failed   map[int64]bool // those of which results could not be written
	unclear  bool           // there is a file of which the jobs aren't known
}

// file writes the results of a file if one of its jobs is outdated.
func (u *update) file(ctx context.Context, f *inbox.File) error {
	jobs, err := u.runner.JobsOf(ctx, f.Path)
	if err != nil || len(jobs) == 0 { // somebody may have put another file there
		u.unclear = true
		return err
	}
	if !slices.ContainsFunc(jobs, func(j batch.Job) bool { return u.outdated[j.ID] }) {
		return nil
	}
	err = u.write(ctx, f)
	for _, j := range jobs {
		u.met[j.ID] = true
		u.failed[j.ID] = u.failed[j.ID] || err != nil
	}
	return err
}

func (u *update) write(ctx context.Context, f *inbox.File) error {
	report, err := u.runner.Rewrite(ctx, f.Path, "")
	if err != nil {
		return err
	}
	if err := f.Update(report.Results); err != nil {
		return err
	}
	u.log.Info("results brought up to date", "file", f.Name, "id", f.ID)
	return nil
}

// isTold reports whether nothing is left to write for a job. One that no file
// here belongs to has no results that staff look at; but while it runs, that may
// still come.
func (u *update) isTold(j batch.Job) bool {
	if u.met[j.ID] {
		return !u.failed[j.ID]
	}
	return !u.unclear && !j.FinishedAt.IsZero()
}
