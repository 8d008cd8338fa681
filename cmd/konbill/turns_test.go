//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"konbill/batch"
	"konbill/samples/peertest"
)

func init() {
	stopHere = func(order string) {
		fmt.Fprintln(os.Stderr, stoppedAt(order))
		if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
			panic(err)
		}
	}
}

func stoppedAt(order string) string { return "script: stopped at " + order }

// machines are several konbill serve that share a ledger and an inbox.
type machines struct{ *night }

func newMachines(t *testing.T, server *peertest.Postgres, settings ...string) machines {
	t.Helper()
	return machines{newNight(t, append([]string{"KONBILL_LEDGER__URL=" + server.NewDatabase(), "KONBILL_SERVE__TAKE_OVER_AFTER=2s"}, settings...)...)}
}

// another starts one more and waits until it has found its role.
func (m machines) another(role string, settings ...string) *process {
	m.Helper()
	p := m.start(append([]string{"KONBILL_SERVE__LISTEN="}, settings...), "serve")
	m.hear(p, role)
	return p
}

// ends waits for a process while others go on: their connections stay open.
func (m machines) ends(p *process, code int) {
	m.Helper()
	<-p.ended
	if got := p.ProcessState.ExitCode(); got != code {
		m.Errorf("it ends with %d, want %d\n%s", got, code, p.stderr)
	}
}

const (
	atWork  = "msg=serving"
	waiting = `msg="` + standingBy + `"`
)

// issuedOnce makes sure that every invoice was charged and mailed once, and that a
// file's results tell so.
func (m machines) issuedOnce(id string, numbers ...string) {
	m.Helper()
	charged := m.charged()
	customers, _ := m.mails()
	for _, number := range numbers {
		if len(charged[number]) != 1 || customers[number] != 1 {
			m.Errorf("%s: charged %q, mailed %d times", number, charged[number], customers[number])
		}
	}
	results, err := os.ReadFile(m.box("outbox", id+".results.csv"))
	m.must(err)
	if got := strings.Count(string(results), ",issued,"); got != len(numbers) {
		m.Errorf("%d of %d rows are issued in\n%s", got, len(numbers), results)
	}
	if working, done := m.folder("working"), m.folder("done"); len(working) != 0 || !slices.Contains(done, id) {
		m.Errorf("working holds %q, done %q", working, done)
	}
}

// TestTurns has machines that share a ledger and an inbox lose one another.
func TestTurns(t *testing.T) {
	server := peertest.StartPostgres(t)
	for name, test := range map[string]func(*testing.T, *peertest.Postgres){
		"killed": testTurnOfTheKilled, "stopped": testTurnOfTheStopped, "left": testTurnIsLeft,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, server)
		})
	}
}

// A machine is killed in the middle of a file: the other finishes it, and tells staff.
func testTurnOfTheKilled(t *testing.T, server *peertest.Postgres) {
	m := newMachines(t, server)
	first := m.another(atWork)
	second := m.another(waiting)
	order := m.hold("POST", "/charges", 1)
	m.drop("killed.csv", rowsOf(numbered("K", 4)...))
	<-order.come
	m.must(first.Process.Kill())
	order.release()
	m.end(first)
	m.hear(second, `msg="catching up"`)
	m.hear(second, "file=killed.csv id=2026-12-01-killed rows=4 yen=12000 issued=4")
	m.toldOf(second, "killed.csv")
	m.issuedOnce("2026-12-01-killed", numbered("K", 4)...)
	m.stop(second)
}

// A machine is stopped between an intent and its request, and wakes after another has
// proved that there is no charge and made one: it sends nothing. All of it takes the
// time that it takes.
func testTurnOfTheStopped(t *testing.T, server *peertest.Postgres) {
	m := newMachines(t, server, scriptWait+"=really")
	point := string(batch.ChargeAsking) + ":1"
	first := m.another(atWork, scriptStopAt+"="+point)
	second := m.another(waiting)
	const rows = 30 // of which each machine takes some
	m.drop("stopped.csv", rowsOf(numbered("P", rows)...))
	m.hear(first, stoppedAt(point))
	m.hear(second, fmt.Sprintf("file=stopped.csv id=2026-12-01-stopped rows=%d yen=%d issued=%d", rows, 3000*rows, rows))
	m.hear(second, `msg="run ends" files=1`)
	m.must(first.Process.Signal(syscall.SIGCONT))
	m.hear(first, waiting)
	m.issuedOnce("2026-12-01-stopped", numbered("P", rows)...)

	m.drop("after.csv", rowsOf("Q-1"))
	m.hear(second, "file=after.csv id=2026-12-01-after rows=1 yen=3000 issued=1")
	m.must(first.Process.Signal(syscall.SIGTERM))
	m.ends(first, exitDone)
	m.stop(second)
	m.issuedOnce("2026-12-01-after", "Q-1")
	if made := m.requests("POST", "/charges"); made != rows+1 {
		t.Errorf("%d requests for charges, want %d", made, rows+1)
	}
}

