//go:build unix

package main

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"konbill/samples/peertest"
)

// The guards of a ledger that several machines share.
func init() {
	for _, g := range []guard{
		{"machines that share a database write one after the other", []edit{
			{"batch/ledger/postgres.go", `_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1, $2)", lockClass, lockWrite)`, "err := error(nil)"},
		}, "./batch/ledger", "TestPostgres/contract/Concurrency"},
		{"one run at a time over all machines", []edit{
			{"batch/ledger/postgres.go", `_, err = c.ExecContext(ctx, "SELECT pg_advisory_lock($1, $2)", lockClass, lockHold)`, "err = nil"},
		}, "./batch/ledger", "TestPostgres/contract/Hold"},
		{"a file that has moved takes no step", []edit{
			{"batch/ledger/copy.go", "return from.markMoved(ctx)", "return nil"},
		}, "./batch/ledger", "TestCopy"},
	} {
		guards = append(guards, g)
		guardNeeds[g.name] = func(t testing.TB) { peertest.PostgresPath(t) }
	}
}

// TestCrashPointsOnPostgres kills the real process at the boundaries of an invoice, as
// TestCrashPoints does, while its ledger is in a database.
func TestCrashPointsOnPostgres(t *testing.T) {
	server := peertest.StartPostgres(t)
	for _, scene := range scenes {
		if scene.name != "one request" && scene.name != "request lost" {
			continue // the others differ in what the API does, not in what the ledger keeps
		}
		for _, point := range scene.points {
			t.Run(fmt.Sprintf("%s/%s", scene.name, point), func(t *testing.T) {
				t.Parallel()
				settings := append([]string{"KONBILL_LEDGER__URL=" + server.NewDatabase()}, scene.settings...)
				scene.play(newShop(t, settings...), point)
			})
		}
	}
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
