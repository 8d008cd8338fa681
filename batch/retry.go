package batch

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// When Retry tries again what a run has left: so long after the try before, and
// after the last of them never, since it is for a person then.
var (
	mailDelays   = []time.Duration{15 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour}
	chargeDelays = []time.Duration{5 * time.Minute, time.Hour, day, day, day, day, day}
)

const day = 24 * time.Hour

// Retried is what Retry has learnt and done; it is empty when nothing was due.
// An invoice that was charged or found, and mailed then, stands in both lists.
type Retried struct {
	Mailed       []Entry
	Deferred     []Entry // put off once more
	Refused      []Entry
	Held         []Entry // the answer was lost, or a process died before it came: for a person
	GivenUpMails []Entry // put off for the last time, or not to be mailed at all: for a person

	Found          []Entry // the account has the charge after all
	Charged        []Entry // proved to have no charge, and charged now
	Declined       []Entry // likewise, and the API refused: for a person
	Unknown        []Entry // still, or anew
	Uncharged      []Entry // proved to have no charge, and not charged yet, since the API made nothing
	GivenUpCharges []Entry // unknown or uncharged for the last time, or past their due date: for a person
}

// Retry tries again what runs have left and what is due by now: mails that were
// put off, or not begun for want of a mail server, and charges of unknown
// outcome. Those are looked for once; two such looks without it prove that an
// invoice has no charge, and it is then charged, since its file is done with
// and nobody would run it again, unless its due date has passed.
//
// Without anything due it asks nobody anything. What could not even be tried,
// for want of a server or an answer, counts as tried, so that the plan comes to
// its end. An interruption counts as nothing. The result is nil only when
// nothing was done; the error is as Run's. After one the same may still be due
// at once: the caller waits as it likes.
func (r *Runner) Retry(ctx context.Context) (*Retried, error) {
	release, err := r.Ledger.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { release(); r.at(LockReleased) }()
	r.at(LockTaken)
	due, err := r.dueNow(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(due) == 0:
		return &Retried{}, nil
	}
	account, err := r.Identify(ctx)
	if err != nil {
		return nil, err
	}
	again := &retrial{Runner: r, account: account, began: r.Now().Truncate(time.Microsecond), unsent: &streak{}, retried: &Retried{}}
	err = again.all(ctx, slices.DeleteFunc(due, func(e Entry) bool { return e.Account != account }))
	return again.retried, err
}

// NextRetry returns when Retry next has something to do; zero when it has
// nothing. It asks the ledger alone.
func (r *Runner) NextRetry(ctx context.Context) (time.Time, error) {
	account, known, err := r.Ledger.AccountOf(ctx, r.Fingerprint)
	if err != nil {
		return time.Time{}, err
	}
	var next time.Time
	err = r.planned(ctx, func(e Entry, at time.Time) {
		if (!known || e.Account == account) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	})
	return next, err
}

func (r *Runner) dueNow(ctx context.Context) ([]Entry, error) {
	var due []Entry
	now := r.Now()
	err := r.planned(ctx, func(e Entry, at time.Time) {
		if !at.After(now) {
			due = append(due, e)
		}
	})
	return due, err
}

// planned lists what Retry will try again, and when. Invoices that are done
// with, of which a ledger has most, are not read; with mail off those are the
// charged ones, too.
func (r *Runner) planned(ctx context.Context, visit func(Entry, time.Time)) error {
	states := []State{Accepted, Charging, Unknown}
	if !r.Settings.MailOff {
		states = append(states, Charged, Mailing, Deferred)
	}
	if !r.Settings.MailOff && r.Settings.ResendHeld {
		states = append(states, Held)
	}
	return r.Ledger.Entries(ctx, Query{States: states}, func(e Entry) error {
		if at := r.retryAt(e); !at.IsZero() {
			visit(e, at)
		}
		return nil
	})
}

