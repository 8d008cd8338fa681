package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"konbill/mailer"
)

// signer reads with what mails are signed, and checks it: a key that fails must
// fail before anything is charged. The error is a *configError, or the operating
// system's.
func (a *app) signer(c config) (*mailer.Signer, error) {
	if c.SMTP.Mode == "off" {
		return nil, nil
	}
	signing := mailer.SignerConfig{From: c.SMTP.From, Now: a.now(), DKIMDomain: c.SMTP.DKIMDomain, DKIMSelector: c.SMTP.DKIMSelector}
	var err error
	if c.SMTP.SMIMECertFile != "" {
		if signing.SMIMECertificate, err = os.ReadFile(c.SMTP.SMIMECertFile); err != nil {
			return nil, fmt.Errorf("read a certificate: %w", err)
		}
	}
	if signing.SMIMEKey, err = a.signingKey(c.SMTP.SMIMEKeyFile); err != nil {
		return nil, err
	}
	if signing.DKIMKey, err = a.signingKey(c.SMTP.DKIMKeyFile); err != nil {
		return nil, err
	}
	signer, err := mailer.NewSigner(signing)
	return signer, asSigningError(err)
}

// signingKey reads a private key, if there is one.
func (a *app) signingKey(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	key, exposed, err := readSecretFile(file, a.env)
	if exposed {
		a.warnExposed(file)
	}
	return []byte(key), err
}

// asSigningError names the setting that a *mailer.KeyError is about.
func asSigningError(err error) error {
	var wrong *mailer.KeyError
	if !errors.As(err, &wrong) {
		return err
	}
	return &configError{Key: signingMistakes[wrong.Fault].setting, Code: configBadSigning, Signing: wrong}
}

// signingMistakes are the settings that faults are about, how Japanese tells
// them (%s is the detail), and what to do in English.
var signingMistakes = map[mailer.KeyFault]struct{ setting, japanese, advice string }{
	mailer.SenderMalformed: {"smtp.from", "がメールアドレスではないため、署名できません", "write a mail address"},
	mailer.CertificateUnreadable: {"smtp.smime_cert_file", "から証明書を読み取れません。PEM 形式（-----BEGIN CERTIFICATE----- で始まるもの）を指定してください",
		"give one in PEM, which begins with -----BEGIN CERTIFICATE-----"},
	mailer.CertificateNotYetValid: {"smtp.smime_cert_file", "の証明書はまだ有効ではありません（%s から有効）。PC の時計と証明書を確かめてください", "check this machine's clock, and the certificate"},
	mailer.CertificateExpired:     {"smtp.smime_cert_file", "の証明書は有効期限（%s）を過ぎています。新しい証明書に入れ替えてください", "put a new one there"},
	mailer.CertificateNotForMail:  {"smtp.smime_cert_file", "の証明書はメールの署名に使えません。S/MIME（電子メールの保護）用の証明書を指定してください", "get one for S/MIME (e-mail protection)"},
	mailer.CertificateOfAnother:   {"smtp.smime_cert_file", "の証明書は smtp.from のアドレスのものではありません。同じアドレスの証明書を指定してください", "get one for the address of smtp.from"},
	mailer.SMIMEKeyUnreadable:     {"smtp.smime_key_file", "から秘密鍵を読み取れません。パスワードのない PEM 形式を指定してください", "give one in PEM without a password"},
	mailer.SMIMEKeyUnfit:          {"smtp.smime_key_file", "の秘密鍵は smtp.smime_cert_file の証明書と対になっていません", "give the key that belongs to smtp.smime_cert_file"},
	mailer.SMIMEKeyUnsupported:    {"smtp.smime_key_file", "の秘密鍵は RSA でも ECDSA でもないため、署名に使えません", "get a certificate with one of these"},
	mailer.DKIMDomainMalformed:    {"smtp.dkim_domain", "はドメイン名ではありません。example.com の形で、70 文字以内で指定してください", "write it as example.com, in at most 70 characters"},
	mailer.DKIMDomainOfAnother: {"smtp.dkim_domain", "は smtp.from のドメイン（%s）と同じか、その上位のドメインにしてください。別のドメインの署名では、なりすましと見分けられません",
		"it must be the domain of smtp.from, or one above it; receivers don't count the signature of another"},
	mailer.DKIMSelectorMalformed: {"smtp.dkim_selector", "はセレクターの名前として使えません。konbill2026 のように、半角英数字 70 文字以内で指定してください", "write a name such as konbill2026, in at most 70 characters"},
	mailer.DKIMKeyUnreadable:     {"smtp.dkim_key_file", "から秘密鍵を読み取れません。パスワードのない PEM 形式を指定してください", "give one in PEM without a password, as openssl genrsa writes it"},
	mailer.DKIMKeyUnsupported:    {"smtp.dkim_key_file", "の秘密鍵は RSA ではありません。RSA 以外の署名は、多くの受信側が確かめられません", "few receivers know another kind"},
	mailer.DKIMKeyShort:          {"smtp.dkim_key_file", "の秘密鍵が短すぎます。%s ビットの鍵を作ってください", "make a new one"},
}

func signingInJapanese(e *mailer.KeyError) string {
	return strings.ReplaceAll(signingMistakes[e.Fault].japanese, "%s", e.Detail)
}

func signingInEnglish(e *mailer.KeyError) string {
	return e.Error() + "; " + signingMistakes[e.Fault].advice
}
