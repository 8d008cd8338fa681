package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"konbill/batch/web"
	"konbill/samples/peertest"
)

// TestServeShowsThePage signs in to a running konbill serve, by TLS, and asks whether a
// customer has paid.
func TestServeShowsThePage(t *testing.T) {
	listen := closedPort(t)
	n := newNight(t, "KONBILL_WEB__LISTEN="+listen)
	certificate, key := filepath.Join(n.dir, "cert.pem"), filepath.Join(n.dir, "key.pem")
	peertest.Run(t, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
		"-keyout", key, "-out", certificate, "-subj", "/CN=konbill", "-addext", "subjectAltName=IP:127.0.0.1")
	broken := n.start([]string{"KONBILL_WEB__TLS_CERT_FILE=" + key, "KONBILL_WEB__TLS_KEY_FILE=" + key}, "serve")
	if code := n.end(broken); code != exitFailed || !strings.Contains(broken.stderr.String(), "web.tls_key_file を使えません") {
		t.Errorf("with a key for a certificate it ends with %d\n%s", code, broken.stderr)
	}
	n.env = append(n.env, "KONBILL_WEB__TLS_CERT_FILE="+certificate, "KONBILL_WEB__TLS_KEY_FILE="+key)
	add := exec.Command("konbill", "user", "add", "keiri-a", "--role", "approver")
	add.Dir, add.Env, add.Stdin = n.dir, n.env, strings.NewReader("correct horse battery\n")
	if said, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	p := n.serve()
	n.hear(p, "page for staff")
	n.drop("11月分.csv", rowsOf("P-1", "P-2"))
	n.hear(p, `msg="file done"`)
	b := n.signIn("https://"+listen, certificate, "keiri-a", "correct horse battery")
	for path, words := range map[string][]string{
		"/": {"11月分.csv", "6,000円", "TEST"}, "/charges": {"P-1", "P-2", "お支払い待ち", "山＊＊＊"},
		"/checkup": {"ログイン", "web.listen", "konbill user"},
	} {
		text := b.ask(http.MethodGet, path)
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("%s lacks %q:\n%s", path, word, text)
			}
		}
		if strings.Contains(text, "taro@example.jp") {
			t.Errorf("%s shows an address", path)
		}
	}
	b.hasIssued("12月分.csv", rowsOf("P-3", "P-4"))
	n.hear(p, `msg="file done" file=12月分.csv`)
	if text := b.ask(http.MethodGet, "/charges?q=P-3"); !strings.Contains(text, "お支払い待ち") {
		t.Errorf("P-3 was not charged:\n%s", text)
	}
	link := regexp.MustCompile(`/charges/kb_[0-9a-f]+`).FindString(b.ask(http.MethodGet, "/charges?q=P-4"))
	if history := b.ask(http.MethodGet, link); !strings.Contains(history, "受け付け（実行番号") || strings.Contains(history, "about to") || strings.Contains(history, "the API") {
		t.Errorf("the history of %s:\n%s", link, history)
	}
	if pdf := b.ask(http.MethodPost, link+"/slip"); !strings.HasPrefix(pdf, "%PDF-") {
		t.Errorf("the slip of %s is %.20q", link, pdf)
	}
	if text := b.ask(http.MethodGet, "/"); !strings.Contains(text, "12月分.results.csv") {
		t.Errorf("the results aren't there:\n%s", text)
	}
	before := len(n.mail.Messages())
	if text := b.ask(http.MethodPost, link+"/resend"); !strings.Contains(text, "taro@example.jp 宛てに再送しました") {
		t.Errorf("the mail was not sent again:\n%s", text)
	}
	if sent := len(n.mail.Messages()) - before; sent != 1 {
		t.Errorf("%d mails", sent)
	}
	if text := b.ask(http.MethodPost, "/checkup"); !strings.Contains(text, "BIZ UDPGothic") {
		t.Errorf("the check-up found nothing:\n%s", text)
	}
	n.stop(p)
}

// hasIssued brings a file, looks at what it would do, and approves that.
func (b pageBrowser) hasIssued(name, text string) {
	b.t.Helper()
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	file, err := parts.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(file, text)
	}
	if err = errors.Join(err, parts.Close()); err != nil {
		b.t.Fatal(err)
	}
	answer, err := b.Post(b.base+"/files", parts.FormDataContentType(), &form)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	_, rest, shown := strings.Cut(string(page), `name="shown" value="`)
	digest, _, _ := strings.Cut(rest, `"`)
	if !shown || !strings.Contains(string(page), "6,000円") {
		b.t.Fatalf("the review:\n%s", page)
	}
	approved, err := b.PostForm(answer.Request.URL.String()+"/approve", url.Values{"shown": {digest}})
	if err != nil {
		b.t.Fatal(err)
	}
	defer approved.Body.Close()
	if approved.Request.URL.RawQuery != "done=approved" {
		b.t.Fatalf("approving led to %s: %s", approved.Request.URL, approved.Status)
	}
}

// pageBrowser is somebody's who has signed in.
type pageBrowser struct {
	*http.Client
	t    *testing.T
	base string
}

func (n *night) signIn(base, certificate, name, password string) pageBrowser {
	n.Helper()
	roots := x509.NewCertPool()
	if certificate != "" {
		pem, err := os.ReadFile(certificate)
		n.must(err)
		roots.AppendCertsFromPEM(pem)
	}
	jar, err := cookiejar.New(nil)
	n.must(err)
	client := &http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	answer, err := client.PostForm(base+"/login", url.Values{"name": {name}, "password": {password}})
	n.must(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Request.URL.Path != "/" {
		n.Fatalf("signing in led to %s: %s", answer.Request.URL, answer.Status)
	}
	return pageBrowser{client, n.shop.T, base}
}

func (b pageBrowser) ask(method, path string) string {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.t.Fatalf("%s %s: %s, %v", method, path, answer.Status, err)
	}
	return string(text)
}

// TestSettingsAreListed as the file would have them.
func TestSettingsAreListed(t *testing.T) {
	c := defaultConfig()
	c.Limits.MaxRows = 1_000_000
	settings, err := c.listed(map[string]string{"limits.max_rows": "konbill.toml"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []web.Setting{{Key: "lang", Value: "ja"}, {Key: "limits.max_rows", Value: "1000000", Origin: "konbill.toml"}, {Key: "serve.take_over_after", Value: "30s"}, {Key: "web.approval", Value: "any"}} {
		if !slices.Contains(settings, want) {
			t.Errorf("%v isn't in %v", want, settings)
		}
	}
}

// TestPageHosts: browsers on this machine have several names for it, and the cookie is
// for TLS alone where something before the page speaks it.
func TestPageHosts(t *testing.T) {
	for _, c := range []struct {
		listen, hosts, want string
		proxy               bool
	}{
		{"127.0.0.1:8080", "", "localhost:8080 127.0.0.1:8080 [::1]:8080", false},
		{"127.0.0.1:8080", "konbill.example.co.jp, billing.example.co.jp:8443", "konbill.example.co.jp billing.example.co.jp:8443", true},
		{"127.0.0.1:8080", "konbill.example.co.jp,localhost:8080", "konbill.example.co.jp localhost:8080", false},
		{"10.0.0.5:8443", "", "10.0.0.5:8443", true},
	} {
		config := webConfig{Listen: c.listen, Hosts: c.hosts}
		if got := strings.Join(config.hosts(), " "); got != c.want || config.behindProxy() != c.proxy {
			t.Errorf("%s, %q: %q, %v", c.listen, c.hosts, got, config.behindProxy())
		}
	}
}
