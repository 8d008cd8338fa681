package follow

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"konbill/batch"
)

const (
	// grace is how long after its due date a charge is still expected to turn
	// up with those that can be paid: stores report late, and clocks differ.
	grace = 3 * 24 * time.Hour
	// mostOverdue is how many charges that are pending long after their due date
	// are asked for one by one, rather than have the list read from so far back.
	mostOverdue = 50
	// mostFailures is after how many charges in a row for which the API failed it
	// is left alone.
	mostFailures = 3
)

// Synced is what one look at all open charges told.
type Synced struct {
	Began   time.Time
	Listed  int           // charges read in lists, whoever made them
	Fetched int           // charges asked for one by one
	Changed []batch.Entry // with another payment status now, as they are
	Open    batch.Sum     // still pending

	// For a person; all of them should be empty.
	Missing      []batch.Entry // pending here; the account has no such charge
	Contradicted []batch.Entry // the account says what can't follow from what is recorded
	Strays       []batch.Found // pending or paid, with our metadata; the ledger has no such charge
	Overtaken    []Overtaken
}

// NeedsPerson counts what somebody has to see to.
func (s *Synced) NeedsPerson() int {
	return len(s.Missing) + len(s.Contradicted) + len(s.Strays) + len(s.Overtaken)
}

// Sync brings every open charge up to date: one request per hundred charges
// that the account made since the oldest open one, and one for each that the
// lists leave in doubt, until the API fails for several in a row. Without open charges it asks for nothing. With an error,
// the gateway's or the ledger's, the result is what was learnt and stored before;
// it is nil when the ledger can't be read.
func (f *Follower) Sync(ctx context.Context) (*Synced, error) {
	l := &look{Follower: f, synced: &Synced{Began: f.Now()}, doubtful: map[batch.Key]batch.Entry{}, strays: map[string]bool{}}
	open, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	asking := l.ask(ctx, open)
	ctx = context.WithoutCancel(ctx)
	open, err = l.open(ctx)
	if err == nil {
		l.synced.Overtaken, err = l.overtaken(ctx)
	}
	if err != nil {
		return nil, errors.Join(asking, err)
	}
	for _, e := range open {
		l.synced.Open.Rows++
		l.synced.Open.Yen += e.Charge.Amount
	}
	return l.synced, asking
}

// look is a sync under way.
type look struct {
	*Follower
	synced *Synced
	// doubtful are the charges that are not known to be as the ledger has them:
	// at first all that are asked about, in the end those to ask for by id.
	doubtful map[batch.Key]batch.Entry
	strays   map[string]bool // ids of those noted
}

// ask learns what the API says of the open charges, and of those that some of
// them have just taken the place of.
func (l *look) ask(ctx context.Context, open []batch.Entry) error {
	replaced, err := l.justReplaced(ctx, open)
	if err != nil {
		return err
	}
	open = append(open, replaced...)
	for _, e := range open {
		l.doubtful[e.Key] = e
	}
	if since := l.since(open); !since.IsZero() {
		if err := l.Gateway.Charges(ctx, since, func(found batch.Found) error { return l.take(ctx, found) }); err != nil {
			return err
		}
	}
	return l.fetchAll(ctx, l.inDoubt())
}

// fetchAll asks for charges one by one. One for which the API fails keeps none of
// the others from being asked for; its error is returned in the end.
func (l *look) fetchAll(ctx context.Context, doubtful []batch.Entry) error {
	var failed error
	inARow := 0
	for _, e := range doubtful {
		err := l.fetch(ctx, e)
		if err == nil {
			inARow = 0
			continue
		}
		failed = cmp.Or(failed, err)
		inARow++
		if byAPI := new(batch.GatewayError); ctx.Err() != nil || inARow == mostFailures || !errors.As(err, &byAPI) {
			return failed
		}
	}
	return failed
}

