package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/mailer/mailertest"
)

const keiri = "keiri@sakura.example"

// night is a shop whose konbill serves an inbox.
type night struct {
	*shop
	listen string
}

func newNight(t *testing.T, settings ...string) *night {
	t.Helper()
	listen := closedPort(t)
	return &night{shop: newShop(t, append([]string{
		scriptWait + "=shortly", oneByOne, "KONBILL_SCHEDULE__CRON=@every 1s", "KONBILL_INBOX__STABLE_FOR=1s", "KONBILL_NOTIFY__TO=" + keiri,
		"KONBILL_SERVE__LISTEN=" + listen, "KONBILL_OMISE__TIMEOUT=1s", "KONBILL_OMISE__SETTLE_AFTER=11s",
	}, settings...)...), listen: listen}
}

// serve starts konbill serve and waits until it is at work.
func (n *night) serve() *process {
	n.Helper()
	p := n.start(nil, "serve")
	n.hear(p, "msg=listening")
	return p
}

func (n *night) hear(p *process, words string) {
	n.Helper()
	if !p.stderr.heard(words) {
		n.Fatalf("konbill serve never says %q\n%s", words, p.stderr)
	}
}

// stop asks konbill to stop, as a service manager does.
func (n *night) stop(p *process) {
	n.Helper()
	n.must(p.Process.Signal(syscall.SIGTERM))
	if code := n.end(p); code != exitDone {
		n.Errorf("konbill serve ends with %d\n%s", code, p.stderr)
	}
}

func (n *night) box(names ...string) string {
	return filepath.Join(n.dir, "inbox", filepath.Join(names...))
}

// drop leaves a file in the inbox, whole at once.
func (n *night) drop(name, text string) {
	n.Helper()
	temporary := n.box(".dropping") // hidden: left alone
	n.must(os.WriteFile(temporary, []byte(text), 0o600))
	n.must(os.Rename(temporary, n.box(name)))
}

// dropSlowly writes a file in pieces. Each comes once konbill has looked at the
// one before.
func (n *night) dropSlowly(name, text string) {
	n.Helper()
	f, err := os.Create(n.box(name))
	n.must(err)
	defer f.Close()
	const pieces = 5
	for i := range pieces {
		_, err := f.WriteString(text[len(text)*i/pieces : len(text)*(i+1)/pieces])
		n.must(err)
		for !strings.Contains(n.get("/metrics"), `konbill_inbox_files{state="waiting"} 1`) {
		}
	}
}

// get asks konbill serve about itself.
func (n *night) get(path string) string {
	n.Helper()
	answer, err := http.Get("http://" + n.listen + path)
	n.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	n.must(err)
	return string(text)
}

func rowsOf(numbers ...string) string {
	text := "invoice_no,name,email,phone,amount\n"
	for _, number := range numbers {
		text += number + ",山田太郎,taro@example.jp,09011112222,3000\n"
	}
	return text
}

// mails lists the numbers mailed to customers, and the mails to staff.
func (n *night) mails() (toCustomers map[string]int, toStaff []mailertest.Message) {
	n.Helper()
	toCustomers = map[string]int{}
	for _, m := range n.mail.Messages() {
		if m.To == keiri {
			toStaff = append(toStaff, m)
		} else {
			toCustomers[string(attachment.FindSubmatch(m.Data)[1])]++
		}
	}
	return toCustomers, toStaff
}

// letter is a mail to staff, taken apart.
type letter struct {
	subject, text string
	attached      map[string][]byte
}

func (n *night) read(m mailertest.Message) letter {
	n.Helper()
	reader, err := mail.CreateReader(bytes.NewReader(m.Data))
	n.must(err)
	l := letter{attached: map[string][]byte{}}
	l.subject, err = reader.Header.Subject()
	n.must(err)
	for {
		part, err := reader.NextPart()
		if err == io.EOF {
			return l
		}
		n.must(err)
		data, err := io.ReadAll(part.Body)
		n.must(err)
		if h, isAttachment := part.Header.(*mail.AttachmentHeader); isAttachment {
			name, err := h.Filename()
			n.must(err)
			l.attached[name] = data
		} else {
			l.text += string(data)
		}
	}
}

