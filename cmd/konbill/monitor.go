package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"konbill/batch"
	"konbill/batch/fleet"
	"konbill/batch/follow"
	"konbill/batch/inbox"
	"konbill/batch/ledger"
	"konbill/mailer"
)

// monitor holds what operators see at /metrics.
type monitor struct {
	registry *prometheus.Registry

	rows, yen   *prometheus.CounterVec // by result
	passes      *prometheus.CounterVec // by how they ended
	skipped     prometheus.Counter
	retried     *prometheus.CounterVec // by what became of it
	notices     *prometheus.CounterVec // by kind, and what became of them
	webhooks    *prometheus.CounterVec // by what became of them
	unknown     prometheus.Gauge
	openCharges prometheus.Gauge
	unclear     prometheus.Gauge
	payments    *prometheus.CounterVec // by payment status
	paymentsYen *prometheus.CounterVec
	lastSuccess prometheus.Gauge
	nextRun     prometheus.Gauge
	turn        prometheus.Gauge
	fleet       *prometheus.GaugeVec // by what becomes of invoices
	machines    prometheus.Gauge
	inboxFiles  *prometheus.GaugeVec // by state
	api, smtp   *prometheus.HistogramVec
}

// How passes end, as /metrics names it.
const (
	passDone        = "done"
	passFailed      = "failed"
	passInterrupted = "interrupted"
)

// latencies are the bounds of the histograms, in seconds.
var latencies = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

func newMonitor() *monitor {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	latency := func(name, help string, label string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: latencies}, []string{label})
	}
	m := &monitor{
		registry: prometheus.NewRegistry(),

		rows:        counter("konbill_rows_total", "Rows of the files run, by result.", "result"),
		yen:         counter("konbill_yen_total", "Yen of the rows run, by result.", "result"),
		passes:      counter("konbill_runs_total", "Runs over the inbox, by how they ended.", "outcome"),
		skipped:     prometheus.NewCounter(prometheus.CounterOpts{Name: "konbill_runs_skipped_total", Help: "Scheduled runs left out, since the one before still went on."}),
		retried:     counter("konbill_retried_total", "Deferred mails and unknown charges tried again between runs, by what became of them.", "outcome"),
		notices:     counter("konbill_notices_total", "Reminders and receipts mailed to customers, by what became of them.", "kind", "outcome"),
		webhooks:    counter("konbill_webhooks_total", "Webhooks that came, by what became of them.", "outcome"),
		unknown:     gauge("konbill_unknown_charges", "Charges of unknown outcome in the ledger."),
		openCharges: gauge("konbill_open_charges", "Charges that wait for payment, at the latest look."),
		unclear:     gauge("konbill_unclear_charges", "Charges on which ledger and account disagree, at the latest look: for a person."),
		payments:    counter("konbill_payments_total", "Charges whose payment came to an end, by payment status.", "status"),
		paymentsYen: counter("konbill_payments_yen_total", "Yen of charges whose payment came to an end, by payment status.", "status"),
		lastSuccess: gauge("konbill_last_success_timestamp_seconds", "When a run last came to its end; after a start, when the latest one was due. 0: none did."),
		nextRun:     gauge("konbill_next_run_timestamp_seconds", "When the next run is due."),
		turn:        gauge("konbill_turn", "1 while this machine serves the inbox, 0 while it stands by for another."),
		fleet:       prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "konbill_fleet_invoices", Help: "Invoices that machines which share the ledger are to settle, by whether one has taken them."}, []string{"state"}),
		machines:    gauge("konbill_fleet_machines", "Machines that share the pace of requests with this one, itself included."),
		inboxFiles:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "konbill_inbox_files", Help: "Files in the inbox, by whether they can be taken."}, []string{"state"}),
		api:         latency("konbill_api_request_duration_seconds", "Time of requests to the payment API; listing counts all its pages.", "operation"),
		smtp:        latency("konbill_mail_delivery_duration_seconds", "Time of deliveries to the mail server, by outcome.", "outcome"),
	}
	for _, result := range batch.Results { // 0 is something to see, too
		m.rows.WithLabelValues(string(result))
		m.yen.WithLabelValues(string(result))
	}
	for _, outcome := range follow.Outcomes {
		m.webhooks.WithLabelValues(string(outcome))
	}
	m.registry.MustRegister(m.rows, m.yen, m.passes, m.skipped, m.retried, m.notices, m.webhooks, m.unknown, m.openCharges, m.unclear, m.payments, m.paymentsYen, m.lastSuccess, m.nextRun, m.turn, m.fleet, m.machines, m.inboxFiles,
		m.api, m.smtp, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// count takes in the rows of a file.
func (m *monitor) count(r *batch.Report) {
	for result, sum := range r.Receipt.Results {
		m.rows.WithLabelValues(string(result)).Add(float64(sum.Rows))
		m.yen.WithLabelValues(string(result)).Add(float64(sum.Yen))
	}
}

// see takes in a look at the inbox.
func (m *monitor) see(q inbox.Queue) {
	m.inboxFiles.WithLabelValues("ready").Set(float64(len(q.Ready)))
	m.inboxFiles.WithLabelValues("waiting").Set(float64(len(q.Waiting)))
}

// seeFleet takes in a look at what the machines are to settle together.
func (m *monitor) seeFleet(work fleet.Work, machines int) {
	m.fleet.WithLabelValues("waiting").Set(float64(work.Waiting))
	m.fleet.WithLabelValues("under_way").Set(float64(work.UnderWay))
	m.machines.Set(float64(machines))
}

// ended takes in the end of a pass.
func (m *monitor) ended(at time.Time, failed, interrupted bool) {
	switch {
	case failed:
		m.passes.WithLabelValues(passFailed).Inc()
	case interrupted:
		m.passes.WithLabelValues(passInterrupted).Inc()
	default:
		m.passes.WithLabelValues(passDone).Inc()
		m.lastSuccess.Set(float64(at.Unix()))
	}
}

// outstanding counts the charges of unknown outcome. A ledger that can't say
// shows in /healthz.
func (m *monitor) outstanding(ctx context.Context, book *ledger.Ledger) {
	n := 0
	err := book.Entries(ctx, batch.Query{States: []batch.State{batch.Unknown, batch.Charging}}, func(batch.Entry) error { n++; return nil })
	if err == nil {
		m.unknown.Set(float64(n))
	}
}

// timeGateway measures the requests of a gateway.
func (m *monitor) timeGateway(g batch.Gateway) batch.Gateway { return timedGateway{g, m.api} }

type timedGateway struct {
	batch.Gateway
	took *prometheus.HistogramVec
}

func (g timedGateway) time(operation string) func() {
	timer := prometheus.NewTimer(g.took.WithLabelValues(operation))
	return func() { timer.ObserveDuration() }
}

func (g timedGateway) Account(ctx context.Context) (batch.Account, error) {
	defer g.time("account")()
	return g.Gateway.Account(ctx)
}

func (g timedGateway) CreateSource(ctx context.Context, r batch.ChargeRequest) (string, error) {
	defer g.time("create_source")()
	return g.Gateway.CreateSource(ctx, r)
}

func (g timedGateway) CreateCharge(ctx context.Context, r batch.ChargeRequest) (batch.Charge, error) {
	defer g.time("create_charge")()
	return g.Gateway.CreateCharge(ctx, r)
}

func (g timedGateway) Charges(ctx context.Context, since time.Time, visit func(batch.Found) error) error {
	defer g.time("list_charges")()
	return g.Gateway.Charges(ctx, since, visit)
}

// timeMailer measures the deliveries of a mailer; there is none when mail is off.
func (m *monitor) timeMailer(next batch.Mailer) batch.Mailer {
	if next == nil {
		return nil
	}
	return timedMailer{next, m.smtp}
}

type timedMailer struct {
	batch.Mailer
	took *prometheus.HistogramVec
}

func (m timedMailer) Deliver(ctx context.Context, e mailer.Envelope) (reply string, err error) {
	began := time.Now()
	reply, err = m.Mailer.Deliver(ctx, e)
	outcome := "accepted"
	if err != nil {
		outcome = mailer.KindOf(err).String()
	}
	m.took.WithLabelValues(outcome).Observe(time.Since(began).Seconds())
	return reply, err
}

// listen serves /metrics and /healthz on loopback, until it is closed.
func (s *service) listen() (closeListener func(), err error) {
	if s.config.Serve.Listen == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", s.config.Serve.Listen)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	metrics := promhttp.HandlerFor(s.monitor.registry, promhttp.HandlerOpts{})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		s.monitor.nextRun.Set(float64(s.times.Next(s.now()).Unix()))
		metrics.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /healthz", s.healthz)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the monitoring address stopped answering", "reason", err.Error())
		}
	}()
	s.log.Info("listening", "metrics", "http://"+listener.Addr().String()+"/metrics", "health", "http://"+listener.Addr().String()+"/healthz")
	return func() { _ = server.Close() }, nil // readers come again
}