// open lists the invoices that wait for their payment.
func (l *look) open(ctx context.Context) ([]batch.Entry, error) {
	var open []batch.Entry
	err := l.Ledger.Entries(ctx, batch.Query{ChargeStatuses: []string{batch.StatusPending}}, func(e batch.Entry) error {
		if e.Account == l.Account && e.State.HasCharge() {
			open = append(open, e)
		}
		return nil
	})
	return open, err
}

// since is from when on charges are listed; zero when none need to be. A few
// charges that are long overdue don't stretch the list; many do.
func (l *look) since(open []batch.Entry) time.Time {
	var oldest, oldestOverdue time.Time
	overdue := 0
	for _, e := range open {
		made := e.Charge.CreatedAt
		if e.Charge.ExpiresAt.Before(l.synced.Began.Add(-grace)) {
			overdue++
			oldestOverdue = earlier(oldestOverdue, made)
		} else {
			oldest = earlier(oldest, made)
		}
	}
	if overdue > mostOverdue {
		return earlier(oldest, oldestOverdue)
	}
	return oldest
}

// earlier ignores the zero time, which stands for none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// take compares a listed charge with the ledger.
func (l *look) take(ctx context.Context, found batch.Found) error {
	l.synced.Listed++
	if found.Key == "" {
		return nil // others made it
	}
	e, waiting := l.doubtful[found.Key]
	if !waiting {
		var err error
		e, err = l.Ledger.Entry(ctx, found.Key)
		if err != nil && !errors.Is(err, batch.ErrNotFound) {
			return err
		}
	}
	if !e.State.HasCharge() || e.Charge.ID != found.ID {
		l.noteStray(e, found)
		return nil
	}
	return l.learn(ctx, e, found, false)
}

// noteStray notes a charge that the ledger doesn't have. One that is over unpaid
// needs nobody, and one whose outcome is unknown is for a run, or reconcile, to
// find.
func (l *look) noteStray(e batch.Entry, found batch.Found) {
	over := found.OverUnpaid()
	beingCharged := e.State == batch.Charging || e.State == batch.Unknown
	if !over && !beingCharged && !l.strays[found.ID] {
		l.strays[found.ID] = true
		l.synced.Strays = append(l.synced.Strays, found)
	}
}

// inDoubt lists what is doubtful, oldest charge first.
func (l *look) inDoubt() []batch.Entry {
	return slices.SortedFunc(maps.Values(l.doubtful), func(a, b batch.Entry) int {
		return cmp.Or(a.Charge.CreatedAt.Compare(b.Charge.CreatedAt), cmp.Compare(a.Key, b.Key))
	})
}

// fetch asks for one charge that the lists left in doubt.
func (l *look) fetch(ctx context.Context, e batch.Entry) error {
	l.synced.Fetched++
	found, err := l.Gateway.Charge(ctx, e.Charge.ID)
	switch {
	case batch.IsMissing(err):
		l.synced.Missing = append(l.synced.Missing, e)
		return nil
	case err != nil:
		return err
	case found.Key != e.Key:
		l.synced.Contradicted = append(l.synced.Contradicted, e)
		return nil
	}
	return l.learn(ctx, e, found, true)
}

// learn takes over what the API says of an invoice's charge.
func (l *look) learn(ctx context.Context, e batch.Entry, found batch.Found, fresh bool) error {
	got, err := l.payments().Learn(ctx, e, found.Charge, fresh)
	switch {
	case err != nil:
		return err
	case got.Verdict == batch.Contradiction:
		l.doubt(got.Before, got.Fresh)
		return nil
	}
	delete(l.doubtful, e.Key)
	if got.After.Charge.Status != got.Before.Charge.Status {
		l.synced.Changed = append(l.synced.Changed, got.After)
	}
	return nil
}

// doubt keeps an invoice to ask for its charge, now or in the next sync; what a
// fresh answer left in doubt is a person's.
func (l *look) doubt(e batch.Entry, fresh bool) {
	if fresh {
		l.synced.Contradicted = append(l.synced.Contradicted, e)
		return
	}
	l.doubtful[e.Key] = e
}
