package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/invoice/csvfile"
	"konbill/mailer"
	"konbill/templates/staff"
)

// occasion is why a pass is made.
type occasion struct {
	due            time.Time // when the schedule wanted it; zero: it did not
	caughtUp       bool      // it is made late, since nothing served then
	once           bool      // konbill ends after it
	unfinishedOnly bool      // it goes on with what was left unfinished, and takes nothing new
	approved       bool      // it takes what somebody has approved, and nothing else
}

// String says it for the log.
func (o occasion) String() string {
	switch {
	case o.caughtUp:
		return "missed at " + japanTime(o.due)
	case o.unfinishedOnly:
		return "unfinished files"
	case o.approved:
		return "approved"
	case o.due.IsZero():
		return "by hand"
	}
	return "due at " + japanTime(o.due)
}

// pass takes every file that is ready as far as it will go, and tells staff. A
// file that fails by itself is an outcome of the pass; the error is one for
// which no other file would fare better, or errNeedsPerson.
func (s *service) pass(ctx context.Context, o occasion) error {
	s.busy.Lock()
	defer s.busy.Unlock()
	s.running.set(s.now())
	defer s.running.set(time.Time{})
	p := &pass{service: s, occasion: o, night: s.night(o)}
	s.log.Info("run begins", "why", o.String())
	p.tellFromBefore()
	err := p.work(ctx)
	if lost := inTurn(ctx); lost != nil { // whoever has it goes on from here, and tells staff
		return lost
	}
	err = p.conclude(ctx, err)
	switch {
	case err != nil:
		return err
	case p.needsPerson:
		return errNeedsPerson
	}
	return nil
}

// pass is one in progress.
type pass struct {
	*service
	occasion    occasion
	night       staff.Night
	needsPerson bool

	waiting       map[string]inbox.Reason // files left in the inbox; nil: it was not looked at
	attached      []mailer.Attachment
	attachedBytes int
}

// work goes on with what an earlier pass left and then takes what is ready,
// until nothing is.
func (p *pass) work(ctx context.Context) error {
	// A certificate may have expired since konbill serve was started.
	if err := asSigningError(p.runner.Settings.MailSigner.Check(p.now())); err != nil {
		return err
	}
	unfinished, err := p.inbox.Unfinished()
	if err != nil {
		return err
	}
	for _, f := range unfinished {
		if err := p.process(ctx, f, true); err != nil {
			return err
		}
	}
	if err := p.takeLeft(ctx); err != nil {
		return err
	}
	if p.occasion.unfinishedOnly {
		return nil
	}
	if err := p.takeReady(ctx); err != nil {
		return err
	}
	return p.updateResults(ctx)
}

// patience is how many times inbox.stable_for a pass waits for files that are
// still being written.
const patience = 30

// takeReady processes what is ready. Files that change are waited for, since
// the pass may have been started just as they were dropped.
func (p *pass) takeReady(ctx context.Context) error {
	deadline := p.now().Add(patience * p.config.Inbox.StableFor)
	for {
		queue, err := p.inbox.Look()
		if err != nil {
			return err
		}
		p.monitor.see(queue)
		if p.approvalCounts() {
			queue.Ready = p.sortOut(queue.Ready)
		}
		if !p.occasion.approved {
			p.keepWaiting(append(queue.Waiting, p.unapproved()...))
		}
		taken, err := p.takeAll(ctx, queue.Ready)
		switch {
		case err != nil:
			return err
		case taken > 0:
			continue // others may have come meanwhile
		case p.occasion.approved:
			return nil
		case len(queue.Ready) == 0 && !changing(queue), p.now().After(deadline):
			return nil
		}
		if err := p.wait(ctx, p.watchEvery()); err != nil {
			return &batch.Stop{Reason: batch.StopInterrupted}
		}
	}
}

// takeAll processes files one after the other, and counts those that were still
// there to be taken.
func (p *pass) takeAll(ctx context.Context, names []string) (taken int, err error) {
	for _, name := range names {
		if p.stopping(ctx) {
			return taken, &batch.Stop{Reason: batch.StopInterrupted}
		}
		f, err := p.inbox.Claim(name)
		switch {
		case errors.Is(err, inbox.ErrGone), errors.Is(err, inbox.ErrNotReady):
			continue // left to the next look
		case err != nil:
			return taken, err
		}
		taken++
		p.forgetApproval(f)
		if err := p.process(ctx, f, false); err != nil {
			return taken, err
		}
	}
	return taken, nil
}

