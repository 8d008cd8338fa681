package batch_test

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"konbill/batch"
	"konbill/invoice"
	"konbill/mailer"
)

// judge watches everything that happens in the simulated world, knows the truth
// about it, and says what must never have happened.
type judge struct {
	*world
	numbers    map[batch.Key]string
	underWay   map[batch.Key]int // charges the API will still make
	processes  []*process        // at work at the same time
	mailsOnce  bool              // smtp.on_unknown = "hold"
	violations []string
}

func (j *judge) violated(format string, args ...any) {
	v := fmt.Sprintf(format, args...)
	j.tell("VIOLATED: %s", v)
	j.violations = append(j.violations, v)
}

func (j *judge) numberOf(key batch.Key) string { return j.numbers[key] }

// alone reports whether nobody else moves the invoices of a run.
func (j *judge) alone() bool { return len(j.processes) == 1 }

// charged: no number ever has two bills that can be paid or are.
func (j *judge) charged(c *apiCharge) {
	if owed := j.api.owed(c.Number); c.Key != "" && len(owed) > 1 {
		j.violated("%s is charged %d times", c.Number, len(owed))
	}
	if c.Revision > 1 && c.wasBill() {
		j.census["a bill is issued again"]++
	}
}

// acts: who was told that another run holds the ledger touches nothing.
func (j *judge) acts(p *process, what string) {
	if p.refused {
		j.violated("%s goes on although another run holds the ledger: %s", p.name, what)
	}
}

// asks: nobody asks for a charge without holding the ledger.
func (j *judge) asks(p *process, r batch.ChargeRequest) {
	p.asked[r.Key] = true
	if !p.holding {
		j.violated("%s asks for the charge of %s without holding the ledger", p.name, r.Number)
	}
}

// holds: one process at a time holds a ledger, and a dead one doesn't.
func (j *judge) holds(p *process, err error) {
	other := slices.IndexFunc(j.processes, func(q *process) bool { return q != p && q.holding && q.book == p.book }) >= 0
	switch {
	case err == nil && other && !p.lockless:
		j.violated("%s holds the ledger together with another run", p.name)
	case errors.Is(err, batch.ErrHeld) && !other:
		j.violated("%s is told that another run holds the ledger, and none does", p.name)
	}
	p.holding, p.refused = err == nil, errors.Is(err, batch.ErrHeld)
}

// latest is the latest bill under a number, as a ledger has it.
func (b *book) latest(number string) batch.Entry {
	e, _ := b.Latest(context.Background(), simulatedAccount, number) // empty: there is none
	return e
}

// mailed: a mail leaves only when the ledger durably has its charge and its
// intent, and the API has that charge. It returns the bill's key.
func (j *judge) mailed(p *process, e mailer.Envelope) batch.Key {
	number := numberOfAddress(e.To)
	entry := p.book.latest(number)
	for entry.MessageID != e.MessageID && entry.Previous() != "" {
		entry, _ = p.book.Entry(context.Background(), entry.Previous())
	}
	if entry.Key == "" {
		j.violated("%s is mailed and not in the ledger", number)
		return ""
	}
	if entry.State != batch.Mailing && (j.alone() || entry.State != batch.Held) || entry.MessageID != e.MessageID {
		j.violated("%s is mailed while the ledger has it %s, with Message-ID %q", number, entry.State, entry.MessageID)
	}
	if !slices.ContainsFunc(j.api.bills(entry.Key), func(c *apiCharge) bool { return c.ID == entry.Charge.ID }) {
		j.violated("%s is mailed with the charge %q, which the API doesn't have", number, entry.Charge.ID)
	}
	if entry.Elsewhere {
		j.violated("%s is mailed although it was issued elsewhere", number)
	}
	if !strings.Contains(string(e.Data), e.MessageID) {
		j.violated("%s is mailed without its Message-ID", number)
	}
	if j.mailsOnce && slices.Contains(j.mail.stored, storedMail{to: e.To, key: entry.Key, life: p.book.life}) {
		j.violated("%s is mailed again although it was mailed", number)
	}
	return entry.Key
}

