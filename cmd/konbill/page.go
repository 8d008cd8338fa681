package main

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"konbill/batch/inbox"
	"konbill/batch/web"
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
		Slip: s.runner.Slip, Slips: s.runner.Slips, PrintFile: s.runner.PrintFile, Papers: s.papersForPage,
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
