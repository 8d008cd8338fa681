package mailer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// smimeKey signs with S/MIME (RFC 8551): a signature beside the message, which
// readers without S/MIME show as an attached file.
type smimeKey struct {
	certificate, issuer *x509.Certificate // issuer: nil when the file has none
	key                 crypto.Signer
}

func newSMIMEKey(c SignerConfig, from mailbox) (*smimeKey, error) {
	certificates := certificatesIn(c.SMIMECertificate)
	if len(certificates) == 0 {
		return nil, &KeyError{Fault: CertificateUnreadable}
	}
	k := &smimeKey{certificate: certificates[0]}
	if len(certificates) > 1 {
		k.issuer = certificates[1]
	}
	if err := checkCertificate(k.certificate, from, c.Now); err != nil {
		return nil, err
	}
	var readable bool
	if k.key, readable = privateKey(c.SMIMEKey); !readable {
		return nil, &KeyError{Fault: SMIMEKeyUnreadable}
	}
	switch k.key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey:
	default:
		return nil, &KeyError{Fault: SMIMEKeyUnsupported}
	}
	// Every public key of the standard library can compare itself.
	if !k.key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(k.certificate.PublicKey) {
		return nil, &KeyError{Fault: SMIMEKeyUnfit}
	}
	return k, nil
}

// certificatesIn reads the certificates in PEM, up to what isn't one.
func certificatesIn(text []byte) []*x509.Certificate {
	var found []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			break
		}
		found = append(found, certificate)
	}
	return found
}

// checkCertificate looks for what makes readers' programs doubt a signature
// (RFC 8550 sections 3 and 4.4).
func checkCertificate(c *x509.Certificate, from mailbox, now time.Time) error {
	signs := c.KeyUsage == 0 || c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0
	uses := c.ExtKeyUsage
	forMail := len(uses)+len(c.UnknownExtKeyUsage) == 0 || slices.Contains(uses, x509.ExtKeyUsageEmailProtection) || slices.Contains(uses, x509.ExtKeyUsageAny)
	isFrom := func(address string) bool { return strings.EqualFold(address, from.local+"@"+from.domain) }
	switch {
	case !signs || !forMail:
		return &KeyError{Fault: CertificateNotForMail}
	case !slices.ContainsFunc(addressesOf(c), isFrom):
		return &KeyError{Fault: CertificateOfAnother}
	}
	return checkTime(c, now)
}

func checkTime(c *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(c.NotBefore):
		return &KeyError{Fault: CertificateNotYetValid, Detail: c.NotBefore.Format(time.DateOnly)}
	case now.After(c.NotAfter):
		return &KeyError{Fault: CertificateExpired, Detail: c.NotAfter.Format(time.DateOnly)}
	}
	return nil
}

// emailAddress is the attribute in which old certificates name an address (RFC
// 2985 section 5.2.1).
var emailAddress = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}

func addressesOf(c *x509.Certificate) []string {
	addresses := slices.Clone(c.EmailAddresses)
	for _, name := range c.Subject.Names {
		if address, isText := name.Value.(string); isText && name.Type.Equal(emailAddress) {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// prepare has go-mail sign a message as it writes it.
func (k *smimeKey) prepare(msg *mail.Msg) error {
	return msg.SignWithKeypair(k.key, k.certificate, k.issuer)
}
