package mailer

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"
)

// SignerConfig says with what messages are signed.
type SignerConfig struct {
	From string    // the sender of all of them, as Message has it
	Now  time.Time // when the certificate must be valid

	// In PEM: the sender's certificate, and behind it the one that vouches for
	// it, which travel with each message. Empty: no S/MIME.
	SMIMECertificate, SMIMEKey []byte

	DKIMDomain   string // the sender's, or one above it; empty: no DKIM
	DKIMSelector string
	DKIMKey      []byte // in PEM
}

// Signer signs messages: with S/MIME, by which the reader's program shows who
// wrote them, and with DKIM, by which mail servers know that the sender's
// domain stands by them. A nil Signer signs nothing. It may be used by many
// goroutines.
type Signer struct {
	smime *smimeKey // nil: none
	dkim  *dkimKey  // nil: none
}

// NewSigner checks the keys, so that nothing fails when a message is signed.
// The error is a *KeyError.
func NewSigner(c SignerConfig) (*Signer, error) {
	from, err := parseMailbox(c.From)
	if err != nil {
		return nil, &KeyError{Fault: SenderMalformed}
	}
	s := &Signer{}
	if len(c.SMIMECertificate) > 0 {
		if s.smime, err = newSMIMEKey(c, from); err != nil {
			return nil, err
		}
	}
	if c.DKIMDomain != "" {
		if s.dkim, err = newDKIMKey(c, from); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Check tells whether the certificate is valid at a time, which it was when the
// signer was made. The error is a *KeyError.
func (s *Signer) Check(now time.Time) error {
	if s == nil || s.smime == nil {
		return nil
	}
	return checkTime(s.smime.certificate, now)
}

// Certificate is the sender's own, or nil without S/MIME.
func (s *Signer) Certificate() *x509.Certificate {
	if s == nil || s.smime == nil {
		return nil
	}
	return s.smime.certificate
}

// DKIMRecord is what the DNS must tell receivers for them to know the
// signature: a TXT record and its name. Both are empty without DKIM.
func (s *Signer) DKIMRecord() (name, text string) {
	if s == nil || s.dkim == nil {
		return "", ""
	}
	return s.dkim.record()
}

// KeyFault is what is wrong with a key, a certificate or what goes with them.
type KeyFault int

// The faults, and what Detail says of each.
const (
	SenderMalformed        KeyFault = iota
	CertificateUnreadable           // not PEM, or no certificate in it
	CertificateNotYetValid          // the date from which it is
	CertificateExpired              // the date
	CertificateNotForMail           // it is for other uses only
	CertificateOfAnother            // it is not for the sender's address
	SMIMEKeyUnreadable              // not PEM, or with a password
	SMIMEKeyUnfit                   // not the certificate's
	SMIMEKeyUnsupported             // neither RSA nor ECDSA
	DKIMDomainMalformed             // or too long
	DKIMDomainOfAnother             // the sender's domain
	DKIMSelectorMalformed           // or too long
	DKIMKeyUnreadable               // not PEM, or with a password
	DKIMKeyUnsupported              // not RSA, which is all that most receivers know
	DKIMKeyShort                    // the bits that it should have
)

// KeyError is why messages can't be signed. It holds nothing of a private key,
// and no address: it goes to logs.
type KeyError struct {
	Fault  KeyFault
	Detail string
}

func (e *KeyError) Error() string {
	what := [...]string{
		"the sender's address is malformed", "no certificate can be read", "the certificate is not valid yet", "the certificate has expired",
		"the certificate is not for mail", "the certificate is not for the sender's address", "no key to the certificate can be read",
		"the key is not the certificate's", "the key to the certificate is neither RSA nor ECDSA", "the DKIM domain is malformed",
		"the DKIM domain is not the sender's", "the DKIM selector is malformed", "no DKIM key can be read", "the DKIM key is not RSA",
		"the DKIM key is too short",
	}[e.Fault]
	if e.Detail == "" {
		return what
	}
	return fmt.Sprintf("%s (%s)", what, e.Detail)
}

// privateKey reads the first private key in PEM, in any form that openssl
// writes without a password.
func privateKey(text []byte) (crypto.Signer, bool) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			signer, can := key.(crypto.Signer)
			return signer, can
		}
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, true
		}
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return key, true
		}
	}
	return nil, false
}