// stopping reports whether nothing new is to be begun.
func (s *service) stopping(ctx context.Context) bool {
	select {
	case <-s.drain:
		return true
	default:
		return ctx.Err() != nil
	}
}

func changing(q inbox.Queue) bool {
	for _, w := range q.Waiting {
		if w.Reason == inbox.Changing {
			return true
		}
	}
	return false
}

// process runs one file and files it away. The error is one for which no other
// file would fare better; the file then stays where it is and goes on later. A
// mistake of ours that one file brings out must not keep the others waiting.
func (p *pass) process(ctx context.Context, f *inbox.File, resumed bool) (err error) {
	defer func() {
		if mistake := recover(); mistake != nil {
			p.log.Error("a file makes konbill panic; please report it", "id", f.ID, "panic", fmt.Sprint(mistake), "stack", string(debug.Stack()))
			p.add(staff.File{Name: f.Name, ID: f.ID, Resumed: resumed, Outcome: staff.Unfinished, Reason: p.staff.say(
				"Konbill の内部エラーで処理できませんでした。システム担当者にお知らせください。",
				"Konbill failed on it by a mistake of its own. Tell your system administrator.")})
			p.needsPerson = true
		}
	}()
	return p.processed(ctx, f, resumed)
}

func (p *pass) processed(ctx context.Context, f *inbox.File, resumed bool) error {
	p.running.setFile(f.ID)
	defer p.running.setFile("")
	p.log.Info("file taken", "file", f.Name, "id", f.ID, "resumed", resumed)
	what := staff.File{Name: f.Name, ID: f.ID, Resumed: resumed}
	control, err := f.Control()
	switch wrong := new(inbox.TotalError); {
	case errors.As(err, &wrong):
		return p.refuse(f, what, err)
	case err != nil:
		return err
	}
	what.Control = control != nil
	if !resumed {
		jobs, err := p.runner.JobsOf(ctx, f.Path)
		if at := slices.IndexFunc(jobs, batch.Job.Complete); err == nil && at >= 0 {
			return p.setAside(f, what, jobs[at])
		}
	}
	runner := *p.runner
	runner.Control, runner.Begin = control, p.whenNotPaused
	runner.Progress = func(sofar batch.Progress) { p.running.come(sofar, p.now()) }
	makeRoom(f.Path, runner.Settings)
	oneMore()
	report, err := runner.Run(ctx, f.Path, "")
	if report != nil {
		p.monitor.count(report)
	}
	if err := inTurn(ctx); err != nil {
		return err // the file is another machine's
	}
	if err != nil {
		return p.notDone(f, what, report, err)
	}
	if resumed {
		// Rows that the first half issued are issued by this file, too.
		if report, err = runner.Rewrite(ctx, f.Path, ""); err != nil {
			return p.notDone(f, what, report, err)
		}
	}
	return p.file(f, what, report)
}

// file files a finished file away, and what the run left where staff find it.
func (p *pass) file(f *inbox.File, what staff.File, report *batch.Report) error {
	published, err := f.Publish(report.Results, report.Errors)
	if err != nil {
		return err
	}
	p.describe(&what, report)
	p.attach(&what, published.Results, published.Errors)
	if err := p.fileAway(what, f.Done); err != nil {
		return err
	}
	p.needsPerson = p.needsPerson || report.NeedsPerson > 0
	results := report.Receipt.Results
	p.log.Info("file done", "file", f.Name, "id", f.ID, "rows", report.Receipt.RowsIn.Rows, "yen", int64(report.Receipt.RowsIn.Yen),
		"issued", results[batch.Issued].Rows, "already_issued", results[batch.AlreadyIssued].Rows,
		"rejected", results[batch.Rejected].Rows, "failed", results[batch.Failed].Rows, "unknown", results[batch.UnknownResult].Rows)
	return nil
}

// notDone deals with a file whose run came to no end: what is wrong with the
// file itself sends it to failed, anything else leaves it to go on later.
func (p *pass) notDone(f *inbox.File, what staff.File, report *batch.Report, err error) error {
	if aboutFile(err) {
		return p.refuse(f, what, err)
	}
	what.Outcome, what.Reason = staff.Unfinished, p.staff.sentence(err)
	if report != nil {
		p.describe(&what, report)
	}
	p.add(what)
	return err
}

