package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"konbill/batch"
)

const (
	selectNotices = "SELECT key, kind, state, attempt, message_id, mailed_to, reply, updated_at FROM notice WHERE key = $1 ORDER BY "
	storeNotice   = "INSERT INTO notice (key, kind, state, attempt, message_id, mailed_to, reply, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)" +
		" ON CONFLICT (key, kind) DO UPDATE SET state = excluded.state, attempt = excluded.attempt, message_id = excluded.message_id," +
		" mailed_to = excluded.mailed_to, reply = excluded.reply, updated_at = excluded.updated_at"
)

// Notices implements batch.Ledger.
func (l *Ledger) Notices(ctx context.Context, key batch.Key) ([]batch.Notice, error) {
	notices, err := noticesOf(ctx, l.reader, l.dialect, key)
	if err != nil {
		return nil, fmt.Errorf("read the notices of an invoice: %w", l.engine.explain(err))
	}
	return notices, nil
}

func noticesOf(ctx context.Context, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, d dialect, key batch.Key) ([]batch.Notice, error) {
	rows, err := db.QueryContext(ctx, selectNotices+d.noticeOrder, key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var notices []batch.Notice
	for rows.Next() {
		var n batch.Notice
		err := rows.Scan(&n.Key, &n.Kind, &n.State, &n.Attempt, &n.MessageID, &n.MailedTo, &n.Reply, (*instant)(&n.UpdatedAt))
		if err != nil {
			return nil, err
		}
		notices = append(notices, n)
	}
	return notices, rows.Err()
}

// MoveNotice implements batch.Ledger.
func (l *Ledger) MoveNotice(ctx context.Context, m batch.NoticeMove) error {
	return l.inTransaction(ctx, "move a notice", func(ctx context.Context, tx transaction) error {
		e, err := tx.entry(ctx, m.Notice.Key)
		if err != nil {
			return err
		}
		stored, err := noticesOf(ctx, tx, tx.dialect, e.Key)
		if err != nil {
			return err
		}
		event, err := m.Apply(e, batch.NoticeOf(stored, m.Notice.Kind))
		if err != nil {
			return err
		}
		n := m.Notice
		if _, err := tx.ExecContext(ctx, storeNotice, n.Key, n.Kind, n.State, n.Attempt, n.MessageID, n.MailedTo, text(n.Reply), instant(n.UpdatedAt)); err != nil {
			return err
		}
		return tx.record(ctx, event)
	})
}
