package mailer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"konbill/samples/peertest"
)

// newRSAKey is slow to make, so that the tests share one.
var newRSAKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := newRSAKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecdsaKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keyPEM(t testing.TB, key crypto.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// authority vouches for certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t testing.TB, by *authority) *authority {
	a := &authority{key: ecdsaKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: fmt.Sprintf("Authority %p", a)},
		NotBefore: signedAt.AddDate(-1, 0, 0), NotAfter: signedAt.AddDate(2, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if by == nil {
		by = &authority{certificate: template, key: a.key}
	}
	a.certificate = by.sign(t, template, &a.key.PublicKey)
	return a
}

func (a *authority) sign(t testing.TB, template *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func (a *authority) pem() []byte { return certificatePEM(a.certificate) }

func certificatePEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// signedAt is when the tests sign: now, since openssl compares with its clock.
var signedAt = time.Now().Truncate(time.Second)

// forMail is a certificate of the sender of bill.
func forMail() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Sakura"}, EmailAddresses: []string{"Billing@sakura.example"},
		NotBefore: signedAt.AddDate(0, -1, 0), NotAfter: signedAt.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
}

func withDKIM(t testing.TB, c SignerConfig) SignerConfig {
	c.DKIMDomain, c.DKIMSelector, c.DKIMKey = "sakura.example", "konbill2026", keyPEM(t, rsaKey(t))
	return c
}

func newSigner(t testing.TB, c SignerConfig) *Signer {
	t.Helper()
	c.From, c.Now = bill().From, signedAt
	s, err := NewSigner(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// checkDKIM has another implementation verify the signature with what the
// sender is told to publish.
func checkDKIM(t testing.TB, s *Signer, data []byte) error {
	t.Helper()
	name, record := s.DKIMRecord()
	lookUp := func(domain string) ([]string, error) {
		if domain != name {
			return nil, errors.New("no such record: " + domain)
		}
		return []string{record}, nil
	}
	found, err := dkim.VerifyWithOptions(bytes.NewReader(data), &dkim.VerifyOptions{LookupTXT: lookUp})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d DKIM signatures, %v in\n%s", len(found), err, data)
	}
	if found[0].Domain != "sakura.example" && found[0].Err == nil {
		t.Errorf("the signature is of %s", found[0].Domain)
	}
	return found[0].Err
}

// checkSMIME has openssl verify the signature, and returns what was signed.
func checkSMIME(t testing.TB, root *authority, data []byte) ([]byte, error) {
	t.Helper()
	folder := t.TempDir()
	mail, roots, content := filepath.Join(folder, "mail"), filepath.Join(folder, "roots.pem"), filepath.Join(folder, "content")
	for path, text := range map[string][]byte{mail: data, roots: root.pem()} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(peertest.Path(t, "openssl"), "cms", "-verify", "-in", mail, "-CAfile", roots, "-out", content).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	signed, err := os.ReadFile(content)
	if err != nil {
		t.Fatal(err)
	}
	return signed, nil
}

func TestDKIMIsVerified(t *testing.T) {
	s := newSigner(t, withDKIM(t, SignerConfig{}))
	alone := bill()
	alone.HTML, alone.Pictures, alone.Attachments, alone.ReplyTo = "", nil, nil, ""
	for _, m := range []Message{bill(), alone} {
		m.Signer = s
		data := composed(t, m).Data
		checkLines(t, data)
		checkEncoding(t, data)
		if err := checkDKIM(t, s, data); err != nil {
			t.Errorf("%v in\n%s", err, data)
		}
		if again := composed(t, m).Data; !bytes.Equal(data, again) {
			t.Error("the same message gave other bytes")
		}
		unsigned := m
		unsigned.Signer = nil
		if !bytes.HasSuffix(data, composed(t, unsigned).Data) {
			t.Error("the signature changed the message")
		}
		for about, spoilt := range map[string][]byte{
			"the text":         bytes.Replace(data, []byte("\r\n5bGx"), []byte("\r\n5bGy"), 1),
			"the subject":      bytes.Replace(data, []byte("Subject: "), []byte("Subject: x "), 1),
			"the recipient":    bytes.Replace(data, []byte("<taro@"), []byte("<jiro@"), 1),
			"another sender":   append([]byte("From: <evil@example.com>\r\n"), data...),
			"another subject":  bytes.Replace(data, []byte("\r\nTo: "), []byte("\r\nSubject: x\r\nTo: "), 1),
			"another sender 2": bytes.Replace(data, []byte("\r\nTo: "), []byte("\r\nFrom: <evil@example.com>\r\nTo: "), 1),
		} {
			if bytes.Equal(spoilt, data) {
				t.Fatalf("%s: nothing was spoilt", about)
			}
			if checkDKIM(t, s, spoilt) == nil {
				t.Errorf("%s was changed, and the signature still holds", about)
			}
		}
	}
}

func TestLongDKIMNamesAreVerified(t *testing.T) {
	c := withDKIM(t, SignerConfig{})
	c.DKIMSelector = strings.Repeat("s", maxDKIMName)
	c.DKIMDomain = strings.Repeat("d", maxDKIMName-len(".example")) + ".example"
	c.From, c.Now = "billing@"+c.DKIMDomain, signedAt
	s, err := NewSigner(c)
	if err != nil {
		t.Fatal(err)
	}
	m := bill()
	m.From, m.Signer = c.From, s
	m.ID = MessageID("key", 1, m.From)
	name, record := s.DKIMRecord()
	found, err := dkim.VerifyWithOptions(bytes.NewReader(composed(t, m).Data), &dkim.VerifyOptions{LookupTXT: func(domain string) ([]string, error) {
		return map[string][]string{name: {record}}[domain], nil
	}})
	if err != nil || len(found) != 1 || found[0].Err != nil {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestSMIMEIsVerified(t *testing.T) {
	root := newAuthority(t, nil)
	between := newAuthority(t, root)
	alone := bill()
	alone.HTML, alone.Pictures, alone.Attachments = "", nil, nil
	for name, key := range map[string]crypto.Signer{"RSA": rsaKey(t), "ECDSA": ecdsaKey(t)} {
		certificate := between.sign(t, forMail(), key.Public())
		s := newSigner(t, withDKIM(t, SignerConfig{SMIMECertificate: slices.Concat(certificatePEM(certificate), between.pem()), SMIMEKey: keyPEM(t, key)}))
		for _, m := range []Message{bill(), alone} {
			unsigned := parse(t, composed(t, m).Data)
			m.Signer = s
			data := composed(t, m).Data
			checkLines(t, data)
			signed, err := checkSMIME(t, root, data)
			if err != nil {
				t.Fatalf("%s: %v in\n%s", name, err, data)
			}
			if err := checkDKIM(t, s, data); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			content := parse(t, signed)
			if content.text != unsigned.text || content.html != unsigned.html || len(content.attachments) != len(unsigned.attachments) || len(content.pictures) != len(unsigned.pictures) {
				t.Errorf("%s: another message was signed: %q", name, content.types)
			}
			if types := parse(t, data).types; types[0] != "multipart/signed" || types[len(types)-1] != "application/pkcs7-signature" {
				t.Errorf("%s: parts %v", name, types)
			}
			if _, err := checkSMIME(t, root, bytes.Replace(data, []byte("\r\n5bGx"), []byte("\r\n5bGy"), 1)); err == nil {
				t.Errorf("%s: the text was changed, and the signature still holds", name)
			}
		}
	}
}

// A key that could only fail later, or a signature that readers would doubt, is
// found before anything is signed.
func TestKeysAreChecked(t *testing.T) {
	root := newAuthority(t, nil)
	key := ecdsaKey(t)
	certified := func(change func(*x509.Certificate)) []byte {
		template := forMail()
		change(template)
		return certificatePEM(root.sign(t, template, &key.PublicKey))
	}
	good := withDKIM(t, SignerConfig{
		From: bill().From, Now: signedAt, SMIMECertificate: certified(func(*x509.Certificate) {}), SMIMEKey: keyPEM(t, key),
	})
	if _, err := NewSigner(good); err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwardsPEM := keyPEM(t, edwards)
	ofEdwards := certificatePEM(root.sign(t, forMail(), edwards.Public()))
	t.Setenv("GODEBUG", "rsa1024min=0")
	short, err := rsa.GenerateKey(rand.Reader, 768)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil  func(*SignerConfig)
		fault  KeyFault
		detail string
	}{
		"sender":                 {func(c *SignerConfig) { c.From = "Sakura" }, SenderMalformed, ""},
		"no certificate":         {func(c *SignerConfig) { c.SMIMECertificate = []byte("hello") }, CertificateUnreadable, ""},
		"a key as certificate":   {func(c *SignerConfig) { c.SMIMECertificate = c.SMIMEKey }, CertificateUnreadable, ""},
		"expired":                {func(c *SignerConfig) { c.Now = signedAt.AddDate(1, 0, 1) }, CertificateExpired, signedAt.AddDate(1, 0, 0).UTC().Format(time.DateOnly)},
		"not yet":                {func(c *SignerConfig) { c.Now = signedAt.AddDate(0, -2, 0) }, CertificateNotYetValid, signedAt.AddDate(0, -1, 0).UTC().Format(time.DateOnly)},
		"for servers":            {func(c *SignerConfig) { c.SMIMECertificate = certified(forServers) }, CertificateNotForMail, ""},
		"for encryption":         {func(c *SignerConfig) { c.SMIMECertificate = certified(forEncryption) }, CertificateNotForMail, ""},
		"another's":              {func(c *SignerConfig) { c.From = "desk@sakura.example" }, CertificateOfAnother, ""},
		"nobody's":               {func(c *SignerConfig) { c.SMIMECertificate = certified(forNobody) }, CertificateOfAnother, ""},
		"no key":                 {func(c *SignerConfig) { c.SMIMEKey = nil }, SMIMEKeyUnreadable, ""},
		"another key":            {func(c *SignerConfig) { c.SMIMEKey = keyPEM(t, rsaKey(t)) }, SMIMEKeyUnfit, ""},
		"an Ed25519 certificate": {func(c *SignerConfig) { c.SMIMECertificate, c.SMIMEKey = ofEdwards, edwardsPEM }, SMIMEKeyUnsupported, ""},
		"DKIM domain":            {func(c *SignerConfig) { c.DKIMDomain = "sakura example" }, DKIMDomainMalformed, ""},
		"DKIM for all of .ex":    {func(c *SignerConfig) { c.DKIMDomain = "example" }, DKIMDomainMalformed, ""},
		"another's domain":       {func(c *SignerConfig) { c.DKIMDomain = "ura.example" }, DKIMDomainOfAnother, "sakura.example"},
		"a domain below":         {func(c *SignerConfig) { c.DKIMDomain = "mail.sakura.example" }, DKIMDomainOfAnother, "sakura.example"},
		"DKIM selector":          {func(c *SignerConfig) { c.DKIMSelector = "" }, DKIMSelectorMalformed, ""},
		"a long DKIM selector":   {func(c *SignerConfig) { c.DKIMSelector = strings.Repeat("s", maxDKIMName+1) }, DKIMSelectorMalformed, ""},
		"no DKIM key":            {func(c *SignerConfig) { c.DKIMKey = []byte("-----BEGIN") }, DKIMKeyUnreadable, ""},
		"a certificate as key":   {func(c *SignerConfig) { c.DKIMKey = c.SMIMECertificate }, DKIMKeyUnreadable, ""},
		"a DKIM key few know":    {func(c *SignerConfig) { c.DKIMKey = edwardsPEM }, DKIMKeyUnsupported, ""},
		"a short DKIM key":       {func(c *SignerConfig) { c.DKIMKey = keyPEM(t, short) }, DKIMKeyShort, "2048"},
	} {
		config := good
		c.spoil(&config)
		_, err := NewSigner(config)
		var wrong *KeyError
		if !errors.As(err, &wrong) || wrong.Fault != c.fault || wrong.Detail != c.detail || wrong.Error() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func forServers(c *x509.Certificate)    { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
func forEncryption(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }
func forNobody(c *x509.Certificate)     { c.EmailAddresses = nil }

func TestAKeyBehindAPassword(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, keyPEM(t, rsaKey(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := withDKIM(t, SignerConfig{From: bill().From, Now: signedAt})
	c.DKIMKey = peertest.Run(t, "openssl", "pkcs8", "-topk8", "-in", path, "-passout", "pass:secret")
	var wrong *KeyError
	if _, err := NewSigner(c); !errors.As(err, &wrong) || wrong.Fault != DKIMKeyUnreadable {
		t.Errorf("%v", err)
	}
}

// Keys come as openssl writes them, and addresses where old certificates have
// them.
func TestKeysOfEveryForm(t *testing.T) {
	root := newAuthority(t, nil)
	key := rsaKey(t)
	template := forMail()
	template.EmailAddresses = nil
	template.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: emailAddress, Value: "billing@sakura.example"}}
	template.KeyUsage, template.ExtKeyUsage = 0, nil
	certificate := certificatePEM(root.sign(t, template, &key.PublicKey))
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	s := newSigner(t, SignerConfig{SMIMECertificate: certificate, SMIMEKey: append([]byte("Bag Attributes\n"), pkcs1...)})
	if got := s.Certificate().SerialNumber; got.Cmp(template.SerialNumber) != 0 {
		t.Errorf("certificate %v", got)
	}
	elliptic := ecdsaKey(t)
	der, err := x509.MarshalECPrivateKey(elliptic)
	if err != nil {
		t.Fatal(err)
	}
	newSigner(t, SignerConfig{
		SMIMECertificate: certificatePEM(root.sign(t, forMail(), &elliptic.PublicKey)),
		SMIMEKey:         pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}),
	})
}

func TestASignerOfNothing(t *testing.T) {
	for _, s := range []*Signer{nil, newSigner(t, SignerConfig{})} {
		m := bill()
		m.Signer = s
		if name, record := s.DKIMRecord(); name != "" || record != "" || s.Certificate() != nil {
			t.Errorf("%q %q %v", name, record, s.Certificate())
		}
		if !bytes.Equal(composed(t, m).Data, composed(t, bill()).Data) {
			t.Error("it changed the message")
		}
	}
}

// Workers share one signer.
func TestManySignAtOnce(t *testing.T) {
	root, key := newAuthority(t, nil), ecdsaKey(t)
	s := newSigner(t, withDKIM(t, SignerConfig{
		SMIMECertificate: certificatePEM(root.sign(t, forMail(), &key.PublicKey)), SMIMEKey: keyPEM(t, key),
	}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			m := bill()
			m.Signer = s
			e, err := Compose(m)
			if err != nil {
				t.Error(err)
				return
			}
			if err := checkDKIM(t, s, e.Data); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