// aboutFile reports whether an error of a run is about its file alone.
func aboutFile(err error) bool {
	var (
		file    *csvfile.FileError
		limit   *batch.LimitError
		control *batch.ControlError
	)
	return errors.As(err, &file) || errors.As(err, &limit) || errors.As(err, &control)
}

// refuse moves a file to failed, with a note that says why.
func (p *pass) refuse(f *inbox.File, what staff.File, why error) error {
	japanese, english := p.staff.inBoth(why)
	note, err := staff.FailedNote(staff.Refusal{Name: f.Name, At: p.now(), Japanese: japanese, English: english})
	if err != nil {
		return err
	}
	what.Outcome, what.Reason = staff.Failed, p.staff.sentence(why)
	if err := p.fileAway(what, func() (string, error) { return f.Fail(note) }); err != nil {
		return err
	}
	p.needsPerson = true
	p.log.Warn("file refused", "file", f.Name, "id", f.ID, "reason", p.staff.sentence(why))
	return nil
}

// setAside files away a copy of what was processed before: nothing is run.
func (p *pass) setAside(f *inbox.File, what staff.File, before batch.Job) error {
	note, err := staff.DuplicateNote(staff.Repetition{Name: f.Name, At: p.now(), First: before.File, Before: before.FinishedAt})
	if err != nil {
		return err
	}
	if err := f.Note(note); err != nil {
		return err
	}
	what.Outcome, what.First, what.Before = staff.Duplicate, before.File, before.FinishedAt
	if err := p.fileAway(what, f.Done); err != nil {
		return err
	}
	p.log.Info("file was processed before; nothing was charged", "file", f.Name, "id", f.ID, "before", before.FinishedAt)
	return nil
}

func (p *pass) add(f staff.File) { p.night.Files = withFile(p.night.Files, f) }

// fileAway tells staff of a file and moves it to where it stays; the note comes
// first, so that no file is ever gone without a word.
func (p *pass) fileAway(what staff.File, move func() (dir string, err error)) error {
	p.add(what)
	if err := p.remember(what); err != nil {
		return err
	}
	_, err := move()
	return err
}

// conclude records the pass, plans another if it failed, and tells staff. It
// returns why the pass failed.
func (p *pass) conclude(ctx context.Context, err error) error {
	ctx = context.WithoutCancel(ctx)
	if err == nil && !p.occasion.due.IsZero() {
		err = p.ledger.RecordPass(ctx, p.occasion.due)
	}
	interrupted := interruptedBy(err)
	failed := err != nil && !interrupted
	p.failed.note(p.occasion, failed, p.ledger.Shared() && byLedger(err), p.now())
	p.monitor.ended(p.now(), failed, interrupted)
	p.monitor.outstanding(ctx, p.ledger)
	if failed {
		p.night.Trouble = p.trouble(err)
	}
	p.tellStaff()
	p.log.Info("run ends", "files", len(p.night.Files), "waiting", len(p.night.Waiting), "failed", failed, "next_runs", nextRuns(p.times, p.now()))
	return err
}

// tellStaff mails what happened, if anything did.
func (p *pass) tellStaff() {
	p.night.Ended = p.now()
	if news := p.newsOfWaiting(); len(p.night.Files) == 0 && p.night.Trouble == "" && !news {
		return
	}
	message, err := staff.Summary(p.night)
	p.staff.send(message, err, p.attached...)
	p.forgetTold()
}

// trouble says why a pass failed and what happens next.
func (p *pass) trouble(err error) string {
	next := p.staff.say("原因を取り除いたあと、次の予定の時刻に続きから処理します。", "Once the cause is removed, it goes on at the next scheduled run.")
	switch at := p.failed.at; {
	case p.occasion.once:
		next = p.staff.say("原因を取り除いたあと、もう一度実行してください。続きから処理します。", "Remove the cause and run it again: it goes on from there.")
	case !at.IsZero():
		next = fmt.Sprintf(p.staff.say("%s に自動でもう一度処理します。", "It is tried again by itself at %s."), japanTime(at))
	}
	return p.staff.sentence(err) + p.staff.say("", " ") + next
}

// byLedger reports whether a pass failed since the ledger couldn't be used.
func byLedger(err error) bool {
	var stop *batch.Stop
	return errors.As(err, &stop) && stop.Reason == batch.StopLedger
}
