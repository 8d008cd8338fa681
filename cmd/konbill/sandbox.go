package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"konbill/batch/omise/omisetest"
)

// Keys the practice API takes. It takes any test key; these are for the hint.
const (
	practiceSecretKey = "skey_test_practice"
	practicePublicKey = "pkey_test_practice"
)

func (a *app) sandboxCommand() *cobra.Command {
	var addr string
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: a.say("練習用の決済サービスを起動", "Run a practice payment service"),
		Long: a.say("Omise API と同じように応答する練習用サービスを、この PC だけで動かします。実際の請求は発生しません。",
			"Runs a service on this machine that answers like the Omise API. Nobody is charged."),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sandbox(cmd.Context(), addr) },
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8765", a.say("待ち受けるアドレス", "address to listen on"))
	return cmd
}

// sandbox serves the practice API until it is interrupted.
func (a *app) sandbox(ctx context.Context, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	practice := omisetest.NewServer(omisetest.Options{Now: a.now, Log: func(method, path string, status int) {
		fmt.Fprintf(a.stderr, "%s %s %d\n", method, path, status)
	}})
	url := "http://" + listener.Addr().String()
	practice.SetURL(url)
	fmt.Fprintf(a.stdout, a.say(`練習用の決済サービス：%[1]s （Ctrl-C で終了）
別の端末で次のように設定して konbill run を試せます：
`, `Practice payment service: %[1]s (Ctrl-C ends it)
In another terminal, set these and try konbill run:
`)+`  export KONBILL_OMISE__API_URL=%[1]s OMISE_SECRET_KEY=%[2]s OMISE_PUBLIC_KEY=%[3]s
`, url, practiceSecretKey, practicePublicKey)
	server := &http.Server{Handler: practice, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-a.drain:
	case <-ctx.Done():
	}
	if err := server.Close(); err != nil {
		return err
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
