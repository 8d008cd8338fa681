package batch

import (
	"cmp"
	"context"
	"encoding/hex"
	"iter"
	"slices"
	"strings"
	"time"

	"konbill/invoice"
)

// standing is how far a row of a file has come: what a run keeps of it while it
// goes on. All else is in the ledger, or in the file, and is read again for the
// results, so that memory doesn't bound the size of a run.
type standing struct {
	line, place int32 // its line, and its place among the sheet's rows, from 0
	number      string
	amount      invoice.Yen
	row         *Row // nil once the ledger has what it says

	key      Key    // empty: the ledger doesn't have its invoice
	state    State  // of the invoice, as last seen
	result   Result // one of the five
	revision int32

	chargedIn bool     // the charge was made in this run
	slip      bool     // its slip is in the results
	given     [32]byte // SHA-256 of the slip that was given out, as last seen; zero: none was

	remarks *remarks // nil for most
}

// remarks are what few rows have.
type remarks struct {
	findings   []invoice.Finding // of a row that the ledger has the rest of
	unrecorded *Entry            // the invoice with a charge that the ledger couldn't take
	issued     Charge            // the bill under its number, for a row that is rejected because of it
	slipErr    error             // why there is no slip although there is a charge
	replaces   string            // the charge that its own, made in this run, takes the place of
	replacedBy string            // the charge that has taken the place of its own
}

func (o *standing) remark() *remarks {
	if o.remarks == nil {
		o.remarks = &remarks{}
	}
	return o.remarks
}

// known reports whether the ledger has the row's invoice.
func (o *standing) known() bool { return o.key != "" }

// see takes over where an invoice stands.
func (o *standing) see(e Entry) {
	o.key, o.state, o.revision = e.Key, e.State, int32(e.Revision)
	o.result = resultOf(e.State, o.chargedIn)
	o.given = [32]byte{}
	if len(e.SlipSHA256) == hex.EncodedLen(len(o.given)) {
		if _, err := hex.Decode(o.given[:], []byte(e.SlipSHA256)); err != nil {
			o.given = [32]byte{}
		}
	}
}

// reject makes the row one that the ledger has no invoice of.
func (o *standing) reject() { o.key, o.state, o.revision, o.result = "", "", 0, Rejected }

// shed lets go of a row's content once the ledger has it.
func (o *standing) shed() {
	if !o.known() || o.row == nil {
		return
	}
	if len(o.row.Findings) > 0 || o.remarks != nil {
		o.remark().findings = o.row.Findings
	}
	o.row = nil
}

func (o *standing) findings() []invoice.Finding {
	switch {
	case o.row != nil:
		return o.row.Findings
	case o.remarks != nil:
		return o.remarks.findings
	}
	return nil
}

// shed lets go of what the sheet says of the rows that the ledger has. It can be
// read again.
func (j *job) shed() {
	for i := range j.standings {
		o := &j.standings[i]
		if o.known() {
			o.number = strings.Clone(o.number) // or the whole line would stay
		} else {
			kept := *o.row
			o.row = &kept
		}
		o.shed()
	}
	j.sheet.Rows = nil
}

// recollect reads a row's content again.
func (j *job) recollect(o *standing) {
	if o.row == nil {
		row := j.sheet.again(int(o.place))
		row.Findings = o.findings()
		o.row = &row
	}
}

// where lists the rows that is holds for.
func (j *job) where(is func(*standing) bool) []*standing {
	var found []*standing
	for i := range j.standings {
		if is(&j.standings[i]) {
			found = append(found, &j.standings[i])
		}
	}
	return found
}

// readTogether is how many invoices are read from the ledger at once.
const readTogether = 250

// entriesOf reads the invoices of rows, many at a time. A row that has none in the
// ledger is left out.
func (r *Runner) entriesOf(ctx context.Context, rows []*standing) (map[Key]Entry, error) {
	return readEntries(ctx, r.Ledger, keysOf(rows))
}

