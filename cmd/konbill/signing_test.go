package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/rogpeppe/go-internal/testscript"

	"konbill/invoice"
	"konbill/mailer"
)

// scriptRSAKey is the DKIM key of scripts.
var scriptRSAKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// makeKeys writes what mails are signed with: keys ADDRESS DAYS, see writeKeys.
func makeKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keys ADDRESS DAYS")
	}
	days, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(writeKeys(ts.MkAbs("."), args[0], days))
}

// writeKeys writes into a folder: certificate.pem, which is for an address and
// ends so many days after the beginning of scripts, its smime.key, a dkim.key,
// and the record.txt to publish for that.
func writeKeys(folder, address string, days int) error {
	dkimKey, err := scriptRSAKey()
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), EmailAddresses: []string{address},
		NotBefore: scriptNow.AddDate(-2, 0, 0), NotAfter: scriptNow.AddDate(0, 0, days),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
	certificate, certificateErr := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	smimeDER, smimeErr := x509.MarshalPKCS8PrivateKey(key)
	dkimDER, dkimErr := x509.MarshalPKCS8PrivateKey(dkimKey)
	public, publicErr := x509.MarshalPKIXPublicKey(&dkimKey.PublicKey)
	if err := errors.Join(certificateErr, smimeErr, dkimErr, publicErr); err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"certificate.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		"smime.key":       pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: smimeDER}),
		"dkim.key":        pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: dkimDER}),
		"record.txt":      []byte("v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// checkSigned verifies that every mail so far has a DKIM signature that what is
// published bears out, and an S/MIME one; mailer's tests verify the latter.
func checkSigned(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: signed")
	}
	p := peersOf(ts)
	lookUp := func(name string) ([]string, error) {
		p.names.mu.Lock()
		defer p.names.mu.Unlock()
		return p.names.texts[name], nil
	}
	for _, m := range p.mail.Messages() {
		found, err := dkim.VerifyWithOptions(bytes.NewReader(m.Data), &dkim.VerifyOptions{LookupTXT: lookUp})
		ts.Check(err)
		if len(found) != 1 || found[0].Err != nil || found[0].Domain != "sakura.example" {
			ts.Fatalf("signatures %+v on\n%s", found, m.Data)
		}
		if !bytes.Contains(m.Data, []byte("\r\nContent-Type: multipart/signed;")) {
			ts.Fatalf("no S/MIME on\n%s", m.Data)
		}
	}
}

// Each fault of a key is told with its setting, in both languages.
func TestSigningMistakesAreTold(t *testing.T) {
	for fault := mailer.SenderMalformed; fault <= mailer.DKIMKeyShort; fault++ {
		wrong, isConfig := asSigningError(&mailer.KeyError{Fault: fault, Detail: "DETAIL"}).(*configError)
		if !isConfig || known()[wrong.Key] == nil {
			t.Fatalf("fault %d is about %v", fault, wrong)
		}
		for _, lang := range []invoice.Language{invoice.Japanese, invoice.English} {
			if text := wrong.Message(lang); len(text) < len(wrong.Key)+20 {
				t.Errorf("fault %d: %s", fault, text)
			}
		}
	}
	if err := asSigningError(nil); err != nil {
		t.Error(err)
	}
}

// TestServeStopsWithTheCertificate: once it has expired, a konbill that still
// runs charges nobody, and staff are told why.
func TestServeStopsWithTheCertificate(t *testing.T) {
	t.Parallel()
	keys := t.TempDir()
	if err := writeKeys(keys, "billing@sakura.example", 1); err != nil {
		t.Fatal(err)
	}
	n := newNight(t, "KONBILL_SMTP__SMIME_CERT_FILE="+filepath.Join(keys, "certificate.pem"), "KONBILL_SMTP__SMIME_KEY_FILE="+filepath.Join(keys, "smime.key"))
	p := n.serve()
	n.hear(p, `msg="run ends" files=0 waiting=0 failed=false`)
	n.jump(48 * time.Hour)
	n.drop("late.csv", rowsOf("L-1"))
	l := n.toldOf(p, "の証明書は有効期限（2026-12-02）を過ぎています")
	if made := len(n.api.Charges()); made != 0 || !strings.Contains(l.subject, "要対応") {
		t.Errorf("%d charges; staff are told %q\n%s", made, l.subject, l.text)
	}
	n.stop(p)
}
