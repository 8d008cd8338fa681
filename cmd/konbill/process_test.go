package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
	"konbill/mailer/mailertest"
)

// What konbill is told in scripts, beside what people can tell it.
const (
	scriptBegan   = "SCRIPT_BEGAN"    // when the machine's clock showed the script's beginning
	scriptWaited  = "SCRIPT_WAITED"   // the file of the waits, see scriptClock
	scriptCrashAt = "SCRIPT_CRASH_AT" // POINT:N kills the process when it comes to a point for the Nth time
	scriptStopAt  = "SCRIPT_STOP_AT"  // POINT:N stops it there until it is told to go on, see stopHere
	scriptWait    = "SCRIPT_WAIT"     // "really" lets waits last, "shortly" those of up to a second
	scriptHeard   = "SCRIPT_HEARD"    // the folder where what it says on stderr is kept, see overheardSuite
)

// konbillInScript is the real command line, signals included, with the clock of
// a script.
func konbillInScript() int {
	ctx, drain, release := interruptible()
	defer release()
	clock, err := clockOfEnvironment()
	if err != nil {
		panic(err)
	}
	stderr, err := overheardStderr(os.Getenv(scriptHeard), os.Args[1:])
	if err != nil {
		panic(err)
	}
	go func() {
		<-drain
		fmt.Fprintln(os.Stderr, draining)
	}()
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: stderr, env: os.Environ(), drain: drain,
		now: clock.now, wait: clock.waiter(drain), at: atPoint(os.Getenv(scriptCrashAt), os.Getenv(scriptStopAt)),
		resolver: resolverAt(os.Getenv(scriptNameServer)),
	}
	really, jumping := waiter(drain), a.wait
	switch os.Getenv(scriptWait) {
	case "really":
		a.wait = really
	case "shortly":
		a.wait = func(ctx context.Context, d time.Duration) error {
			if d > time.Second {
				return jumping(ctx, d)
			}
			return really(ctx, d)
		}
	}
	return a.run(ctx, os.Args[1:])
}

// overheardStderr is stderr, of which a file in the folder keeps a copy. Its
// first line tells who speaks. What a process says as it dies is kept, too.
func overheardStderr(folder string, args []string) (io.Writer, error) {
	copied, err := os.CreateTemp(folder, "*"+heardExt)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(copied, "konbill %q in %s\n", args, workingDirectory()); err != nil {
		return nil, err
	}
	stderr := io.MultiWriter(os.Stderr, copied)
	log.SetOutput(stderr)
	return stderr, debug.SetCrashOutput(copied, debug.CrashOptions{})
}

// draining is what the process of a script says once it has heard a signal.
const draining = "script: draining"

// atPoint kills the process at a point, as a power cut would: nothing is cleaned up,
// nothing is flushed. At another it stops it.
func atPoint(crashAt, stopAt string) func(batch.Point) {
	crash := counted(crashAt, func() {
		fmt.Fprintln(os.Stderr, crashed(crashAt))
		die()
	})
	stop := counted(stopAt, func() { stopHere(stopAt) })
	return func(p batch.Point) {
		crash(p)
		stop(p)
	}
}

// counted does something when the process comes to a point for the Nth time.
func counted(order string, do func()) func(batch.Point) {
	name, nth, ordered := strings.Cut(order, ":")
	if !ordered {
		return func(batch.Point) {}
	}
	times, err := strconv.Atoi(nth)
	if err != nil {
		panic(err)
	}
	var come atomic.Int64
	return func(p batch.Point) {
		if p == batch.Point(name) && come.Add(1) == int64(times) {
			do()
		}
	}
}

// stopHere stops the process, where a system can.
var stopHere func(order string)

// crashed is what the process says as it is killed, so that a test can tell
// this end from others.
func crashed(order string) string { return "script: crashed at " + order }

func die() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // the signal is on its way
}

// scriptClock is shared by the processes and the servers of a script. It
// showed scriptNow when the script began, goes on with the machine's, and jumps
// ahead by whatever anybody waits: nobody really does. The waits are kept in a
// file, a byte a second, to which processes can add without asking each other.
type scriptClock struct {
	began time.Time
	file  string
}

