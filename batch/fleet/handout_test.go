//go:build unix

package fleet

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"testing"
	"time"

	"konbill/batch"
	"konbill/batch/ledger"
	"konbill/batch/omise"
	"konbill/batch/omise/omisetest"
	"konbill/invoice"
	"konbill/samples/peertest"
	"konbill/templates"
)

// one is a fleet of one machine, in this process.
type one struct {
	*testing.T
	*Fleet
	book   *ledger.Ledger
	server *peertest.Postgres
	url    string
}

func newOne(t *testing.T) *one {
	o := &one{T: t, server: peertest.StartPostgres(t)}
	o.url = o.server.NewDatabase()
	var err error
	o.book, err = ledger.Open(t.Context(), o.url)
	o.must(err)
	t.Cleanup(func() { o.book.Close() })
	api := omisetest.NewServer(omisetest.Options{})
	stop, err := api.Start()
	o.must(err)
	t.Cleanup(stop)
	keeper := NewKeeper()
	client, err := omise.New(omise.Config{URL: api.URL(), SecretKey: "skey_test_one", RequestsPerSecond: 100, AtOnce: 2, Timeout: 10 * time.Second, Join: keeper.Join})
	o.must(err)
	keeper.Keep(KeeperConfig{Ledger: o.book, Name: "one", Whole: ledger.Whole{PerSecond: 100, AtOnce: 2}, Log: slog.New(slog.DiscardHandler)}, client)
	t.Cleanup(func() { keeper.Close() })
	r := &batch.Runner{
		Ledger: o.book, Gateway: client, Fingerprint: client.Fingerprint(), Now: time.Now,
		Settings: batch.Settings{Merchant: templates.Merchant{Name: "さくら商店", Phone: "03-0000-0000"}, MailOff: true, LoopbackAPI: true, Who: "run"},
	}
	o.Fleet = New(Config{Ledger: o.book, Keeper: keeper, Account: r.Identify, Hand: r.Hand(), Workers: 2, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { o.Fleet.Close() })
	return o
}

func (o *one) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// opens has the ledger accept invoices for a job.
func (o *one) opens(numbers ...string) ([]batch.Key, error) {
	account, err := o.config.Account(o.Context())
	o.must(err)
	var keys []batch.Key
	_, err = o.book.OpenJob(o.Context(), batch.Job{Who: "run", File: "a.csv", SHA256: numbers[0], Account: account, StartedAt: time.Now()},
		func(yield func(invoice.Invoice) bool) {
			for _, number := range numbers {
				if !yield(invoice.Invoice{Number: number, Amount: 1000, Name: "山田太郎", SentName: "山田太郎", Phone: "09011112222", Email: "a@example.jp", Due: time.Now().AddDate(0, 0, 30)}) {
					return
				}
			}
		}, func(_ int, v batch.Verdict) { keys = append(keys, v.Entry.Key) })
	return keys, err
}

// has compares how many jobs River has, by state.
func (o *one) has(want map[string]int) {
	o.Helper()
	rows, err := o.pool.Query(o.Context(), "SELECT state::text, count(*)::int FROM river_job GROUP BY 1")
	o.must(err)
	defer rows.Close()
	got := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		o.must(rows.Scan(&state, &n))
		got[state] = n
	}
	if o.must(rows.Err()); !maps.Equal(got, want) {
		o.Errorf("jobs: %v, want %v", got, want)
	}
}

func (o *one) settles(keys []batch.Key, after time.Duration, drain <-chan struct{}) error {
	return o.Settle(o.Context(), keys, batch.Handout{
		After: after, Drain: drain, Settled: func([]int) error { return nil },
		Lost: func(i int) (bool, error) { return false, fmt.Errorf("job %d is lost", i) },
	})
}

// TestJobsComeWithTheirInvoices: an invoice has its job if and only if it was accepted,
// and nobody takes it before it is handed out.
func TestJobsComeWithTheirInvoices(t *testing.T) {
	o := newOne(t)
	dismiss, err := o.Gather(t.Context())
	o.must(err)
	keys, err := o.opens("A-1", "A-2", "A-3")
	o.must(err)
	o.has(map[string]int{"pending": 3})
	if _, err := o.opens("A-4", "A-5", "A-4"); err == nil {
		t.Error("a file that names one invoice twice was accepted")
	}
	o.has(map[string]int{"pending": 3})
	o.must(o.settles(keys[:2], 0, nil)) // the third has a charge of another ledger's, say
	o.has(map[string]int{"completed": 2, "pending": 1})
	for i, want := range []batch.State{batch.Charged, batch.Charged, batch.Accepted} {
		if e, err := o.book.Entry(t.Context(), keys[i]); err != nil || e.State != want {
			t.Errorf("%s is %s (%v), want %s", e.Invoice.Number, e.State, err, want)
		}
	}
	dismiss()
	o.has(map[string]int{"completed": 2})
	_, err = o.opens("B-1")
	o.must(err)
	o.has(map[string]int{"completed": 2}) // no run is on
}

// TestLeftJobsAreTakenBack: what a leader has left behind that died, pending or for later,
// is gone once another gathers; and the file's invoices have jobs anew.
func TestLeftJobsAreTakenBack(t *testing.T) {
	o := newOne(t)
	_, err := o.Gather(t.Context())
	o.must(err)
	keys, err := o.opens("A-1", "A-2")
	o.must(err)
	_, err = o.handOut(t.Context(), keys[:1], time.Hour)
	o.must(err)
	o.has(map[string]int{"pending": 1, "scheduled": 1})
	dismiss, err := o.Gather(t.Context())
	o.must(err)
	o.has(map[string]int{})
	keys, err = o.opens("A-1", "A-2")
	o.must(err)
	o.has(map[string]int{"pending": 2})
	o.must(o.settles(keys, 0, nil))
	dismiss()
	o.has(map[string]int{"completed": 2})
}

// TestNobodyBeginsBefore: what is handed out for later waits, unless nothing more is to be
// begun.
func TestNobodyBeginsBefore(t *testing.T) {
	o := newOne(t)
	dismiss, err := o.Gather(t.Context())
	o.must(err)
	defer dismiss()
	keys, err := o.opens("A-1")
	o.must(err)
	began := time.Now()
	o.must(o.settles(keys, 2*time.Second, nil))
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("it was settled after %s", took)
	}
	keys, err = o.opens("A-2")
	o.must(err)
	drain := make(chan struct{})
	time.AfterFunc(300*time.Millisecond, func() { close(drain) })
	stop := new(batch.Stop)
	if err := o.settles(keys, time.Hour, drain); !errors.As(err, &stop) || stop.Reason != batch.StopInterrupted {
		t.Errorf("it ended with %v", err)
	}
	o.has(map[string]int{"completed": 1})
}
