package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Variables that hold secrets.
const (
	secretKeyVariable    = "OMISE_SECRET_KEY"
	publicKeyVariable    = "OMISE_PUBLIC_KEY"
	smtpPasswordVariable = "KONBILL_SMTP_PASSWORD"

	webhookSecretVariable = "KONBILL_WEBHOOK_SECRET"
)

// secrets come from the environment or from files, never from flags, and are
// never printed.
type secrets struct {
	SecretKey    string
	PublicKey    string // may be empty: the secret key does its work, too
	SMTPPassword string // may be empty
}

// loadSecrets reads the secrets; a variable counts before a file. exposed are
// the files that others on this machine can read.
func loadSecrets(c config, env []string) (s secrets, exposed []string, err error) {
	for _, one := range []struct {
		variable, file string
		into           *string
	}{
		{secretKeyVariable, c.Omise.SecretKeyFile, &s.SecretKey},
		{publicKeyVariable, c.Omise.PublicKeyFile, &s.PublicKey},
		{smtpPasswordVariable, c.SMTP.PasswordFile, &s.SMTPPassword},
	} {
		var isExposed bool
		if *one.into, isExposed, err = readSecret(one.variable, one.file, env); err != nil {
			return s, exposed, err
		}
		if isExposed {
			exposed = append(exposed, one.file)
		}
	}
	return s, exposed, nil
}

// readSecret reads one from its variable, or else from its file, which is exposed
// when others on this machine can read it. It is empty when there is neither.
func readSecret(variable, file string, env []string) (secret string, exposed bool, err error) {
	if secret = lookUp(env, variable); secret != "" || file == "" {
		return secret, false, nil
	}
	return readSecretFile(file, env)
}

// readSecretFile reads one that has no variable.
func readSecretFile(file string, env []string) (secret string, exposed bool, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", false, fmt.Errorf("read a secret: %w", err)
	}
	return strings.TrimSpace(string(text)), !isCredential(file, env) && othersCanRead(file), nil
}

// isCredential reports whether systemd passes a file to this service alone
// (systemd.exec, LoadCredential); its mode says nothing then.
func isCredential(path string, env []string) bool {
	folder := lookUp(env, "CREDENTIALS_DIRECTORY")
	return folder != "" && filepath.Dir(path) == filepath.Clean(folder)
}

// othersCanRead reports whether a file's mode lets more than its owner in.
// Windows keeps that elsewhere.
func othersCanRead(path string) bool {
	info, err := os.Stat(path)
	return runtime.GOOS != "windows" && err == nil && info.Mode().Perm()&0o077 != 0
}