// Who ends lets another begin at once; meanwhile nobody else serves, and everybody can
// see who does.
func testTurnIsLeft(t *testing.T, server *peertest.Postgres) {
	m := newMachines(t, server, "KONBILL_SERVE__TAKE_OVER_AFTER=60s")
	first := m.another(atWork)
	second := m.another(waiting)
	once := m.start([]string{"KONBILL_SERVE__LISTEN="}, "serve", "--once")
	m.ends(once, exitHeld)
	if roles := m.roles(); !slices.Equal(roles, []bool{true, false}) {
		t.Errorf("turns: %v", roles)
	}
	m.must(first.Process.Signal(syscall.SIGTERM))
	m.ends(first, exitDone)
	m.drop("next.csv", rowsOf("N-1"))
	m.hear(second, "file=next.csv id=2026-12-01-next rows=1 yen=3000 issued=1")
	if roles := m.roles(); !slices.Equal(roles, []bool{true}) {
		t.Errorf("turns: %v", roles)
	}
	m.stop(second)
	m.issuedOnce("2026-12-01-next", "N-1")
	if roles := m.roles(); len(roles) != 0 {
		t.Errorf("turns: %v", roles)
	}
}

// roles says of the machines that status lists whether each has the turn.
func (m machines) roles() []bool {
	m.Helper()
	p := m.start(nil, "status", "--json")
	m.ends(p, exitDone)
	var status struct {
		Machines []struct {
			Turn bool `json:"turn"`
		} `json:"machines"`
	}
	m.must(json.Unmarshal([]byte(p.stdout.String()), &status))
	var roles []bool
	for _, each := range status.Machines {
		roles = append(roles, each.Turn)
	}
	return roles
}

// TestServerRestartsInMidRun: the database is started anew while a file is run. It goes
// on by itself, and nothing is issued twice.
func TestServerRestartsInMidRun(t *testing.T) {
	t.Parallel()
	server := peertest.StartPostgres(t)
	m := newMachines(t, server, "KONBILL_SERVE__TAKE_OVER_AFTER=10s")
	p := m.another(atWork)
	order := m.hold("POST", "/charges", 1)
	m.drop("restart.csv", rowsOf(numbered("R", 4)...))
	<-order.come
	server.Stop()
	server.Start()
	order.release()
	m.hear(p, `msg="run ends" files=1`)
	m.jump(passSoonAfter)
	m.hear(p, "file=restart.csv id=2026-12-01-restart rows=4 yen=12000 issued=4")
	m.hear(p, `files=1 waiting=0 failed=false`)
	m.stop(p)
	m.issuedOnce("2026-12-01-restart", numbered("R", 4)...)
}

// TestPauseOfAll: while the inbox is paused no machine begins another invoice; then all go
// on.
func TestPauseOfAll(t *testing.T) {
	t.Parallel()
	m := newMachines(t, peertest.StartPostgres(t), scriptWait+"=really")
	serving := m.another(atWork)
	helping := m.start(nil, "worker")
	m.hear(helping, "msg=working")
	const rows = 40
	order := m.hold("POST", "/charges", 1)
	m.drop("paused.csv", rowsOf(numbered("W", rows)...))
	<-order.come
	pause := m.box("working", ".konbill.paused")
	m.must(os.WriteFile(pause, []byte("keiri\n"), 0o600))
	order.release()
	for m.underWay() > 0 {
		m.hear(serving, "") // ends the test when konbill has ended
	}
	begun := len(m.charged())
	for range 3 {
		if m.underWay() > 0 || len(m.charged()) != begun || begun == rows {
			t.Errorf("%d were charged at first, and then %d", begun, len(m.charged()))
		}
	}
	m.must(os.Remove(pause))
	m.hear(serving, fmt.Sprintf("file=paused.csv id=2026-12-01-paused rows=%d yen=%d issued=%d", rows, 3000*rows, rows))
	for _, p := range []*process{helping, serving} {
		m.must(p.Process.Signal(syscall.SIGTERM))
		m.ends(p, exitDone)
	}
	m.issuedOnce("2026-12-01-paused", numbered("W", rows)...)
}

// underWay is how many invoices machines have taken, as status tells it.
func (m machines) underWay() int {
	m.Helper()
	p := m.start(nil, "status", "--json")
	m.ends(p, exitDone)
	var status struct {
		Fleet fleetData `json:"fleet"`
	}
	m.must(json.Unmarshal([]byte(p.stdout.String()), &status))
	return status.Fleet.UnderWay
}

// TestFileOfTheLost: the machine of a konbill run is lost, and a konbill serve that never
// saw the file finishes it.
func TestFileOfTheLost(t *testing.T) {
	t.Parallel()
	m := newMachines(t, peertest.StartPostgres(t), scriptWait+"=really")
	name := m.file("lost.csv", numbered("L", 6)...)
	m.crash(string(batch.ChargeRecorded)+":2", "run", name)
	serving := m.another(atWork)
	m.hear(serving, `msg="file taken over from a machine that was lost" file=lost.csv`)
	m.hear(serving, "file=lost.csv id=2026-12-01-lost rows=6 yen=18000 issued=6")
	m.toldOf(serving, "lost.csv")
	m.stop(serving)
	m.issuedOnce("2026-12-01-lost", numbered("L", 6)...)
	m.konbill(exitDone, "run", name)
}
