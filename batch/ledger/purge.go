package ledger

import (
	"context"
	"fmt"

	"konbill/batch"
)

// Purge implements batch.Ledger. What is removed is overwritten in the file
// (secure_delete); [Ledger.Scrub] takes it out of SQLite's log, too.
func (l *Ledger) Purge(ctx context.Context, m batch.Move) (batch.Entry, error) {
	return l.move(ctx, "purge an invoice", m, func(e *batch.Entry) { *e = e.Purged(m.At) }, func(ctx context.Context, tx transaction) error {
		_, err := tx.ExecContext(ctx, "UPDATE notice SET mailed_to = '', reply = '' WHERE key = ?", m.Key)
		return err
	})
}

// Scrub empties SQLite's log into the file, so that nothing that was purged is
// left there. It reports whether it could: others may be reading just now, and
// then the log goes with the next one that can.
func (l *Ledger) Scrub(ctx context.Context) (whole bool, err error) {
	var busy, pages, moved int
	if err := l.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
		return false, fmt.Errorf("empty the ledger's log: %w", explain(err))
	}
	return busy == 0, nil
}
