package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"konbill/batch"
	"konbill/batch/follow"
	"konbill/batch/inbox"
	"konbill/batch/web"
	"konbill/invoice"
)

// servePage offers the page for accounting staff, if it is to, until it is closed.
func (s *service) servePage() (closePage func(), err error) {
	c := s.config.Web
	if c.Listen == "" {
		return func() {}, nil
	}
	settings, err := s.config.listed(s.origins)
	if err != nil {
		return nil, err
	}
	secured, err := c.tls()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	secure := secured != nil || c.behindProxy()
	about := web.Config{
		Ledger: s.ledger, Live: s.runner.Live, Language: s.lang, Hosts: c.hosts(), Secure: secure,
		Slip: s.runner.Slip, Slips: s.runner.Slips, PrintFile: s.runner.PrintFile, Paper: s.paperForPage,
		Resend: s.resendForPage, Recall: s.recallForPage,
		Outbox: os.DirFS(filepath.Join(s.config.Inbox.Folder, "outbox")),
		Check:  s.checkForPage, Read: s.readForPage, Preview: s.previewForPage,
		ConfigHash: s.config.hash() + s.runner.Settings.Texts.Digest(), MaxTotal: s.runner.Settings.MaxTotal, SecondPerson: c.Approval == approvalBySecond, Pace: s.config.Omise.RequestsPerSecond,
		Operation: s.operation, Pause: s.pauseForPage, Continue: func() error { return inbox.Continue(s.config.Inbox.Folder) },
		Examine: s.examineForPage, Settings: settings, Now: s.now, Log: s.log,
	}
	if s.drafts != nil {
		about.Drafts = s.drafts
	}
	page := web.New(about)
	server := &http.Server{
		Handler: page, MaxHeaderBytes: 16 << 10, TLSConfig: secured, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: time.Minute,
	}
	server.RegisterOnShutdown(page.Close)
	go func() {
		var err error
		if secured != nil {
			err = server.ServeTLS(listener, "", "")
		} else {
			err = server.Serve(listener)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the page stopped answering", "reason", err.Error())
		}
	}()
	s.log.Info("page for staff", "address", c.Listen, "tls", secure, "hosts", c.hosts())
	return func() { closeGently(server) }, nil
}

// checkForPage is what check does with a file.
func (s *service) checkForPage(path string, lang invoice.Language) (*batch.Checkup, error) {
	return batch.CheckUp(path, s.config.reading(lang), s.now())
}

// readForPage reads a file as a run does.
func (s *service) readForPage(path string, lang invoice.Language) (*batch.Sheet, error) {
	return batch.ReadSheet(path, s.config.reading(lang), s.now())
}

// previewForPage is what preview makes of a row, with the texts that runs have.
func (s *service) previewForPage(inv invoice.Invoice) (web.Preview, error) {
	pdf, mail, err := s.config.previewOf(inv, s.runner.Settings.Texts)
	return web.Preview{Slip: pdf, Subject: mail.Subject, Text: mail.Text, HTML: mail.Standalone()}, err
}

// resendForPage mails an invoice again, as konbill resend does, unless a run goes on.
func (s *service) resendForPage(ctx context.Context, number string, lang invoice.Language) (said string, mailed bool, err error) {
	if !s.busy.TryLock() {
		return "", false, batch.ErrHeld
	}
	defer s.busy.Unlock()
	runner := *s.runner
	runner.Settings.Who = "page"
	reports, err := runner.Resend(ctx, []string{number}, "")
	if err != nil || len(reports) == 0 {
		return "", false, err
	}
	speaker := *s.app
	speaker.lang = lang
	return speaker.resentText(reports[0]), reports[0].NotSent == "" && reports[0].Entry.State == batch.Mailed, nil
}

// recallForPage calls a bill back, as konbill recall does, unless a run goes on.
func (s *service) recallForPage(ctx context.Context, number string, lang invoice.Language) (said string, recalled bool, err error) {
	if !s.busy.TryLock() {
		return "", false, batch.ErrHeld
	}
	defer s.busy.Unlock()
	account, err := s.runner.Identify(ctx)
	if err != nil {
		return "", false, err
	}
	follower := &follow.Follower{Ledger: s.ledger, Gateway: s.shop.client, Account: account, Who: "page", Now: s.now}
	reports, err := follower.Recall(ctx, []string{number})
	if len(reports) == 0 {
		return "", false, err
	}
	speaker := *s.app
	speaker.lang = lang
	return speaker.recalledText(reports[0]), reports[0].Outcome == follow.RecallDone, nil
}

