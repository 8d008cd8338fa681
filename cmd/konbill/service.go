package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/batch/ledger"
	"konbill/batch/schedule"
	"konbill/templates/staff"
)

// service is konbill serve: it takes what lies in the inbox on schedule, tries
// again what was left over, and tells staff and operators about it.
//
// Files are processed, and leftovers tried again, one at a time: whoever works
// holds busy. What must survive the process is in the ledger and in the inbox's
// folders, never here.
type service struct {
	*app
	config  config
	shop    *workshop
	runner  *batch.Runner
	ledger  *ledger.Ledger
	inbox   *inbox.Inbox
	drafts  *inbox.Drafts // nil: there is no page, or it takes no files
	times   *schedule.Schedule
	monitor *monitor
	staff   *staffPost
	log     *slog.Logger

	busy sync.Mutex
	// What follows is read and written by whoever holds busy.
	fromBefore  []staff.File // processed by an earlier process, which could not tell staff any more
	untold      []staff.File // processed, and the mail about it has not gone yet
	failed      failedPass
	retryFrom   time.Time               // no leftover is tried again before: the latest try failed
	syncFrom    time.Time               // payments are not looked at again before
	noticesFrom time.Time               // customers are not mailed about older bills again before
	waitingFor  map[string]inbox.Reason // files that staff have been told about

	running         runningPass
	pause           pauseSight
	inboxUnreadable atomic.Bool
	unsorted        atomic.Bool                 // files could not be set aside for approval
	queue           atomic.Pointer[inbox.Queue] // as it was last seen
	hasTurn         atomic.Bool
}

// runningPass is the pass in progress, for those who only want to know.
type runningPass struct {
	mu      sync.Mutex
	began   time.Time
	skipped bool           // a run was left out because of it
	id      string         // of the file that it is at; empty: none
	sofar   batch.Progress // with that file
	from    time.Time      // when the invoices that sofar counts were begun
}

func (p *runningPass) set(began time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began, p.skipped, p.id, p.sofar, p.from = began, false, "", batch.Progress{}, time.Time{}
}

func (p *runningPass) setFile(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.id, p.sofar, p.from = id, batch.Progress{}, time.Time{}
}

// come takes in how far the file has come.
func (p *runningPass) come(sofar batch.Progress, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.from.IsZero() || sofar.Done < p.sofar.Done {
		p.from = now
	}
	p.sofar = sofar
}

// progress is the file that it is at, how far that has come, and since when.
func (p *runningPass) progress() (id string, sofar batch.Progress, from time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.id, p.sofar, p.from
}

func (p *runningPass) file() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.id
}

// firstSkip notes that a run was left out because of the one in progress, and
// reports whether it is the first.
func (p *runningPass) firstSkip() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := !p.skipped
	p.skipped = true
	return first
}

// since is when it began; zero while there is none.
func (p *runningPass) since() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.began
}

// once makes one pass now. Its error is graver the more there is for a person.
func (s *service) once(ctx context.Context) error {
	ctx, pass, err := s.takeTurnNow(ctx)
	if err != nil {
		return err
	}
	defer pass()
	if err := s.takeInbox(); err != nil {
		return err
	}
	defer s.inbox.Close()
	return s.pass(ctx, occasion{once: true})
}

// serve works until it is told to stop. That is how a service ends, so it is no
// error.
func (s *service) serve(ctx context.Context) error {
	if !s.ledger.Shared() {
		if err := s.takeInbox(); err != nil {
			return err
		}
		defer s.inbox.Close()
		s.setTurn(true)
	}
	closeMonitor, err := s.listen()
	if err != nil {
		return err
	}
	defer closeMonitor()
	stopHearing, err := s.hearWebhooks(ctx)
	if err != nil {
		return err
	}
	defer stopHearing()
	closePage, err := s.servePage()
	if err != nil {
		return err
	}
	defer closePage()
	if warning, ends := s.times.Warning(s.now()); ends {
		s.log.Warn(warning.Message(s.lang))
	}
	if s.ledger.Shared() {
		err = s.takeTurns(ctx)
	} else {
		err = s.work(ctx)
	}
	stopHearing()
	if err == nil {
		s.log.Info("stopped")
	}
	return err
}

// takeInbox opens the inbox, and reads what an earlier process left to be told.
func (s *service) takeInbox() (err error) {
	s.inbox, err = inbox.Open(s.config.Inbox.Folder, inbox.Options{
		StableFor: s.config.Inbox.StableFor, RequireTotal: s.config.Inbox.RequireTotal, TakesTurns: s.ledger.Shared(), Now: s.now,
	})
	if err != nil {
		return err
	}
	if err := s.readUntold(); err != nil {
		return errors.Join(err, s.inbox.Close())
	}
	return nil
}

// work serves the inbox that was taken, until there is nothing more to be begun.
func (s *service) work(ctx context.Context) error {
	s.log.Info("serving", "inbox", s.config.Inbox.Folder, "cron", s.config.Schedule.Cron, "timezone", s.config.Schedule.Timezone,
		"live", s.runner.Live, "next_runs", nextRuns(s.times, s.now()))
	from, err := s.catchUp(ctx)
	if err != nil {
		return err
	}
	var watching sync.WaitGroup
	watching.Go(func() { s.watch(ctx) })
	s.times.Run(ctx, s.drain, from, schedule.Observer{Skipped: s.skipped, Panicked: s.panicked}, func(ctx context.Context, due time.Time) {
		s.tell(s.pass(ctx, occasion{due: due}))
	})
	watching.Wait()
	return nil
}

