package ledger

import (
	"context"
	"fmt"
	"time"
)

const (
	selectWebhook  = "SELECT count(*) FROM webhook WHERE id = $1"
	forgetWebhooks = "DELETE FROM webhook WHERE at < $1"
)

// WebhookKnown implements batch.Ledger.
func (l *Ledger) WebhookKnown(ctx context.Context, id string) (bool, error) {
	var known bool
	if err := l.reader.QueryRowContext(ctx, selectWebhook, id).Scan(&known); err != nil {
		return false, fmt.Errorf("look up a webhook: %w", l.engine.explain(err))
	}
	return known, nil
}

// RememberWebhook implements batch.Ledger.
func (l *Ledger) RememberWebhook(ctx context.Context, id string, at, since time.Time) error {
	return l.inTransaction(ctx, "remember a webhook", func(ctx context.Context, tx transaction) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO webhook (id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING", id, instant(at)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, forgetWebhooks, instant(since))
		return err
	})
}