// folder lists what lies in a folder of the inbox, hidden things apart.
func (n *night) folder(names ...string) []string {
	n.Helper()
	entries, err := os.ReadDir(n.box(names...))
	n.must(err)
	var found []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			found = append(found, e.Name())
		}
	}
	return found
}

// TestServe has a real konbill serve a busy inbox, kills it in the middle, and
// then compares what everybody has.
func TestServe(t *testing.T) {
	t.Parallel()
	n := newNight(t, "KONBILL_INBOX__STABLE_FOR=2s") // more than a busy machine may take between two pieces
	p := n.serve()

	n.dropSlowly("slow.csv", rowsOf(numbered("S", 5)...))
	n.hear(p, "file=slow.csv id=2026-12-01-slow rows=5 yen=15000 issued=5")
	n.drop("copy.csv", rowsOf(numbered("S", 5)...))
	n.hear(p, `msg="file was processed before; nothing was charged" file=copy.csv`)
	n.drop("slow.csv", rowsOf("T-1"))
	n.hear(p, "file=slow.csv id=2026-12-01-slow-2 rows=1 yen=3000 issued=1")

	n.drop("broken.csv", "invoice_no,name\n\xff\xfe\x80\n")
	n.hear(p, `msg="file refused" file=broken.csv`)
	n.drop("wrong.csv.total", "12件 36,000円\n")
	n.drop("wrong.csv", rowsOf("W-1", "W-2"))
	n.hear(p, `msg="file refused" file=wrong.csv`)
	n.drop("right.csv.total", "2 rows ¥6,000\n")
	n.drop("right.csv", rowsOf("R-1", "R-2"))
	n.hear(p, "file=right.csv id=2026-12-01-right rows=2 yen=6000 issued=2")

	n.drop(".~lock.open.csv#", "somebody")
	n.drop("open.csv", rowsOf("O-1"))
	n.drop("one.csv", rowsOf("A-1"))
	n.drop("two.csv", rowsOf("B-1")+"B-2,鈴木花子,hanako@example.jp,09033334444,30\n")
	n.hear(p, "file=one.csv id=2026-12-01-one rows=1 yen=3000 issued=1")
	n.hear(p, "file=two.csv id=2026-12-01-two rows=2 yen=3030 issued=1 already_issued=0 rejected=1")

	order := n.hold("POST", "/charges", 1)
	n.drop("killed.csv", rowsOf(numbered("K", 4)...))
	<-order.come
	n.must(p.Process.Kill())
	order.release()
	n.end(p)

	p = n.serve()
	n.hear(p, "file=killed.csv id=2026-12-01-killed rows=4 yen=12000 issued=4")
	if waiting := n.folder(); !slices.Equal(waiting, []string{"done", "failed", "open.csv", "outbox", "working"}) {
		t.Errorf("the inbox holds %q", waiting)
	}
	n.must(os.Remove(n.box(".~lock.open.csv#")))
	n.hear(p, "file=open.csv id=2026-12-01-open rows=1 yen=3000 issued=1")
	n.toldOf(p, "保存名：2026-12-01-open")
	n.stop(p)
	n.compare()
	n.konbill(exitDone, "status")
}