func clockOfEnvironment() (scriptClock, error) {
	began, err := time.Parse(time.RFC3339Nano, os.Getenv(scriptBegan))
	return scriptClock{began: began, file: os.Getenv(scriptWaited)}, err
}

func (c scriptClock) now() time.Time {
	waited := time.Duration(0)
	if info, err := os.Stat(c.file); err == nil { // else nobody has waited
		waited = time.Duration(info.Size()) * time.Second
	}
	return scriptNow.Add(time.Since(c.began) + waited)
}

// jump lets time pass, in whole seconds.
func (c scriptClock) jump(d time.Duration) error {
	f, err := os.OpenFile(c.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	seconds := int((d + time.Second - 1) / time.Second)
	_, err = f.Write(bytes.Repeat([]byte("."), seconds))
	return errors.Join(err, f.Close())
}

func (c scriptClock) waiter(drain <-chan struct{}) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		select {
		case <-drain:
			return context.Canceled
		case <-ctx.Done():
			return ctx.Err()
		default:
			return c.jump(d)
		}
	}
}

// peers are the servers of one script: a practice API and a mail server.
type peers struct {
	api   *omisetest.Server
	mail  *mailertest.Server
	names *nameServer
	clock scriptClock
	key   string // the secret key that the API takes
	heard string // a folder: what processes say on stderr, and their temporary files

	mu      sync.Mutex
	open    map[net.Conn]bool // connections to the API
	closed  *sync.Cond        // one of them was closed
	allowed int               // charges until the API refuses the key; negative: any number
}

// startPeers starts them, for processes that work in a folder.
func startPeers(dir string) (p *peers, stop func(), err error) {
	p = &peers{
		clock: scriptClock{began: time.Now(), file: filepath.Join(dir, ".waited")},
		key:   "skey_test_script", open: map[net.Conn]bool{}, allowed: -1,
	}
	p.closed = sync.NewCond(&p.mu)
	if p.heard, err = os.MkdirTemp(os.Getenv(scriptHeard), ""); err != nil {
		return nil, nil, err
	}
	if err := os.Mkdir(p.temporary(), 0o700); err != nil {
		return nil, nil, err
	}
	p.api = omisetest.NewServer(omisetest.Options{Now: p.clock.now, SecretKey: p.key, AccountID: practiceAccount})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	p.api.SetURL("http://" + listener.Addr().String())
	server := &http.Server{Handler: http.HandlerFunc(p.serveAPI), ConnState: p.note}
	go server.Serve(listener) // until stop
	if p.mail, err = mailertest.Start(mailertest.Options{}); err != nil {
		return nil, nil, errors.Join(err, server.Close())
	}
	if p.names, err = startNameServer(); err != nil {
		return nil, nil, errors.Join(err, server.Close(), p.mail.Close())
	}
	return p, func() { server.Close(); p.mail.Close(); p.names.conn.Close() }, nil
}

// environment is what konbill must be told to work with the peers.
func (p *peers) environment(dir string) []string {
	return []string{
		scriptHeard + "=" + p.heard,
		"TMPDIR=" + p.temporary(), "TMP=" + p.temporary(), "TEMP=" + p.temporary(), "SQLITE_TMPDIR=" + p.temporary(),
		scriptBegan + "=" + p.clock.began.Format(time.RFC3339Nano),
		scriptWaited + "=" + p.clock.file,
		scriptNameServer + "=" + p.names.conn.LocalAddr().String(),
		"LANG=ja_JP.UTF-8",
		"HOME=" + dir,
		"XDG_CONFIG_HOME=" + filepath.Join(dir, ".config"),
		"OMISE_SECRET_KEY=" + p.key,
		"KONBILL_OMISE__API_URL=" + p.api.URL(),
		"KONBILL_MERCHANT__NAME=さくら商店",
		"KONBILL_MERCHANT__PHONE=03-0000-0000",
		"KONBILL_SMTP__FROM=billing@sakura.example",
		"KONBILL_SMTP__HOST=" + p.mail.Host(),
		"KONBILL_SMTP__PORT=" + strconv.Itoa(p.mail.Port()),
		"KONBILL_SMTP__TLS=none",
	}
}

