package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// peer is a program that draws slips when told to, see work.
type peer struct {
	name    string
	command []string
	missing string // why it can't take part; empty: it can
	out     string // folder of its files

	orders  io.WriteCloser
	answers *bufio.Reader
	process *exec.Cmd
	seconds []float64 // of its rounds
}

// onOneCore holds a command to the first core, where taskset can do that: the
// collectors of garbage of Go and Node.js would else use a second one.
func onOneCore(command []string) []string {
	if _, err := exec.LookPath("taskset"); err != nil {
		return command
	}
	return append([]string{"taskset", "-c", "0"}, command...)
}

// start starts the program and waits until it is ready.
func (p *peer) start() error {
	command := onOneCore(p.command)
	p.process = exec.Command(command[0], command[1:]...)
	p.process.Env = append(os.Environ(), "GOMAXPROCS=1")
	p.process.Stderr = os.Stderr
	var err error
	if p.orders, err = p.process.StdinPipe(); err != nil {
		return err
	}
	answers, err := p.process.StdoutPipe()
	if err != nil {
		return err
	}
	p.answers = bufio.NewReader(answers)
	if err := p.process.Start(); err != nil {
		return err
	}
	if answer, err := p.answers.ReadString('\n'); err != nil || answer != "ready\n" {
		return fmt.Errorf("%s did not become ready: %q, %v", p.name, answer, err)
	}
	return nil
}

// ask gives one order and returns the seconds it took.
func (p *peer) ask(order string) (float64, error) {
	if _, err := fmt.Fprintln(p.orders, order); err != nil {
		return 0, fmt.Errorf("%s: %w", p.name, err)
	}
	answer, err := p.answers.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("%s gave up: %w", p.name, err)
	}
	return strconv.ParseFloat(strings.TrimSpace(answer), 64)
}

// stop lets the program end by itself.
func (p *peer) stop() error {
	if p.process == nil || p.process.Process == nil {
		return nil
	}
	return errors.Join(p.orders.Close(), p.process.Wait())
}
