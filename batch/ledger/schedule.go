package ledger

import (
	"context"
	"fmt"
	"time"
)

// PassedAt implements batch.Ledger.
func (l *Ledger) PassedAt(ctx context.Context) (time.Time, error) {
	var due instant
	if err := l.reader.QueryRowContext(ctx, "SELECT passed_at FROM schedule").Scan(&due); err != nil {
		return time.Time{}, fmt.Errorf("look up the latest scheduled pass: %w", l.engine.explain(err))
	}
	return time.Time(due), nil
}

// RecordPass implements batch.Ledger.
func (l *Ledger) RecordPass(ctx context.Context, due time.Time) error {
	return l.inTransaction(ctx, "record a scheduled pass", func(ctx context.Context, tx transaction) error {
		_, err := tx.ExecContext(ctx, "UPDATE schedule SET passed_at = $1 WHERE passed_at < $1", instant(due))
		return err
	})
}
