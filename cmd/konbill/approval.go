package main

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"konbill/batch/inbox"
	"konbill/batch/web"
)

// openDrafts opens where files wait that people bring on the page, if there is one. With
// inbox.require_total each file has a control total of its own, which the page doesn't ask
// for: people drop both.
func (s *service) openDrafts() (*inbox.Drafts, error) {
	if s.config.Web.Listen == "" || s.config.Inbox.RequireTotal {
		return nil, nil
	}
	drafts, err := inbox.OpenDrafts(s.config.Inbox.Folder)
	if err != nil {
		return nil, err
	}
	return drafts, drafts.Forget(s.now().Add(-web.KeepDrafts))
}

// isApproved reports whether somebody has approved a file in the inbox.
func (s *service) isApproved(name string) (approved bool, err error) {
	if s.drafts != nil {
		_, approved, err = s.drafts.Approved(name)
	}
	return approved, err
}

// sortOut picks those of the ready files that somebody has approved. Where nothing may be
// issued without, the others become drafts, on the page; one that can't stays where it is
// and is not issued, and that is said once.
func (s *service) sortOut(ready []string) (approved []string) {
	var errs error
	for _, name := range ready {
		ok, err := s.isApproved(name)
		switch {
		case err == nil && ok:
			approved = append(approved, name)
		case err == nil && s.config.Inbox.Approval:
			err = s.keepForApproval(name)
		}
		errs = errors.Join(errs, err)
	}
	if was := s.unsorted.Swap(errs != nil); errs != nil && !was {
		s.log.Error("not all files could be set aside for approval", "reason", s.reason(errs))
	}
	return approved
}

// keepForApproval makes a draft of a file in the inbox, unless somebody has just taken it
// away.
func (s *service) keepForApproval(name string) error {
	draft, err := s.drafts.Keep(name, s.now())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		s.log.Info("file waits for approval", "file", draft.Name)
	}
	return err
}

// forgetApproval forgets that a file was approved: it was taken. One that is forgotten late
// can let the same bytes through once more, which charges nothing.
func (p *pass) forgetApproval(f *inbox.File) {
	if p.drafts == nil {
		return
	}
	if err := p.drafts.Taken(f.Path); err != nil {
		p.log.Warn("an approval could not be forgotten", "file", f.Name, "reason", p.reason(err))
	}
}

// approvalCounts reports whether the pass may take only what was approved.
func (p *pass) approvalCounts() bool { return p.occasion.approved || p.config.Inbox.Approval }

// unapproved are the files that were dropped into the inbox and that nobody has approved.
func (p *pass) unapproved() []inbox.Waiting {
	if p.drafts == nil {
		return nil
	}
	drafts, err := p.drafts.All()
	if err != nil {
		p.log.Error("files that wait for approval can't be listed", "reason", p.reason(err))
	}
	var waiting []inbox.Waiting
	for _, d := range drafts {
		if d.By == "" {
			waiting = append(waiting, inbox.Waiting{Name: d.Name, Reason: inbox.Unapproved, Since: d.BroughtAt})
		}
	}
	return waiting
}

// pauseLook is how often a run looks whether somebody has paused it.
const pauseLook = 500 * time.Millisecond

// pauseSight is what was seen last of a pause.
type pauseSight struct {
	mu     sync.Mutex
	at     time.Time
	paused bool
}

// paused reports whether somebody wants no further invoice to be begun. When nobody can
// tell, that is so, too.
func (s *service) paused() bool {
	s.pause.mu.Lock()
	defer s.pause.mu.Unlock()
	if now := s.now(); now.Sub(s.pause.at).Abs() >= pauseLook {
		_, paused, err := inbox.Paused(s.config.Inbox.Folder)
		s.pause.at, s.pause.paused = now, paused || err != nil
	}
	return s.pause.paused
}

var errStopping = errors.New("konbill serve is stopping")

// whenNotPaused waits while somebody has paused the run.
func (s *service) whenNotPaused(ctx context.Context) error {
	for s.paused() {
		if s.stopping(ctx) {
			return errStopping
		}
		if err := s.wait(ctx, pauseLook); err != nil {
			return err
		}
	}
	return nil
}
