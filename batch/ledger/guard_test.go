package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"konbill/batch"
	"konbill/batch/ledger/ledgertest"
)

var states = []batch.State{
	batch.Accepted, batch.Charging, batch.Unknown, batch.Declined, batch.Charged,
	batch.Mailing, batch.Mailed, batch.Deferred, batch.Refused, batch.Held,
}

// TestGuardsInTheTables breaks each rule with plain SQL, past all of our code.
// The rule must stop it; and with the rule taken away the same statement must
// go through, which proves that nothing else stopped it.
func TestGuardsInTheTables(t *testing.T) {
	const (
		noChecks      = "PRAGMA ignore_check_constraints = ON"
		noForeignKeys = "PRAGMA foreign_keys = OFF"
	)
	for _, c := range []struct {
		rule, violation, without string
	}{
		{"states are known", "UPDATE invoice SET state = 'paid' WHERE number = 'accepted'", noChecks + "; DROP TRIGGER invoice_transition"},
		{"an intent has its time", "UPDATE invoice SET intent_at = 0 WHERE number = 'charging'", noChecks},
		{"a charged invoice has its charge", "UPDATE invoice SET charge_id = '' WHERE number = 'charged'", noChecks + "; DROP TRIGGER charge_is_final"},
		{"what has no charge has a job", "UPDATE invoice SET job = NULL WHERE number = 'accepted'", noChecks},
		{"a mail has its Message-ID", "UPDATE invoice SET message_id = '' WHERE number = 'mailing'", noChecks},
		{"a mode is 0 or 1", "INSERT INTO account (id, live) VALUES ('other', 2)", noChecks},
		{"there is one schedule", "INSERT INTO schedule (id, passed_at) VALUES (2, 0)", noChecks},
		{"totals are JSON", "UPDATE job SET totals = 'x'", noChecks},

		{"a charged invoice is never charged again", "UPDATE invoice SET state = 'accepted' WHERE number = 'charged'", "DROP TRIGGER invoice_transition"},
		{"a charge is never replaced", "UPDATE invoice SET charge_id = 'chrg_other' WHERE number = 'charged'", "DROP TRIGGER charge_is_final"},
		{"a charge is never forgotten", "UPDATE invoice SET charge_id = '' WHERE number = 'unknown'", "DROP TRIGGER charge_is_final"},
		{"a charge has one invoice", "UPDATE invoice SET charge_id = 'chrg_charged' WHERE number = 'accepted'", "DROP INDEX invoice_charge"},
		{"a message has one invoice", "UPDATE invoice SET message_id = 'charged@example.jp' WHERE number = 'accepted'", "DROP INDEX invoice_message"},
		{"a number is there once", copyInvoice("key", "'kb_other'"), "DROP INDEX invoice_number"},
		{"an invoice keeps its number", "UPDATE invoice SET number = 'other' WHERE number = 'accepted'", "DROP TRIGGER invoice_identity"},
		{"a number's bill is issued again only once it is over", copyInvoice("key, revision", "'kb_other', 2"), "DROP TRIGGER invoice_replaces"},
		{"an invoice keeps its revision", "UPDATE invoice SET revision = 2 WHERE number = 'accepted'", "DROP TRIGGER invoice_identity"},
		{"a notice is mailed once", "UPDATE notice SET state = 'mailing'", "DROP TRIGGER notice_transition"},
		{"a notice is never deleted", "DELETE FROM notice", "DROP TRIGGER notice_is_kept"},
		{"a notice has its Message-ID", "UPDATE notice SET message_id = ''", noChecks},
		{"what a job lists is an invoice", "INSERT INTO listed VALUES ('kb_nobody', 1)", noForeignKeys},
		{"a notice has an invoice", "INSERT INTO notice VALUES ('kb_nobody', 'x', 'mailing', 1, 'x', '', '', 1)", noForeignKeys},
		{"an invoice keeps its key", "UPDATE invoice SET key = 'kb_other' WHERE number = 'accepted'", "DROP TRIGGER invoice_identity"},
		{"an invoice keeps its mode", "UPDATE invoice SET live = 1 WHERE number = 'accepted'", "DROP TRIGGER invoice_identity; " + noForeignKeys},
		{"an invoice is never deleted", "DELETE FROM invoice WHERE number = 'accepted'", "DROP TRIGGER invoice_is_kept"},
		{"an event is never changed", "UPDATE event SET why = ''", "DROP TRIGGER event_is_final"},
		{"an event is never deleted", "DELETE FROM event", "DROP TRIGGER event_is_kept"},

		{"an event has an invoice", "INSERT INTO event (key, at, who, from_state, to_state, why) VALUES ('kb_nobody', 1, '', '', '', '')", noForeignKeys},
		{"an invoice has a job", "UPDATE invoice SET job = 99", noForeignKeys},
		{"an invoice is the account's", copyInvoice("key, account", "'kb_other', 'account_test_2'"), noForeignKeys},
		{"a job is the account's", "INSERT INTO job (who, file, sha256, account, live, started_at) VALUES ('', '', '', 'account_test_2', 0, 1)", noForeignKeys},
		{"a key is the account's", "INSERT INTO api_key (fingerprint, account, live) VALUES ('x', 'account_test_2', 0)", noForeignKeys},
	} {
		t.Run(c.rule, func(t *testing.T) {
			l := inEveryState(t)
			if _, err := l.writer.ExecContext(t.Context(), c.violation); err == nil {
				t.Fatalf("%s: it went through", c.violation)
			}
			if _, err := l.writer.ExecContext(t.Context(), c.without); err != nil {
				t.Fatal(err)
			}
			if _, err := l.writer.ExecContext(t.Context(), c.violation); err != nil {
				t.Fatalf("something else than this rule stopped it: %v", err)
			}
		})
	}
}

