//go:build unix

package fleet_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"konbill/batch/omise/omisetest"
	"konbill/mailer/mailertest"
	"konbill/samples/peertest"
)

var (
	invoices = flag.Int("invoices", 1000, "how many TestFleet has issued")
	seed     = flag.Uint64("seed", 0, "of TestFleet's troubles; 0: another one each time")
)

// What TestFleet lets all machines ask together.
const (
	perSecond = 100
	atOnce    = 8
)

// TestFleet has three workers and two konbill serve, the real program, issue invoices
// while machines are killed, stopped and woken at random, one is cut off from the database,
// the API fails in many ways, and the database is started anew. Each invoice must be charged once and mailed once at
// most, results must tell of all, and the API must never be asked more often than it may.
func TestFleet(t *testing.T) {
	f := newFleet(t)
	f.t.Logf("seed %d", f.seed)
	f.start("serve", "serve", "worker", "worker")
	link := f.startBehindLink("worker")
	f.untilWorking()
	began := time.Now()
	f.drop("first.csv", "A", *invoices/2)
	f.drop("second.csv", "B", *invoices-*invoices/2)
	f.untilCharged(*invoices / 10)
	f.kill()
	f.untilCharged(*invoices * 3 / 10)
	woken := f.pause(15 * time.Second)
	f.untilCharged(*invoices * 5 / 10)
	f.database.Stop()
	f.database.Start()
	f.untilCharged(*invoices * 6 / 10)
	restored := link.cut(12 * time.Second)
	f.untilCharged(*invoices * 7 / 10)
	f.kill()
	f.untilCharged(*invoices * 9 / 10)
	<-woken
	woken = f.pause(9 * time.Second)
	f.untilDone("first.csv", "second.csv")
	<-woken
	<-restored
	t.Logf("%d invoices in %s", *invoices, time.Since(began).Round(time.Second))
	f.end()
	f.checkIssued("first.csv", "A", *invoices/2)
	f.checkIssued("second.csv", "B", *invoices-*invoices/2)
	f.checkPace()
}

// testFleet is machines, and what they talk to.
type testFleet struct {
	t        testing.TB
	seed     uint64
	random   *rand.Rand
	dir      string
	program  string
	database *peertest.Postgres
	url      string
	api      *omisetest.Server
	mail     *mailertest.Server
	machines []*machine
	met      arrivals

	perSecond, atOnce int
}

type machine struct {
	*exec.Cmd
	command string
	said    *said
	link    *link // nil: it reaches the database directly
	ended   chan struct{}
}

// said keeps what a machine says.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func newFleet(t *testing.T) *testFleet {
	database := peertest.StartPostgres(t) // without one there is nothing to build for
	f := newMachines(t, omisetest.Options{Latency: 30 * time.Millisecond})
	f.seed = *seed
	if f.seed == 0 {
		f.seed = rand.Uint64()
	}
	f.random = rand.New(rand.NewPCG(f.seed, 0))
	f.database = database
	f.url = f.database.NewDatabase()
	f.orderFaults()
	return f
}

// newMachines builds the program, and starts what machines talk to, beside the database.
func newMachines(t testing.TB, api omisetest.Options) *testFleet {
	f := &testFleet{t: t, dir: t.TempDir(), program: filepath.Join(t.TempDir(), "konbill"), perSecond: perSecond, atOnce: atOnce}
	if out, err := exec.Command("go", "build", "-o", f.program, "konbill/cmd/konbill").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	api.Log = func(_, _ string, status int) { f.met.add(time.Now(), status) }
	f.api = omisetest.NewServer(api)
	stop, err := f.api.Start()
	f.must(err)
	t.Cleanup(stop)
	f.mail, err = mailertest.Start(mailertest.Options{Keep: 1 << 10})
	f.must(err)
	t.Cleanup(func() { f.mail.Close() })
	return f
}

// orderFaults has the API fail now and then: rarely enough that no machine gives it up.
func (f *testFleet) orderFaults() {
	for i, kind := range []omisetest.FaultKind{
		omisetest.CutAfter, omisetest.CutBefore, omisetest.Error500After, omisetest.Error500Before, omisetest.Truncated, omisetest.TooManyRequests,
	} {
		f.api.Order(omisetest.Fault{
			Kind: kind, Method: "POST", Path: "/charges", Count: 1 << 20, RetryAfter: time.Second, Match: everyNth(700, 97*(i+1)),
		})
	}
}

// everyNth picks requests, the first after some have come.
func everyNth(n, first int) func(*http.Request) bool {
	come := -first
	return func(*http.Request) bool { // the API asks for one at a time
		come++
		return come > 0 && come%n == 0
	}
}