// compare makes sure that folders, ledger, API and mails agree.
func (n *night) compare() {
	n.Helper()
	issued := slices.Concat(numbered("S", 5), numbered("K", 4), []string{"T-1", "R-1", "R-2", "O-1", "A-1", "B-1"})
	charged := n.charged()
	customers, letters := n.mails()
	for _, number := range issued {
		if len(charged[number]) != 1 || customers[number] > 1 {
			n.Errorf("%s: charged %q, mailed %d times", number, charged[number], customers[number])
		}
	}
	if len(n.api.Charges()) != len(issued) {
		n.Errorf("%d charges, want %d", len(n.api.Charges()), len(issued))
	}
	if got, want := n.folder("done"), []string{
		"2026-12-01-copy", "2026-12-01-killed", "2026-12-01-one", "2026-12-01-open", "2026-12-01-right",
		"2026-12-01-slow", "2026-12-01-slow-2", "2026-12-01-two",
	}; !slices.Equal(got, want) {
		n.Errorf("done holds %q, want %q", got, want)
	}
	if got, want := n.folder("failed"), []string{"2026-12-01-broken", "2026-12-01-wrong"}; !slices.Equal(got, want) {
		n.Errorf("failed holds %q, want %q", got, want)
	}
	if got := n.folder("working"); len(got) != 0 {
		n.Errorf("working holds %q", got)
	}
	for _, name := range []string{
		"2026-12-01-slow.results.csv", "2026-12-01-two.results.csv", "2026-12-01-two.errors.csv", "2026-12-01-killed.results.csv",
		"2026-12-01-broken.txt", "2026-12-01-wrong.txt", "2026-12-01-copy.txt",
	} {
		if !slices.Contains(n.folder("outbox"), name) {
			n.Errorf("outbox has no %s: %q", name, n.folder("outbox"))
		}
	}
	n.compareLetters(letters)
	n.compareLedger(issued, charged)
}

// compareLedger makes sure that the ledger has the charges that the API has.
func (n *night) compareLedger(issued []string, charged map[string][]string) {
	n.Helper()
	book, err := ledger.Open(n.Context(), "sqlite:"+filepath.Join(n.dir, "konbill.db"))
	n.must(err)
	defer book.Close()
	entries, err := invoices(n.Context(), book, batch.Query{})
	n.must(err)
	if len(entries) != len(issued) {
		n.Errorf("the ledger has %d invoices, want %d", len(entries), len(issued))
	}
	for _, e := range entries {
		if ids := charged[e.Invoice.Number]; len(ids) != 1 || e.Charge.ID != ids[0] {
			n.Errorf("%s: the ledger has the charge %q, the API %q", e.Invoice.Number, e.Charge.ID, ids)
		}
	}
}

// compareLetters makes sure that staff were told of every file, and in subjects
// of nobody.
func (n *night) compareLetters(letters []mailertest.Message) {
	n.Helper()
	var all strings.Builder
	attached := map[string]bool{}
	for _, m := range letters {
		l := n.read(m)
		if strings.ContainsAny(l.subject, "\r\n") || strings.Contains(l.subject, ".csv") || strings.Contains(l.subject, "山田") {
			n.Errorf("a subject tells too much: %q", l.subject)
		}
		all.WriteString(l.text)
		for name := range l.attached {
			attached[name] = true
		}
	}
	for _, name := range []string{"slow.csv", "copy.csv", "broken.csv", "wrong.csv", "right.csv", "open.csv", "one.csv", "two.csv", "killed.csv"} {
		if !strings.Contains(all.String(), name) {
			n.Errorf("staff were told nothing of %s", name)
		}
	}
	if !attached["2026-12-01-two.errors.csv"] || !attached["2026-12-01-slow.results.csv"] {
		n.Errorf("attached were %v", attached)
	}
}

// nightly is a schedule that doesn't come while a test lasts: in the time of
// scripts it is ten in the morning.
const nightly = "KONBILL_SCHEDULE__CRON=0 2 * * *"

// jump lets time pass.
func (n *night) jump(d time.Duration) {
	n.Helper()
	n.must(n.clock.jump(d))
}

// toldOf waits for a mail to staff that holds certain words.
func (n *night) toldOf(p *process, words string) letter {
	n.Helper()
	for {
		_, letters := n.mails()
		for _, m := range letters {
			if l := n.read(m); strings.Contains(l.text, words) {
				return l
			}
		}
		n.hear(p, "") // ends the test when konbill has ended
	}
}

