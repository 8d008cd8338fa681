package batch

import (
	"context"
	"errors"
	"strings"
	"time"

	"konbill/invoice"
)

// surveyMargin is how much further back than needed the account's charges are
// read: clocks differ, lists lag, and a charge may be made after its answer was
// given up.
const surveyMargin = 10 * time.Minute

// Survey is one complete look at the charges that the account has, and what it
// told of the invoices in the ledger. It is both the sweep, which finds charges
// that the ledger doesn't know, and the scan by which unknown outcomes are
// settled.
type Survey struct {
	Began     time.Time
	Listed    int     // charges read, whoever made them
	Adopted   []Entry // not known here, or not known to be charged: issued elsewhere
	Found     []Entry // unknown outcomes whose charge is there
	Absent    []Entry // unknown outcomes proved to have no charge: accepted again
	Open      []Entry // outcomes that are still unknown
	Duplicate []Entry // with more than one charge: for a person
	Strays    []Found // with our metadata, but a key that isn't their number's
}

// survey reads the account's charges once, since the latest sweep and since the
// oldest intent in doubt, and brings the ledger up to them. Nothing is concluded
// from a list that was not read to its end. The error is a *Stop.
func (r *Runner) survey(ctx context.Context, a Account) (*Survey, error) {
	look := &look{Runner: r, account: a, survey: &Survey{Began: r.Now()}, met: map[Key]bool{}}
	open, err := look.inDoubt(ctx)
	if err != nil {
		return nil, ledgerStop(err)
	}
	since, err := look.since(ctx, open)
	if err != nil {
		return nil, ledgerStop(err)
	}
	r.at(SweepListing)
	if err := r.Gateway.Charges(ctx, since, func(f Found) error { return look.take(ctx, f) }); err != nil {
		return nil, surveyStop(ctx, err)
	}
	r.at(SweepListed)
	for _, e := range open {
		if err := look.conclude(ctx, e); err != nil {
			return nil, surveyStop(ctx, err)
		}
	}
	if err := r.Ledger.RecordSweep(ctx, a, look.survey.Began); err != nil {
		return nil, ledgerStop(err)
	}
	r.at(SweepRecorded)
	return look.survey, nil
}

// look is a survey under way.
type look struct {
	*Runner
	account Account
	survey  *Survey
	met     map[Key]bool // keys that the list has a charge for
}

// inDoubt lists the invoices whose outcome is unknown. An intent that nobody
// recorded an outcome for is one of them: what became of it can't be known.
func (l *look) inDoubt(ctx context.Context) ([]Entry, error) {
	var open []Entry
	err := l.Ledger.Entries(ctx, Query{States: []State{Charging, Unknown}}, func(e Entry) error {
		if e.Account != l.account {
			return nil
		}
		if e.State == Charging {
			var err error
			e, err = l.move(ctx, e, Unknown, "no outcome was recorded by an earlier run", func(e *Entry) {
				e.Refusal = Refusal{Code: faultLeft}
			})
			if stale := new(StaleError); errors.As(err, &stale) {
				return nil // its outcome has just been recorded
			}
			if err != nil {
				return err
			}
		}
		open = append(open, e)
		return nil
	})
	return open, err
}

// since is how far back the list must be read.
func (l *look) since(ctx context.Context, open []Entry) (time.Time, error) {
	swept, err := l.Ledger.SweptAt(ctx, l.account)
	if err != nil {
		return time.Time{}, err
	}
	if swept.IsZero() {
		swept = l.survey.Began.AddDate(0, 0, -l.Settings.Reading.Rules.MaxDueDays)
	}
	for _, e := range open {
		if e.IntentAt.Before(swept) {
			swept = e.IntentAt
		}
	}
	return swept.Add(-surveyMargin), nil
}

// take compares one charge of the list with the ledger.
func (l *look) take(ctx context.Context, f Found) error {
	l.survey.Listed++
	switch {
	case f.Key == "" || f.neverPayable():
		return nil
	case f.Key != KeyOfRevision(l.account, f.Number, f.Revision):
		l.survey.Strays = append(l.survey.Strays, f)
		return nil
	}
	l.met[f.Key] = true
	e, err := l.Ledger.Entry(ctx, f.Key)
	switch {
	case errors.Is(err, ErrNotFound):
		err = l.adoptNew(ctx, f)
	case err == nil:
		err = l.match(ctx, e, f)
	}
	if stale := new(StaleError); errors.As(err, &stale) {
		return nil // someone else is moving it; the next survey sees what came of it
	}
	return err
}

// neverPayable reports a charge that failed as it was made: it is no bill. One
// that failed later, unpaid, was one.
func (f Found) neverPayable() bool {
	return f.Status == StatusFailed && f.FailureCode != "timeout" && f.FailureCode != "payment_cancelled"
}

func (l *look) adoptNew(ctx context.Context, f Found) error {
	at := l.Now()
	e, err := l.Ledger.Adopt(ctx, Entry{
		Key: f.Key, Account: l.account, State: Charged, Revision: f.Revision, Invoice: f.invoice(invoice.Invoice{Number: f.Number}),
		Charge: f.Charge, Elsewhere: true, AcceptedAt: at, UpdatedAt: at,
	}, l.Settings.Who, whyElsewhere)
	if err != nil {
		return err
	}
	l.survey.Adopted = append(l.survey.Adopted, e)
	l.at(SweepAdopted)
	return nil
}

const whyElsewhere = "the account has a charge under this key that this ledger did not make"

