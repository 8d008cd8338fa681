//go:build unix

package guards

import (
	"testing"

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
		{"nothing is charged after a failover before the account was looked through", []edit{
			{"batch/ledger/sweep.go", "return batch.ErrNotSwept", "return nil"},
		}, "./batch/ledger", "TestFailover"},
		{"a file that has moved takes no step", []edit{
			{"batch/ledger/copy.go", "return from.markMoved(ctx)", "return nil"},
		}, "./batch/ledger", "TestCopy"},
	} {
		guards = append(guards, g)
		guardNeeds[g.name] = func(t testing.TB) { peertest.PostgresPath(t) }
	}
}
