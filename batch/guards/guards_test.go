// Package guards takes each guard of the program out in turn and makes sure that
// a test notices. It holds that test alone, which takes its time.
package guards

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// edit takes a guard out of the program: one piece of a source file is
// replaced by another.
type edit struct{ file, code, without string }

// guard is something that stands between an invoice and a second charge, a lost
// one, or a mail that must not be sent, and the test that notices when it is
// gone.
type guard struct {
	name  string
	edits []edit
	pkg   string
	test  string
}

var guards = []guard{
	{"an intent is durable before the request", []edit{
		{"batch/charge.go", "if err := s.intendCharge(ctx, done); err != nil {", "if err := error(nil); err != nil {"},
	}, "./batch", "TestIntentsAreDurableBeforeTheNetwork"},
	{"an unknown outcome is not asked for again", []edit{
		{"batch/charge.go", `return Unknown, "no trustworthy answer"`, `return Accepted, "no trustworthy answer"`},
	}, "./batch", "TestLostAnswerIsFound"},
	{"an intent without an outcome is unknown", []edit{
		{"batch/settle.go", "return s.record(ctx, done, Unknown, \"no outcome was recorded by an earlier run\"", "return s.record(ctx, done, Accepted, \"no outcome was recorded by an earlier run\""},
		{"batch/survey.go", "e, err = l.move(ctx, e, Unknown, \"no outcome was recorded by an earlier run\"", "e, err = l.move(ctx, e, Accepted, \"no outcome was recorded by an earlier run\""},
	}, "./batch", "TestLedgerFailsAnywhere"},
	{"a charge has time to appear", []edit{
		{"batch/survey.go", "case used, began.Before(e.IntentAt.Add(settle)):", "case used, began.Before(e.IntentAt.Add(0 * settle)):"},
		{"batch/survey.go", "case began.Before(e.MissedAt.Add(settle)):", "case began.Before(e.MissedAt.Add(0 * settle)):"},
		{"batch/reconcile.go", "return latest.Add(r.Settings.SettleAfter)", "return latest"},
	}, "./batch", "TestLateChargeIsNotDoubled"},
	{"absence takes a second list", []edit{
		{"batch/survey.go", "case e.MissedAt.IsZero():\n\t\treturn l.missed(ctx, e)", "case e.MissedAt.IsZero():\n\t\treturn l.absent(ctx, e)"},
	}, "./batch", "TestChargeThatIsListedLate"},
	{"a list that wasn't read to its end proves nothing", []edit{
		{"batch/survey.go", "return nil, surveyStop(ctx, err)\n\t}\n\tr.at(SweepListed)", "_ = err\n\t}\n\tr.at(SweepListed)"},
	}, "./batch", "TestListThatCantBeReadProvesNothing"},
	{"charges of other ledgers are looked for first", []edit{
		{"batch/reconcile.go", "if len(undecided) == 0 {", "if true {"},
	}, "./batch", "TestAnyLedgerIssuesANumberOnce"},
	{"what another ledger issued is not mailed", []edit{
		{"batch/mail.go", "!e.Elsewhere && ", ""},
	}, "./batch", "TestAnyLedgerIssuesANumberOnce"},
	{"the same number with other content is a conflict", []edit{
		{"batch/ledger.go", "case issued.Amount != row.Amount:", "case false:"},
	}, "./batch", "TestDiffers"},
	{"whether a bill is paid is asked for right before a reminder", []edit{
		{"batch/errand.go", "if t.status != StatusPending {", "if true {"},
	}, "./batch", "TestWhoHasPaidIsNotReminded"},
	{"a payment heard of makes a reminder's intent stale", []edit{
		{"batch/notice.go", `m.ChargeStatus != "" && m.ChargeStatus != e.Charge.Status`, "false"},
	}, "./batch", "TestPaidRightBeforeTheReminder"},
	{"a reminder is sent once", []edit{
		{"batch/errand.go", "case n == nil, n.State == Mailing:", "case true:"},
	}, "./batch", "TestRemind"},
	{"a reminder whose answer is lost is held", []edit{
		{"batch/errand.go", "if t.begun != nil && t.begun.State == Mailing {", "if false {"},
	}, "./batch", "TestReminderOfADeadProcess"},
	{"a stored intent waits for its request no longer than settle_after allows", []edit{
		{"batch/omise/gate.go", "context.WithTimeoutCause(ctx, longestWait, errCrowded)", "context.WithCancel(ctx)"},
	}, "./batch/omise", "TestStoredIntentsDoNotWaitForLong"},
	{"a request that is late for its intent does not leave", []edit{
		{"batch/omise/late.go", "late != nil && (*late)()", "late != nil && false"},
	}, "./batch/omise", "TestLateRequestsDoNotLeave"},
	{"a stored intent turns back once the run is to end", []edit{
		{"batch/omise/gate.go", "case <-drain:\n\t\tg.leave()", "case <-(chan struct{})(nil):\n\t\tg.leave()"},
	}, "./batch/omise", "TestStoredIntentsTurnBack"},
	{"who waits for a desk is not charged once the run stops", []edit{
		{"batch/charge.go", "if s.breaker.open() || s.over.Load() {", "if false {"},
	}, "./batch", "TestWhoWaitsIsNotCharged"},
	{"a job that comes late charges nothing of another run", []edit{
		{"batch/settle.go", "(s.run == 0 || s.run == e.Job)", "true"},
	}, "./batch", "TestHandThatComesLate"},
	{"a job that comes late charges nothing of a run that is over", []edit{
		{"batch/hand.go", "case !h.run.FinishedAt.IsZero():", "case false:"},
	}, "./batch", "TestHandThatComesLate"},
	{"too many unknown outcomes on one machine stop the run", []edit{
		{"batch/crew.go", "s.breaker.trip()", "_ = s.breaker"},
	}, "./batch", "TestHandStops"},
	{"a request doesn't leave once others have its share of the pace", []edit{
		{"batch/omise/late.go", "c.gate.closed()", "false"},
	}, "./batch/omise", "TestRequestsDoNotOutliveTheirShare"},
	{"one run at a time", []edit{
		{"batch/run.go", "release, err := r.Ledger.Hold(ctx)", "release, err := func() {}, error(nil)"},
	}, "./batch", "TestOneRunAtATime"},
	{"another account's key is refused", []edit{
		{"batch/run.go", "if err := r.Ledger.RememberAccount(ctx, r.Fingerprint, a); err != nil {", "if err := error(nil); err != nil {"},
		{"batch/ledger/job.go", "if err := tx.belongTo(ctx, job.Account); err != nil {", "if err := error(nil); err != nil {"},
	}, "./batch", "TestAnotherAccountsKeyIsRefused"},
	{"an answer of the wrong mode stops the run", []edit{
		{"batch/omise/charge.go", "case made.Live != c.Live():\n\t\treturn wrongMode()\n\tcase made.Metadata", "case made.Metadata"},
	}, "./batch", "TestWrongModeStopsTheRun"},
	{"the answer must be about the amount asked for", []edit{
		{"batch/omise/charge.go", "return amount == r.Amount && ", "return "},
	}, "./batch/omise", "TestAnswersThatProveNothing"},
	{"a request counts as unsent only without a connection", []edit{
		{"batch/omise/exchange.go", "case err != nil && !connected.Load():", "case err != nil:"},
	}, "./batch", "TestLostAnswerIsFound"},
	{"a link that leads elsewhere reaches nobody", []edit{
		{"batch/mail.go", "return linkIsSafe(e.Charge.AuthorizeURI, r.Settings.LoopbackAPI) && ", "return "},
	}, "./batch", "TestUnsafeLinkReachesNobody"},
	{"a mail whose answer was lost is held", []edit{
		{"mailer/error.go", "if stage == StageAnswer {\n\t\te.Kind = Unknown", "if stage == StageAnswer {\n\t\te.Kind = Deferred"},
	}, "./batch", "TestHeldMailWaitsForAPerson"},
	{"a refused mail is not tried again", []edit{
		{"batch/mail.go", "case mailer.Refused:\n\t\treturn Refused", "case mailer.Refused:\n\t\treturn Deferred"},
	}, "./batch", "TestRefusedMailIsNotTriedAgain"},
	{"limits come before the first charge", []edit{
		{"batch/run.go", "max > 0 && total.Yen > max", "false && total.Yen > max"},
	}, "./batch", "TestLimitsComeBeforeEverything"},
	{"too many unknown outcomes stop the run", []edit{
		{"batch/charge.go", "case unknown && s.breaker.open():", "case false:"},
	}, "./batch", "TestTooManyUnknownOutcomesStopTheRun"},
	{"nothing goes on when the ledger can't record", []edit{
		{"batch/pool.go", "halt(err)", "_, _ = halt, err"},
	}, "./batch", "TestLedgerFailsAnywhere"},
	{"a proof of absence holds for one attempt", []edit{
		{"batch/accept.go", "m.Attempt != 0 && m.Attempt != before.Attempt", "false"},
	}, "./batch/ledger", "TestContract"},
	{"a file must hold what its control total says", []edit{
		{"batch/run.go", "if err := r.Control.check(s); err != nil {", "if err := error(nil); err != nil {"},
	}, "./batch", "TestControlTotals"},
	{"nothing is charged by itself after its due date", []edit{
		{"batch/retry.go", "past := !e.Invoice.Due.After(t.Now())", "past := false"},
	}, "./batch", "TestRetryAfterTheDueDate"},
	{"what a person was left with is not charged by itself", []edit{
		{"batch/retry.go", "if !past && !e.lastTry() {", "if !past {"},
	}, "./batch", "TestRetryLeavesToAPersonWhatItGaveUp"},
	{"nothing is mailed late that no run owes", []edit{
		{"batch/retry.go", "case e.State == Charged && e.MailOwed,", "case e.State == Charged,"},
	}, "./batch", "TestMailSwitchedOnLater"},
	{"nothing is charged between runs before the account is swept", []edit{
		{"batch/retry.go", "survey, err := t.survey(ctx, t.account)", "survey, err := &Survey{}, error(nil)"},
	}, "./batch", "TestRetrySweepsFirst"},
	{"a paid charge never becomes pending again", []edit{
		{"batch/payment.go", "is == 0, is < was:", "is == 0:"},
	}, "./batch/follow", "TestLaggingListUndoesNothing"},
	{"an answer about another invoice's charge proves nothing", []edit{
		{"batch/follow/sync.go", "case found.Key != e.Key:", "case false:"},
	}, "./batch/follow", "TestAnswerAboutAnotherInvoice"},
	{"a payment is stored only from the status it was judged by", []edit{
		{"batch/accept.go", `m.ChargeStatus != "" && m.ChargeStatus != before.Charge.Status`, "false"},
	}, "./batch/ledger", "TestContract"},
	{"a webhook must be signed", []edit{
		{"batch/follow/webhook.go", "case !w.genuine(r.Header, body):", "case false:"},
	}, "./batch/follow", "TestWebhookNotBelieved"},
	{"a webhook can't be played back", []edit{
		{"batch/follow/signature.go", "seconds < now-most || seconds > now+most", "seconds < 0*now*most"},
	}, "./batch/follow", "TestWebhookNotBelieved"},
	{"an event does its work once", []edit{
		{"batch/follow/webhook.go", "err != nil || known {", "err != nil || known && false {"},
	}, "./batch/follow", "TestWebhookTwice"},
	{"an event about another charge of the invoice is none of ours", []edit{
		{"batch/follow/webhook.go", "e.Charge.ID != id {", "e.Charge.ID == \"\" {"},
	}, "./batch/follow", "TestWebhooksOfOthers"},
	{"a bill is issued again only once those before are over, by the API's own word", []edit{
		{"batch/charge.go", "refused, err := s.mayFollow(ctx, done);", "refused, err := (*GatewayError)(nil), error(nil);"},
	}, "./batch", "TestReissueAsksFirst"},
	{"only a bill that is over unpaid is issued again", []edit{
		{"batch/accept.go", "known.State.HasCharge() && known.Charge.OverUnpaid():", "known.State.HasCharge():"},
	}, "./batch/ledger", "TestContract"},
	{"a later bill waits for the one before, in the ledger too", []edit{
		{"batch/accept.go", "previous != nil && !previous.Charge.OverUnpaid() || ", ""},
	}, "./batch/ledger", "TestContract"},
	{"a bill that was issued again elsewhere is not asked for", []edit{
		{"batch/accept.go", " || latest.Revision > e.Revision", ""},
	}, "./batch/ledger", "TestContract"},
	{"a later bill that the sweep finds is the row's", []edit{
		{"batch/reconcile.go", "e.Account == a && e.Revision >", "e.Account == a && e.Revision == 1 && e.Revision >"},
	}, "./batch", "TestReissuedElsewhere"},
	{"a bill that was called back is not mailed", []edit{
		{"batch/settle.go", "if to == Mailing {", "if false {"},
	}, "./batch", "TestNoMailOfABillThatIsCalledBack"},
	{"a step applies only in the expected state", []edit{
		{"batch/accept.go", "case before.State != m.From, ", "case "},
		{"batch/ledger/transaction.go", "{&s.update, updateEntry},", `{&s.update, strings.Replace(updateEntry, " AND state = $", " AND '' <> $", 1)},`},
	}, "./batch/ledger", "TestContract"},
}

