package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"konbill/batch/omise/omisetest"
	"konbill/mailer/mailertest"
)

// address is where the servers of one run are reached.
type address struct {
	API      string
	MailPort int
}

// tally is what the servers were given, to see that both sides did the same.
type tally struct {
	Charges, Mails int
	MailSize       int64 // the median, in bytes
}

// serve is the process of the servers: it says where they are, and what they
// were given when its orders end.
func serve(latencyText string, orders io.Reader, answers io.Writer) error {
	latency, err := time.ParseDuration(latencyText)
	if err != nil {
		return err
	}
	api := omisetest.NewServer(omisetest.Options{Latency: latency})
	stop, err := api.Start()
	if err != nil {
		return err
	}
	defer stop()
	mail, err := mailertest.Start(mailertest.Options{})
	if err != nil {
		return err
	}
	defer mail.Close()
	at := address{api.URL(), mail.Port()}
	api.SetURL("https://pay.omise.co") // links as long as real ones, for codes as large as real ones
	reply := json.NewEncoder(answers)
	if err := reply.Encode(at); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, orders); err != nil {
		return err
	}
	given := tally{Charges: len(api.Charges()), Mails: len(mail.Messages())}
	var sizes []int64
	for _, m := range mail.Messages() {
		sizes = append(sizes, int64(len(m.Data)))
	}
	if len(sizes) > 0 {
		given.MailSize = median(sizes)
	}
	return reply.Encode(given)
}

// servers are the practice API and a mail server in a process of their own, new
// for every run: what one side charged must not burden the other.
type servers struct {
	address
	orders  io.Closer
	answers *json.Decoder
	process *exec.Cmd
}

func startServers(latency time.Duration) (*servers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &servers{process: exec.Command(self, "servers", latency.String())}
	s.process.Stderr = os.Stderr
	if s.orders, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	answers, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.answers = json.NewDecoder(bufio.NewReader(answers))
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	if err := s.answers.Decode(&s.address); err != nil {
		return nil, fmt.Errorf("the servers did not start: %w", err)
	}
	return s, nil
}

// stop ends the servers and returns what they were given.
func (s *servers) stop() (tally, error) {
	if err := s.orders.Close(); err != nil {
		return tally{}, err
	}
	var given tally
	if err := s.answers.Decode(&given); err != nil {
		return tally{}, err
	}
	return given, s.process.Wait()
}
