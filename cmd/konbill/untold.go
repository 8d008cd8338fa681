package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"konbill/templates/staff"
)

// remember stores what became of a file before the file is filed away: if this
// process dies before staff are told, the next one tells them.
func (s *service) remember(f staff.File) error {
	s.untold = withFile(s.untold, f)
	data, err := json.Marshal(s.untold)
	if err != nil {
		return fmt.Errorf("note what staff are to be told: %w", err)
	}
	return s.inbox.Remember(data)
}

// readUntold reads what an earlier process could not tell.
func (s *service) readUntold() error {
	data, err := s.inbox.Remembered()
	if err != nil || data == nil {
		return err
	}
	if err := json.Unmarshal(data, &s.untold); err != nil {
		return fmt.Errorf("read what staff are to be told: %w", err)
	}
	s.fromBefore = slices.Clone(s.untold)
	return nil
}

// tellFromBefore puts what an earlier process could not tell into this pass's
// mail.
func (p *pass) tellFromBefore() {
	for _, f := range p.fromBefore {
		names := slices.Concat(f.Attached, f.NotAttached)
		f.Attached, f.NotAttached = nil, nil
		for _, name := range names {
			p.attach(&f, filepath.Join(p.night.Outbox, name))
		}
		p.add(f)
	}
	p.fromBefore = nil
}

// forgetTold forgets what has been told, once no mail to staff is left to send.
func (s *service) forgetTold() {
	if s.untold == nil || s.staff.waiting() {
		return
	}
	if err := s.inbox.Forget(); err != nil {
		s.log.Warn("what staff have been told could not be forgotten; they may be told again", "reason", s.reason(err))
		return
	}
	s.untold = nil
}

// withFile adds a file, or what is now known of one that is there.
func withFile(files []staff.File, f staff.File) []staff.File {
	for i := range files {
		if files[i].ID == f.ID {
			files[i] = f
			return files
		}
	}
	return append(files, f)
}
