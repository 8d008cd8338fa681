package ledger

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"konbill/batch"
)

// The tests of this file need other processes. They are this test program
// again, told by the environment what to do with which ledger.
const (
	roleVariable = "KONBILL_LEDGERTEST_ROLE"
	pathVariable = "KONBILL_LEDGERTEST_PATH"
)

var roles = map[string]func(context.Context, *Ledger) error{
	"open":  func(context.Context, *Ledger) error { return nil },
	"hold":  playHold,
	"write": playWrite,
	"share": playShare,
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := play(role); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func play(role string) error {
	ctx := context.Background()
	fmt.Println("started")
	if err := untilTold(); err != nil {
		return err
	}
	l, err := Open(ctx, scheme+os.Getenv(pathVariable))
	if err != nil {
		return err
	}
	if err := roles[role](ctx, l); err != nil {
		return err
	}
	return l.Close()
}

// untilTold waits for a line from the test.
func untilTold() error {
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return err
}

// playHold holds the ledger until it is killed.
func playHold(ctx context.Context, l *Ledger) error {
	if _, err := l.Hold(ctx); err != nil {
		return err
	}
	fmt.Println("held")
	return untilTold()
}

// playWrite takes the invoices of the ledger from accepted to charging and
// back, all at once and without end, and prints each step once it is durable.
func playWrite(ctx context.Context, l *Ledger) error {
	return everyInvoice(ctx, l, func(e batch.Entry) error {
		for {
			to := batch.Charging
			if e.State == batch.Charging {
				to = batch.Accepted
			}
			var err error
			if e, err = l.Move(ctx, step(e, to), intent); err != nil {
				return err
			}
			// One write, so that the lines of many goroutines don't mix.
			fmt.Printf("%s %d %s\n", e.Key, e.Attempt, e.State)
		}
	})
}

// shareSteps is how many steps each of two processes takes with each invoice.
const shareSteps = 100

func playShare(ctx context.Context, l *Ledger) error {
	return everyInvoice(ctx, l, func(e batch.Entry) error {
		for range shareSteps {
			if _, err := l.Move(ctx, step(e, batch.Accepted), intent); err != nil {
				return err
			}
		}
		return nil
	})
}

// everyInvoice works on all invoices at once, and returns the first error.
func everyInvoice(ctx context.Context, l *Ledger, work func(batch.Entry) error) error {
	failed := make(chan error, 1)
	var running sync.WaitGroup
	err := l.Entries(ctx, batch.Query{}, func(e batch.Entry) error {
		running.Go(func() {
			if err := work(e); err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
		return nil
	})
	running.Wait()
	select {
	case err = <-failed:
	default:
	}
	return err
}

// process is another process at work on a ledger.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
	tell  io.WriteCloser
}

// start runs a role and waits until it stands ready to be told to go.
func start(t *testing.T, role, path string) *process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(program)}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(stdout)
	if p.tell, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	p.want("started")
	return p
}

func (p *process) want(line string) {
	p.t.Helper()
	if !p.lines.Scan() || p.lines.Text() != line {
		p.t.Fatalf("the process said %q, want %q", p.lines.Text(), line)
	}
}