func (f *testFleet) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// command is one of the program, with what it must be told.
func (f *testFleet) command(args ...string) *exec.Cmd {
	c := exec.Command(f.program, args...)
	c.Dir = f.dir
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + f.dir, "XDG_CONFIG_HOME=" + f.dir, "LANG=ja_JP.UTF-8", "OMISE_SECRET_KEY=skey_test_fleet", "KONBILL_OMISE__API_URL=" + f.api.URL(),
		fmt.Sprintf("KONBILL_OMISE__REQUESTS_PER_SECOND=%d", f.perSecond), fmt.Sprintf("KONBILL_OMISE__WORKERS=%d", f.atOnce),
		"KONBILL_OMISE__TIMEOUT=2s", "KONBILL_OMISE__SETTLE_AFTER=12s",
		"KONBILL_LEDGER__URL=" + f.url, "KONBILL_MERCHANT__NAME=さくら商店", "KONBILL_MERCHANT__PHONE=03-0000-0000",
		"KONBILL_SMTP__FROM=billing@sakura.example", "KONBILL_SMTP__HOST=" + f.mail.Host(), fmt.Sprintf("KONBILL_SMTP__PORT=%d", f.mail.Port()), "KONBILL_SMTP__TLS=none",
		"KONBILL_SCHEDULE__CRON=@every 1s", "KONBILL_INBOX__STABLE_FOR=1s", "KONBILL_FOLLOW__SYNC=0", "KONBILL_SERVE__LISTEN=", "KONBILL_SERVE__TAKE_OVER_AFTER=10s",
	}
	return c
}

func (f *testFleet) start(commands ...string) {
	f.t.Helper()
	for _, command := range commands {
		f.startOne(command)
	}
}

func (f *testFleet) startOne(command string) {
	f.t.Helper()
	m := &machine{Cmd: f.command(command), command: command, said: &said{}, ended: make(chan struct{})}
	m.Stderr = m.said
	f.must(m.Start())
	go func() {
		_ = m.Wait() // how it ends is looked at where it is to end by itself
		close(m.ended)
	}()
	f.t.Cleanup(func() {
		_ = m.Process.Kill() // it has ended, as it should
		<-m.ended
		if f.t.Failed() {
			f.t.Logf("%s %d said\n%s", command, m.Process.Pid, m.said)
		}
	})
	f.machines = append(f.machines, m)
}

// link is a way to the database that can be cut.
type link struct {
	t        testing.TB
	to       string
	listener net.Listener

	mu    sync.Mutex
	off   bool
	conns []net.Conn
}

// startBehindLink starts a machine that reaches the database by a link.
func (f *testFleet) startBehindLink(command string) *link {
	f.t.Helper()
	database, err := url.Parse(f.url)
	f.must(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	f.must(err)
	f.t.Cleanup(func() { listener.Close() })
	l := &link{t: f.t, to: database.Host, listener: listener}
	go l.carry()
	database.Host = listener.Addr().String()
	direct := f.url
	f.url = database.String()
	f.start(command)
	f.url = direct
	f.machines[len(f.machines)-1].link = l
	return l
}

// carry carries what comes until the listener is closed.
func (l *link) carry() {
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", l.to)
		if err != nil || !l.join(from, to) {
			from.Close()
		}
	}
}

// join carries between two connections, unless the link is cut.
func (l *link) join(from, to net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off {
		to.Close()
		return false
	}
	l.conns = append(l.conns, from, to)
	go l.copy(to, from)
	go l.copy(from, to)
	return true
}

func (l *link) copy(to, from net.Conn) {
	_, _ = io.Copy(to, from) // it ends when either is closed
	to.Close()
	from.Close()
}

// cut cuts the link for a while.
func (l *link) cut(d time.Duration) (restored <-chan struct{}) {
	l.t.Logf("cut off from the database for %s", d)
	l.set(true)
	done := make(chan struct{})
	time.AfterFunc(d, func() { l.set(false); close(done) })
	return done
}

func (l *link) set(off bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off = off; off {
		for _, c := range l.conns {
			c.Close()
		}
		l.conns = nil
	}
}

// any is one of the machines, but not the one behind a link, which has troubles of its own.
func (f *testFleet) any() int {
	for {
		if at := f.random.IntN(len(f.machines)); f.machines[at].link == nil {
			return at
		}
	}
}

// kill kills a machine, in whose place another is started.
func (f *testFleet) kill() {
	at := f.any()
	m := f.machines[at]
	f.machines = append(f.machines[:at], f.machines[at+1:]...)
	f.t.Logf("killed: %s %d at %d charges", m.command, m.Process.Pid, len(f.api.Charges()))
	f.must(m.Process.Kill())
	<-m.ended
	f.start(m.command)
	f.untilWorking()
}

// pause stops a machine and wakes it after a while.
func (f *testFleet) pause(d time.Duration) (woken <-chan struct{}) {
	m := f.machines[f.any()]
	f.t.Logf("stopped: %s %d at %d charges, for %s", m.command, m.Process.Pid, len(f.api.Charges()), d)
	f.must(m.Process.Signal(syscall.SIGSTOP))
	done := make(chan struct{})
	time.AfterFunc(d, func() {
		_ = m.Process.Signal(syscall.SIGCONT) // it may have been killed meanwhile
		close(done)
	})
	return done
}

func (f *testFleet) box(parts ...string) string {
	return filepath.Join(append([]string{f.dir, "inbox"}, parts...)...)
}

