// Peers compares Konbill with what people would use instead, on the machine it
// runs on, and prints tables of ratios.
//
//	go -C cmd/konbill/testdata/peers run .
//
// Everyone does the same work in the same run, in turns, so that whatever else
// the machine does meets them all. Speeds are of this machine and hour; the
// ratios are what counts. The script install gets the peers; those that aren't
// on the machine are left out, by name.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run compares, or is one of the processes that a comparison starts.
func run(arguments []string) error {
	switch {
	case len(arguments) == 4 && arguments[0] == "draw":
		return work(arguments[1], arguments[2], arguments[3], os.Stdin, os.Stdout)
	case len(arguments) == 2 && arguments[0] == "servers":
		return serve(arguments[1], os.Stdin, os.Stdout)
	}
	return compare()
}

func compare() (err error) {
	slips := flag.Int("slips", 500, "how many slips are drawn")
	rows := flag.Int("rows", 600, "how many invoices are run")
	rounds := flag.Int("rounds", 5, "how often, each")
	python := flag.String("python", pythonWithReportlab(), "the Python that has reportlab and segno")
	keep := flag.Bool("keep", false, "leave slips and results to be looked at")
	flag.Parse()
	if *slips < 10 || *rows < 10 || *rounds < 1 || flag.NArg() > 0 {
		return errors.New("at least 10 slips, 10 rows and 1 round are needed, and no more arguments")
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