// TestServeCatchesUp: a night without konbill is made up for once, at the start.
func TestServeCatchesUp(t *testing.T) {
	t.Parallel()
	n := newNight(t, nightly)
	p := n.serve() // from here on there is a night to miss
	n.hear(p, "msg=serving")
	n.hear(p, "2026-12-02 02:00")
	n.stop(p)
	n.drop("january.csv", rowsOf("J-1"))
	n.jump(72 * time.Hour)

	p = n.serve()
	n.hear(p, `msg="catching up" missed=true unfinished=0`)
	n.hear(p, "file=january.csv id=2026-12-04-january rows=1 yen=3000 issued=1")
	n.hear(p, `msg="run ends" files=1`)
	if l := n.toldOf(p, "january.csv"); !strings.Contains(l.subject, "対応不要") {
		t.Errorf("staff are told %q\n%s", l.subject, l.text)
	}
	if healthy := n.get("/healthz"); !strings.Contains(healthy, `"status":"ok"`) || !strings.Contains(healthy, "2026-12-04T02:00:00+09:00") {
		t.Errorf("health: %s", healthy)
	}
	n.stop(p)

	p = n.serve()
	n.stop(p)
	if strings.Contains(p.stderr.String(), "catching up") {
		t.Errorf("caught up twice\n%s", p.stderr)
	}
}

// TestServeStopsAndGoesOn: SIGTERM finishes what is in flight; the rest of the
// file goes on at the next start, and its results are the whole file's.
func TestServeStopsAndGoesOn(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	p := n.serve()
	order := n.hold("POST", "/charges", 1)
	n.drop("long.csv", rowsOf(numbered("L", 3)...))
	<-order.come
	n.must(p.Process.Signal(syscall.SIGTERM))
	n.hear(p, draining)
	order.release()
	if code := n.end(p); code != exitDone {
		t.Errorf("ends with %d\n%s", code, p.stderr)
	}
	if made, working := len(n.api.Charges()), n.folder("working"); made != 1 || !slices.Equal(working, []string{"2026-12-01-long"}) {
		t.Fatalf("%d charges, working holds %q", made, working)
	}

	p = n.serve()
	n.hear(p, "file=long.csv id=2026-12-01-long rows=3 yen=9000 issued=3")
	n.hear(p, `msg="run ends" files=1`)
	n.stop(p)
	if made, done := len(n.api.Charges()), n.folder("done"); made != 3 || !slices.Equal(done, []string{"2026-12-01-long"}) {
		t.Errorf("%d charges, done holds %q", made, done)
	}
}

// TestServeTriesAgain: a mail that was put off goes out between the runs, and
// staff hear of it.
func TestServeTriesAgain(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	n.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 450, Recipient: "taro@example.jp"})
	p := n.serve()
	n.drop("deferred.csv", rowsOf("D-1"))
	n.hear(p, "file=deferred.csv")
	n.hear(p, `msg="run ends" files=1`)
	if customers, _ := n.mails(); customers["D-1"] != 0 {
		t.Fatal("the mail was not put off")
	}
	n.mail.Forgive()
	n.jump(16 * time.Minute)
	n.hear(p, `msg="tried again what was left over" mailed=1`)
	n.toldOf(p, "D-1")
	if customers, _ := n.mails(); customers["D-1"] != 1 {
		t.Errorf("mailed %d times", customers["D-1"])
	}
	n.hear(p, `msg="results brought up to date" file=deferred.csv`)
	if metrics := n.get("/metrics"); !strings.Contains(metrics, `konbill_retried_total{outcome="mailed"} 1`) {
		t.Errorf("metrics:\n%s", metrics)
	}
	n.stop(p)
}

