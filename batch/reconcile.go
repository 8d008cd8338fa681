package batch

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"
)

// mostSurveys bounds how often unknown outcomes are looked for before they are
// left to the next run: a first and a second scan, and both once more for those
// that were proved absent, asked for again and left unknown again.
const mostSurveys = 4

// sweepFirst looks for charges under the job's numbers that the ledger doesn't
// know, before the first charge is asked for: a ledger can be lost, restored
// from a backup, or not the only one. A job that has nothing to charge needs no
// look.
func (s *settler) sweepFirst(ctx context.Context, j *job) *Stop {
	undecided := j.where(func(o *standing) bool { return o.known() && !o.state.HasCharge() && o.state != Declined })
	if len(undecided) == 0 {
		return nil
	}
	survey, err := s.survey(ctx, j.account)
	if err != nil {
		return stopOf(err)
	}
	changed := survey.numbers()
	undecided = slices.DeleteFunc(undecided, func(o *standing) bool { return !changed[o.number] })
	return s.lookAgain(ctx, j, append(undecided, j.overtaken(survey)...))
}

// numbers are those of the invoices that a survey was about. All others are as they were:
// who surveys is the only one who charges.
func (s *Survey) numbers() map[string]bool {
	numbers := map[string]bool{}
	for _, entries := range [][]Entry{s.Adopted, s.Found, s.Absent, s.Open, s.Duplicate} {
		for _, e := range entries {
			numbers[e.Invoice.Number] = true
		}
	}
	return numbers
}

// overtaken lists the rows with a bill of which another ledger, or this one before
// it was restored, has issued a later revision.
func (j *job) overtaken(s *Survey) []*standing {
	latest := map[string]int{}
	for _, e := range s.Adopted {
		latest[e.Invoice.Number] = max(latest[e.Invoice.Number], e.Revision)
	}
	return j.where(func(o *standing) bool {
		return o.state.HasCharge() && latest[o.number] > int(o.revision)
	})
}

// lookAgain takes over what a survey has changed, be it by a later revision. A row
// whose number turned out to be issued with other content is a conflict.
func (s *settler) lookAgain(ctx context.Context, j *job, rows []*standing) *Stop {
	for some := range slices.Chunk(rows, readTogether) {
		latest, err := s.latestOf(ctx, j.account, some)
		if err != nil {
			return stopOf(ledgerStop(err))
		}
		for _, o := range some {
			e, there := latest[o.number]
			if !there {
				return stopOf(ErrNotFound)
			}
			j.lookAgain(o, e)
		}
	}
	return nil
}

// latestOf reads the latest revisions under the numbers of rows.
func (r *Runner) latestOf(ctx context.Context, a Account, rows []*standing) (map[string]Entry, error) {
	numbers := make([]string, len(rows))
	for i, o := range rows {
		numbers[i] = o.number
	}
	latest := make(map[string]Entry, len(rows))
	err := r.Ledger.Entries(ctx, Query{Numbers: numbers}, func(e Entry) error {
		if e.Account == a && e.Revision > latest[e.Invoice.Number].Revision {
			latest[e.Invoice.Number] = e
		}
		return nil
	})
	return latest, err
}

func (j *job) lookAgain(o *standing, e Entry) {
	j.recollect(o)
	verdict := Verdict{Outcome: Known, Entry: e}
	if field := e.Differs(o.row.Invoice); field != "" && e.Elsewhere {
		verdict.Outcome, verdict.Conflict = Conflict, field
		o.reject()
	}
	o.chargedIn = o.chargedIn || j.charged(e)
	o.judge(j.sheet, verdict)
	o.shed()
}

// settleUnknown looks for the charges of rows that got no trustworthy answer,
// waiting as long as it takes to be sure, and settles what it learns: a charge
// that is found is mailed, one that is proved absent is asked for again.
func (s *settler) settleUnknown(ctx context.Context, j *job, out *output) *Stop {
	isOpen := func(o *standing) bool { return o.state == Unknown }
	var looked time.Time
	for range mostSurveys {
		open := j.where(isOpen)
		if len(open) == 0 {
			return nil
		}
		entries, err := s.entriesOf(ctx, open)
		if err != nil {
			return stopOf(ledgerStop(err))
		}
		if stop := s.waitUntil(ctx, s.readyAt(maps.Values(entries), looked), len(open)); stop != nil {
			return stop
		}
		survey, err := s.survey(ctx, j.account)
		if err != nil {
			return stopOf(err)
		}
		looked = survey.Began
		if stop := s.lookAgain(ctx, j, open); stop != nil {
			return stop
		}
		if stop := s.settleRows(ctx, out, open); stop != nil {
			return stop
		}
	}
	return nil
}

// readyAt is when the next look can tell more about invoices in doubt than one
// before: long enough after every intent, every first look that missed the
// charge, and the latest look of all.
func (r *Runner) readyAt(open iter.Seq[Entry], looked time.Time) time.Time {
	latest := looked
	for e := range open {
		for _, at := range []time.Time{e.IntentAt, e.MissedAt} {
			if at.After(latest) {
				latest = at
			}
		}
	}
	return latest.Add(r.Settings.SettleAfter)
}

// waitUntil waits second by second, so that people can see it.
func (r *Runner) waitUntil(ctx context.Context, at time.Time, open int) *Stop {
	for {
		left := at.Sub(r.Now())
		if left <= 0 {
			return nil
		}
		if r.Waiting != nil {
			r.Waiting(Waiting{Left: left, Open: open})
		}
		if err := r.Wait(ctx, min(left, time.Second)); err != nil {
			return &Stop{Reason: StopInterrupted}
		}
	}
}

// Waiting says that unknown outcomes can be looked for once some time has gone.
type Waiting struct {
	Left time.Duration
	Open int // outcomes that are unknown
}

// Reconcile settles every unknown outcome of the account as far as that can be
// known: it looks, waits, and looks again. Nothing is charged and nothing is
// mailed; invoices proved to have no charge are left for the next run or for
// Retry. The survey adds up all its looks; the error is as Run's.
func (r *Runner) Reconcile(ctx context.Context) (*Survey, error) {
	release, err := r.Ledger.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	account, err := r.Identify(ctx)
	if err != nil {
		return nil, err
	}
	var total Survey
	for look := 0; look == 0 || len(total.Open) > 0 && look <= 2; look++ {
		if look > 0 {
			if stop := r.waitUntil(ctx, r.readyAt(slices.Values(total.Open), total.Began), len(total.Open)); stop != nil {
				return &total, stop
			}
		}
		survey, err := r.survey(ctx, account)
		if err != nil {
			return &total, err
		}
		total.add(survey)
	}
	return &total, nil
}

// add takes in a later look: what was learnt adds up, what is open is the
// latest look's to say.
func (s *Survey) add(later *Survey) {
	s.Began, s.Listed, s.Open = later.Began, later.Listed, later.Open
	s.Strays, s.Duplicate = later.Strays, later.Duplicate
	s.Adopted = append(s.Adopted, later.Adopted...)
	s.Found = append(s.Found, later.Found...)
	s.Absent = append(s.Absent, later.Absent...)
}
