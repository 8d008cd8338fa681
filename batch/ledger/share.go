package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Whole is what all machines together may ask of the payment API.
type Whole struct {
	PerSecond float64 // requests
	AtOnce    int     // requests under way
}

// Claim is what a machine says as it takes its share.
type Claim struct {
	Name    string // of the computer
	Whole   Whole  // as it is configured: the same everywhere
	InHand  int    // invoices that it settles just now
	Leads   bool   // it runs a file, and hands out its invoices
	Wants   bool   // it has something to ask, or had a moment ago
	TooMany bool   // the API told it, since it last took its share, that requests are too many
}

// Share is the part of the whole that one machine has, until it takes it again or a
// lease has gone since it began to.
type Share struct {
	PerSecond float64
	AtOnce    int
	Machines  int       // that share the whole, this one included
	TooMany   time.Time // when the API last told any of them that requests are too many, by the server's clock; zero: never
}

// What a machine that can't be heard of has, others take after leaseKept; it has itself
// stopped to use it after Lease. In between is time for an answer on its way and for
// clocks that don't run alike.
const (
	Lease     = 5 * time.Second
	leaseKept = Lease + 2*time.Second
)

// TakeShare tells of this machine and returns what it may ask of the API from now on: as
// much as each of those that have something to ask, or what they leave until they have
// given way. It is to be
// called several times a Lease, and not at the same time. Before anything is stored, since
// others may have the rest at once, obey is called with the share: it does without what it
// has more, and returns how many requests are under way, which count until they have
// ended. A ledger that isn't shared has no others.
func (l *Ledger) TakeShare(ctx context.Context, c Claim, obey func(Share) (underWay int)) (Share, error) {
	p, shared := l.engine.(*postgres)
	if !shared {
		return Share{PerSecond: c.Whole.PerSecond, AtOnce: c.Whole.AtOnce, Machines: 1}, nil
	}
	share, err := p.takeShare(ctx, c, obey)
	if err != nil {
		return Share{}, fmt.Errorf("share the pace with other machines: %w", p.explain(err))
	}
	return share, nil
}

// LeaveShare lets the others have what this machine had.
func (l *Ledger) LeaveShare(ctx context.Context) error {
	p, shared := l.engine.(*postgres)
	if !shared {
		return nil
	}
	if _, err := p.holder().ExecContext(ctx, "DELETE FROM machine WHERE id = $1", p.session); err != nil {
		return fmt.Errorf("give up the share of the pace: %w", p.explain(err))
	}
	return nil
}

// Process names this process to the others; empty where there are none.
func (l *Ledger) Process() string {
	if p, shared := l.engine.(*postgres); shared {
		return p.session
	}
	return ""
}

// Sharing lists the processes that have a share of the pace, and how many invoices each
// said it settles. Who isn't among them does no work.
func (l *Ledger) Sharing(ctx context.Context) (inHand map[string]int, err error) {
	p, shared := l.engine.(*postgres)
	if !shared {
		return nil, nil
	}
	if inHand, err = p.sharing(ctx, l.reader); err != nil {
		return nil, fmt.Errorf("list machines: %w", p.explain(err))
	}
	return inHand, nil
}

// sharesNow is the condition that a machine has a share.
var sharesNow = fmt.Sprintf("machine.share_at > clock_timestamp() - INTERVAL '%d milliseconds'", leaseKept.Milliseconds())

func (p *postgres) takeShare(ctx context.Context, c Claim, obey func(Share) int) (Share, error) {
	tx, err := p.holder().BeginTx(ctx, nil)
	if err != nil {
		return Share{}, err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1, $2)", lockClass, lockShare); err != nil {
		return Share{}, err
	}
	// It counts from here on, however much it gets.
	_, err = tx.ExecContext(ctx, "INSERT INTO machine (id, name, inbox, doing, turn, wants, share_at, too_many_at)"+
		" VALUES ($1, $2, '', '', FALSE, $3, clock_timestamp(), CASE WHEN $4 THEN clock_timestamp() END)"+
		" ON CONFLICT (id) DO UPDATE SET name = $2, wants = $3, share_at = clock_timestamp(), too_many_at = CASE WHEN $4 THEN clock_timestamp() ELSE machine.too_many_at END",
		p.session, c.Name, c.Wants, c.TooMany)
	if err != nil {
		return Share{}, err
	}
	share, err := p.shareOf(ctx, tx, c.Whole)
	if err != nil {
		return Share{}, err
	}
	underWay := obey(share)
	_, err = tx.ExecContext(ctx, "UPDATE machine SET per_second = $2, at_once = $3, in_hand = $4, leads = $5 WHERE id = $1",
		p.session, share.PerSecond, max(share.AtOnce, underWay), c.InHand, c.Leads)
	if err != nil {
		return Share{}, err
	}
	return share, tx.Commit()
}

// passOnEvery is how often what doesn't divide goes to the next machine: where there are
// more of them than requests under way, each has its time.
const passOnEvery = Lease

// shareOf is an equal part of the whole for each that wants one, for each at all while
// nobody does; or as much of it as the others leave.
func (p *postgres) shareOf(ctx context.Context, tx *sql.Tx, whole Whole) (Share, error) {
	var all, wanting, among, atOnce int // among: how many of those come before this one
	var wants bool
	var perSecond float64
	var passedOn int64
	var tooMany sql.NullTime
	err := tx.QueryRowContext(ctx, "WITH me AS (SELECT wants, since, id FROM machine WHERE id = $1),"+
		" sharing AS (SELECT machine.*, machine.id = me.id AS mine, (machine.since, machine.id) < (me.since, me.id) AS before"+
		" FROM machine, me WHERE "+sharesNow+")"+
		" SELECT count(*), count(*) FILTER (WHERE wants), (SELECT wants FROM me),"+
		" count(*) FILTER (WHERE before AND (wants OR NOT EXISTS (SELECT FROM sharing WHERE wants))),"+
		" coalesce(sum(per_second) FILTER (WHERE NOT mine), 0), coalesce(sum(at_once) FILTER (WHERE NOT mine), 0), max(too_many_at),"+
		" CAST(extract(epoch FROM clock_timestamp()) / $2 AS bigint) FROM sharing", p.session, passOnEvery.Seconds()).
		Scan(&all, &wanting, &wants, &among, &perSecond, &atOnce, &tooMany, &passedOn)
	if err != nil {
		return Share{}, err
	}
	share := Share{Machines: all, TooMany: tooMany.Time}
	parts := wanting
	switch {
	case wanting == 0:
		parts = all
	case !wants:
		return share, nil
	}
	share.PerSecond = min(whole.PerSecond/float64(parts), max(whole.PerSecond-perSecond, 0))
	equal := whole.AtOnce / parts
	if (int64(among)+passedOn)%int64(parts) < int64(whole.AtOnce%parts) {
		equal++
	}
	share.AtOnce = min(equal, max(whole.AtOnce-atOnce, 0))
	return share, nil
}

func (p *postgres) sharing(ctx context.Context, reader *sql.DB) (map[string]int, error) {
	rows, err := reader.QueryContext(ctx, "SELECT id, in_hand FROM machine WHERE "+sharesNow)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]int{}
	for rows.Next() {
		var id string
		var inHand int
		if err := rows.Scan(&id, &inHand); err != nil {
			return nil, err
		}
		all[id] = inHand
	}
	return all, rows.Err()
}