// TestServeWaitsForTheLedger: while a person's run holds the ledger, a file is
// kept for later and nothing is charged; and one inbox has one konbill serve.
func TestServeWaitsForTheLedger(t *testing.T) {
	t.Parallel()
	n := newNight(t, nightly, "KONBILL_OMISE__TIMEOUT=60s", "KONBILL_OMISE__SETTLE_AFTER=70s")
	order := n.hold("POST", "/charges", 1)
	byHand := n.start(nil, "run", n.file("by-hand.csv", "H-1"))
	<-order.come
	n.must(os.Mkdir(n.box(), 0o700))
	n.drop("kept.csv", rowsOf("K-1"))
	once := n.start(nil, "serve", "--once")
	if <-once.ended; once.ProcessState.ExitCode() != exitHeld {
		t.Errorf("ends with %d\n%s", once.ProcessState.ExitCode(), once.stderr)
	}
	if working := n.folder("working"); !slices.Equal(working, []string{"2026-12-01-kept"}) || len(n.charged()["K-1"]) != 0 {
		t.Errorf("working holds %q, charged is %q", working, n.charged())
	}
	order.release()
	n.end(byHand)

	p := n.serve()
	n.hear(p, "file=kept.csv id=2026-12-01-kept rows=1 yen=3000 issued=1")
	second := n.start([]string{"KONBILL_SERVE__LISTEN="}, "serve", "--once")
	if <-second.ended; second.ProcessState.ExitCode() != exitHeld {
		t.Errorf("a second one ends with %d\n%s", second.ProcessState.ExitCode(), second.stderr)
	}
	n.stop(p)
}

// TestServeWaitsForATotal: where control totals are required, a file waits for
// its own, and staff are told so once.
func TestServeWaitsForATotal(t *testing.T) {
	t.Parallel()
	n := newNight(t, "KONBILL_INBOX__REQUIRE_TOTAL=true")
	p := n.serve()
	n.drop("total.csv", rowsOf("V-1"))
	if l := n.toldOf(p, "total.csv"); !strings.Contains(l.text, "合計ファイル") || !strings.Contains(l.subject, "要対応") {
		t.Errorf("staff are told %q\n%s", l.subject, l.text)
	}
	n.drop("total.csv.total", "1件 3,000円")
	n.hear(p, "file=total.csv id=2026-12-01-total rows=1 yen=3000 issued=1")
	n.toldOf(p, "保存名：2026-12-01-total")
	n.stop(p)
	_, letters := n.mails()
	letters = slices.DeleteFunc(letters, func(m mailertest.Message) bool { return !strings.Contains(n.read(m).text, "total.csv") })
	if len(letters) != 2 {
		t.Errorf("staff were told %d times\n%s", len(letters), p.stderr)
	}
}

// TestServeRunsAgainByItself: a run that the API refuses is told, and made again
// a while later, when somebody may have seen to it.
func TestServeRunsAgainByItself(t *testing.T) {
	t.Parallel()
	n := newNight(t, nightly)
	n.stop(n.serve())
	n.drop("refused.csv", rowsOf("U-1"))
	n.jump(24 * time.Hour)
	n.revokeAfter(0)

	p := n.serve()
	n.hear(p, `msg="run ends" files=1 waiting=0 failed=true`)
	if l := n.toldOf(p, "refused.csv"); !strings.Contains(l.text, "自動でもう一度処理します") {
		t.Errorf("staff are told %q\n%s", l.subject, l.text)
	}
	if working := n.folder("working"); !slices.Equal(working, []string{"2026-12-02-refused"}) {
		t.Errorf("working holds %q", working)
	}
	n.revokeAfter(-1)
	n.jump(6 * time.Minute)
	n.hear(p, "file=refused.csv id=2026-12-02-refused rows=1 yen=3000 issued=1")
	n.stop(p)
}

// TestServeTellsLate: staff hear of a file although konbill was killed before
// their mail went.
func TestServeTellsLate(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	n.mail.Order(mailertest.Fault{At: mailertest.AtRCPT, Code: 450, Recipient: keiri})
	p := n.serve()
	n.drop("late.csv", rowsOf("N-1"))
	n.hear(p, "file=late.csv id=2026-12-01-late rows=1")
	n.hear(p, `msg="a mail to staff can't be sent now"`)
	n.must(p.Process.Kill())
	n.end(p)
	n.mail.Forgive()

	p = n.serve()
	l := n.toldOf(p, "late.csv")
	if attached := l.attached["2026-12-01-late.results.csv"]; !bytes.Contains(attached, []byte("N-1")) {
		t.Errorf("attached are %v\n%s", l.attached, l.text)
	}
	n.stop(p)
	p = n.serve()
	n.stop(p)
	if _, letters := n.mails(); len(letters) != 1 {
		t.Errorf("staff were told %d times", len(letters))
	}
}

