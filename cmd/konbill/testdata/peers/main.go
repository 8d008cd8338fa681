// Peers compares Konbill with what people would use instead, on the machine it
// runs on, and prints tables of ratios.
//
//	go -C cmd/konbill/testdata/peers run .
//
// Everyone does the same work in the same run, in turns, so that whatever else
// the machine does meets them all. Speeds are of this machine and hour; the
// ratios are what counts. The script install
// gets the peers; those that aren't on the machine are left out, by name.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	slips := flag.Int("slips", 500, "how many slips are drawn")
	rounds := flag.Int("rounds", 5, "how often, each")
	python := flag.String("python", pythonWithReportlab(), "the Python that has reportlab")
	rows := flag.Int("rows", 400, "how many invoices are run")
	keep := flag.Bool("keep", false, "leave slips and results to be looked at")
	latency := flag.Duration("latency", 0, "of the practice API, where this is its process")
	worker := flag.String("work", "", "be this peer, for the folders that follow, or servers: for the program itself")
	flag.Parse()
	switch *worker {
	case "":
	case "servers":
		return serve(*latency, os.Stdin, os.Stdout)
	default:
		return work(*worker, flag.Arg(0), flag.Arg(1), os.Stdin, os.Stdout)
	}
	if *slips < 10 || *rows < 10 || *rounds < 1 {
		return errors.New("at least 10 slips, 10 rows and 1 round are needed")
	}
	folder, err := os.MkdirTemp("", "konbill-peers-")
	if err != nil {
		return err
	}
	if *keep {
		fmt.Fprintln(os.Stderr, "what everyone writes stays in", folder)
	} else {
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	if err := (slipsComparison{folder, *python, *slips, *rounds}).run(); err != nil {
		return err
	}
	return runsComparison{folder, *python, *rows, *rounds}.run()
}
