package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"konbill/batch"
	"konbill/batch/ledger"
)

// How a leader follows what it has handed out.
const (
	lookEvery     = 100 * time.Millisecond
	lookForLost   = 2 * time.Second
	answersFor    = 2 * ledger.Lease // how long the database must have answered: all machines are silent while it is away
	windowSize    = 2000             // jobs that are looked at, the first that were handed out: River takes them in that order
	patience      = time.Minute      // with a database that is away
	patienceEnd   = 2 * time.Minute  // with what is under way as nothing more is to be begun
	listedAtOnce  = 10_000           // of River's lists
	pausedUnasked = 50 * time.Millisecond
)

// Settle implements batch.Crew.
func (f *Fleet) Settle(ctx context.Context, keys []batch.Key, h batch.Handout) error {
	if err := f.Start(ctx); err != nil {
		return err
	}
	if h.Begin != nil {
		if err := h.Begin(ctx); err != nil {
			return &batch.Stop{Reason: batch.StopInterrupted}
		}
	}
	if err := f.client.QueueResume(ctx, f.queue, nil); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
		return err
	}
	ids, err := f.handOut(ctx, keys, h.After)
	if err != nil {
		return fmt.Errorf("hand out invoices: %w", err)
	}
	f.leads.Store(true)
	defer f.leads.Store(false)
	clear(f.suspects)
	l := &leading{Fleet: f, handout: h, left: newLeft(ids), heard: time.Now(), answering: time.Now()}
	stopWatching := l.watchPause(ctx)
	defer stopWatching()
	return l.lead(ctx)
}

// leading is a Settle under way.
type leading struct {
	*Fleet
	handout   batch.Handout
	left      left
	heard     time.Time // when the database last answered
	answering time.Time // since when it has done so every time
	lookedFor time.Time // when lost jobs were looked for
	stop      *batch.Stop
}

// lead follows the jobs until they are done, or nothing more is to be begun.
func (l *leading) lead(ctx context.Context) error {
	for len(l.left.place) > 0 && l.stop == nil {
		if l.ended(ctx) {
			l.stop = &batch.Stop{Reason: batch.StopInterrupted}
			break
		}
		settled, err := l.look(ctx)
		if err == nil && l.mayTell() && time.Since(l.lookedFor) >= lookForLost && !l.pauses.paused(l.Fleet) {
			l.lookedFor = time.Now()
			err = l.settleLost(ctx)
		}
		if err := l.bear(err); err != nil {
			return err
		}
		if settled == 0 {
			l.rest(ctx)
		}
	}
	if l.stop == nil {
		return nil
	}
	if err := l.quiet(context.WithoutCancel(ctx), l); err != nil {
		return err
	}
	return l.stop
}

func (l *leading) ended(ctx context.Context) bool {
	select {
	case <-l.handout.Drain:
		return true
	default:
		return ctx.Err() != nil
	}
}

func (l *leading) rest(ctx context.Context) {
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.handout.Drain:
	case <-ctx.Done():
	}
}

// bear puts up with a database that is away for a while: it is started anew, or another
// one takes over. Anything else ends the run.
func (l *leading) bear(err error) error {
	stop := new(batch.Stop)
	switch {
	case err == nil:
		if l.heard = time.Now(); l.answering.IsZero() {
			l.answering = l.heard
		}
		return nil
	case errors.As(err, &stop) && (stop.Reason != batch.StopLedger || errors.Is(err, batch.ErrNotSwept)):
		l.stop = stop
	case time.Since(l.heard) >= patience:
		return err
	}
	l.answering = time.Time{}
	return nil
}

// mayTell reports whether the database has answered for so long that who isn't heard of is
// silent for reasons of its own.
func (l *leading) mayTell() bool {
	return !l.answering.IsZero() && time.Since(l.answering) >= answersFor
}

// look takes over what has been settled of the first jobs.
func (l *leading) look(ctx context.Context) (settled int, err error) {
	window := l.left.window()
	done, err := l.jobs(ctx, river.NewJobListParams().IDs(window...).States(rivertype.JobStateCompleted))
	if err != nil || len(done) == 0 {
		return 0, err
	}
	var places []int
	for _, job := range done {
		places = append(places, l.left.place[job.ID])
		l.hear(job)
	}
	if err := l.handout.Settled(places); err != nil {
		return 0, err
	}
	for _, job := range done {
		delete(l.left.place, job.ID)
	}
	return len(done), nil
}

// hear takes over why the run must stop, if a job says so.
func (l *leading) hear(job *rivertype.JobRow) {
	said := stopped{}
	if out := job.Output(); len(out) > 0 && json.Unmarshal(out, &said) == nil && said.Reason != "" && l.stop == nil {
		l.stop = said.stop()
	}
}

// settleLost settles the invoices whose machines have fallen silent, and those whose jobs
// aren't there any more.
func (l *leading) settleLost(ctx context.Context) error {
	lost, err := l.lost(ctx)
	if err != nil {
		return err
	}
	for _, id := range lost {
		settled, err := l.handout.Lost(l.left.place[id])
		if err != nil {
			return err
		}
		if settled {
			delete(l.left.place, id)
		}
	}
	return nil
}