// health is what /healthz answers.
type health struct {
	Status  string `json:"status"` // ok, or what is wrong: ledger, inbox, overdue
	Turn    bool   `json:"turn"`   // this machine serves the inbox; others may stand by
	Running bool   `json:"running"`
	LastRun string `json:"last_run,omitempty"` // when the latest scheduled run that ended was due
	NextRun string `json:"next_run"`
	Overdue string `json:"overdue,omitempty"` // since when a scheduled run has been due that hasn't ended
}

// overdueAfter is how long after its time a run must have ended, or be going on.
const overdueAfter = 10 * time.Minute

// healthz answers 200 as long as runs come and end, else 503 and why.
func (s *service) healthz(w http.ResponseWriter, r *http.Request) {
	now := s.now()
	h := health{Status: "ok", Turn: s.hasTurn.Load(), Running: !s.running.since().IsZero(), NextRun: batch.Timestamp(s.times.Next(now))}
	last, err := s.ledger.PassedAt(r.Context())
	if err != nil {
		h.Status = "ledger"
	} else {
		h.LastRun = batch.Timestamp(last)
		if due, missed := s.times.Missed(last, now.Add(-overdueAfter)); missed && !h.Running && h.Turn {
			h.Status, h.Overdue = "overdue", batch.Timestamp(due)
		}
	}
	if s.inboxUnreadable.Load() {
		h.Status = "inbox"
	}
	w.Header().Set("Content-Type", "application/json")
	if h.Status != "ok" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(h) // a reader that has gone
}