// pauseForPage pauses the inbox, for all who serve it.
func (s *service) pauseForPage(by string) error {
	return inbox.SetPaused(s.config.Inbox.Folder, inbox.Pause{By: by, At: s.now().UTC()})
}

// paperForPage finds what a run has left by the bytes of its file, among those that are
// filed away under its name.
func (s *service) paperForPage(_ context.Context, run batch.Job, kind web.Paper) (path string, err error) {
	filed, err := inbox.Archive(s.config.Inbox.Folder)
	if err != nil {
		return "", err
	}
	for _, f := range filed {
		if filepath.Base(f.Path) != run.File || !f.Holds(run.SHA256) {
			continue
		}
		switch kind {
		case web.ResultsPaper:
			path = f.Results()
		case web.ErrorsPaper:
			path = f.Errors()
		default:
			path = batch.ReceiptOf(f.Path)
		}
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fs.ErrNotExist
}

// behindProxy reports whether browsers know the page by names that aren't this machine's
// own: then something stands before it that speaks TLS.
func (c webConfig) behindProxy() bool {
	return !slices.ContainsFunc(c.hosts(), func(host string) bool {
		name, _, err := net.SplitHostPort(host)
		if err != nil {
			name = host
		}
		return isLoopback(name)
	})
}

// tls is what the page is secured by; nil: nothing. A certificate that is renewed is read
// at the next start.
func (c webConfig) tls() (*tls.Config, error) {
	if c.TLSCertFile == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile)
	if err != nil {
		return nil, &configError{Key: "web.tls_cert_file", Code: configBadCertificate, Detail: err.Error()}
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}}, nil
}

// hosts are the names under which browsers may ask for the page. On this machine it has
// several.
func (c webConfig) hosts() []string {
	if c.Hosts != "" {
		hosts := strings.Split(c.Hosts, ",")
		for i := range hosts {
			hosts[i] = strings.TrimSpace(hosts[i])
		}
		return hosts
	}
	host, port, _ := net.SplitHostPort(c.Listen) // the configuration was checked
	if isLoopback(host) {
		return []string{"localhost:" + port, "127.0.0.1:" + port, "[::1]:" + port}
	}
	return []string{c.Listen}
}

// operation is what the page says of what goes on.
func (s *service) operation(context.Context) web.Operation {
	o := web.Operation{Next: s.times.NextRuns(s.now(), 3)}
	var from time.Time
	o.Running, o.Progress, from = s.running.progress()
	if passed := s.now().Sub(from); o.Progress.Done > 0 && passed >= time.Second {
		o.PerMinute = int(float64(o.Progress.Done) / passed.Minutes())
		o.Left = passed / time.Duration(o.Progress.Done) * time.Duration(o.Progress.Total-o.Progress.Done)
	}
	pause, paused, err := inbox.Paused(s.config.Inbox.Folder)
	o.Paused, o.PausedBy, o.PausedAt = paused || err != nil, pause.By, pause.At
	if queue := s.queue.Load(); queue != nil {
		o.Waiting = slices.Clone(queue.Ready)
		for _, w := range queue.Waiting {
			o.Waiting = append(o.Waiting, w.Name)
		}
	}
	return o
}

// examineForPage is doctor, for the page.
func (s *service) examineForPage(ctx context.Context, lang invoice.Language) ([]web.Examination, error) {
	doctor := *s.app
	doctor.langFlag = string(lang)
	found, err := doctor.examine(ctx)
	if err != nil {
		return nil, err
	}
	var all []web.Examination
	for _, e := range found {
		all = append(all, web.Examination{Name: e.Name, Detail: e.Detail, Hint: e.Hint, OK: e.OK})
	}
	return all, nil
}

// listed is the configuration in force, key by key. It has no secrets.
func (c config) listed(origins map[string]string) ([]web.Setting, error) {
	var text bytes.Buffer
	if err := c.print(&text, true); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(&text)
	decoder.UseNumber() // a million rows are no 1e+06
	var values map[string]any
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	var settings []web.Setting
	for _, section := range slices.Sorted(maps.Keys(values)) {
		keys, isSection := values[section].(map[string]any)
		if !isSection {
			settings = append(settings, web.Setting{Key: section, Value: fmt.Sprint(values[section]), Origin: origins[section]})
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			name := section + "." + key
			settings = append(settings, web.Setting{Key: name, Value: fmt.Sprint(keys[key]), Origin: origins[name]})
		}
	}
	return settings, nil
}