// retryAt is when to try an invoice again, zero for never: a function of the
// entry alone, so that a restart changes nothing. An intent that was left by a
// dead process is due however often it was tried, to be given up.
func (r *Runner) retryAt(e Entry) time.Time {
	switch {
	case e.State == Charging:
		return e.UpdatedAt.Add(max(chargeDelays[0], r.Settings.SettleAfter))
	case e.State == Mailing:
		return e.UpdatedAt.Add(mailDelays[0])
	case e.lastTry():
		return time.Time{}
	case e.State == Unknown, e.State == Accepted && e.provedAbsent():
		// A look sooner than settle_after after the one before could prove nothing.
		return e.UpdatedAt.Add(max(chargeDelays[e.Retries], r.Settings.SettleAfter))
	case e.State == Charged && e.MailOwed, e.State == Deferred, e.State == Held:
		if r.mailable(e) {
			return e.UpdatedAt.Add(mailDelays[e.Retries])
		}
	}
	return time.Time{}
}

// lastTry reports whether Retry has done with an invoice all that it will.
func (e Entry) lastTry() bool {
	if e.State.HasCharge() {
		return e.Retries >= len(mailDelays)
	}
	return e.Retries >= len(chargeDelays)
}

// provedAbsent tells an accepted invoice that was asked for, in vain for sure,
// from one that its file will ask for. Once Retry has begun to charge it, its
// count of retries tells.
func (e Entry) provedAbsent() bool { return !e.MissedAt.IsZero() || e.Retries > 0 }

// retrial is a Retry under way.
type retrial struct {
	*Runner
	account Account
	began   time.Time // as precisely as a ledger stores it
	unsent  *streak
	retried *Retried
}

// all tries first what needs the mail server alone, so that it is done even if
// the API is down.
func (t *retrial) all(ctx context.Context, due []Entry) error {
	var mails, charges []Entry
	for _, e := range due {
		if e.State.HasCharge() {
			mails = append(mails, e)
		} else {
			charges = append(charges, e)
		}
	}
	if err := t.mails(ctx, mails); err != nil || len(charges) == 0 {
		return err
	}
	if t.ended(ctx, nil) {
		return &Stop{Reason: StopInterrupted}
	}
	return t.charges(ctx, charges)
}

func (t *retrial) mails(ctx context.Context, due []Entry) error {
	outcomes, err := t.settle(ctx, due)
	for _, o := range outcomes {
		t.addMail(o.entry)
	}
	return err
}

// charges looks for the charges in doubt, and settles what that tells. As in a
// run, nothing is charged before the account was swept.
func (t *retrial) charges(ctx context.Context, due []Entry) error {
	survey, err := t.survey(ctx, t.account)
	if failed := t.lookedInVain(ctx, due, stopOf(err)); err != nil || failed != nil {
		return cmp.Or(failed, err)
	}
	ready := survey.Found
	for _, e := range append(survey.Absent, due...) {
		if e.State != Accepted {
			continue
		}
		may, err := t.mayCharge(ctx, e)
		if err != nil {
			return err
		}
		if may {
			ready = append(ready, e)
		}
	}
	outcomes, err := t.settle(ctx, ready)
	for _, o := range outcomes {
		t.addCharge(o)
		t.addMail(o.entry)
	}
	return err
}

// lookedInVain counts a look for those that it left unknown, and one that was
// not completed for all that it has not settled.
func (t *retrial) lookedInVain(ctx context.Context, due []Entry, stop *Stop) error {
	if !stop.counts() {
		return nil
	}
	for _, e := range due {
		e, err := t.Ledger.Entry(ctx, e.Key)
		if err == nil && (e.State == Unknown || stop != nil && e.State == Accepted) {
			e, err = t.count(ctx, e, "looked for between runs, in vain")
		}
		if err != nil {
			return ledgerStop(err)
		}
		if e.State == Unknown || stop != nil {
			t.addCharge(settled{entry: e})
		}
	}
	return nil
}

