package ledger

import (
	"context"
	"fmt"

	"konbill/batch"
)

// Purge implements batch.Ledger. What is removed is overwritten in the file
// (secure_delete); [Ledger.Scrub] does the rest.
func (l *Ledger) Purge(ctx context.Context, m batch.Move) (batch.Entry, error) {
	return l.move(ctx, "purge an invoice", m, func(e *batch.Entry) { *e = e.Purged(m.At) }, func(ctx context.Context, tx transaction) error {
		if _, err := tx.ExecContext(ctx, "UPDATE notice SET mailed_to = '', reply = '' WHERE key = $1", m.Key); err != nil {
			return err
		}
		return l.forgetFilesWith(ctx, tx, m.Key)
	})
}

// Scrub makes what was purged unreadable in the ledger's files: SQLite's log is emptied,
// PostgreSQL's tables are written anew. It reports whether it could: others may be
// reading SQLite's log just now, and then it goes with the next one that can.
func (l *Ledger) Scrub(ctx context.Context) (whole bool, err error) {
	if whole, err = l.engine.scrub(ctx, l.writer); err != nil {
		return false, fmt.Errorf("scrub the ledger: %w", l.engine.explain(err))
	}
	return whole, nil
}