func (l *leading) lost(ctx context.Context) ([]int64, error) {
	window := l.left.window()
	there, err := l.jobs(ctx, river.NewJobListParams().IDs(window...))
	if err != nil {
		return nil, err
	}
	sharing, err := l.config.Ledger.Sharing(ctx)
	if err != nil {
		return nil, err
	}
	alive := map[int64]bool{}
	for _, job := range there {
		switch job.State {
		case rivertype.JobStateRunning:
			alive[job.ID] = l.isWith(job, sharing)
		case rivertype.JobStateCancelled, rivertype.JobStateDiscarded:
		default:
			alive[job.ID] = true
		}
	}
	return slices.DeleteFunc(window, func(id int64) bool { return alive[id] }), nil
}

// suspectFor is how long a job must seem to be with nobody: longer than it takes until a
// machine that has just taken one says so.
const suspectFor = 4 * beat

// isWith reports whether a job that River holds to be under way is with a machine that
// can be heard of. A machine may be heard of that has done with a job, of which River
// couldn't take note while the database was away: it then says that it settles none.
func (f *Fleet) isWith(job *rivertype.JobRow, sharing map[string]int) bool {
	if len(job.AttemptedBy) == 0 {
		return true
	}
	by := job.AttemptedBy[len(job.AttemptedBy)-1]
	inHand, heard := sharing[by]
	switch {
	case !heard && by != f.config.Ledger.Process():
		return false
	case heard && inHand > 0:
		delete(f.suspects, job.ID)
		return true
	}
	since, suspected := f.suspects[job.ID]
	if !suspected {
		since = time.Now()
		f.suspects[job.ID] = since
	}
	return time.Since(since) < suspectFor
}

// quiet has nothing more begun of what was handed out, and waits for what is under way
// with machines that can be heard of. A leader hears of what has been settled meanwhile.
func (f *Fleet) quiet(ctx context.Context, l *leading) error {
	began := time.Now()
	for {
		running, err := f.recall(ctx)
		if err == nil && l != nil {
			err = l.lookAtLast(ctx)
		}
		switch {
		case err == nil && running == 0:
			return nil
		case time.Since(began) > patienceEnd:
			return err // what is still under way goes on as one run beside another
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// recall deletes the jobs that nobody has begun, and counts those under way.
func (f *Fleet) recall(ctx context.Context) (running int, err error) {
	waiting := river.NewJobDeleteManyParams().Queues(f.queue).First(listedAtOnce).
		States(rivertype.JobStateAvailable, rivertype.JobStateScheduled, rivertype.JobStateRetryable, rivertype.JobStatePending)
	for {
		deleted, err := f.client.JobDeleteMany(ctx, waiting)
		if err != nil {
			return 0, err
		}
		if len(deleted.Jobs) < listedAtOnce {
			break
		}
	}
	under, err := f.jobs(ctx, river.NewJobListParams().Queues(f.queue).States(rivertype.JobStateRunning))
	if err != nil || len(under) == 0 {
		return 0, err
	}
	sharing, err := f.config.Ledger.Sharing(ctx)
	if err != nil {
		return 0, err
	}
	return len(slices.DeleteFunc(under, func(job *rivertype.JobRow) bool { return !f.isWith(job, sharing) })), nil
}

// lookAtLast takes over what was settled while the run came to its end.
func (l *leading) lookAtLast(ctx context.Context) error {
	for {
		settled, err := l.look(ctx)
		if stop := new(batch.Stop); errors.As(err, &stop) {
			err = nil // it stops already
		}
		if err != nil || settled == 0 {
			return err
		}
	}
}

func (f *Fleet) jobs(ctx context.Context, which *river.JobListParams) ([]*rivertype.JobRow, error) {
	result, err := f.client.JobList(ctx, which.First(listedAtOnce))
	if err != nil {
		return nil, err
	}
	return result.Jobs, nil
}

// watchPause pauses the queue, for all machines, while the leader is to begin nothing.
func (l *leading) watchPause(ctx context.Context) (stop func()) {
	if l.handout.Begin == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(askPauseEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				l.waitToBegin(ctx)
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// waitToBegin asks whether anything may be begun. Whoever is kept waiting for the answer
// has the queue paused until it comes.
func (l *leading) waitToBegin(ctx context.Context) {
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_ = l.handout.Begin(ctx) // as it ends without leave, the run is drained, too
	}()
	select {
	case <-answered:
		return
	case <-time.After(pausedUnasked):
	}
	if err := l.client.QueuePause(ctx, l.queue, nil); err != nil {
		l.config.Log.Warn("the work of other machines could not be paused", "reason", err)
	}
	<-answered
	if err := l.client.QueueResume(context.WithoutCancel(ctx), l.queue, nil); err != nil {
		l.config.Log.Warn("the work of other machines could not be resumed", "reason", err)
	}
}