// TestGuardsAreLoadBearing builds the tests of each package once, with all guards
// to be switched off (see switches), and runs them with one guard out after the
// other. The sources stay as they are: the go command is given other ones in
// their place.
func TestGuardsAreLoadBearing(t *testing.T) {
	if testing.Short() {
		return // the builds take a while
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d guards", len(guards))
	programs := build(t, root)
	for number, g := range guards {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			if needs := guardNeeds[g.name]; needs != nil {
				needs(t)
			}
			test := exec.Command(programs[g.pkg], "-test.run", "^"+g.test+"$", "-test.failfast", "-test.timeout", "100s")
			test.Dir = filepath.Join(root, g.pkg)
			test.Env = append(os.Environ(), guardOut+"="+strconv.Itoa(number))
			out, err := test.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("%s doesn't notice:\n%s", g.test, out)
			case !strings.Contains(string(out), "--- FAIL: "+g.test):
				t.Errorf("%s did not run:\n%s", g.test, out)
			}
		})
	}
}

// guardNeeds are the peers without which a guard's test would be skipped, by the
// guard's name.
var guardNeeds = map[string]func(testing.TB){}

// build returns the test program of each package that a guard names.
func build(t *testing.T, root string) map[string]string {
	t.Helper()
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err) // go test itself was run by it
	}
	dir := t.TempDir()
	overlay := writeOverlay(t, root, dir)
	programs := map[string]string{}
	for _, g := range guards {
		if programs[g.pkg] != "" {
			continue
		}
		program := filepath.Join(dir, strings.ReplaceAll(g.pkg[len("./"):], "/", "_")+".exe")
		command := exec.Command(goCommand, "test", "-c", "-vet=off", "-overlay", overlay, "-o", program, g.pkg)
		command.Dir = root
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s with switches: %v\n%s", g.pkg, err, out)
		}
		programs[g.pkg] = program
	}
	return programs
}

// writeOverlay writes the sources with switches, and tells the go command so.
func writeOverlay(t *testing.T, root, dir string) string {
	t.Helper()
	replaced := map[string]string{}
	write := func(path string, text []byte) {
		replaced[filepath.Join(root, filepath.FromSlash(path))] = filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(path, "/", "_")), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for file, out := range editsByFile() {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		s, err := newSwitches(file, source)
		if err != nil {
			t.Fatal(err)
		}
		for number, edits := range out {
			if err := s.add(number, edits); err != nil {
				t.Fatalf("%q: %s: %v", guards[number].name, file, err)
			}
		}
		write(file, s.source())
		write(path.Join(path.Dir(file), "switch.go"), s.declaration())
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// editsByFile are the edits of all guards, by file and the guard's number.
func editsByFile() map[string]map[int][]edit {
	files := map[string]map[int][]edit{}
	for number, g := range guards {
		for _, e := range g.edits {
			if files[e.file] == nil {
				files[e.file] = map[int][]edit{}
			}
			files[e.file][number] = append(files[e.file][number], e)
		}
	}
	return files
}
