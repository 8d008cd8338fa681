package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/text/width"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/batch/omise/omisetest"
	"konbill/mailer/mailertest"
)

// What is planted in settings, right and wrong. Each holds the word by which it
// is found again where it must not be, which is anywhere at all.
const (
	plantedKey           = "skey_test_PLANTED1"
	plantedWrongKey      = "skey_test_PLANTED2"
	plantedLiveKey       = "skey_PLANTED3"
	plantedNoKey         = "PLANTED4"
	plantedPublicKey     = "pkey_test_PLANTED5"
	plantedLivePublicKey = "pkey_PLANTED6"
	plantedPassword      = "PLANTED-7"
	plantedWrongPassword = "PLANTED-8"
	mailUser             = "billing"
)

// secret finds what is planted, also as HTTP and SMTP write it when they log in.
var secret = func() *regexp.Regexp {
	forms := []string{"PLANTED"}
	for _, key := range []string{plantedKey, plantedWrongKey, plantedLiveKey, plantedNoKey, plantedPublicKey} {
		forms = append(forms, regexp.QuoteMeta(base64.StdEncoding.EncodeToString([]byte(key+":"))))
	}
	for _, password := range []string{plantedPassword, plantedWrongPassword} {
		forms = append(forms, regexp.QuoteMeta(base64.StdEncoding.EncodeToString([]byte("\x00"+mailUser+"\x00"+password))))
	}
	return regexp.MustCompile(strings.Join(forms, "|"))
}()

// personal finds what the rows of plantedRow say of people.
var personal = regexp.MustCompile(`(?i)匿|ひみつ|ヒミツ|ﾋﾐﾂ|himitsu|hidden\.example|70[- ]?9999|７０９９９９`)

const plantedHeader = "invoice_no,name,email,phone,amount,description,住所\n"

// plantedRow is a row of which every cell that concerns a person is marked, in
// one of the ways that people write such cells.
func plantedRow(n int) string {
	names := []string{"匿川　太郎", "ﾋﾐﾂｶﾞﾜ ﾊﾅｺ", "Himitsugawa Kiku", "株式会社ひみつ研究所　匿情報管理部"}
	phones := []string{"070-9999-%04d", "+81 70 9999 %04d", "709999%04d", "０７０９９９９%04d"}
	return fmt.Sprintf("P-%03d,%s,himitsu.%d@hidden.example,%s,3000,匿の品 %d,匿町%d-1\n",
		n, names[n%len(names)], n, fmt.Sprintf(phones[n%len(phones)], n), n, n)
}

// overheard is what one process said.
type overheard struct{ command, stdout, stderr string }

// privateShop is a shop whose customers and secrets are marked, and in which
// somebody listens.
type privateShop struct {
	*shop
	rows int
	said []overheard

	mu     sync.Mutex
	apiLog []string // method and path of every request
}

func newPrivateShop(t *testing.T) *privateShop {
	t.Helper()
	s := &privateShop{shop: newShop(t)}
	url := s.api.URL()
	s.key = plantedKey
	s.peers.api = omisetest.NewServer(omisetest.Options{Now: s.clock.now, SecretKey: plantedKey, Log: s.logAPI})
	s.peers.api.SetURL(url)
	mail, err := mailertest.Start(mailertest.Options{Username: mailUser, Password: plantedPassword})
	s.must(err)
	t.Cleanup(func() { mail.Close() })
	s.peers.mail = mail
	s.env = append(s.env,
		"OMISE_SECRET_KEY="+plantedKey, "KONBILL_SMTP_PASSWORD="+plantedPassword, "KONBILL_SMTP__USERNAME="+mailUser,
		"KONBILL_SMTP__PORT="+fmt.Sprint(mail.Port()), "KONBILL_OMISE__TIMEOUT=1s", "KONBILL_OMISE__SETTLE_AFTER=11s",
	)
	return s
}

func (s *privateShop) logAPI(method, path string, _ int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apiLog = append(s.apiLog, method+" "+path)
}

// hear runs konbill and keeps what it says. It returns the exit code.
func (s *privateShop) hear(settings []string, args ...string) int {
	s.Helper()
	p := s.start(settings, args...)
	code := s.end(p)
	s.said = append(s.said, overheard{"konbill " + strings.Join(args, " "), p.stdout.String(), p.stderr.String()})
	return code
}

