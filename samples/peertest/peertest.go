// Package peertest finds the programs of others that tests check our work
// with: PDF readers, QR scanners, mail servers.
package peertest

import (
	"os"
	"os/exec"
	"testing"
)

// required is set where every peer must be there, as in .ci/run.
const required = "KONBILL_REQUIRE_PEERS"

// Path returns the path of an installed program. Without it the test is
// skipped by name, or fails where peers are required.
func Path(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv(required) != "" {
		t.Fatalf("%s is not installed, and %s wants every peer", program, required)
	}
	t.Skipf("%s is not installed", program)
	return ""
}

// File returns what is in a file that an install step gets. Without it the test is
// skipped by name, or fails where peers are required.
func File(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		return string(text)
	case os.Getenv(required) != "":
		t.Fatalf("%s is not installed, and %s wants every peer", path, required)
	}
	t.Skipf("%s is not installed", path)
	return ""
}

// Root skips a test of what only root may start, or fails where peers are
// required.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv(required) != "" {
		t.Fatalf("this test must run as root, and %s wants every peer", required)
	}
	t.Skip("only root can start it")
}

// Run runs an installed program and returns what it prints. Failing is the
// test's failure.
func Run(t testing.TB, program string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(Path(t, program), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return out
}