// drop puts a file into the inbox.
func (f *testFleet) drop(name, prefix string, rows int) {
	f.t.Helper()
	f.must(os.MkdirAll(f.box(), 0o700))
	f.write(filepath.Join("inbox", name), prefix, rows)
}

func (f *testFleet) write(name, prefix string, rows int) {
	f.t.Helper()
	text := "invoice_no,name,email,phone,amount\n"
	for i := range rows {
		text += fmt.Sprintf("%s-%d,山田太郎,u%d@%s.example,09011112222,3000\n", prefix, i, i, strings.ToLower(prefix))
	}
	f.must(os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600))
}

// wait looks again and again until something is so.
func (f *testFleet) wait(what string, is func() bool) {
	f.t.Helper()
	const patience = 4 * time.Minute
	looks := time.NewTicker(100 * time.Millisecond)
	defer looks.Stop()
	for over := time.After(patience); !is(); {
		select {
		case <-looks.C:
			for _, m := range f.machines {
				select {
				case <-m.ended:
					f.t.Fatalf("%s %d has ended by itself", m.command, m.Process.Pid)
				default:
				}
			}
		case <-over:
			f.t.Fatalf("%s: not in %s; %d charges", what, patience, len(f.api.Charges()))
		}
	}
}

// untilWorking waits for machines that have just been started: one that finds the database
// away as it begins ends, and is a service manager's to start again.
func (f *testFleet) untilWorking() {
	f.t.Helper()
	f.wait("all work", func() bool { return f.haveSaid("msg=working") == len(f.machines) })
}

// haveSaid counts the machines that have said something.
func (f *testFleet) haveSaid(text string) (n int) {
	for _, m := range f.machines {
		if strings.Contains(m.said.String(), text) {
			n++
		}
	}
	return n
}

func (f *testFleet) untilCharged(n int) {
	f.t.Helper()
	f.wait(fmt.Sprintf("%d charges", n), func() bool { return len(f.api.Charges()) >= n })
}

func (f *testFleet) results(name string) string {
	found, err := filepath.Glob(f.box("outbox", "*-"+strings.TrimSuffix(name, ".csv")+".results.csv"))
	f.must(err)
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

func (f *testFleet) untilDone(names ...string) {
	f.t.Helper()
	f.wait("results", func() bool {
		for _, name := range names {
			if f.results(name) == "" {
				return false
			}
		}
		return true
	})
}

// end stops all machines as a service manager does.
func (f *testFleet) end() {
	f.t.Helper()
	for _, m := range f.machines {
		f.must(m.Process.Signal(syscall.SIGTERM))
	}
	for _, m := range f.machines {
		<-m.ended
		if code := m.ProcessState.ExitCode(); code != 0 {
			f.t.Errorf("%s ends with %d", m.command, code)
		}
	}
}

// checkIssued makes sure that each invoice has one charge, one line that says so, and a
// mail, or a person to see to it: what a machine that was killed had begun to send.
func (f *testFleet) checkIssued(name, prefix string, rows int) {
	f.t.Helper()
	charges := map[string]int{}
	for _, c := range f.api.Charges() {
		charges[c.Metadata["invoice_no"]]++
	}
	mails := map[string]int{}
	for _, m := range f.mail.Messages() {
		mails[m.To]++
	}
	text, err := os.ReadFile(f.results(name))
	f.must(err)
	unmailed := 0
	for i := range rows {
		number, to := prefix+"-"+strconv.Itoa(i), fmt.Sprintf("u%d@%s.example", i, strings.ToLower(prefix))
		if charges[number] != 1 || mails[to] > 1 {
			f.t.Errorf("%s: %d charges, %d mails", number, charges[number], mails[to])
		}
		if mails[to] == 0 {
			unmailed++
		}
	}
	issued := strings.Count(string(text), ",issued,")
	if held := strings.Count(string(text), ",held,"); issued != rows || unmailed > held {
		f.t.Errorf("%s: %d of %d rows are issued; %d have no mail, and %d are held for a person", name, issued, rows, unmailed, held)
	}
	f.t.Logf("%s: %d issued, %d without a mail", name, issued, unmailed)
}

// arrivals are when requests came.
type arrivals struct {
	mu      sync.Mutex
	at      []time.Time
	tooMany time.Time // when the API last said so; zero: never
}

func (a *arrivals) add(at time.Time, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = append(a.at, at)
	if status == http.StatusTooManyRequests {
		a.tooMany = at
	}
}

// checkPace makes sure that no second saw more requests than all machines may make, but
// for one that each may have saved.
func (f *testFleet) checkPace() {
	f.t.Helper()
	most := f.met.most(time.Second)
	if saved := len(f.machines); most > f.perSecond+saved || f.api.MostAtOnce() > atOnce {
		f.t.Errorf("%d requests in a second, %d at once", most, f.api.MostAtOnce())
	}
	f.t.Logf("at most %d requests in a second, %d at once", most, f.api.MostAtOnce())
}

// most is how many came within so long.
func (a *arrivals) most(within time.Duration) (most int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := 0
	for i, at := range a.at {
		for at.Sub(a.at[first]) >= within {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