// expect is hear for commands whose exit code says that they came as far as
// they should.
func (s *privateShop) expect(code int, settings []string, args ...string) {
	s.Helper()
	if got := s.hear(settings, args...); got != code {
		last := s.said[len(s.said)-1]
		s.Errorf("%s exits with %d, want %d\n%s%s", last.command, got, code, last.stdout, last.stderr)
	}
}

// planted stores a file of new customers and returns its name.
func (s *privateShop) planted(name string, customers int) string {
	s.Helper()
	text := plantedHeader
	for range customers {
		s.rows++
		text += plantedRow(s.rows)
	}
	return s.text(name, text)
}

func (s *privateShop) text(name, text string) string {
	s.Helper()
	s.must(os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
	return name
}

// TestNothingPrivateLeaks runs everything that can go wrong on marked customers
// with marked secrets. What is said on stderr ends up in logs, so no customer is
// in it; the secrets are nowhere; what is left on the disk is its owner's alone.
func TestNothingPrivateLeaks(t *testing.T) {
	s := newPrivateShop(t)
	s.meetFaultsOfTheAPI()
	s.meetFaultsOfTheMailServer()
	s.meetMistakesInFiles()
	s.meetMistakesInSettings()
	s.askEverything()

	s.checkSpeech()
	s.checkLedger()
	s.checkTraffic()
	s.checkFiles()
	left, err := os.ReadDir(s.temporary())
	s.must(err)
	for _, entry := range left {
		t.Errorf("%s is left among the temporary files", entry.Name())
	}
}

// meetFaultsOfTheAPI runs a file into each fault, and once more.
func (s *privateShop) meetFaultsOfTheAPI() {
	for _, kind := range []omisetest.FaultKind{
		omisetest.CutBefore, omisetest.CutAfter, omisetest.Error500Before, omisetest.Error500After, omisetest.BadGateway,
		omisetest.Truncated, omisetest.TooManyRequests, omisetest.Late, omisetest.LateCommit, omisetest.Redirect307,
		omisetest.BackendError, omisetest.WrongLivemode, omisetest.WrongAmount, omisetest.NullPaymentCode,
		omisetest.ForeignAuthorizeURI, omisetest.HugeBody,
	} {
		file := s.planted("api-"+string(kind)+".csv", 1)
		s.api.Order(omisetest.Fault{Kind: kind, Method: "POST", Path: "/charges"})
		s.hear(nil, "run", file)
		s.hear(nil, "run", file)
		if row := s.results(file)[0]; row["charge_id"] == "" {
			s.Errorf("%s: no charge after a second run: %s, %s", kind, row["result"], row["message"])
		}
	}
	s.meetTalkativeAPI()
}

// meetTalkativeAPI has an API decline, and say that it doesn't know, with words
// that repeat all it was sent.
func (s *privateShop) meetTalkativeAPI() {
	for _, code := range []string{"invalid_charge", "backend_error"} {
		s.meetRepeatingAPI(code)
	}
}

func (s *privateShop) meetRepeatingAPI(code string) {
	talkative := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			s.serveAPI(w, r)
			return
		}
		if err := r.ParseForm(); err != nil {
			panic(err)
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"object":"error","code":%q,"message":"%s %s %s are not right"}`, code,
			r.PostFormValue("source[name]"), r.PostFormValue("source[email]"), r.PostFormValue("source[phone_number]"))
	}))
	defer talkative.Close()
	settings := []string{"KONBILL_OMISE__API_URL=" + talkative.URL}
	file := s.planted("talkative-"+code+".csv", 2)
	s.expect(exitNeedsPerson, settings, "run", file)
	if message := s.results(file)[0]["message"]; !personal.MatchString(message) {
		s.Errorf("the API's words aren't in the results: %s", message)
	}
	s.expect(exitNeedsPerson, settings, "run", "--json", file)
}

// meetFaultsOfTheMailServer does the same with the mail server, whose words
// repeat the address, and a name it may know.
func (s *privateShop) meetFaultsOfTheMailServer() {
	for _, fault := range []mailertest.Fault{
		{At: mailertest.AtConnect}, {At: mailertest.AtConnect, Code: 421}, {At: mailertest.AtEHLO, Code: 550},
		{At: mailertest.AtAUTH, Code: 535}, {At: mailertest.AtAUTH}, {At: mailertest.AtMAIL, Code: 451}, {At: mailertest.AtMAIL, Code: 550},
		{At: mailertest.AtRCPT, Code: 450}, {At: mailertest.AtRCPT, Code: 550}, {At: mailertest.AtDATA, Code: 451},
		{At: mailertest.AtDATA, Code: 554}, {At: mailertest.InData}, {At: mailertest.AfterDot}, {At: mailertest.AfterDot, Code: 452},
		{At: mailertest.AfterDot, Code: 552}, {At: mailertest.AfterAnswer}, {At: mailertest.AtRSET},
	} {
		file := s.planted(fmt.Sprintf("mail-%s-%d.csv", fault.At, fault.Code), 2)
		fault.Text = fmt.Sprintf("no <HIMITSU.%[1]d@hidden.example> <himitsu.%[1]d@hidden.example>\nHimitsugawa is away", s.rows)
		s.mail.Order(fault)
		s.hear(nil, "run", file)
		s.mail.Forgive()
		s.hear(nil, "run", file)
		for _, row := range s.results(file) {
			if row["mail"] == "" {
				s.Errorf("%s %d: a row was not mailed: %s", fault.At, fault.Code, row["message"])
			}
		}
	}
}

// meetMistakesInFiles: whatever is wrong with a file, or with one row of it.
func (s *privateShop) meetMistakesInFiles() {
	file := s.planted("march.csv", 3)
	s.expect(exitDone, nil, "run", file)
	s.expect(exitNeedsPerson, nil, "run", s.text("conflict.csv", plantedHeader+strings.ReplaceAll(plantedRow(s.rows), ",3000,", ",3300,")))

	wrong := strings.NewReplacer(",3000,", ",30,", "@hidden.example", "@hidden", "70", "x70").Replace(plantedRow(900))
	s.text("rejected.csv", plantedHeader+wrong)
	s.expect(exitNeedsPerson, nil, "check", "rejected.csv")
	s.expect(exitNeedsPerson, nil, "run", "rejected.csv")
	s.expect(exitFailed, nil, "preview", "rejected.csv", "--line", "2")
	s.expect(exitFailed, nil, "--lang", "en", "preview", "rejected.csv", "--line", "2")

	row := plantedRow(901)
	for name, text := range map[string]string{
		"headless.csv":  row + plantedRow(902),
		"one-line.csv":  row,
		"twice.csv":     "invoice_no,name,name,email,phone,amount\n" + row,
		"same.csv":      strings.ReplaceAll(row, ",3000,", ",himitsu.901@hidden.example,"),
		"no-header.csv": "invoice_no,name,email,phone,\n" + row,
		"quote.csv":     plantedHeader + "\"" + row,
		"undecoded.csv": plantedHeader + row + "\xff\xfe\x80\n",
		"ragged.csv":    plantedHeader + strings.ReplaceAll(row, ",3000,", ","),
		"empty.csv":     "",
		"book.csv":      "PK\x03\x04" + row,
	} {
		s.text(name, text)
		for _, args := range [][]string{
			{"check", name}, {"run", name}, {"--lang", "en", "check", name}, {"preview", name, "--line", "2"}, {"results", name},
		} {
			if code := s.hear(nil, args...); code == exitDone && args[0] != "results" { // which only rewrites
				s.Errorf("konbill %q finds nothing wrong", args)
			}
		}
	}
}

// meetMistakesInSettings: wrong keys and passwords, an API and a ledger that
// can't be used.
func (s *privateShop) meetMistakesInSettings() {
	file := s.planted("settings.csv", 2)
	elsewhere := s.TempDir()
	for _, c := range []struct {
		code     int
		settings []string
	}{
		{exitRefused, []string{"OMISE_SECRET_KEY=" + plantedWrongKey}},
		{exitRefused, []string{"OMISE_SECRET_KEY=" + plantedLiveKey}},
		{exitRefused, []string{"OMISE_SECRET_KEY=" + plantedNoKey}},
		{exitRefused, []string{"OMISE_PUBLIC_KEY=" + plantedNoKey}},
		{exitRefused, []string{"OMISE_PUBLIC_KEY=" + plantedLivePublicKey}},
		{exitFailed, []string{"KONBILL_OMISE_SECRET_KEY=" + plantedKey}},
		{exitFailed, []string{"KONBILL_SMTP__PASSWORD=" + plantedPassword}},
		{exitFailed, []string{"KONBILL_OMISE__API_URL=https://" + plantedKey + "@api.omise.co"}},
		{exitFailed, []string{"KONBILL_OMISE__API_URL=http://x:" + plantedKey + "@example.com"}},
		{exitFailed, []string{"KONBILL_OMISE__API_URL=https://api.omise.co/?key=" + plantedKey}},
		{exitFailed, []string{"KONBILL_CONFIG=" + write(s.T, elsewhere, "a.toml", "[smtp]\npassword = \""+plantedPassword+"\"\n")}},
		{exitFailed, []string{"KONBILL_CONFIG=" + write(s.T, elsewhere, "b.toml", "[smtp]\npassword = "+plantedPassword+"\n")}},
		{exitFailed, []string{"KONBILL_CONFIG=" + write(s.T, elsewhere, "c.toml", "[omise]\nsecret_key_file = ["+plantedNoKey+"]\n")}},
		{exitFailed, []string{"KONBILL_LEDGER__URL=sqlite:nowhere/konbill.db"}},
		{exitFailed, []string{"KONBILL_LEDGER__URL=sqlite:" + s.dir}},
		{exitFailed, []string{"KONBILL_LEDGER__URL=sqlite:" + filepath.Join(s.dir, file)}},
		{exitFailed, []string{"KONBILL_LEDGER__URL=sqlite:fresh.db", "KONBILL_OMISE__API_URL=http://" + closedPort(s.T)}},
	} {
		s.expect(c.code, c.settings, "run", file)
		s.hear(c.settings, "doctor")
		s.hear(c.settings, "reconcile")
		s.hear(c.settings, "config")
	}
	s.hear([]string{"KONBILL_OMISE__API_URL=http://" + closedPort(s.T)}, "run", file)
	s.expect(exitNeedsPerson, []string{"KONBILL_SMTP_PASSWORD=" + plantedWrongPassword}, "run", file)
	s.hear([]string{"KONBILL_SMTP_PASSWORD=" + plantedWrongPassword}, "doctor")
	s.useKeyFiles(file)
}

// useKeyFiles takes the secrets from files that others can read, too.
func (s *privateShop) useKeyFiles(file string) {
	keys := s.TempDir()
	settings := []string{"OMISE_SECRET_KEY=", "KONBILL_SMTP_PASSWORD="}
	for key, value := range map[string]string{
		"OMISE__SECRET_KEY_FILE": plantedKey, "OMISE__PUBLIC_KEY_FILE": plantedPublicKey, "SMTP__PASSWORD_FILE": plantedPassword,
	} {
		path := filepath.Join(keys, key)
		s.must(os.WriteFile(path, []byte(value+"\n"), 0o600))
		s.must(os.Chmod(path, 0o644))
		settings = append(settings, "KONBILL_"+key+"="+path)
	}
	s.hear(settings, "run", file)
	s.hear(settings, "doctor")
	s.expect(exitDone, settings, "config")
	s.expect(exitDone, settings, "config", "--json")
}

// askEverything: the commands that only tell.
func (s *privateShop) askEverything() {
	s.expect(exitDone, nil, "status")
	s.expect(exitDone, nil, "status", "--json")
	s.expect(exitDone, nil, "status", "P-001", "P-002")
	if said := s.said[len(s.said)-1].stdout; !personal.MatchString(said) {
		s.Errorf("status doesn't tell whose invoices they are, so nothing can be found there:\n%s", said)
	}
	s.expect(exitDone, nil, "status", "--json", "P-001", "P-002")
	s.expect(exitFailed, nil, "status", "P-999")
	s.hear(nil, "reconcile")
	s.hear(nil, "reconcile", "--json")
	s.expect(exitDone, nil, "results", "march.csv")
	s.expect(exitDone, nil, "results", "--json", "march.csv")
	s.expect(exitDone, nil, "preview", "march.csv", "--line", "3")
	s.expect(exitDone, nil, "check", "--json", "march.csv")
	s.expect(exitDone, []string{"KONBILL_SMTP__MODE=folder"}, "run", s.planted("folder.csv", 2))
	s.expect(exitDone, []string{"KONBILL_OMISE__FLOW=source-first"}, "run", "--json", s.planted("source.csv", 2))
	s.expect(exitDone, nil, "doctor")
	s.expect(exitDone, nil, "doctor", "--json")
	s.expect(exitDone, nil, "config")
	s.expect(exitDone, nil, "config", "--json")
	s.expect(exitDone, nil, "demo", "--out", "demo")
	s.expect(exitDone, nil, "config", "init")
	s.expect(exitUsage, nil, "rnu", "march.csv")
	s.expect(exitUsage, nil, "run", "--nothing", "march.csv")
	s.expect(exitDone, nil, "version")
}

// checkSpeech: stdout is for the owner of the file and may quote it; stderr goes
// to logs.
func (s *privateShop) checkSpeech() {
	for _, o := range s.said {
		for _, line := range strings.Split(o.stderr, "\n") {
			if personal.MatchString(line) {
				s.Errorf("%s: a person is on stderr: %s", o.command, line)
			}
		}
		if found := secret.FindString(o.stdout + o.stderr); found != "" {
			s.Errorf("%s says %q\n%s%s", o.command, found, o.stdout, o.stderr)
		}
	}
}

// checkLedger: the ledger holds people, but its history doesn't.
func (s *privateShop) checkLedger() {
	ctx := context.Background()
	book, err := ledger.Open(ctx, "sqlite:"+filepath.Join(s.dir, "konbill.db"))
	s.must(err)
	defer book.Close()
	entries, err := invoices(ctx, book, batch.Query{})
	s.must(err)
	if len(entries) < 50 {
		s.Errorf("the ledger has only %d invoices", len(entries))
	}
	for _, e := range entries {
		events, err := book.Events(ctx, e.Key)
		s.must(err)
		if len(events) == 0 {
			s.Errorf("%s has no history", e.Invoice.Number)
		}
		for _, event := range events {
			if told := event.Who + " " + event.Why; personal.MatchString(told) || secret.MatchString(told) {
				s.Errorf("%s: an event says %q", e.Invoice.Number, told)
			}
		}
	}
}

// checkTraffic: addresses of requests end up in the logs of servers and proxies
// on the way, so they hold no person; mails hold no secret.
func (s *privateShop) checkTraffic() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.apiLog) < 100 {
		s.Errorf("the API logged only %d requests", len(s.apiLog))
	}
	for _, line := range s.apiLog {
		if personal.MatchString(line) || secret.MatchString(line) {
			s.Errorf("the API's log: %s", line)
		}
	}
	for _, r := range s.api.Requests() {
		if where := r.Path + "?" + r.Query.Encode(); personal.MatchString(where) || secret.MatchString(where) {
			s.Errorf("a request to %s", where)
		}
		if body := r.Form.Encode(); secret.MatchString(body) {
			s.Errorf("a request says %s", body)
		}
	}
	for _, m := range s.mail.Messages() {
		if l := readLetter(s.T, m.Data); secret.MatchString(l.text + l.html + fmt.Sprint(l.headers)) {
			s.Errorf("a mail to %s holds a secret", m.To)
		}
	}
}

// checkFiles looks at every byte and every mode that is left.
func (s *privateShop) checkFiles() {
	s.must(os.WriteFile(filepath.Join(s.dir, ".probe"), nil, 0o666))
	probe, err := os.Stat(filepath.Join(s.dir, ".probe"))
	s.must(err)
	s.must(os.Remove(filepath.Join(s.dir, ".probe")))
	modesTell := runtime.GOOS != "windows" && probe.Mode().Perm() != 0o600 // else the umask hides what we do
	met := map[string]bool{}
	err = filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == s.dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(s.dir, path)
		if modesTell && info.Mode().Perm()&0o077 != 0 {
			s.Errorf("%s has mode %o: others can look into it", name, info.Mode().Perm())
		}
		if d.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		if found := secret.Find(data); found != nil {
			s.Errorf("%s holds %q", name, found)
		}
		if bytes.Contains(data, []byte("匿")) {
			met[filepath.Ext(name)] = true
		}
		return err
	})
	s.must(err)
	for _, ext := range []string{".db", ".csv", ".html"} {
		if !met[ext] {
			s.Errorf("no person was found in any %s file, where there are many", ext)
		}
	}
	for _, name := range []string{
		"konbill.db", "konbill.db-lock", "konbill.toml", "outbox", "march-results/receipt.json", "march-results/slips",
		"rejected-results/rejected.errors.csv", "preview-3.pdf", "demo/invoices-results",
	} {
		if _, err := os.Stat(filepath.Join(s.dir, filepath.FromSlash(name))); err != nil {
			s.Errorf("never written, so never looked at: %v", err)
		}
	}
}

// closedPort is an address of this machine where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestModesWhileARunLasts: the ledger's own files beside it exist only while it
// is open.
func TestModesWhileARunLasts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps permissions elsewhere")
	}
	s := newShop(t, "KONBILL_SMTP__MODE=off")
	s.crash(string(batch.ChargeAnswered)+":1", "run", s.file("a.csv", "A-1"))
	for _, name := range []string{"konbill.db", "konbill.db-wal", "konbill.db-shm", "konbill.db-lock", "konbill.db-turn"} {
		info, err := os.Stat(filepath.Join(s.dir, name))
		s.must(err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", name, info.Mode().Perm())
		}
	}
}

// TestPlainConnectionsBeyondThisMachineAreRefused: before a byte of a key, a
// password or a name leaves. A server on this machine's outer address, where
// there is one, sees that nobody calls.
func TestPlainConnectionsBeyondThisMachineAreRefused(t *testing.T) {
	watch := watchOuterAddress(t)
	host, port, err := net.SplitHostPort(watch.address)
	if err != nil {
		t.Fatal(err)
	}
	plainMail := map[string]string{"smtp.tls": "none", "smtp.host": host, "smtp.port": port}
	cases := []map[string]string{plainMail}
	for _, url := range []string{
		"http://" + watch.address, "HTTP://" + watch.address, "http://localhost@" + watch.address, "http://127.0.0.1:80@" + watch.address,
		"http://localhost." + host + ":" + port, "http://127.0.0.1.example.com", "http://[::ffff:192.0.2.1]:" + port, "ftp://" + watch.address,
		"//" + watch.address, watch.address,
	} {
		cases = append(cases, map[string]string{"omise.api_url": url})
	}
	s := newShop(t)
	file := s.file("a.csv", "A-1")
	for _, settings := range cases {
		fromFile, fromEnvironment := asFile(t, settings), asEnvironment(settings)
		for from, given := range map[string][]string{"file": {"KONBILL_CONFIG=" + fromFile}, "environment": fromEnvironment} {
			env := slices.DeleteFunc(slices.Clone(s.env), func(pair string) bool {
				name, _, _ := strings.Cut(pair, "=")
				return slices.ContainsFunc(fromEnvironment, func(g string) bool { return strings.HasPrefix(g, name+"=") })
			})
			asked := &shop{T: t, peers: s.peers, dir: s.dir, env: env}
			for _, args := range [][]string{{"run", file}, {"reconcile"}, {"doctor"}} {
				p := asked.start(given, args...)
				code, said := asked.end(p), p.stdout.String()+p.stderr.String()
				if code != exitFailed || !strings.Contains(said, "smtp.tls") && !strings.Contains(said, "omise.api_url") {
					t.Errorf("%v from the %s: konbill %q exits with %d\n%s", settings, from, args, code, said)
				}
			}
		}
	}
	if n := s.requests("POST", "/charges"); n > 0 {
		t.Errorf("%d charges were asked for", n)
	}
	watch.expectNobody()
}

func asEnvironment(settings map[string]string) []string {
	var env []string
	for key, value := range settings {
		env = append(env, "KONBILL_"+strings.ToUpper(strings.ReplaceAll(key, ".", "__"))+"="+value)
	}
	return env
}

func asFile(t *testing.T, settings map[string]string) string {
	t.Helper()
	var text string
	for key, value := range settings {
		if key == "smtp.port" {
			text += key + " = " + value + "\n"
			continue
		}
		text += fmt.Sprintf("%s = %q\n", key, value)
	}
	return write(t, t.TempDir(), "konbill.toml", text)
}

// outerWatch is a listener that nobody should call.
type outerWatch struct {
	*testing.T
	listener net.Listener // nil: this machine has no outer address
	address  string
}

func watchOuterAddress(t *testing.T) *outerWatch {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok && network.IP.To4() != nil && network.IP.IsGlobalUnicast() {
			l, err := net.Listen("tcp", net.JoinHostPort(network.IP.String(), "0"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			return &outerWatch{t, l, l.Addr().String()}
		}
	}
	return &outerWatch{t, nil, "192.0.2.1:9"} // reserved for documentation (RFC 5737): nobody is there
}

// expectNobody calls by itself, and must be the first who does.
func (w *outerWatch) expectNobody() {
	w.Helper()
	if w.listener == nil {
		return
	}
	own, err := net.Dial("tcp", w.address)
	if err != nil {
		w.Fatal(err)
	}
	defer own.Close()
	first, err := w.listener.Accept()
	if err != nil {
		w.Fatal(err)
	}
	defer first.Close()
	if first.RemoteAddr().String() != own.LocalAddr().String() {
		w.Error("somebody connected without TLS to another host")
	}
}

// overheardSuite is all tests of the package, with somebody listening: what any
// konbill of theirs said on stderr, and what it left among its temporary files,
// is searched in the end for customers and secrets.
type overheardSuite struct{ *testing.M }

func (s overheardSuite) Run() (code int) {
	folder, err := os.MkdirTemp("", "konbill-overheard")
	if err == nil {
		err = os.Setenv(scriptHeard, folder)
	}
	if err != nil {
		panic(err)
	}
	code = s.M.Run()
	found, err := leaksIn(folder)
	if err = errors.Join(err, os.RemoveAll(folder)); err != nil {
		fmt.Fprintln(os.Stderr, "what konbill said can't be searched:", err)
	}
	for _, l := range found {
		fmt.Fprintln(os.Stderr, l)
	}
	if len(found) > 0 || err != nil {
		fmt.Fprintf(os.Stderr, "FAIL: %d leaks on stderr and among temporary files\n", len(found))
		return max(code, 1)
	}
	return code
}

// heardExt is the extension of the files that keep what one process said.
const heardExt = ".heard"

// demosOutput begins the name of the folder in which the demo leaves what it
// made, for people to look at. Its customers are those of samples/invoices.csv,
// who don't exist.
const demosOutput = "konbill-demo"

// leak is a line that must not have been said or left.
type leak struct {
	speaker string // command and folder of the process, or the temporary file
	line    int    // from 1
	kind    string
	text    string
}

func (l leak) String() string {
	return fmt.Sprintf("leak: %s, line %d: %s: %q", l.speaker, l.line, l.kind, l.text)
}

// leaksIn searches all that was heard and left below a folder.
func leaksIn(folder string) ([]leak, error) {
	names, err := customerNames()
	if err != nil {
		return nil, err
	}
	var found []leak
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), demosOutput) {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// A temporary file's name is as public as what is said.
		speaker, text := "temporary file", filepath.Base(path)+"\n"+string(data)
		if filepath.Ext(path) == heardExt {
			speaker, text, _ = strings.Cut(string(data), "\n")
		}
		for i, line := range strings.Split(text, "\n") {
			for _, kind := range tellsOf(line, names) {
				found = append(found, leak{speaker, i + 1, kind, line})
			}
		}
		return nil
	})
	return found, err
}

// customerNames finds the names of the customers in the rows of all tests, or
// one word of them: those in Go stand here, those of the scripts in their files.
func customerNames() (*regexp.Regexp, error) {
	words := []string{"山田", "太郎", "ヤマダ", "タロウ"}
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		return nil, fmt.Errorf("no scripts were found: %w", err)
	}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			return nil, err
		}
		for _, f := range archive.Files {
			if strings.HasSuffix(f.Name, ".csv") {
				words = append(words, namesIn(f.Data)...)
			}
		}
	}
	forms := []string{personal.String()}
	for _, word := range words {
		forms = append(forms, regexp.QuoteMeta(width.Fold.String(word)))
	}
	return regexp.Compile(strings.Join(forms, "|"))
}

// namesIn lists the words of the names in a script's file, those of one
// character left out: they are in any text. Broken files are read as far as
// they can be.
func namesIn(file []byte) (words []string) {
	reader := csv.NewReader(bytes.NewReader(file))
	reader.LazyQuotes, reader.FieldsPerRecord = true, -1
	header, _ := reader.Read() // nil has no column of names
	at := slices.IndexFunc(header, func(title string) bool { return title == "name" || title == "氏名" })
	for at >= 0 {
		row, err := reader.Read()
		if err != nil {
			return words
		}
		if at >= len(row) {
			continue
		}
		for _, word := range strings.Fields(row[at]) {
			if utf8.RuneCountInString(word) > 1 {
				words = append(words, word)
			}
		}
	}
	return words
}

var (
	anyAddress = regexp.MustCompile(`[^\s<>"'(),:;=「」（）]+@[^\s<>"'(),:;「」（）]+\.[A-Za-z]+`)
	// anyPhone finds numbers in the ways that rows have them, also without their
	// zero; figures within words, hashes, fractions and times aren't meant.
	anyPhone = regexp.MustCompile(`(?:^|[^0-9]:|[^0-9A-Za-z_.:-])((?:\(?0|\+81[ -]?)[0-9](?:[ ()-]*[0-9]){8,9}|[789]0[0-9]{8})(?:$|[^0-9A-Za-z_])`)
	anyKey   = regexp.MustCompile(`[sp]key_(?:test_)?([0-9A-Za-z]+)`)
	// encodedKey is how "skey_" and "pkey_" begin as the name in HTTP's basic
	// authentication.
	encodedKey = regexp.MustCompile(`(?:c2|cG)tleV[89+/]`)
)

// merchantsOwn are the address and the number of the merchants of all tests.
var merchantsOwn = []string{"billing@sakura.example", "03-0000-0000"}

// tellsOf names the kinds of private things in a line.
func tellsOf(line string, names *regexp.Regexp) (kinds []string) {
	folded := width.Fold.String(line)
	for _, own := range merchantsOwn {
		folded = strings.ReplaceAll(folded, own, "")
	}
	for kind, tells := range map[string]bool{
		"an e-mail address": anyAddress.MatchString(folded),
		"a phone number":    anyPhone.MatchString(folded),
		"a customer's name": names.MatchString(folded),
		"a key": encodedKey.MatchString(folded) || slices.ContainsFunc(anyKey.FindAllStringSubmatch(folded, -1), func(m []string) bool {
			return m[1] != "test" // as messages say what a key looks like
		}),
		"a secret that was planted": secret.MatchString(folded),
	} {
		if tells {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// TestLeaksAreFound: the search of the whole suite can fail.
func TestLeaksAreFound(t *testing.T) {
	names, err := customerNames()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line string
		kind string // "": nothing private
	}{
		{"mail to taro@example.jp was refused", "an e-mail address"},
		{"550 <ＴＡＲＯ＠example.jp>: unknown", "an e-mail address"},
		{"from さくら商店 <billing@sakura.example>", ""},
		{"電話番号09011112222は", "a phone number"},
		{"tel 090-1111-2222", "a phone number"},
		{"(03)1234-5678 is wrong", "a phone number"},
		{"+81 90 1111 2222", "a phone number"},
		{"０９０１１１１２２２２", "a phone number"},
		{`"9011112222"`, "a phone number"},
		{"tel:09011112222", "a phone number"},
		{"[2026-12-02 02:00 2026-12-03 02:00 2026-12-04 02:00]", ""},
		{"さくら商店 03-0000-0000", ""},
		{"2026-12-01T10:00:00.123456789+09:00 4,980円 127.0.0.1:50123", ""},
		{"time=2026-12-01 10:00:00 chrg_test_5xsjw8t67xqke49yg44 took=1234567890", ""},
		{"山田太郎様", "a customer's name"},
		{"ﾔﾏﾀﾞ ﾀﾛｳ", "a customer's name"},
		{"㈱山﨑商店 was refused", "a customer's name"}, // of a script
		{"匿川", "a customer's name"},
		{"skey_test_script", "a key"},
		{"pkey_5xsjw8", "a key"},
		{"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("skey_test_script:")), "a key"},
		{"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("pkey_5xsjw8:")), "a key"},
		{"秘密鍵は skey_ または skey_test_ で始まります", ""},
		{"password " + plantedPassword, "a secret that was planted"},
	} {
		var want []string
		if c.kind != "" {
			want = []string{c.kind}
		}
		if got := tellsOf(c.line, names); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", c.line, got, want)
		}
	}
}

// TestLeaksAreNamed: a leak leads to the command and the line, wherever it is.
func TestLeaksAreNamed(t *testing.T) {
	folder := t.TempDir()
	said := "konbill [\"run\" \"taro@example.jp\"] in here\n" // the command line is the person's own
	write(t, folder, "1"+heardExt, said+"all is well\nsent to taro@example.jp\n")
	write(t, folder, "left-in-temporary", "x\n山田太郎")
	write(t, folder, "09011112222.tmp", "")
	found, err := leaksIn(folder)
	if err != nil {
		t.Fatal(err)
	}
	want := []leak{
		{"temporary file", 1, "a phone number", "09011112222.tmp"},
		{strings.TrimSuffix(said, "\n"), 2, "an e-mail address", "sent to taro@example.jp"},
		{"temporary file", 3, "a customer's name", "山田太郎"},
	}
	if !slices.Equal(found, want) {
		t.Errorf("found %q", found)
	}
}
