package fleet

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"konbill/batch/ledger"
)

// Work is how much there is to be settled by a fleet.
type Work struct {
	Waiting  int // invoices that nobody has begun
	UnderWay int // those that machines have taken
}

// Seen counts the work that is there. A ledger that isn't shared, or was never worked on
// by several machines, has none.
func Seen(ctx context.Context, book *ledger.Ledger) (Work, error) {
	var w Work
	if !book.Shared() {
		return w, nil
	}
	pool, err := book.Pool(ctx, 1)
	if err != nil {
		return w, err
	}
	defer pool.Close()
	return seen(ctx, pool)
}

// Seen is as the function of that name, once it is started.
func (f *Fleet) Seen(ctx context.Context) (Work, error) {
	f.start.Lock()
	defer f.start.Unlock()
	if f.client == nil {
		return Work{}, nil
	}
	return seen(ctx, f.pool)
}

func seen(ctx context.Context, pool *pgxpool.Pool) (w Work, err error) {
	var made bool
	err = pool.QueryRow(ctx, "SELECT to_regclass('river_job') IS NOT NULL").Scan(&made)
	if err == nil && made {
		err = pool.QueryRow(ctx, "SELECT count(*) FILTER (WHERE state <> 'running'), count(*) FILTER (WHERE state = 'running') FROM river_job"+
			" WHERE kind = $1 AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled')", settling{}.Kind()).Scan(&w.Waiting, &w.UnderWay)
	}
	if err != nil {
		return w, fmt.Errorf("count the work of the machines: %w", err)
	}
	return w, nil
}
