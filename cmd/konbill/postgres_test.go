//go:build unix

package main

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"konbill/samples/peertest"
)

// TestCrashPointsOnPostgres kills the real process at the boundaries of an invoice, as
// TestCrashPoints does, while its ledger is in a database. There most of the time goes to
// waiting until the dead process's share of the pace is over, so several wait at once.
func TestCrashPointsOnPostgres(t *testing.T) {
	const together = 6
	server := peertest.StartPostgres(t)
	waiting := make(chan struct{}, together)
	var playing sync.WaitGroup
	for _, scene := range scenes {
		if scene.name != "one request" && scene.name != "request lost" {
			continue // the others differ in what the API does, not in what the ledger keeps
		}
		scene.mailsMeanwhile = true
		for _, point := range scene.points {
			waiting <- struct{}{}
			playing.Go(func() {
				defer func() { <-waiting }()
				t.Run(fmt.Sprintf("%s/%s", scene.name, point), func(t *testing.T) {
					settings := append([]string{"KONBILL_LEDGER__URL=" + server.NewDatabase()}, scene.settings...)
					scene.play(newShop(t, settings...), point)
				})
			})
		}
	}
	playing.Wait()
}

// TestScriptsOnPostgres runs what concerns several databases: $DATABASE_URL is an empty
// one.
func TestScriptsOnPostgres(t *testing.T) {
	server := peertest.StartPostgres(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "postgres"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATABASE_URL", server.NewDatabase())
			return setUpScript(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "crashes": crashes, "charges": countCharges, "mails": countMails, "requests": countRequests,
			"hold": holdAnswer, "await": awaitHeld, "release": releaseAnswer,
		},
	})
}
