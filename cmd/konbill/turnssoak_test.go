//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"konbill/samples/peertest"
)

// TestSoakOfMachines has three machines work on files while they are killed and
// stopped at random and the database is started anew, all in the time that it takes:
// each invoice must have been charged once, and mailed once at most. TestTurns is the
// short one.
func TestSoakOfMachines(t *testing.T) {
	if *soakRows == 0 {
		return
	}
	server := peertest.StartPostgres(t)
	crew := &crew{
		machines: newMachines(t, server, scriptWait+"=really", "KONBILL_OMISE__REQUESTS_PER_SECOND=100", "KONBILL_OMISE__WORKERS=8"),
		random:   rand.New(rand.NewPCG(*soakSeed, 0)),
	}
	crew.members = []*process{crew.another(atWork), crew.member(), crew.member()}
	began := time.Now()
	const files = 5
	for file := range files {
		crew.drop(fmt.Sprintf("file%d.csv", file), rowsOf(numbered(string(rune('A'+file)), *soakRows/files)...))
	}
	const troubles = 20
	for trouble := range troubles {
		crew.work(time.Second, 8*time.Second)
		if trouble == troubles/2 {
			server.Stop()
			server.Start()
			continue
		}
		crew.trouble()
	}
	crew.drop("last.csv", rowsOf("L-1"))
	crew.hearAny("file=last.csv id=2026-12-01-last rows=1 yen=3000 issued=1")
	t.Logf("seed %d: %d rows, %d troubles, %s", *soakSeed, *soakRows, troubles, time.Since(began).Round(time.Second))
	for _, p := range crew.members {
		crew.must(p.Process.Signal(syscall.SIGTERM))
		crew.ends(p, exitDone)
	}
	for file := range files {
		crew.chargedOnce(fmt.Sprintf("2026-12-01-file%d", file), numbered(string(rune('A'+file)), *soakRows/files))
	}
	if made := len(crew.api.Charges()); made != *soakRows/files*files+1 {
		t.Errorf("%d charges", made)
	}
}

// crew is machines that meet trouble.
type crew struct {
	machines
	random  *rand.Rand
	members []*process
}

func (c *crew) member() *process { return c.start([]string{"KONBILL_SERVE__LISTEN="}, "serve") }

// between is a random time.
func (c *crew) between(least, most time.Duration) time.Duration {
	return least + time.Duration(c.random.Int64N(int64(most-least)))
}

// work lets them work for a while.
func (c *crew) work(least, most time.Duration) {
	<-time.After(c.between(least, most))
}

// trouble kills a machine, in whose place another is started, or stops it for a while.
func (c *crew) trouble() {
	c.Helper()
	at := c.random.IntN(len(c.members))
	p := c.members[at]
	if c.random.IntN(2) == 0 {
		c.must(p.Process.Kill())
		<-p.ended
		c.members[at] = c.member()
		return
	}
	c.must(p.Process.Signal(syscall.SIGSTOP))
	c.work(time.Second, 30*time.Second)
	c.must(p.Process.Signal(syscall.SIGCONT))
}

// hearAny waits until one of them says some words.
func (c *crew) hearAny(words string) {
	c.Helper()
	said := make(chan bool, len(c.members))
	for _, p := range c.members {
		go func() { said <- p.stderr.heard(words) }()
	}
	for range c.members {
		if <-said {
			return
		}
	}
	c.Fatal("all have ended")
}

// chargedOnce makes sure that every invoice of a file has one charge, one line in its
// results, and a mail, or a person to see to it.
func (c *crew) chargedOnce(id string, numbers []string) {
	c.Helper()
	charged := c.charged()
	mails, _ := c.mails()
	results, err := os.ReadFile(c.box("outbox", id+".results.csv"))
	c.must(err)
	unmailed := 0
	for _, number := range numbers {
		if len(charged[number]) != 1 || mails[number] > 1 {
			c.Errorf("%s: charged %q, mailed %d times", number, charged[number], mails[number])
		}
		if mails[number] == 0 {
			unmailed++
		}
	}
	if issued := strings.Count(string(results), ",issued,"); issued != len(numbers) {
		c.Errorf("%s: %d of %d rows are issued", id, issued, len(numbers))
	}
	if held := strings.Count(string(results), ",held,"); unmailed > held {
		c.Errorf("%s: %d have no mail, and %d are held for a person", id, unmailed, held)
	}
}