// catchUp makes up, once, for runs that were missed while nothing served, and
// goes on with files that an earlier process left unfinished. It returns until
// when that holds: what came due meanwhile is the schedule's.
func (s *service) catchUp(ctx context.Context) (until time.Time, err error) {
	until = s.now()
	last, err := s.ledger.PassedAt(ctx)
	if err != nil {
		return until, err
	}
	if last.IsZero() { // the first start ever: nothing was missed before it
		if err := s.ledger.RecordPass(ctx, until); err != nil {
			return until, err
		}
	}
	if !last.IsZero() {
		s.monitor.lastSuccess.Set(float64(last.Unix()))
	}
	due, missed := s.times.Missed(last, until)
	unfinished, err := s.inbox.Unfinished()
	if err != nil {
		return until, err
	}
	if missed || len(unfinished)+len(s.fromBefore) > 0 {
		s.log.Info("catching up", "missed", missed, "unfinished", len(unfinished))
		s.tell(s.pass(ctx, occasion{due: due, caughtUp: missed, unfinishedOnly: !missed}))
	}
	return until, nil
}

// tell logs how a pass ended.
func (s *service) tell(err error) {
	switch {
	case err == nil, errors.Is(err, errNeedsPerson):
	case interruptedBy(err):
		s.log.Info("interrupted; what is unfinished goes on at the next start")
	default:
		s.log.Error("the run did not finish", "reason", s.reason(err))
	}
}

func (s *service) skipped(due time.Time) {
	s.monitor.skipped.Inc()
	s.log.Warn("skipped a run, since the one before still goes on", "due", due, "running_since", s.running.since())
	if !s.running.firstSkip() { // one mail for each run that takes too long
		return
	}
	s.staff.send(staff.Skipped(staff.Skip{Sender: s.staff.sender, Due: due, Running: s.running.since(), Next: s.times.Next(s.now())}))
}

func (s *service) panicked(due time.Time, err error, stack string) {
	s.monitor.passes.WithLabelValues(passFailed).Inc()
	s.log.Error("a run panicked; this is a mistake in konbill, please report it", "due", due, "panic", err.Error(), "stack", stack)
}

// watchEvery is how often the inbox, and what is due, are looked at.
func (s *service) watchEvery() time.Duration {
	return min(max(s.config.Inbox.StableFor/2, 50*time.Millisecond), 5*time.Second)
}

// watch does what has no time of the schedule: it looks at the inbox, so that
// files have stood still by the time they are wanted, tries again what was left
// over, and notices a run that did not come.
func (s *service) watch(ctx context.Context) {
	expected := s.newExpectation()
	for s.wait(ctx, s.watchEvery()) == nil {
		s.staff.sendAgain(ctx)
		expected.check(ctx)
		if !s.busy.TryLock() {
			continue
		}
		s.forgetTold()
		queue := s.look()
		s.monitor.see(queue)
		again := s.toDo(ctx, queue)
		if again == nil && !s.paused() {
			s.retry(ctx)
			s.syncWhenDue(ctx)
			s.mailNotices(ctx)
		}
		s.busy.Unlock()
		if again != nil {
			s.tell(s.pass(ctx, *again))
		}
	}
}

// toDo is the pass to make now, beside those of the schedule: one that failed is made
// again, what was approved is issued, and what a lost machine has left is finished. nil: there is none. Whoever calls it holds busy.
func (s *service) toDo(ctx context.Context, queue inbox.Queue) *occasion {
	approved := s.sortOut(queue.Ready)
	switch {
	case s.paused():
		return nil
	case len(approved) > 0:
		return &occasion{approved: true}
	}
	if again := s.failed.due(s.now()); again != nil {
		return again
	}
	if s.failed.at.IsZero() && s.someLeft(ctx) {
		return &occasion{unfinishedOnly: true}
	}
	return nil
}

// look looks at the inbox. One that can't be read is said once.
func (s *service) look() inbox.Queue {
	queue, err := s.inbox.Look()
	if err == nil {
		s.queue.Store(&queue)
	}
	if was := s.inboxUnreadable.Swap(err != nil); err != nil && !was {
		s.log.Error("the inbox can't be read", "reason", s.reason(err))
	}
	return queue
}

// failedPass is a pass that could not do its work, and is made again by itself
// a few times: the API or the ledger may be back.
type failedPass struct {
	occasion occasion
	at       time.Time // when to make it again; zero: not at all
	times    int
}

// passAgainAfter is how long after a failed pass it is made again.
var passAgainAfter = []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour}

// passSoonAfter is when a pass is made again first that failed since the server of the
// ledger, which others share, was away: it was started anew, or another one took over.
const passSoonAfter = 20 * time.Second

// note takes in how a pass ended.
func (f *failedPass) note(o occasion, failed, soon bool, now time.Time) {
	if !failed {
		*f = failedPass{}
		return
	}
	f.occasion, f.at = o, time.Time{}
	switch {
	case soon && f.times == 0:
		f.at = now.Add(passSoonAfter)
	case f.times < len(passAgainAfter):
		f.at = now.Add(passAgainAfter[f.times])
	default:
		return
	}
	f.times++
}

// due is the pass to make again now; nil when it isn't time.
func (f *failedPass) due(now time.Time) *occasion {
	if f.at.IsZero() || now.Before(f.at) {
		return nil
	}
	again := f.occasion
	return &again
}
