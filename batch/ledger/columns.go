package ledger

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"konbill/batch"
)

// column ties a column of the table invoice to the field that it stores. The
// pointer serves for reading and writing alike, so no field can be written and
// then forgotten when it is read.
type column struct {
	name  string
	field any
}

// identity is how many columns, the first ones, say which invoice it is. They
// are written once.
const identity = 5

func columnsOf(e *batch.Entry) []column {
	inv, charge := &e.Invoice, &e.Charge
	return []column{
		{"key", &e.Key},
		{"account", &e.Account.ID},
		{"live", &e.Account.Live},
		{"number", &inv.Number},
		{"revision", &e.Revision},

		{"state", &e.State},
		{"job", (*jobNumber)(&e.Job)},

		{"name", &inv.Name},
		{"company", &inv.Company},
		{"sent_name", &inv.SentName},
		{"email", &inv.Email},
		{"phone", &inv.Phone},
		{"amount", &inv.Amount},
		{"due", (*instant)(&inv.Due)},
		{"due_given", &inv.DueGiven},
		{"description", &inv.Description},
		{"language", &inv.Language},
		{"tax_rate", &inv.TaxRate},
		{"tax", &inv.Tax},

		{"attempt", &e.Attempt},
		{"intent_at", (*instant)(&e.IntentAt)},
		{"source_id", &e.SourceID},
		{"refusal_code", &e.Refusal.Code},
		{"refusal_text", &e.Refusal.Message},
		{"missed_at", (*instant)(&e.MissedAt)},
		{"elsewhere", &e.Elsewhere},
		{"duplicates", &e.Duplicates},

		{"charge_id", &charge.ID},
		{"charge_source_id", &charge.SourceID},
		{"charge_amount", &charge.Amount},
		{"payment_code", &charge.PaymentCode},
		{"authorize_uri", &charge.AuthorizeURI},
		{"charge_status", &charge.Status},
		{"failure_code", &charge.FailureCode},
		{"fee", &charge.Fee},
		{"fee_vat", &charge.FeeVAT},
		{"net", &charge.Net},
		{"charge_live", &charge.Live},
		{"charge_created_at", (*instant)(&charge.CreatedAt)},
		{"expires_at", (*instant)(&charge.ExpiresAt)},
		{"paid_at", (*instant)(&charge.PaidAt)},

		{"mail_owed", &e.MailOwed},
		{"mail_attempt", &e.MailAttempt},
		{"message_id", &e.MessageID},
		{"mailed_to", &e.MailedTo},
		{"mailed_at", (*instant)(&e.MailedAt)},
		{"mail_reply", &e.MailReply},

		{"slip_sha256", &e.SlipSHA256},
		{"retries", &e.Retries},
		{"purged_at", (*instant)(&e.PurgedAt)},

		{"accepted_at", (*instant)(&e.AcceptedAt)},
		{"updated_at", (*instant)(&e.UpdatedAt)},
	}
}

// The statements over all columns, written once.
var (
	columns       = columnsOf(new(batch.Entry))
	columnNames   = join(columns, ", ", func(c column) string { return c.name })
	selectByKey   = "SELECT " + columnNames + " FROM invoice WHERE key = $1"
	selectLatest  = "SELECT " + columnNames + " FROM invoice WHERE number = $1 AND account = $2 AND live = $3 ORDER BY revision DESC LIMIT 1"
	insertEntries = "INSERT INTO invoice (" + columnNames + ") VALUES "
	insertEntry   = insertEntries + rowsOf(1, len(columns))
	// updateEntry applies only while the invoice is in the expected state.
	updateEntry = fmt.Sprintf("UPDATE invoice SET (%s) = (%s) WHERE key = $%d AND state = $%d",
		join(columns[identity:], ", ", func(c column) string { return c.name }), placeholders(1, len(columns)-identity),
		len(columns)-identity+1, len(columns)-identity+2)
)

// placeholders are those of n arguments, from the first's number on: both databases
// know $1.
func placeholders(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(list, ", ")
}

func join(columns []column, separator string, write func(column) string) string {
	var parts []string
	for _, c := range columns {
		parts = append(parts, write(c))
	}
	return strings.Join(parts, separator)
}

// fields are the pointers of columnsOf, for Scan and for arguments.
func fields(e *batch.Entry) []any {
	columns := columnsOf(e)
	pointers := make([]any, len(columns))
	for i, c := range columns {
		pointers[i] = c.field
	}
	return pointers
}

// asStored gives the entry's times the precision and the zone they are stored
// with, and makes its texts text, so that an entry just written is the one that is
// read later.
func asStored(e batch.Entry) batch.Entry {
	for _, field := range fields(&e) {
		switch f := field.(type) {
		case *instant:
			*f = instantOf(f.micros())
		case *string:
			*f = text(*f)
		}
	}
	return e
}

// text replaces what PostgreSQL takes for no text: NUL, and what isn't UTF-8. Servers
// may say anything, and an outcome must not be lost for that.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// instant stores a time as microseconds since 1970 UTC, and the zero time as 0:
// midnight of 1970 itself can't be told from none.
type instant time.Time

func (i instant) micros() int64 {
	if time.Time(i).IsZero() {
		return 0
	}
	return time.Time(i).UnixMicro()
}

func instantOf(micros int64) instant {
	if micros == 0 {
		return instant{}
	}
	return instant(time.UnixMicro(micros).UTC())
}

// Value implements driver.Valuer.
func (i instant) Value() (driver.Value, error) { return i.micros(), nil }

// Scan implements sql.Scanner.
func (i *instant) Scan(stored any) error {
	micros, ok := stored.(int64)
	if !ok {
		return fmt.Errorf("an instant is stored as %T", stored)
	}
	*i = instantOf(micros)
	return nil
}

// jobNumber stores the number of a job, and no job (0) as NULL, which alone
// needs none to be there.
type jobNumber int64

// Value implements driver.Valuer.
func (n jobNumber) Value() (driver.Value, error) {
	if n == 0 {
		return nil, nil
	}
	return int64(n), nil
}

// Scan implements sql.Scanner.
func (n *jobNumber) Scan(stored any) error {
	number, ok := stored.(int64)
	if !ok && stored != nil {
		return fmt.Errorf("a job's number is stored as %T", stored)
	}
	*n = jobNumber(number)
	return nil
}
