package mailer

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"konbill/samples/peertest"
)

const (
	postfixUser     = "shop"
	postfixPassword = "se cret"
	postfixRealm    = "mail.konbill.invalid"
)

// postfix is a Postfix of this test's own: its configuration, queue and port
// are no other's. It wants STARTTLS and a login, and puts all mail for its
// domains into one mailbox.
type postfix struct {
	folder string
	port   int
	roots  *x509.CertPool
	lines  chan string // of its log
}

// postfixSettings are main.cf; the first %s is the folder of everything. Nobody
// (65534) owns the mailbox: Postfix delivers as no privileged user.
const postfixSettings = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
myhostname = ` + postfixRealm + `
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_tls_cert_file = %[1]s/certificate.pem
smtpd_tls_key_file = %[1]s/key.pem
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_local_domain = ` + postfixRealm + `
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
virtual_mailbox_domains = example.com, docomo.ne.jp, ezweb.ne.jp
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
`

// postfixServices are master.cf: what takes mail in and puts it into mailboxes,
// nothing in a chroot.
const postfixServices = `127.0.0.1:%d inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`

// postfixLogins is where Debian's Postfix has SASL look for passwords.
const postfixLogins = `pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: %s/logins
mech_list: PLAIN LOGIN
`

// startPostfix starts one and has it stopped at the end of the test.
func startPostfix(t *testing.T) *postfix {
	t.Helper()
	program := peertest.Path(t, "postfix")
	peertest.Root(t)
	p := &postfix{folder: openFolder(t), port: freePort(t), lines: make(chan string, 1000)}
	p.configure(t)
	master := exec.Command(program, "-c", filepath.Join(p.folder, "etc"), "start-fg")
	log, err := master.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := master.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(log); lines.Scan(); {
			p.lines <- lines.Text()
		}
		close(p.lines)
	}()
	t.Cleanup(func() {
		peertest.Run(t, "postfix", "-c", filepath.Join(p.folder, "etc"), "stop")
		for range p.lines { // until the last of its processes has ended
		}
		master.Wait() // its code tells how it was stopped
	})
	p.waitFor(t, "daemon started")
	return p
}

// openFolder is a folder that Postfix's own users can enter, too.
func openFolder(t *testing.T) string {
	folder := t.TempDir()
	for _, dir := range []string{folder, filepath.Dir(folder)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (p *postfix) configure(t *testing.T) {
	for _, dir := range []string{"etc/sasl", "queue", "data", "mail"} {
		if err := os.MkdirAll(filepath.Join(p.folder, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	certificate, key := p.certificate(t)
	for name, text := range map[string]string{
		"etc/main.cf": fmt.Sprintf(postfixSettings, p.folder), "etc/master.cf": fmt.Sprintf(postfixServices, p.port),
		"etc/sasl/smtpd.conf": fmt.Sprintf(postfixLogins, p.folder), "certificate.pem": certificate, "key.pem": key,
	} {
		if err := os.WriteFile(filepath.Join(p.folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	logins := filepath.Join(p.folder, "logins")
	add := exec.Command(peertest.Path(t, "saslpasswd2"), "-p", "-c", "-f", logins, "-u", postfixRealm, postfixUser)
	add.Stdin = strings.NewReader(postfixPassword)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("saslpasswd2: %v\n%s", err, out)
	}
	p.give(t, "postfix", logins, filepath.Join(p.folder, "data"))
	p.give(t, "nobody", filepath.Join(p.folder, "mail"))
}

// give makes a user the owner of files.
func (p *postfix) give(t *testing.T, name string, paths ...string) {
	owner, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if err := os.Chown(path, uid, -1); err != nil {
			t.Fatal(err)
		}
	}
}

// certificate vouches for itself at 127.0.0.1.
func (p *postfix) certificate(t *testing.T) (certificate, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	p.roots = x509.NewCertPool()
	p.roots.AppendCertsFromPEM([]byte(certificate))
	return certificate, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes}))
}

// waitFor reads the log up to a line that says something.
func (p *postfix) waitFor(t *testing.T, words string) string {
	t.Helper()
	tooLate := time.After(time.Minute)
	var seen []string
	for {
		select {
		case line, open := <-p.lines:
			seen = append(seen, line)
			if strings.Contains(line, words) {
				return line
			}
			if open {
				continue
			}
		case <-tooLate:
		}
		t.Fatalf("Postfix didn't say %q, but:\n%s", words, strings.Join(seen, "\n"))
	}
}

// mailer is a mailer that may log in.
func (p *postfix) mailer(t *testing.T, password string) *SMTP {
	s, err := NewSMTP(SMTPConfig{
		Host: "127.0.0.1", Port: p.port, TLS: startTLS, RootCAs: p.roots,
		Username: postfixUser, Password: password, Connections: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// receive waits for a mail to be in the mailbox and takes it out.
func (p *postfix) receive(t *testing.T) []byte {
	t.Helper()
	p.waitFor(t, "status=sent (delivered to maildir)")
	paths, err := filepath.Glob(filepath.Join(p.folder, "mail", "inbox", "new", "*"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("%d mails in the mailbox, %v", len(paths), err)
	}
	data, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(paths[0]); err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")) // a mailbox has the lines of its system
}

// A real server, with STARTTLS and a login, takes our mail to a mailbox as it
// was composed, and to the addresses that carriers gave out.
func TestPostfixDelivers(t *testing.T) {
	t.Parallel()
	p := startPostfix(t)
	s := p.mailer(t, postfixPassword)
	for address, path := range map[string]string{
		"taro@example.com": "taro@example.com", "a..b@docomo.ne.jp": `"a..b"@docomo.ne.jp`, "a.@ezweb.ne.jp": `"a."@ezweb.ne.jp`,
	} {
		m := bill()
		m.To = address
		sent := composed(t, m)
		if reply, err := s.Deliver(t.Context(), sent); err != nil || !strings.HasPrefix(reply, "250 2.0.0 Ok: queued") {
			t.Fatalf("%s: %q, %v", address, reply, err)
		}
		got := p.receive(t)
		if !bytes.HasSuffix(got, sent.Data) {
			t.Errorf("%s: the mail has changed on its way:\n%s", address, got)
		}
		head := string(got[:len(got)-len(sent.Data)])
		for _, want := range []string{"\nDelivered-To: " + path + "\r\n", "Return-Path: <billing@sakura.example>\r\n", "with ESMTPSA"} {
			if !strings.Contains(head, want) {
				t.Errorf("%s: no %q in\n%s", address, want, head)
			}
		}
	}
}

// Neither the server nor the mailbox breaks a signature.
func TestPostfixKeepsSignatures(t *testing.T) {
	t.Parallel()
	p := startPostfix(t)
	root, key := newAuthority(t, nil), ecdsaKey(t)
	m := bill()
	m.Signer = newSigner(t, withDKIM(t, SignerConfig{
		SMIMECertificate: certificatePEM(root.sign(t, forMail(), &key.PublicKey)), SMIMEKey: keyPEM(t, key),
	}))
	if _, err := p.mailer(t, postfixPassword).Deliver(t.Context(), composed(t, m)); err != nil {
		t.Fatal(err)
	}
	got := p.receive(t)
	if err := checkDKIM(t, m.Signer, got); err != nil {
		t.Errorf("DKIM: %v", err)
	}
	if _, err := checkSMIME(t, root, got); err != nil {
		t.Errorf("S/MIME: %v", err)
	}
	if read := readWithPython(t, got)[0]; read.Subject != m.Subject || read.Types[0] != "multipart/signed" {
		t.Errorf("%q, %v", read.Subject, read.Types)
	}
}

func TestPostfixRefusesAWrongPassword(t *testing.T) {
	t.Parallel()
	p := startPostfix(t)
	_, err := p.mailer(t, "wrong").Deliver(t.Context(), numbered(t, 1))
	checkFault(t, err, NotSent, 535)
	p.waitFor(t, "authentication failed")
}
