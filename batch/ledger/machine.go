package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Machine is a process that serves an inbox, stands by to do so, or settles invoices that
// another has taken.
type Machine struct {
	Name  string // of the computer
	Inbox string // what names the inbox: the same for all who see the same folder; empty: it serves none
	Doing string // the file it is at; empty: none

	// What only the database knows.
	Turn        bool
	Since, Seen time.Time // by the server's clock

	// Of what all may ask of the payment API; 0: nothing.
	PerSecond float64
	AtOnce    int
	InHand    int  // invoices that it settles
	Leads     bool // it runs a file, and hands out its invoices
}

// Shared reports whether other machines may use the ledger, too.
func (l *Ledger) Shared() bool {
	_, shared := l.engine.(*postgres)
	return shared
}

// TakeTurn tells the others that this process is there, and reports whether it is the
// one to serve its inbox: it was already, nobody is, or who was hasn't told of itself
// for the length of a term. The sessions of that one are ended, so that it keeps no
// lock; it may yet wake up, and nothing that it does then is taken on trust.
//
// It is to be called several times a term, and not at the same time. A ledger that
// isn't shared has no others.
func (l *Ledger) TakeTurn(ctx context.Context, m Machine, term time.Duration) (turn bool, err error) {
	p, shared := l.engine.(*postgres)
	if !shared {
		return true, nil
	}
	if turn, err = p.takeTurn(ctx, m, term); err != nil {
		return false, fmt.Errorf("take turns with other machines: %w", p.explain(err))
	}
	return turn, nil
}

// Leave gives up the turn. Who has no share of the pace is nowhere to be seen any more.
func (l *Ledger) Leave(ctx context.Context) error {
	p, shared := l.engine.(*postgres)
	if !shared {
		return nil
	}
	_, err := p.holder().ExecContext(ctx, "WITH gone AS (DELETE FROM machine WHERE id = $1 AND share_at IS NULL)"+
		" UPDATE machine SET turn = FALSE, inbox = '', doing = '' WHERE id = $1 AND share_at IS NOT NULL", p.session)
	if err != nil {
		return fmt.Errorf("give up the turn: %w", p.explain(err))
	}
	return nil
}

// Machines lists the processes that have told of themselves within a time, those with
// the turn first.
func (l *Ledger) Machines(ctx context.Context, within time.Duration) ([]Machine, error) {
	p, shared := l.engine.(*postgres)
	if !shared {
		return nil, nil
	}
	machines, err := p.machines(ctx, l.reader, within)
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", p.explain(err))
	}
	return machines, nil
}

// lastSeen is when a machine last told of itself, on whichever occasion.
const lastSeen = "greatest(seen_at, share_at)"

// newSession names the sessions of a process for all who see them.
func newSession() string { return "konbill " + rand.Text() }

func (p *postgres) takeTurn(ctx context.Context, m Machine, term time.Duration) (turn bool, err error) {
	tx, err := p.holder().BeginTx(ctx, nil) // the ledger's own connection may be busy
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1, $2)", lockClass, lockTurn); err != nil {
		return false, err
	}
	if turn, err = p.turnIsFree(ctx, tx, m.Inbox, term); err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO machine (id, name, inbox, doing, turn) VALUES ($1, $2, $3, $4, $5)"+
		" ON CONFLICT (id) DO UPDATE SET name = $2, inbox = $3, doing = $4, turn = $5, seen_at = clock_timestamp()",
		p.session, m.Name, m.Inbox, m.Doing, turn)
	if err != nil {
		return false, err
	}
	// Who has left without a word isn't of interest for ever.
	if _, err := tx.ExecContext(ctx, "DELETE FROM machine WHERE NOT turn AND "+lastSeen+" < clock_timestamp() - INTERVAL '7 days'"); err != nil {
		return false, err
	}
	return turn, tx.Commit()
}

// turnIsFree takes the turn from who has been silent for too long.
func (p *postgres) turnIsFree(ctx context.Context, tx *sql.Tx, inbox string, term time.Duration) (bool, error) {
	var id string
	var silent bool
	err := tx.QueryRowContext(ctx, "SELECT id, seen_at < clock_timestamp() - CAST($2 AS double precision) * INTERVAL '1 second'"+
		" FROM machine WHERE inbox = $1 AND turn", inbox, term.Seconds()).Scan(&id, &silent)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return true, nil
	case err != nil || id == p.session:
		return err == nil, err
	case !silent:
		return false, nil
	}
	if _, err := tx.ExecContext(ctx, "UPDATE machine SET turn = FALSE WHERE id = $1", id); err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()", id)
	return err == nil, err
}

func (p *postgres) machines(ctx context.Context, reader *sql.DB, within time.Duration) ([]Machine, error) {
	rows, err := reader.QueryContext(ctx, "SELECT name, inbox, doing, turn, since, "+lastSeen+","+
		" CASE WHEN "+sharesNow+" THEN per_second ELSE 0 END, CASE WHEN "+sharesNow+" THEN at_once ELSE 0 END,"+
		" CASE WHEN "+sharesNow+" THEN in_hand ELSE 0 END, leads AND "+sharesNow+" FROM machine"+
		" WHERE "+lastSeen+" >= clock_timestamp() - CAST($1 AS double precision) * INTERVAL '1 second' ORDER BY turn DESC, name, id", within.Seconds())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var machines []Machine
	for rows.Next() {
		var m Machine
		if err := rows.Scan(&m.Name, &m.Inbox, &m.Doing, &m.Turn, &m.Since, &m.Seen, &m.PerSecond, &m.AtOnce, &m.InHand, &m.Leads); err != nil {
			return nil, err
		}
		machines = append(machines, m)
	}
	return machines, rows.Err()
}
