package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"konbill/batch"
	"konbill/batch/follow"
)

// hearWebhooks hears of payments, if it is to, until stop is called. stop takes
// in nothing more, and returns once what was taken in is done.
func (s *service) hearWebhooks(ctx context.Context) (stop func(), err error) {
	if s.config.Follow.WebhookListen == "" {
		return func() {}, nil
	}
	secrets, err := s.webhookSecrets(s.config.Follow)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", s.config.Follow.WebhookListen)
	if err != nil {
		return nil, err
	}
	follower := &follow.Follower{Ledger: s.ledger, Gateway: s.shop.client, Who: "webhook", Now: s.now}
	webhook := follow.NewWebhook(follower, secrets, s.newWebhookTeller())
	server := &http.Server{
		Handler: onlyAt(s.config.Follow.WebhookPath, webhook), MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
	}
	closing, ended := make(chan struct{}), make(chan struct{})
	go s.serveWebhooks(server, listener)
	go func() {
		defer close(ended)
		if left := webhook.Run(ctx, closing); left > 0 {
			s.log.Warn("webhooks were left; konbill sync finds what they were about", "left", left)
		}
	}()
	s.log.Info("hearing webhooks", "address", "http://"+listener.Addr().String()+s.config.Follow.WebhookPath)
	return sync.OnceFunc(func() {
		closeGently(server)
		close(closing)
		<-ended
	}), nil
}

// webhookSecrets reads them. Without one nothing could be believed, so nothing is
// heard either. The error is a *configError or the operating system's.
func (a *app) webhookSecrets(c followConfig) ([][]byte, error) {
	text, exposed, err := readSecret(webhookSecretVariable, c.WebhookSecretFile, a.env)
	if err != nil {
		return nil, err
	}
	if exposed {
		a.warnExposed(c.WebhookSecretFile)
	}
	const key = "follow.webhook_secret_file"
	secrets, err := follow.ParseSecrets(text)
	switch wrong := new(follow.SecretError); {
	case errors.As(err, &wrong):
		return nil, &configError{Key: key, Code: configBadSecret, Detail: fmt.Sprint(wrong.Nth)}
	case err == nil && len(secrets) == 0:
		return nil, &configError{Key: key, Code: configNoSecret, Detail: "follow.webhook_listen"}
	}
	return secrets, err
}

// onlyAt knows one path.
func onlyAt(path string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (s *service) serveWebhooks(server *http.Server, listener net.Listener) {
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("the webhook address stopped answering", "reason", err.Error())
	}
}

// lastRequest is how long requests that are under way may take at the end.
const lastRequest = 3 * time.Second

// closeGently lets requests that are under way be answered.
func closeGently(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), lastRequest)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // whoever is left sends again, or a sync finds it
	}
}

// newWebhookTeller returns what takes in what became of webhooks. Refused ones
// are logged once in a row: anybody can make them.
func (s *service) newWebhookTeller() func(follow.Notice) {
	var refused atomic.Bool
	return func(n follow.Notice) {
		s.monitor.webhooks.WithLabelValues(string(n.Outcome)).Inc()
		again := refused.Swap(n.Outcome == follow.Refused)
		about := []any{"outcome", string(n.Outcome), "event", n.Event.ID, "key", n.Event.Key, "charge", n.Event.ChargeID}
		switch n.Outcome {
		case follow.Refused:
			if !again {
				s.log.Warn("a webhook was refused: it isn't signed with the secret, its time is off, or it is no webhook at all")
			}
		case follow.Failed:
			s.log.Error("a webhook could not be followed; konbill sync finds what it was about", append(about, "reason", s.reason(n.Err))...)
		case follow.Busy, follow.Contradicted:
			s.log.Warn("webhook", about...)
		default:
			s.log.Info("webhook", append(about, "payment", n.Entry.Charge.Status)...)
		}
		if o := n.Overtaken; o != nil {
			s.log.Warn("a bill is paid although it was issued again; konbill sync says what to do",
				"paid", o.Paid.Charge.ID, "later", o.Later.Charge.ID, "later_payment", o.Later.Charge.Status)
		}
		if n.Entry.Charge.Status != n.Was {
			s.monitor.countEnds([]batch.Entry{n.Entry})
		}
	}
}