// copyInvoice writes a statement that copies the accepted invoice, with other
// values in the columns named.
func copyInvoice(names, values string) string {
	replaced := strings.Split(names, ", ")
	rest := ""
	for _, c := range columns {
		if !slices.Contains(replaced, c.name) {
			rest += ", " + c.name
		}
	}
	return fmt.Sprintf("INSERT INTO invoice (%s%s) SELECT %s%s FROM invoice WHERE number = 'accepted'", names, rest, values, rest)
}

// inEveryState is a ledger with an invoice in every state, numbered by it. Each
// has its proofs, so that only its state keeps it where it is.
func inEveryState(t *testing.T) *Ledger {
	t.Helper()
	l := openNew(t)
	id, _, err := ledgertest.OpenJob(t.Context(), l, batch.Job{Account: account, StartedAt: opened}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = l.inTransaction(t.Context(), "fill a ledger", func(ctx context.Context, tx transaction) error {
		for _, state := range states {
			e := batch.Entry{
				Key: batch.KeyOf(account, string(state)), Account: account, State: state, Revision: 1, Job: id, IntentAt: opened,
				Charge: batch.Charge{ID: "chrg_" + string(state)}, MessageID: string(state) + "@example.jp",
			}
			e.Invoice.Number = string(state)
			if state == batch.Accepted {
				e.Charge, e.MessageID = batch.Charge{}, ""
			}
			if err := tx.insert(ctx, &e); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, storeNotice, batch.KeyOf(account, string(batch.Charged)), "remind-3d", "mailed", 1, "r@example.jp", "", "", 1)
		if err != nil {
			return err
		}
		return tx.record(ctx, batch.Event{Key: batch.KeyOf(account, string(batch.Charged)), To: batch.Charged})
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestKeyIsUnique stands apart: its index is part of the table and can't be
// taken away.
func TestKeyIsUnique(t *testing.T) {
	l := inEveryState(t)
	if _, err := l.writer.ExecContext(t.Context(), copyInvoice("number", "'other'")); err == nil {
		t.Error("a key is there twice")
	}
}

// TestTransitionsAgree compares the diagram in the tables with batch.State's.
func TestTransitionsAgree(t *testing.T) {
	l := inEveryState(t)
	for _, from := range states {
		for _, to := range states {
			tx, err := l.writer.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = tx.ExecContext(t.Context(), "UPDATE invoice SET state = ?, charge_id = 'chrg_' || number, message_id = number WHERE number = ?", to, from)
			if allowed := from == to || from.CanBecomeByPerson(to); allowed != (err == nil) {
				t.Errorf("%s to %s: %v, batch.State allows it: %v", from, to, err, allowed)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
