//go:build unix

package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"konbill/samples/peertest"
)

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
		},
	})
}