// mayCharge reports whether an invoice that has no charge may be charged. Once
// it is a person's business it isn't: that person may have billed it by other
// means. After its due date it becomes so.
func (t *retrial) mayCharge(ctx context.Context, e Entry) (bool, error) {
	past := !e.Invoice.Due.After(t.Now())
	if !past && !e.lastTry() {
		return true, nil
	}
	if !e.lastTry() {
		var err error
		e, err = t.move(ctx, e, Accepted, "not charged: its due date has passed", func(e *Entry) { e.Retries = len(chargeDelays) })
		if err != nil {
			return false, ledgerStop(unlessStale(err))
		}
	}
	t.addCharge(settled{entry: e})
	return false, nil
}

// settle takes invoices as far as they will go, and returns those that have
// moved.
func (t *retrial) settle(ctx context.Context, entries []Entry) ([]settled, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	s, err := t.settlerOf(invoicesOf(entries), t.began)
	if err != nil {
		return nil, err
	}
	s.retrying, s.unsent = true, t.unsent
	outcomes := make([]settled, len(entries))
	for i, e := range entries {
		outcomes[i].entry = e
	}
	stop := s.pool(ctx, len(entries), func(i int) *Stop {
		done, err := s.settle(ctx, entries[i].Key)
		if done.entry.Key != "" {
			outcomes[i] = done
		}
		return stopOf(err)
	})
	if stop.counts() {
		if err := t.countUntouched(ctx, outcomes); err != nil {
			return slices.DeleteFunc(outcomes, t.untouched), err
		}
	}
	return slices.DeleteFunc(outcomes, t.untouched), stopError(stop)
}

// countUntouched counts a try for those that were not begun: there was no use in
// it, and there may be none when the next is due.
func (t *retrial) countUntouched(ctx context.Context, outcomes []settled) error {
	for i, o := range outcomes {
		if !t.untouched(o) {
			continue
		}
		var err error
		if outcomes[i].entry, err = t.count(ctx, o.entry, "due between runs, and could not be tried"); err != nil {
			return ledgerStop(err)
		}
	}
	return nil
}

// untouched reports whether an invoice is as it was when all this began.
func (t *retrial) untouched(o settled) bool { return o.entry.UpdatedAt.Before(t.began) }

// counts reports whether what was not begun because of a stop, or for lack of a
// server, counts as tried.
func (s *Stop) counts() bool {
	return s == nil || s.Reason != StopInterrupted && s.Reason != StopLedger
}

// count counts a try that left an invoice where it was. One that someone else
// has moved meanwhile is theirs.
func (t *retrial) count(ctx context.Context, e Entry, why string) (Entry, error) {
	counted, err := t.move(ctx, e, e.State, why, func(e *Entry) { e.Retries++ })
	if err != nil {
		return e, unlessStale(err)
	}
	return counted, nil
}

func (t *retrial) addCharge(o settled) {
	list := &t.retried.Uncharged
	switch e := o.entry; {
	case o.chargedIn:
		list = &t.retried.Charged
	case e.State.HasCharge():
		list = &t.retried.Found
	case e.State == Declined:
		list = &t.retried.Declined
	case e.lastTry():
		list = &t.retried.GivenUpCharges
	case e.State == Unknown, e.State == Charging:
		list = &t.retried.Unknown
	}
	*list = append(*list, o.entry)
}

// addMail leaves out an invoice that wants no mail, or none yet.
func (t *retrial) addMail(e Entry) {
	unsent := e.State == Charged || e.State == Deferred
	var list *[]Entry
	switch {
	case !e.State.HasCharge(), e.Charge.Status == StatusSuccessful, unsent && t.Settings.MailOff:
		return
	case e.State == Mailed:
		list = &t.retried.Mailed
	case e.State == Refused:
		list = &t.retried.Refused
	case !unsent:
		list = &t.retried.Held
	case e.lastTry(), !t.mailable(e):
		list = &t.retried.GivenUpMails
	default:
		list = &t.retried.Deferred
	}
	*list = append(*list, e)
}