func readEntries(ctx context.Context, l Ledger, keys []Key) (map[Key]Entry, error) {
	entries := make(map[Key]Entry, len(keys))
	for some := range slices.Chunk(keys, readTogether) {
		err := l.Entries(ctx, Query{Keys: some}, func(e Entry) error {
			entries[e.Key] = e
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// withEntries calls f with each of the rows and its invoice, until f's first error.
func (r *Runner) withEntries(ctx context.Context, rows []*standing, f func(*standing, Entry) error) error {
	for some := range slices.Chunk(rows, readTogether) {
		entries, err := r.entriesOf(ctx, some)
		if err != nil {
			return err
		}
		for _, o := range some {
			if err := f(o, entries[o.key]); err != nil {
				return err
			}
		}
	}
	return nil
}

func keysOf(rows []*standing) []Key {
	keys := make([]Key, 0, len(rows))
	for _, o := range rows {
		if o.known() {
			keys = append(keys, o.key)
		}
	}
	return keys
}

// outcomes yields what became of each row, in file order, with its invoice as the
// ledger has it now. Rows whose invoice can't be read say so, and the error is kept
// for the end of the run.
func (j *job) outcomes(ctx context.Context, out *output) iter.Seq[RowOutcome] {
	return func(yield func(RowOutcome) bool) {
		for part := range inOrder(held(j.parts()), func(p part) part { return p.read(ctx, out.Ledger) }) {
			j.unread = cmp.Or(j.unread, part.unread)
			for _, o := range part.rows {
				if e, read := part.entries[o.key]; read && !j.told {
					j.refresh(o, e)
				}
				if !yield(o.outcome(part.entries, out)) {
					return
				}
			}
		}
	}
}

// refresh takes over what has become of an invoice since it was seen. One that a
// survey found to be issued elsewhere, before it was cut short, may say something else
// than the row.
func (j *job) refresh(o *standing, e Entry) {
	if e.Elsewhere && !o.state.HasCharge() {
		j.lookAgain(o, e)
		return
	}
	o.chargedIn = o.chargedIn || j.charged(e)
	o.see(e)
}

// charged reports whether the charge of an invoice was made for this job, by whichever
// machine.
func (j *job) charged(e Entry) bool {
	return e.State.HasCharge() && !e.Elsewhere && !e.IntentAt.Before(j.started.Truncate(time.Microsecond))
}

// part is some rows whose invoices are read together. Others read them, who know
// nothing but the keys.
type part struct {
	rows    []*standing
	keys    []Key
	entries map[Key]Entry
	unread  error // why there are no entries
}

func (j *job) parts() iter.Seq[part] {
	return func(yield func(part) bool) {
		for rows := range slices.Chunk(j.where(func(*standing) bool { return true }), readTogether) {
			if !yield(part{rows: rows, keys: keysOf(rows)}) {
				return
			}
		}
	}
}

func (p part) read(ctx context.Context, l Ledger) part {
	p.entries, p.unread = readEntries(ctx, l, p.keys)
	return p
}

// outcome is what became of the row, by its invoice among entries.
func (o *standing) outcome(entries map[Key]Entry, out *output) RowOutcome {
	e, read := entries[o.key]
	switch {
	case o.remarks != nil && o.remarks.unrecorded != nil:
		e, read = *o.remarks.unrecorded, true
	case !read && o.known():
		e = Entry{Key: o.key, State: o.state, Revision: int(o.revision), Invoice: invoice.Invoice{Number: o.number, Amount: o.amount}}
	}
	row := Row{Line: int(o.line), Invoice: e.Invoice, Findings: o.findings()}
	if o.row != nil {
		row = *o.row
	}
	outcome := RowOutcome{Row: row, Entry: e, Result: o.result, unread: o.known() && !read}
	if o.slip {
		outcome.Slip = out.slipOf(o.number)
	}
	if o.remarks != nil {
		outcome.remarks = *o.remarks
	}
	return outcome
}