func (p *process) goOn() {
	p.t.Helper()
	if _, err := io.WriteString(p.tell, "go\n"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
}

// TestDeathReleases kills a process that holds the ledger.
func TestDeathReleases(t *testing.T) {
	l := openNew(t)
	holder := start(t, "hold", l.Place())
	holder.goOn()
	holder.want("held")
	if _, err := l.Hold(t.Context()); err != batch.ErrHeld {
		t.Fatalf("held by another process: %v", err)
	}
	holder.kill()
	_ = holder.cmd.Wait()
	release, err := l.Hold(t.Context())
	if err != nil {
		t.Fatalf("a dead process still holds the ledger: %v", err)
	}
	release()
}

// TestSeveralMakeOneLedger lets processes open a ledger that isn't there, all
// at once.
func TestSeveralMakeOneLedger(t *testing.T) {
	for range 3 {
		path := filepath.Join(t.TempDir(), "konbill.db")
		var all []*process
		for range 6 {
			all = append(all, start(t, "open", path))
		}
		for _, p := range all {
			p.goOn()
		}
		for _, p := range all {
			if err := p.cmd.Wait(); err != nil {
				t.Errorf("a process could not open the ledger: %v", err)
			}
		}
		l := openAt(t, path)
		var applied int
		err := l.reader.QueryRowContext(t.Context(), "SELECT count(*) FROM goose_db_version WHERE version_id = 1").Scan(&applied)
		if err != nil || applied != 1 {
			t.Errorf("the tables were made %d times, %v", applied, err)
		}
	}
}

// TestTwoProcessesShare lets two processes write at once, as fast as they can:
// none may fail for the other, and no step of either may be lost.
func TestTwoProcessesShare(t *testing.T) {
	l := openNew(t)
	entries := acceptedIn(t, l, 4)
	other := start(t, "share", l.Place())
	other.goOn()
	if err := playShare(t.Context(), l); err != nil {
		t.Error(err)
	}
	if err := other.cmd.Wait(); err != nil {
		t.Errorf("the other process failed: %v", err)
	}
	for _, e := range entries {
		got, err := l.Entry(t.Context(), e.Key)
		if err != nil {
			t.Fatal(err)
		}
		if got.Attempt != 2*shareSteps {
			t.Errorf("%d steps are left of %d", got.Attempt, 2*shareSteps)
		}
	}
}

// TestKilledWhileWriting kills a process that writes from several goroutines,
// again and again. Every step it has printed must be there, and at most the one
// that was under way beside it, whole, with its event.
func TestKilledWhileWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "konbill.db")
	entries := acceptedIn(t, openAt(t, path), 4)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	acknowledged := map[batch.Key]int{}
	for range 5 {
		p := start(t, "write", path)
		p.goOn()
		last := killAfter(p, 1+random.IntN(300), acknowledged)
		l := openAt(t, path)
		if err := l.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			acknowledged[e.Key] = wantSteps(t, l, e.Key, acknowledged[e.Key], last[e.Key])
		}
	}
}

// killAfter kills a writing process after n printed steps. It counts those and
// all that were printed before the process was gone, and returns the last one
// of each invoice.
func killAfter(p *process, n int, steps map[batch.Key]int) (last map[batch.Key]string) {
	p.t.Helper()
	last = map[batch.Key]string{}
	killed := false
	for i := 1; p.lines.Scan(); i++ {
		key, line, _ := strings.Cut(p.lines.Text(), " ")
		steps[batch.Key(key)]++
		last[batch.Key(key)] = line
		if i == n {
			p.kill()
			killed = true
		}
	}
	if err := p.cmd.Wait(); !killed {
		p.t.Fatalf("the process ended by itself: %v", err)
	}
	return last
}

// wantSteps wants an invoice to have taken the acknowledged steps, and at most
// one more. It returns how many it has taken.
func wantSteps(t *testing.T, l *Ledger, key batch.Key, acknowledged int, last string) int {
	t.Helper()
	events, err := l.Events(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Entry(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	steps := len(events) - 1 // one was the acceptance
	if steps != acknowledged && steps != acknowledged+1 {
		t.Errorf("%d steps were acknowledged, %d are there", acknowledged, steps)
	}
	if e.Attempt != steps || e.State != events[steps].To {
		t.Errorf("attempt %d, %s, but %d steps lead to %s", e.Attempt, e.State, steps, events[steps].To)
	}
	if now := fmt.Sprintf("%d %s", e.Attempt, e.State); last != "" && steps == acknowledged && now != last {
		t.Errorf("%q is there, %q was acknowledged last", now, last)
	}
	return steps
}
