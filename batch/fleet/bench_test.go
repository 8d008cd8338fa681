//go:build unix

package fleet_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"konbill/batch/omise/omisetest"
	"konbill/samples/peertest"
)

// BenchmarkMachines has the real program issue invoices against an API that takes 50 ms,
// with so many requests under way for each machine that the API is the limit and not the
// cores. It reports invoices a second, between the first charge and the last.
func BenchmarkMachines(b *testing.B) {
	const rows, perMachine = 300, 1
	database := peertest.StartPostgres(b)
	for _, table := range []struct {
		name     string
		machines int
		url      func(dir string) string
	}{
		{"one on SQLite", 1, func(dir string) string { return "sqlite:" + filepath.Join(dir, "konbill.db") }},
		{"one on PostgreSQL", 1, func(string) string { return database.NewDatabase() }},
		{"three on PostgreSQL", 3, func(string) string { return database.NewDatabase() }},
	} {
		b.Run(table.name, func(b *testing.B) {
			for range b.N {
				f := newMachines(b, omisetest.Options{Latency: 50 * time.Millisecond})
				f.url, f.atOnce = table.url(f.dir), perMachine*table.machines
				for range table.machines - 1 {
					f.start("worker")
				}
				for len(f.machines) > 0 && !f.sharing(table.machines-1) {
					time.Sleep(100 * time.Millisecond)
				}
				f.write("rows.csv", "R", rows)
				run := f.command("run", "rows.csv")
				if out, err := run.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				b.ReportMetric(f.rate(), "invoices/s")
				f.end()
			}
		})
	}
}

// sharing reports whether so many machines have joined, as status tells it.
func (f *testFleet) sharing(machines int) bool {
	out, err := f.command("status", "--json").Output()
	f.must(err)
	return strings.Count(string(out), `"requests_at_once"`) >= machines
}

// rate is how many charges were made a second.
func (f *testFleet) rate() float64 {
	charges := f.api.Charges()
	return float64(len(charges)-1) / charges[len(charges)-1].CreatedAt.Sub(charges[0].CreatedAt).Seconds()
}