// match compares a charge with the invoice that has its key.
func (l *look) match(ctx context.Context, e Entry, f Found) error {
	switch {
	case e.State == Unknown || e.State == Charging:
		return l.found(ctx, e, f)
	case !e.State.HasCharge():
		moved, err := l.adopt(ctx, e, f, whyElsewhere, true)
		if err == nil {
			l.survey.Adopted = append(l.survey.Adopted, moved)
			l.at(SweepAdopted)
		}
		return err
	case e.Charge.ID != f.ID:
		return l.flag(ctx, e, f)
	}
	return nil
}

// found settles an unknown outcome: the list is in the order of making, so the
// first charge under a key is the oldest. One with other content isn't what was
// asked for: another ledger made it.
func (l *look) found(ctx context.Context, e Entry, f Found) error {
	inv := e.Invoice
	others := inv.Amount != f.Amount || inv.SentName != f.Name || inv.Phone != f.Phone
	moved, err := l.adopt(ctx, e, f, "the account has the charge", others)
	if err != nil {
		return err
	}
	l.survey.Found = append(l.survey.Found, moved)
	l.at(UnknownFound)
	return nil
}

func (l *look) adopt(ctx context.Context, e Entry, f Found, why string, elsewhere bool) (Entry, error) {
	return l.move(ctx, e, Charged, why, func(e *Entry) {
		e.Charge = f.Charge
		if elsewhere {
			e.Invoice = f.invoice(e.Invoice)
		}
		e.Elsewhere, e.MailOwed = elsewhere, !elsewhere && !l.Settings.MailOff
		e.Refusal, e.MissedAt, e.Retries = Refusal{}, time.Time{}, 0
		e.PurgedAt = time.Time{} // it is a bill again
	})
}

// flag notes a further charge under a key that has one: somebody else made it,
// and a person must see to it.
func (l *look) flag(ctx context.Context, e Entry, f Found) error {
	if !strings.Contains(" "+e.Duplicates+" ", " "+f.ID+" ") {
		var err error
		e, err = l.move(ctx, e, e.State, "the account has another charge under this key: "+f.ID, func(e *Entry) {
			e.Duplicates = strings.TrimSpace(e.Duplicates + " " + f.ID)
		})
		if err != nil {
			return err
		}
	}
	l.survey.Duplicate = append(l.survey.Duplicate, e)
	return nil
}

// invoice is an invoice as it was really charged: what the payer was sent
// counts, whatever a file said.
func (f Found) invoice(known invoice.Invoice) invoice.Invoice {
	if known.Name == "" {
		known.Name, known.Language = f.Name, invoice.Japanese
	}
	known.SentName, known.Email, known.Phone = f.Name, f.Email, f.Phone
	known.Amount, known.Due, known.DueGiven = f.Amount, f.ExpiresAt, true
	return known
}

// conclude decides about an outcome in doubt whose charge the list didn't have.
// One complete list without it proves nothing: the API may still be making it,
// and lists may lag. Two of them, each long enough after what went before, do.
func (l *look) conclude(ctx context.Context, e Entry) error {
	if l.met[e.Key] {
		return nil
	}
	used, err := l.sourceUsed(ctx, e)
	if err != nil {
		return err
	}
	began, settle := l.survey.Began, l.Settings.SettleAfter
	switch {
	case used, began.Before(e.IntentAt.Add(settle)):
		l.survey.Open = append(l.survey.Open, e)
		return nil
	case e.MissedAt.IsZero():
		return l.missed(ctx, e)
	case began.Before(e.MissedAt.Add(settle)):
		l.survey.Open = append(l.survey.Open, e)
		return nil
	}
	return l.absent(ctx, e)
}

// sourceUsed asks for the source by which an invoice was to be charged, in the
// source-first flow: used, it proves that there is a charge.
func (l *look) sourceUsed(ctx context.Context, e Entry) (bool, error) {
	if e.SourceID == "" {
		return false, nil
	}
	return l.Gateway.SourceUsed(ctx, e.SourceID)
}

func (l *look) missed(ctx context.Context, e Entry) error {
	e, err := l.move(ctx, e, Unknown, "a complete list doesn't have the charge", func(e *Entry) { e.MissedAt = l.survey.Began })
	if err != nil {
		return unlessStale(err)
	}
	l.survey.Open = append(l.survey.Open, e)
	l.at(UnknownMissed)
	return nil
}

func (l *look) absent(ctx context.Context, e Entry) error {
	e, err := l.move(ctx, e, Accepted, "two complete lists don't have the charge", func(e *Entry) {
		e.Refusal = Refusal{}
	})
	if err != nil {
		return unlessStale(err)
	}
	l.survey.Absent = append(l.survey.Absent, e)
	l.at(UnknownAbsent)
	return nil
}

// move makes a guarded step for the command at work. It is about the attempt
// that was looked at: what was learnt of one proves nothing about the next.
func (r *Runner) move(ctx context.Context, e Entry, to State, why string, change func(*Entry)) (Entry, error) {
	return r.Ledger.Move(ctx, Move{
		Key: e.Key, From: e.State, To: to, Attempt: e.Attempt, At: r.Now(), Who: r.Settings.Who, Why: why,
	}, change)
}

// unlessStale drops the error of an invoice that someone else has moved.
func unlessStale(err error) error {
	if stale := new(StaleError); errors.As(err, &stale) {
		return nil
	}
	return err
}

// surveyStop says why a survey was not completed.
func surveyStop(ctx context.Context, err error) error {
	var g *GatewayError
	switch {
	case ctx.Err() != nil:
		return &Stop{Reason: StopInterrupted}
	case !errors.As(err, &g):
		return ledgerStop(err)
	case g.Outcome == Unauthorized:
		return &Stop{Reason: StopUnauthorized, Err: g}
	}
	return &Stop{Reason: StopUnreachable, Err: g}
}
