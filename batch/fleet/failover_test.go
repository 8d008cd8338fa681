//go:build unix

package fleet_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"konbill/batch/omise/omisetest"
	"konbill/samples/peertest"
)

// TestFleetFailsOver has the database server fail for good in the middle of a run, and its
// standby take over: one that had all that was written, and one that had not. No invoice
// may be charged twice for it, or be lost, and the work must go on within a minute.
func TestFleetFailsOver(t *testing.T) {
	for _, c := range []struct {
		name  string
		whole bool // the standby has all that was written
	}{{"to a standby that commits waited for", true}, {"to a standby that had fallen behind", false}} {
		t.Run(c.name, func(t *testing.T) {
			const rows = 300
			primary := peertest.StartPostgres(t)
			f := newMachines(t, omisetest.Options{Latency: 30 * time.Millisecond})
			primary.Exec(primary.URL("postgres"), "CREATE DATABASE konbill")
			standby := primary.StartStandby(c.whole)
			f.url = primary.URLOfBoth(standby, "konbill")
			f.start("serve", "serve", "worker")
			f.untilWorking()
			f.drop("file.csv", "F", rows)
			f.untilCharged(rows / 5)
			if !c.whole {
				standby.FallBehind()
			}
			f.untilCharged(rows / 2)
			primary.Crash()
			lost := time.Now()
			before := len(f.api.Charges())
			standby.Promote()
			f.untilCharged(before + atOnce + 1) // what was under way has ended
			t.Logf("the work went on after %s", time.Since(lost).Round(100*time.Millisecond))
			if time.Since(lost) > time.Minute {
				t.Error("which is too long")
			}
			f.untilDone("file.csv")
			f.end()
			if f.haveSaid("データベースのサーバーが切り替わったため") == 0 {
				t.Error("nobody has noticed")
			}
			f.checkPace()
			if c.whole {
				f.checkIssued("file.csv", "F", rows)
			} else {
				f.checkCharged("file.csv", "F", rows)
			}
		})
	}
}

// checkCharged makes sure that each invoice has one charge, that the results have it, and
// that they name for a person each customer who has had no mail.
func (f *testFleet) checkCharged(name, prefix string, rows int) {
	f.t.Helper()
	made := map[string][]string{}
	for _, c := range f.api.Charges() {
		made[c.Metadata["invoice_no"]] = append(made[c.Metadata["invoice_no"]], c.ID)
	}
	mails := map[string]int{}
	for _, m := range f.mail.Messages() {
		mails[m.To]++
	}
	text, err := os.ReadFile(f.results(name))
	f.must(err)
	table, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff"))).ReadAll()
	f.must(err)
	column := map[string]int{}
	for i, title := range table[0] {
		column[title] = i
	}
	told, outcomes := map[string]string{}, map[string]int{}
	for _, row := range table[1:] {
		told[row[0]] = row[column["charge_id"]]
		outcome := fmt.Sprintf("%s, mail %s, %d came", row[column["result"]], row[column["mail"]], mails[row[column["email"]]])
		outcomes[outcome]++
		if mails[row[column["email"]]] == 0 && row[column["codes"]] == "" {
			f.t.Errorf("%s has had no mail, and nobody is told", row[0])
		}
	}
	for i := range rows {
		number := prefix + "-" + strconv.Itoa(i)
		if len(made[number]) != 1 || told[number] != made[number][0] {
			f.t.Errorf("%s: charges %v, the results tell %q", number, made[number], told[number])
		}
	}
	f.t.Logf("%s: %v", name, outcomes)
}
