package mailer

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// dkimKey signs with DKIM (RFC 6376).
type dkimKey struct {
	domain, selector string
	key              *rsa.PrivateKey
}

const (
	// minDKIMBits is the least that receivers accept, goodDKIMBits what RFC 8301
	// section 3.2 asks for.
	minDKIMBits  = 1024
	goodDKIMBits = 2048
	// maxDKIMName keeps each tag of a signature on one line: go-mail folds a
	// longer one in the middle, and the signature is void.
	maxDKIMName = 70
)

func newDKIMKey(c SignerConfig, from mailbox) (*dkimKey, error) {
	domain := strings.ToLower(c.DKIMDomain)
	if !isDomain(domain) || !strings.Contains(domain, ".") {
		return nil, &KeyError{Fault: DKIMDomainMalformed}
	}
	sender := strings.ToLower(from.domain)
	if sender != domain && !strings.HasSuffix(sender, "."+domain) {
		// DMARC counts only a signature of the domain that the reader sees (RFC
		// 7489 section 3.1.1).
		return nil, &KeyError{Fault: DKIMDomainOfAnother, Detail: sender}
	}
	if !isDomain(c.DKIMSelector) {
		return nil, &KeyError{Fault: DKIMSelectorMalformed}
	}
	signer, readable := privateKey(c.DKIMKey)
	if !readable {
		return nil, &KeyError{Fault: DKIMKeyUnreadable}
	}
	key, isRSA := signer.(*rsa.PrivateKey)
	if !isRSA {
		return nil, &KeyError{Fault: DKIMKeyUnsupported}
	}
	if key.N.BitLen() < minDKIMBits {
		return nil, &KeyError{Fault: DKIMKeyShort, Detail: strconv.Itoa(goodDKIMBits)}
	}
	return &dkimKey{domain: domain, selector: c.DKIMSelector, key: key}, nil
}

func isDomain(name string) bool {
	return len(name) <= maxDKIMName && plainDomain.MatchString(name) && !strings.Contains(name, "..")
}

// record is the public key as RFC 6376 section 3.6.1 has it.
func (k *dkimKey) record() (name, text string) {
	public, err := x509.MarshalPKIXPublicKey(&k.key.PublicKey)
	if err != nil {
		panic("mailer: an RSA key that can't be written: " + err.Error())
	}
	return k.selector + "._domainkey." + k.domain, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
}

// sign puts a signature in front of a message. The same message gives the same
// bytes. From and Subject are named once more than they stand there, so that
// nobody can add others; more names than these go-mail could not fold (see
// maxDKIMName).
func (k *dkimKey) sign(data []byte, at time.Time) ([]byte, error) {
	signer := mail.NewDKIMSigner(k.domain, k.selector, k.key) // one a message: it isn't for many goroutines
	signer.NowFunc = func() time.Time { return at }
	signer.SignHeaders("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Content-Type")
	signer.OversignHeaders("From", "Subject")
	head, body, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	signature, err := signer.Sign(append(bytes.Clone(head), "\r\n"...), body)
	if err != nil {
		return nil, err
	}
	return append([]byte(signature), data...), nil
}
