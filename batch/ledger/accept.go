package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

// Beside stores something beside invoices, in the transaction that accepts them for a job:
// it is there if and only if they are.
type Beside func(ctx context.Context, tx *sql.Tx, accepted []batch.Key) error

// StoreBeside has jobs opened from now on with work beside. It isn't to be called while
// one is opened.
func (l *Ledger) StoreBeside(work Beside) { l.beside = work }

// acceptance is the taking in of a job's invoices.
type acceptance struct {
	transaction
	beside Beside
	job    batch.Job
	judge  func(int, batch.Verdict)
	files  map[int64]string // SHA-256 of jobs' files, as far as they were looked up
	named  map[string]bool  // the numbers of those that were taken in

	inserts  []batch.Entry // to be stored, and the events behind them
	events   []batch.Event
	accepted []batch.Key // which of them wait to be charged
}

// acceptSome takes in the invoices that follow.
func (a *acceptance) acceptSome(ctx context.Context, invoices []invoice.Invoice) error {
	known, err := a.latestOf(ctx, a.job.Account, invoices)
	if err != nil {
		return err
	}
	for _, inv := range invoices {
		if a.named[inv.Number] {
			return errors.New("it names one invoice twice")
		}
		verdict, err := a.accept(ctx, inv, known[inv.Number])
		if err != nil {
			return err
		}
		a.judge(len(a.named), verdict)
		a.named[inv.Number] = true
	}
	return a.flush(ctx)
}

// flush stores what is to be stored, with as few statements as the database likes.
func (a *acceptance) flush(ctx context.Context) error {
	for some := range slices.Chunk(a.inserts, a.dialect.together) {
		if err := a.insertAll(ctx, some); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(a.events, a.dialect.together) {
		if err := a.recordAll(ctx, some); err != nil {
			return err
		}
	}
	if a.beside != nil && len(a.accepted) > 0 {
		if err := a.beside(ctx, a.Tx, a.accepted); err != nil {
			return err
		}
	}
	a.inserts, a.events, a.accepted = a.inserts[:0], a.events[:0], a.accepted[:0]
	return nil
}

// accept takes one invoice of the job into the ledger, or says what the ledger
// has of it. known is the latest revision under its number; nil: there is none.
func (a *acceptance) accept(ctx context.Context, inv invoice.Invoice, known *batch.Entry) (batch.Verdict, error) {
	inv.Due = time.Time(instantOf(instant(inv.Due).micros())) // as it is stored
	verdict, events := batch.Accept(known, a.job, inv)
	if err := a.list(ctx, verdict, known); err != nil {
		return batch.Verdict{}, err
	}
	if len(events) == 0 {
		return verdict, nil
	}
	verdict.Entry = asStored(verdict.Entry)
	if known == nil || known.Key != verdict.Entry.Key {
		a.inserts = append(a.inserts, verdict.Entry)
	} else if err := a.update(ctx, &verdict.Entry, known.State); err != nil {
		return batch.Verdict{}, err
	}
	a.events = append(a.events, events...)
	if verdict.Entry.State == batch.Accepted {
		a.accepted = append(a.accepted, verdict.Entry.Key)
	}
	return verdict, nil
}

const (
	listInvoice = "INSERT INTO listed (key, job) VALUES ($1, $2) ON CONFLICT DO NOTHING"
	fileOfJob   = "SELECT sha256 FROM job WHERE id = $1"
)

// list notes that a job lists an invoice. One that is of the same file as the
// invoice's own needs no note: a file has one set of results.
func (a *acceptance) list(ctx context.Context, v batch.Verdict, known *batch.Entry) error {
	listing := v.Listing(known, a.job)
	if listing == 0 {
		return nil
	}
	theirs, err := a.fileOf(ctx, listing)
	if err != nil {
		return err
	}
	own, err := a.fileOf(ctx, v.Entry.Job)
	if err != nil || v.Entry.Job != 0 && own == theirs {
		return err
	}
	_, err = a.prepared(ctx, a.statements.list).ExecContext(ctx, v.Entry.Key, listing)
	return err
}

// fileOf is the SHA-256 of a job's file; empty for no job.
func (a *acceptance) fileOf(ctx context.Context, job int64) (string, error) {
	sha256, known := a.files[job]
	if known || job == 0 {
		return sha256, nil
	}
	if err := a.QueryRowContext(ctx, fileOfJob, job).Scan(&sha256); err != nil {
		return "", err
	}
	a.files[job] = sha256
	return sha256, nil
}

func selectAllOf(d dialect) string {
	return "SELECT " + columnNames + " FROM invoice WHERE " + d.among("number", "$1") + " AND account = $2 AND live = $3"
}

// latestOf returns the latest revision under the number of each invoice, where
// there is one.
func (tx transaction) latestOf(ctx context.Context, a batch.Account, invoices []invoice.Invoice) (map[string]*batch.Entry, error) {
	numbers := make([]string, len(invoices))
	for i, inv := range invoices {
		numbers[i] = inv.Number
	}
	list, err := json.Marshal(numbers)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, selectAllOf(tx.dialect), string(list), a.ID, a.Live)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	latest := make(map[string]*batch.Entry, len(invoices))
	var e batch.Entry
	into := fields(&e)
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		if before := latest[e.Invoice.Number]; before == nil || e.Revision > before.Revision {
			one := e
			latest[e.Invoice.Number] = &one
		}
	}
	return latest, rows.Err()
}

// knownOr makes nil of an invoice that isn't there.
func knownOr(e batch.Entry, err error) (*batch.Entry, error) {
	switch {
	case errors.Is(err, batch.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &e, nil
}