// TestServeFollowsPayments: what is paid is known within the hour.
func TestServeFollowsPayments(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	p := n.serve()
	n.drop("paid.csv", rowsOf("P-1"))
	n.hear(p, "file=paid.csv id=2026-12-01-paid rows=1 yen=3000 issued=1")
	if status, err := n.ask(http.MethodPost, "/charges/"+n.charged()["P-1"][0]+"/mark_as_paid", nil); err != nil || status != http.StatusOK {
		t.Fatalf("mark_as_paid: %d, %v", status, err)
	}
	n.jump(time.Hour)
	n.hear(p, `msg="payments looked at" paid=1 paid_yen=3000 expired=0 failed=0 reversed=0 open=0 for_a_person=0`)
	n.hear(p, `msg="results brought up to date" file=paid.csv id=2026-12-01-paid`)
	results, err := os.ReadFile(n.box("outbox", "2026-12-01-paid.results.csv"))
	n.must(err)
	if !bytes.Contains(results, []byte("successful")) {
		t.Errorf("the outbox says\n%s", results)
	}
	if metrics := n.get("/metrics"); !strings.Contains(metrics, `konbill_payments_yen_total{status="successful"} 3000`) {
		t.Errorf("metrics:\n%s", metrics)
	}
	n.stop(p)
}

// TestServeReminds: who hasn't paid is reminded in the daytime, once, and who has
// is told that the payment has come.
func TestServeReminds(t *testing.T) {
	t.Parallel()
	n := newNight(t, "KONBILL_FOLLOW__REMIND_BEFORE=3d", "KONBILL_FOLLOW__RECEIPT_MAIL=true")
	p := n.serve()
	n.drop("due.csv", rowsOf("D-1", "D-2"))
	n.hear(p, "file=due.csv id=2026-12-01-due rows=2")
	if status, err := n.ask(http.MethodPost, "/charges/"+n.charged()["D-2"][0]+"/mark_as_paid", nil); err != nil || status != http.StatusOK {
		t.Fatalf("mark_as_paid: %d, %v", status, err)
	}
	n.jump(time.Hour)
	n.hear(p, `msg="payments looked at" paid=1`)
	n.hear(p, `msg="customers mailed" notice=receipt outcomes=map[mailed:1]`)
	n.jump(27*24*time.Hour - 8*time.Hour) // 28 December, 3:00 in Japan
	n.hear(p, `msg="payments looked at"`)
	n.jump(6 * time.Hour)
	n.hear(p, `msg="customers mailed" notice=reminder outcomes=map[mailed:1]`)
	n.jump(2 * time.Hour)
	n.hear(p, `msg="payments looked at"`)
	if metrics := n.get("/metrics"); !strings.Contains(metrics, `konbill_notices_total{kind="reminder",outcome="mailed"} 1`) {
		t.Errorf("metrics:\n%s", metrics)
	}
	n.stop(p)
	customers := 0
	for _, m := range n.mail.Messages() {
		if m.To != keiri {
			customers++
		}
	}
	if customers != 4 {
		t.Errorf("%d mails to customers: two bills, a reminder and a receipt are expected", customers)
	}
}

// TestServeMissesARun: staff hear of a run that has not come by the time they
// expect it.
func TestServeMissesARun(t *testing.T) {
	t.Parallel()
	n := newNight(t, nightly, "KONBILL_NOTIFY__EXPECTED_BY=06:00", "KONBILL_NOTIFY__LANG=en")
	p := n.serve()
	for !strings.Contains(n.get("/metrics"), "konbill_inbox_files") {
		n.hear(p, "") // until it watches
	}
	n.jump(21 * time.Hour) // the schedule's own clock doesn't: nothing runs
	n.hear(p, `msg="a run has not ended by the time it was expected to"`)
	n.toldOf(p, "Due: Wed, 2 December, 02:00")
	answer, err := http.Get("http://" + n.listen + "/healthz")
	n.must(err)
	n.must(answer.Body.Close())
	if answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("health: %s", answer.Status)
	}
	n.stop(p)
}
