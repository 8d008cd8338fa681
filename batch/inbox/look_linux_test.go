package inbox

import (
	"io"
	"os"
	"os/exec"
	"testing"
)

// TestMain lets the test's own program be the one that runs from the inbox.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		_, _ = os.Stdout.WriteString("running\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

const asProgram = "INBOX_TEST_RUNS_AS_PROGRAM"

// Linux lets nobody, not even root, open a program to write while it runs. It
// stands for a file that another program holds on Windows.
func TestFileThatDoesNotOpenWaits(t *testing.T) {
	b := openTest(t, Options{})
	program := copyOfThisTest(t, b)
	running := exec.Command(b.at(program))
	running.Env = append(os.Environ(), asProgram+"=1")
	stdin, err := running.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := running.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stdout, make([]byte, len("running\n"))); err != nil {
		t.Fatal(err)
	}
	b.look()
	b.later().waits(t, program, Unopenable)
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := running.Wait(); err != nil {
		t.Fatal(err)
	}
	b.look().ready(t, program)
}

func copyOfThisTest(t *testing.T, b *testInbox) (name string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	name = "program.csv"
	if err := os.WriteFile(b.at(name), data, 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// Where names that differ by case are two files, a total says which it means to
// people, but not with certainty.
func TestTotalOfTwoNamesThatDifferByCase(t *testing.T) {
	b := openTest(t, Options{})
	for _, name := range []string{"a.csv", "A.csv", "a.csv.total"} {
		b.drop(name, "x")
	}
	b.look()
	q := b.later()
	if len(q.Waiting) != 2 || q.Waiting[0].Reason != SharedTotal || q.Waiting[1].Reason != SharedTotal {
		t.Errorf("ready %q, waiting %v", q.Ready, q.Waiting)
	}
}
