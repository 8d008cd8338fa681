// Command konbill issues Japanese convenience-store payment slips in batches.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	ctx, drain, release := interruptible()
	defer release()
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.Environ(),
		terminal: term.IsTerminal(int(os.Stderr.Fd())), drain: drain, now: time.Now, wait: waiter(drain),
	}
	os.Exit(a.run(ctx, os.Args[1:]))
}

// interruptible turns the first interrupt into a closed drain channel, on which
// a run starts nothing new, and the second into the end of the context.
func interruptible() (ctx context.Context, drain <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	draining := make(chan struct{})
	go func() {
		<-signals
		close(draining)
		<-signals
		cancel()
	}()
	return ctx, draining, cancel
}
