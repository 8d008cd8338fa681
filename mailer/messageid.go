package mailer

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// MessageID is the Message-ID of one attempt to mail one invoice, without angle
// brackets. It follows from the key, the attempt and the sender's domain alone,
// so that it can be recorded before the mail is sent and looked for later in
// the mail server's log. The key itself can't be read from it.
func MessageID(key string, attempt int, from string) string {
	domain := "konbill.invalid" // Compose refuses a sender without a domain
	if m, err := parseMailbox(from); err == nil {
		domain = strings.ToLower(m.domain)
	}
	sum := sha256.Sum256([]byte(key))
	return fmt.Sprintf("konbill.%x.%d@%s", sum[:12], attempt, domain)
}
