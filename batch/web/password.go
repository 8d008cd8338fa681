package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Argon2id as RFC 9106 has it, at the least that the OWASP Password Storage Cheat Sheet
// recommends: a ledger may stand on a small machine.
const (
	hashMemory = 19 << 10 // KiB
	hashPasses = 2
	hashLanes  = 1
	hashBytes  = 32
)

// A password has 12 characters or more (NIST SP 800-63B asks for 8, without a second
// factor for 15), and no more than anybody types.
const (
	MinPassword = 12
	maxPassword = 256
)

// ErrPassword says that a password is too short or too long.
var ErrPassword = errors.New("a password has 12 to 256 characters")

// HashPassword makes of a password what is stored, in the PHC string format. The error is
// ErrPassword.
func HashPassword(password string) (string, error) {
	if n := utf8.RuneCountInString(password); n < MinPassword || n > maxPassword {
		return "", ErrPassword
	}
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	sum := argon2.IDKey([]byte(password), salt, hashPasses, hashMemory, hashLanes, hashBytes)
	return fmt.Sprintf(phcForm, argon2.Version, hashMemory, hashPasses, hashLanes, encode(salt), encode(sum)), nil
}

const phcForm = "$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s"

func encode(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

// matches reports whether a password is the one that was stored. It takes as long for
// one that is stored wrongly, or not at all.
func matches(stored, password string) bool {
	parts := strings.Split(stored, "$")
	var salt, want []byte
	memory, passes, lanes := uint32(hashMemory), uint32(hashPasses), uint8(hashLanes)
	if len(parts) == 6 {
		var err1, err2 error
		salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
		want, err2 = base64.RawStdEncoding.DecodeString(parts[5])
		if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); n != 3 || errors.Join(err, err1, err2) != nil || passes == 0 || lanes == 0 {
			want, memory, passes, lanes = nil, hashMemory, hashPasses, hashLanes
		}
	}
	have := argon2.IDKey([]byte(password), salt, passes, memory, lanes, hashBytes)
	return subtle.ConstantTimeCompare(have, want) == 1
}