// temporary is the folder of the temporary files of processes that work with
// the peers.
func (p *peers) temporary() string { return filepath.Join(p.heard, "temporary") }

// serveAPI is the practice API, as long as it takes the key.
func (p *peers) serveAPI(w http.ResponseWriter, r *http.Request) {
	if p.revoked(r) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintln(w, `{"object":"error","code":"authentication_failure","message":"authentication failed"}`)
		return
	}
	p.api.ServeHTTP(w, r)
}

func (p *peers) revoked(r *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.allowed > 0 && r.Method == http.MethodPost && r.URL.Path == "/charges" {
		p.allowed--
		return false
	}
	return p.allowed == 0
}

// revokeAfter lets the API refuse the key after so many charges more; a
// negative number takes that back.
func (p *peers) revokeAfter(charges int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowed = charges
}

func (p *peers) note(c net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch state {
	case http.StateNew:
		p.open[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(p.open, c)
		p.closed.Broadcast()
	}
}

// held are requests that the practice API carries out and doesn't answer.
type held struct {
	come    <-chan struct{} // closed when all of them have come
	release func()          // lets the answers go
}

// hold withholds the answers to the next requests that fit.
func (p *peers) hold(method, path string, count int) held {
	come, release := make(chan struct{}), make(chan struct{})
	left := count
	p.api.Order(omisetest.Fault{
		Kind: omisetest.Late, Method: method, Path: path, Count: count, Release: release,
		Match: func(*http.Request) bool { // called for one request after the other
			if left--; left == 0 {
				close(come)
			}
			return true
		},
	})
	return held{come: come, release: sync.OnceFunc(func() { close(release) })}
}

// settle waits until the API has done with the requests of a process that has
// ended. In the time of scripts, which jumps, they could otherwise be carried
// out hours after they were sent.
func (p *peers) settle() error {
	// Connections are accepted in order: with this one, all before it are.
	if _, err := p.ask(http.MethodGet, "/account", nil); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.open) > 0 {
		p.closed.Wait()
	}
	return nil
}