// finished judges what a run that came to its end says of its file. A process
// that died says nothing.
func (j *judge) finished(p *process) {
	if p.dead {
		return
	}
	if p.refused != errors.Is(p.err, batch.ErrHeld) {
		j.violated("%s: another run holds the ledger (%v), and the error is %v", p.name, p.refused, p.err)
	}
	if p.retry {
		j.triedAgain(p)
		return
	}
	if p.report == nil {
		if len(p.asked) > 0 {
			j.violated("%s asked for charges and reports nothing: %v", p.name, p.err)
		}
		return
	}
	if in, out := p.report.Receipt.RowsIn, p.report.Receipt.Results.All(); in != out {
		j.violated("%s: %+v in, %+v out", p.name, in, out)
	}
	if len(p.told) != len(p.rows) {
		j.violated("%s: %d rows in, %d reported", p.name, len(p.rows), len(p.told))
		return
	}
	for i, o := range p.told {
		j.reported(p, p.rows[i], o)
	}
	if !p.diskFails {
		j.written(p)
	}
}

// triedAgain judges what a retry says of what it did.
func (j *judge) triedAgain(p *process) {
	if p.retried == nil {
		p.retried = &batch.Retried{}
	}
	r := p.retried
	told := map[batch.Key]bool{}
	for name, list := range map[string][]batch.Entry{
		"charged": r.Charged, "found": r.Found, "declined": r.Declined, "unknown": r.Unknown,
		"uncharged": r.Uncharged, "charge given up": r.GivenUpCharges,
		"mailed": r.Mailed, "mail put off": r.Deferred, "mail refused": r.Refused, "mail held": r.Held, "mail given up": r.GivenUpMails,
	} {
		for _, e := range list {
			told[e.Key] = true
			j.census["tried again: "+name]++
			j.agrees(p, name, e)
		}
	}
	for key := range p.asked {
		if !told[key] && j.alone() {
			j.violated("%s asked for the charge of %s and doesn't say what came of it", p.name, j.numberOf(key))
		}
	}
}

// agrees compares what a retry says of an invoice with what the API and the
// mail server have.
func (j *judge) agrees(p *process, name string, e batch.Entry) {
	bills := j.api.bills(e.Key)
	there := slices.ContainsFunc(bills, func(c *apiCharge) bool { return c.ID == e.Charge.ID })
	ours := slices.ContainsFunc(bills, func(c *apiCharge) bool { return c.life == p.book.life && !c.foreign })
	stored := slices.Contains(j.mail.stored, storedMail{to: e.MailedTo, key: e.Key, life: p.book.life})
	switch {
	case e.State.HasCharge() && !there:
		j.violated("%s: %s is %s with the charge %q, which the API doesn't have", p.name, e.Invoice.Number, name, e.Charge.ID)
	case (name == "declined" || name == "uncharged") && ours && j.alone():
		j.violated("%s: %s is %s, and its charge was made", p.name, e.Invoice.Number, name)
	case name == "mailed" && !stored:
		j.violated("%s: %s is mailed, and the mail server doesn't have it", p.name, e.Invoice.Number)
	}
}

