package follow

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// tolerance is how far a webhook's time may be from ours: what was overheard
	// can't be played back later.
	tolerance = 5 * time.Minute
	// mostSignatures bounds the work for a header. While a secret is changed for
	// another there are two.
	mostSignatures = 8
	// leastSecret is how many bytes a secret has at least; what is shorter isn't
	// one, but a word that somebody filled in.
	leastSecret = 16
)

// SecretError tells which of several webhook secrets can't be one.
type SecretError struct{ Nth int } // from 1 on

// Error implements error, without the secret.
func (e *SecretError) Error() string {
	return fmt.Sprintf("webhook secret %d is not base64 of %d bytes or more", e.Nth, leastSecret)
}

// ParseSecrets reads webhook secrets as the dashboard shows them: base64, each
// on a line of its own. There are several while one is changed for another. The
// error is a *SecretError.
func ParseSecrets(text string) ([][]byte, error) {
	var secrets [][]byte
	for i, line := range strings.Fields(text) {
		secret, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(secret) < leastSecret {
			return nil, &SecretError{Nth: i + 1}
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

// genuine reports whether a webhook was signed just now by who knows one of the
// secrets. The signature is the HMAC-SHA256, in hex, of the time, a dot, and the
// body. (Webhooks, "Signature verification", in the API's documentation.)
func (w *Webhook) genuine(header http.Header, body []byte) bool {
	at := header.Get("Omise-Signature-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	now, most := w.follower.Now().Unix(), int64(tolerance/time.Second)
	if err != nil || seconds < now-most || seconds > now+most {
		return false
	}
	given := strings.Split(strings.Join(header.Values("Omise-Signature"), ","), ",")
	genuine := false
	for _, secret := range w.secrets {
		hash := hmac.New(sha256.New, secret)
		hash.Write([]byte(at + "."))
		hash.Write(body)
		want := hash.Sum(nil)
		for _, text := range given[:min(len(given), mostSignatures)] {
			signature, err := hex.DecodeString(strings.TrimSpace(text))
			genuine = err == nil && hmac.Equal(signature, want) || genuine
		}
	}
	return genuine
}
