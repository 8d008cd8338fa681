package ledger

import (
	"fmt"
	"strings"
	"testing"

	"konbill/batch"
)

// TestQueryPlans wants every list to find its invoices through an index that
// fits its condition, and only the ids it needs.
func TestQueryPlans(t *testing.T) {
	l := openNew(t)
	accepted := []batch.State{batch.Accepted, batch.Unknown}
	for _, c := range []struct {
		name string
		q    batch.Query
		want string
	}{
		{"all", batch.Query{}, "SEARCH invoice USING INTEGER PRIMARY KEY (rowid>?)"},
		{"state", batch.Query{States: accepted}, "SEARCH invoice USING COVERING INDEX invoice_state (state=? AND rowid>?)"},
		{"job", batch.Query{Job: 1}, "SEARCH invoice USING COVERING INDEX invoice_job (job=? AND rowid>?)"},
		{"number", batch.Query{Numbers: []string{"1"}}, "SEARCH invoice USING COVERING INDEX invoice_number (number=?)"},
		{"key", batch.Query{Keys: []batch.Key{"kb_1"}}, "SEARCH invoice USING COVERING INDEX sqlite_autoindex_invoice_1 (key=?)"},
		{"job and state", batch.Query{Job: 1, States: accepted}, "SEARCH invoice USING INDEX invoice_job (job=? AND rowid>?)"},
		{"charge status", batch.Query{ChargeStatuses: []string{"pending"}}, "SEARCH invoice USING COVERING INDEX invoice_charge_status (charge_status=? AND rowid>?)"},
		{"charge status and state", batch.Query{ChargeStatuses: []string{"pending"}, States: accepted}, "SEARCH invoice USING INDEX invoice_charge_status (charge_status=? AND rowid>?)"},
		{"paid since", batch.Query{PaidSince: opened}, "SEARCH invoice USING COVERING INDEX invoice_paid_at (paid_at>? AND paid_at<?)"},
		{"paid in a month", batch.Query{PaidSince: opened, PaidUntil: opened.AddDate(0, 1, 0)}, "SEARCH invoice USING COVERING INDEX invoice_paid_at (paid_at>? AND paid_at<?)"},
		{"due soon", batch.Query{ChargeStatuses: []string{"pending"}, DueUntil: opened}, "SEARCH invoice USING INDEX invoice_charge_status (charge_status=? AND rowid>?)"},
		{"slip", batch.Query{SlipSHA256: "aa"}, "SEARCH invoice USING COVERING INDEX invoice_slip (slip_sha256=?)"},
		{"reissued", batch.Query{Reissued: true, ChargeStatuses: []string{"pending"}}, "SEARCH invoice USING INDEX invoice_reissued (revision>?)"},
		{"number prefix", batch.Query{NumberPrefix: "INV-1"}, "SEARCH invoice USING COVERING INDEX invoice_number (number>? AND number<?)"},
		{"name", batch.Query{NamePrefix: "山田"}, "SEARCH invoice USING COVERING INDEX invoice_sent_name (sent_name>? AND sent_name<?)"},
		{"phone", batch.Query{PhoneEnd: "5678"}, "SEARCH invoice USING COVERING INDEX invoice_phone_end (<expr>=?)"},
		{"phone and state", batch.Query{PhoneEnd: "5678", States: accepted}, "SEARCH invoice USING INDEX invoice_phone_end (<expr>=?)"},
		{"all three", batch.Query{Numbers: []string{"1"}, Job: 1, States: accepted}, "SEARCH invoice USING INDEX invoice_number (number=?)"},
	} {
		query, args, err := pageOf(l.dialect, c.q, 0)
		if err != nil {
			t.Fatal(err)
		}
		wantPlan(t, l, c.name, c.want, query, args...)
	}
	for _, c := range []struct {
		name string
		q    batch.Query
		want string
	}{
		{"sums of all", batch.Query{}, "SCAN invoice USING COVERING INDEX invoice_sums"},
		{"sums of a charge status", batch.Query{ChargeStatuses: []string{"successful"}}, "SEARCH invoice USING COVERING INDEX invoice_sums (charge_status=?)"},
		{"sums of a month", batch.Query{ChargeStatuses: []string{"successful"}, PaidSince: opened, PaidUntil: opened.AddDate(0, 1, 0)}, "SEARCH invoice USING INDEX invoice_paid_at (paid_at>? AND paid_at<?)"},
		{"sums of states", batch.Query{States: accepted}, "SEARCH invoice USING INDEX invoice_state (state=?)"},
	} {
		query, args, err := sumsOf(l.dialect, c.q)
		if err != nil {
			t.Fatal(err)
		}
		wantPlan(t, l, c.name, c.want, query, args...)
	}
	for _, c := range []struct {
		name string
		q    batch.Query
		want string
	}{
		{"latest of all", batch.Query{}, "SEARCH invoice USING INTEGER PRIMARY KEY (rowid<?)"},
		{"latest of a charge status", batch.Query{ChargeStatuses: []string{"pending"}}, "SEARCH invoice USING COVERING INDEX invoice_charge_status (charge_status=? AND rowid<?)"},
		{"latest of a name", batch.Query{NamePrefix: "山田"}, "SEARCH invoice USING COVERING INDEX invoice_sent_name (sent_name>? AND sent_name<?)"},
		{"latest of a job", batch.Query{Job: 1}, "SEARCH invoice USING COVERING INDEX invoice_job (job=? AND rowid<?)"},
	} {
		query, args, err := recentOf(l.dialect, c.q, 0, 50)
		if err != nil {
			t.Fatal(err)
		}
		wantPlan(t, l, c.name, c.want, query, args...)
	}
	wantPlan(t, l, "key", "SEARCH invoice USING INDEX sqlite_autoindex_invoice_1 (key=?)", selectByKey, "")
	wantPlan(t, l, "latest revision", "SEARCH invoice USING INDEX invoice_number (number=? AND account=? AND live=?)", selectLatest, "", "", 0)
	wantPlan(t, l, "all revisions of many", "SEARCH invoice USING INDEX invoice_number (number=? AND account=? AND live=?)", selectAllOf(l.dialect), `["1"]`, "", 0)
	wantPlan(t, l, "notices", "SEARCH notice USING INDEX sqlite_autoindex_notice_2 (key=?)", selectNotices+l.dialect.noticeOrder, "")
	wantPlan(t, l, "jobs that list an invoice", "SEARCH listed USING PRIMARY KEY (key=?)", "SELECT job FROM listed WHERE key = ?", "")
	wantPlan(t, l, "outdated jobs", "SCAN job USING INDEX job_outdated", outdated)
	wantPlan(t, l, "events", "SEARCH event USING INDEX event_key (key=?)", selectEvents, "")
	wantPlan(t, l, "webhook", "SEARCH webhook USING PRIMARY KEY (id=?)", selectWebhook, "")
	wantPlan(t, l, "old webhooks", "SEARCH webhook USING COVERING INDEX webhook_at (at<?)", forgetWebhooks, 0)
	wantPlan(t, l, "paid by day", "SEARCH invoice USING COVERING INDEX invoice_paid_at (paid_at>?)", paidByDay, 1)
	wantPlan(t, l, "expired by day", "SEARCH invoice USING INDEX invoice_sums (charge_status=?)", expiredByDay, 1)
	wantPlan(t, l, "jobs of a file", "SEARCH job USING INDEX job_sha256 (sha256=?)", jobsOfFile, "")
}

func wantPlan(t *testing.T, l *Ledger, name, want, query string, args ...any) {
	t.Helper()
	rows, err := l.reader.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, detail)
		if strings.HasPrefix(detail, "SCAN invoice") && !strings.Contains(detail, "COVERING INDEX invoice_sums") || strings.HasPrefix(detail, "SCAN event") {
			t.Errorf("%s reads the whole table", name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan.String(), want) {
		t.Errorf("%s: the plan\n%s lacks %s", name, plan.String(), want)
	}
}
