package main

import (
	"context"
	"errors"

	"konbill/batch"
)

// someLeft reports whether a machine was lost that hasn't written the results of a file.
func (s *service) someLeft(ctx context.Context) bool {
	left, err := s.ledger.JobsLeft(ctx)
	return err == nil && len(left) > 0 // a ledger that can't say shows in /healthz
}

// takeLeft finishes the files of machines that were lost. Those in an inbox that this
// machine sees, too, have been finished by now, and the ledger has let go of them.
func (p *pass) takeLeft(ctx context.Context) error {
	left, err := p.ledger.JobsLeft(ctx)
	if err != nil {
		return err
	}
	for _, job := range left {
		content, err := p.takeOneLeft(ctx, job)
		if errors.Is(err, batch.ErrHeld) || errors.Is(err, batch.ErrNotFound) {
			continue // it isn't lost after all, or another machine has it
		}
		if err != nil {
			return err
		}
		f, err := p.inbox.PickUp(job.File, content)
		if err != nil {
			return err
		}
		p.log.Info("file taken over from a machine that was lost", "file", f.Name, "id", f.ID)
		if err := p.process(ctx, f, true); err != nil {
			return err
		}
	}
	return nil
}

// takeOneLeft makes a lost machine's file this one's, unless its run is on.
func (p *pass) takeOneLeft(ctx context.Context, job batch.Job) ([]byte, error) {
	release, err := p.ledger.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return p.ledger.TakeJobLeft(ctx, job.ID)
}