// ask asks the API for something that konbill didn't ask for.
func (p *peers) ask(method, path string, form url.Values) (status int, err error) {
	request, err := http.NewRequest(method, p.api.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Omise-Version", "2019-05-29")
	request.SetBasicAuth(p.key, "")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// requests are those that konbill made, of one kind.
func (p *peers) requests(method, path string) int {
	n := 0
	for _, r := range p.api.Requests() {
		if r.Method == method && r.Path == path && strings.HasPrefix(r.Header.Get("User-Agent"), "konbill/") {
			n++
		}
	}
	return n
}

// charged lists the ids of the charges that the API really made, by invoice
// number, oldest first.
func (p *peers) charged() map[string][]string {
	ids := map[string][]string{}
	for _, c := range p.api.Charges() {
		number := c.Metadata["invoice_no"]
		ids[number] = append(ids[number], c.ID)
	}
	return ids
}

// plant makes a charge as another ledger on the account would have, for the
// customer of all rows.
func (p *peers) plant(number, amount string) error {
	account := batch.Account{ID: practiceAccount}
	return p.plantWith(amount, url.Values{
		"metadata[konbill_key]": {string(batch.KeyOf(account, number))}, "metadata[invoice_no]": {number},
	})
}

// practiceAccount is the practice API's.
const practiceAccount = "account_test_5script0account00000"

// plantWith makes a charge that need not have to do with konbill.
func (p *peers) plantWith(amount string, metadata url.Values) error {
	form := url.Values{
		"amount": {amount}, "currency": {"JPY"}, "source[type]": {"econtext"},
		"source[name]": {"山田太郎"}, "source[email]": {"taro@example.jp"}, "source[phone_number]": {"09011112222"},
	}
	for name, values := range metadata {
		form[name] = values
	}
	status, err := p.ask(http.MethodPost, "/charges", form)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the practice API answers %d", status)
	}
	return err
}

// shop is a merchant in a folder of its own, with peers of its own, whose
// konbill is a real process.
type shop struct {
	*testing.T
	*peers
	dir string
	env []string
}

func newShop(t *testing.T, settings ...string) *shop {
	t.Helper()
	s := &shop{T: t, dir: t.TempDir()}
	var stop func()
	var err error
	s.peers, stop, err = startPeers(s.dir)
	s.must(err)
	t.Cleanup(stop)
	s.env = slices.Concat([]string{"PATH=" + os.Getenv("PATH")}, s.environment(s.dir), settings)
	return s
}

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// file stores invoices of ¥3,000 for one customer, and returns the file's name.
func (s *shop) file(name string, numbers ...string) string {
	s.Helper()
	text := "invoice_no,name,email,phone,amount\n"
	for _, number := range numbers {
		text += number + ",山田太郎,taro@example.jp,09011112222,3000\n"
	}
	s.must(os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
	return name
}

// numbered makes invoice numbers.
func numbered(prefix string, count int) []string {
	numbers := make([]string, count)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("%s-%d", prefix, i+1)
	}
	return numbers
}

// process is a konbill at work.
type process struct {
	*exec.Cmd
	stdout, stderr *transcript
	ended          chan struct{}
	err            error // of Wait, once it has ended
}

// start starts konbill; settings come on top of the shop's.
func (s *shop) start(settings []string, args ...string) *process {
	s.Helper()
	p := &process{
		Cmd: exec.Command("konbill", args...), stdout: newTranscript(), stderr: newTranscript(), ended: make(chan struct{}),
	}
	p.Dir, p.Env = s.dir, slices.Concat(s.env, settings)
	p.Stdout, p.Stderr = p.stdout, p.stderr
	s.must(p.Start())
	go func() {
		p.err = p.Wait()
		p.stdout.end()
		p.stderr.end()
		close(p.ended)
	}()
	s.Cleanup(func() {
		p.Process.Kill() // its error is that it has ended, as it should
		<-p.ended
	})
	return p
}

// end waits for a process and returns its exit code; -1 when it was killed.
func (s *shop) end(p *process) int {
	s.Helper()
	<-p.ended
	if exit := new(exec.ExitError); p.err != nil && !errors.As(p.err, &exit) {
		s.Fatal(p.err)
	}
	s.must(s.settle())
	return p.ProcessState.ExitCode()
}

// konbill runs to its end, which must be the one expected.
func (s *shop) konbill(code int, args ...string) {
	s.Helper()
	p := s.start(nil, args...)
	if got := s.end(p); got != code {
		s.Fatalf("konbill %q exits with %d, want %d\n%s%s", args, got, code, p.stdout, p.stderr)
	}
}

// crash lets konbill run until it is killed where it was ordered.
func (s *shop) crash(order string, args ...string) {
	s.Helper()
	p := s.start([]string{scriptCrashAt + "=" + order}, args...)
	code := s.end(p)
	if !strings.Contains(p.stderr.String(), crashed(order)) {
		s.Fatalf("konbill %q never came to %s, and exits with %d\n%s%s", args, order, code, p.stdout, p.stderr)
	}
}

// results reads the results of a file with a reader that isn't ours: a map a
// row.
func (s *shop) results(name string) []map[string]string {
	s.Helper()
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	data, err := os.ReadFile(filepath.Join(s.resultsDir(name), stem+".results.csv"))
	s.must(err)
	lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF")))).ReadAll()
	s.must(err)
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

func (s *shop) resultsDir(name string) string {
	return filepath.Join(s.dir, strings.TrimSuffix(name, filepath.Ext(name))+"-results")
}

// transcript is what a process says, for those who wait for words.
type transcript struct {
	mu    sync.Mutex
	more  *sync.Cond
	text  strings.Builder
	ended bool
}

func newTranscript() *transcript {
	t := &transcript{}
	t.more = sync.NewCond(&t.mu)
	return t
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.more.Broadcast()
	return t.text.Write(p)
}

func (t *transcript) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.more.Broadcast()
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// heard waits for words and reports whether they came before the process ended.
func (t *transcript) heard(words string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for !t.ended && !strings.Contains(t.text.String(), words) {
		t.more.Wait()
	}
	return strings.Contains(t.text.String(), words)
}