// reported compares what a run says of a row with what the API has.
func (j *judge) reported(p *process, row content, o batch.RowOutcome) {
	key := cmp.Or(o.Entry.Key, p.book.latest(row.number).Key, batch.KeyOf(simulatedAccount, row.number))
	bills := j.api.bills(key)
	codes := o.Codes(p.report.Reach)
	for _, code := range codes {
		j.census["row: "+string(code)]++
	}
	if slices.Contains(codes, "not_read") {
		return // it says that it doesn't know
	}
	conflict := slices.ContainsFunc(o.Findings, func(f invoice.Finding) bool { return f.Code == invoice.CodeConflict })
	wrong := func(why string) { j.violated("%s: %s is %s: %s", p.name, row.number, o.Result, why) }
	if o.Invoice.Number != row.number {
		wrong("another row is " + o.Invoice.Number)
	}
	if !row.good() && o.Result != batch.Rejected {
		wrong("the row is bad")
	}
	switch o.Result {
	case batch.Issued, batch.AlreadyIssued:
		i := slices.IndexFunc(bills, func(c *apiCharge) bool { return c.ID == o.Entry.Charge.ID })
		if i < 0 {
			wrong(fmt.Sprintf("the API has no charge %q for it", o.Entry.Charge.ID))
		} else if int(bills[i].Amount) != row.amount || bills[i].Phone != row.phone {
			wrong("the charge has another content")
		}
		if o.Result == batch.Issued && j.alone() && !p.asked[key] {
			wrong("nobody asked for it in this run")
		}
	case batch.Failed:
		mine := slices.ContainsFunc(bills, func(c *apiCharge) bool { return c.life == p.book.life })
		if j.alone() && (mine || j.underWay[key] > 0) {
			wrong("its charge was made")
		}
	case batch.Rejected:
		if row.good() && !conflict {
			wrong("the row is good")
		}
		if conflict && j.alone() && slices.ContainsFunc(bills, func(c *apiCharge) bool { return c.life == p.book.life && row.same(c.asked) }) {
			wrong("it says what was asked for")
		}
		if p.asked[key] {
			wrong("it was asked for")
		}
	}
}

// written: the results file has every row, with the result that was reported.
func (j *judge) written(p *process) {
	report := p.report
	records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(j.disk[report.Results]), "\uFEFF"))).ReadAll()
	if err != nil || len(records) != len(p.told)+1 {
		j.violated("%s: %d lines of results for %d rows, %v", p.name, len(records), len(p.told), err)
		return
	}
	column := slices.Index(records[0], "result")
	for i, o := range p.told {
		if records[i+1][0] != p.rows[i].number || records[i+1][column] != string(o.Result) {
			j.violated("%s: line %q of the results for %s, which is %s", p.name, records[i+1], p.rows[i].number, o.Result)
		}
	}
}

// settled judges the end of all: the last run, without faults, had nothing left
// to do, and every good invoice is charged exactly once and known to be. Who
// gets mail has got it, unless the mail server was the one to say no.
func (j *judge) settled(last *process) {
	if last.err != nil || last.report == nil {
		j.violated("the last run ends with %v", last.err)
		return
	}
	for i, row := range last.rows {
		owed := j.api.owed(row.number)
		if !row.good() {
			if len(owed) > 0 {
				j.violated("%s is a bad row and was charged", row.number)
			}
			continue
		}
		o := last.told[i]
		left := j.left(o, last.report.Reach)
		ended := left || !last.reissue && last.book.latest(row.number).Charge.OverUnpaid()
		if len(owed) != 1 && !(len(owed) == 0 && ended) {
			j.violated("%s ends with %d charges", row.number, len(owed))
		}
		pending := o.Entry.Charge.Status == "pending"
		switch {
		case o.Result != batch.AlreadyIssued && !left:
			j.violated("%s ends %s", row.number, o.Result)
		case o.Entry.State == batch.Charged && pending && !o.Entry.Elsewhere && !last.report.Reach.MailOff:
			j.violated("%s ends without a mail", row.number)
		case pending && (o.Entry.State == batch.Deferred || o.Entry.State == batch.Mailing):
			j.violated("the mail of %s ends %s", row.number, o.Entry.State)
		}
	}
}

// left reports whether a row was not issued again, and rightly so: because of an
// earlier bill, be it one that somebody else made.
func (j *judge) left(o batch.RowOutcome, r batch.Reach) bool {
	code := map[string]invoice.Code{"successful": "old_bill_paid", "pending": "old_bill_open"}
	return o.Result == batch.Failed && slices.ContainsFunc(j.api.charges, func(c *apiCharge) bool {
		return c.Number == o.Invoice.Number && slices.Contains(o.Codes(r), code[c.Status])
	})
}
