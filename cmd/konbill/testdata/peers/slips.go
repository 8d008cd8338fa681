package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
)

// slipsComparison draws the same slips with every peer on the machine.
type slipsComparison struct {
	folder        string // for all that is written
	python        string
	slips, rounds int
}

func (c slipsComparison) run() error {
	if err := export(c.folder, c.slips); err != nil {
		return err
	}
	peers, err := c.peers()
	if err != nil {
		return err
	}
	defer func() {
		for _, p := range peers {
			if err := p.stop(); err != nil {
				fmt.Fprintln(os.Stderr, p.name, err)
			}
		}
	}()
	if err := c.race(peers); err != nil {
		return err
	}
	return c.print(peers)
}

// peers returns all there are, those first that can take part.
func (c slipsComparison) peers() ([]*peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	peers := []*peer{
		{name: "konbill", command: []string{self, "draw", "konbill"}},
		{name: "gopdf", command: []string{self, "draw", "gopdf"}},
		{name: "reportlab", command: []string{c.python, "draw.py"}, missing: failure(c.python, "-c", "import reportlab")},
		{name: "pdfkit", command: []string{"node", "draw.js"}, missing: failure("node", "--input-type=module", "-e", "import 'pdfkit'")},
		{name: "typst", command: []string{"node", "typst.js"}, missing: failure("node", "--input-type=module", "-e", "import '@myriaddreamin/typst-ts-node-compiler'")},
	}
	for _, p := range peers {
		p.out = filepath.Join(c.folder, p.name)
		p.command = append(p.command, c.folder, p.out)
		if err := os.MkdirAll(p.out, 0o700); err != nil {
			return nil, err
		}
	}
	return peers, nil
}

// failure says why a program can't do something; empty: it can.
func failure(command ...string) string {
	if err := exec.Command(command[0], command[1:]...).Run(); err != nil {
		return "not on this machine"
	}
	return ""
}

// pythonWithReportlab is the first Python that has it: Debian's package serves
// Debian's own Python, which another one may hide.
func pythonWithReportlab() string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if failure(python, "-c", "import reportlab") == "" {
			return python
		}
	}
	return "python3"
}

// race has everyone draw in turn, each round beginning with the next one. A
// first round warms up and isn't counted.
func (c slipsComparison) race(peers []*peer) error {
	racing := present(peers)
	for _, p := range racing {
		if err := p.start(); err != nil {
			return err
		}
	}
	for round := range c.rounds + 1 {
		for i := range racing {
			p := racing[(round+i)%len(racing)]
			seconds, err := p.ask("draw")
			if err != nil {
				return err
			}
			if round > 0 {
				p.seconds = append(p.seconds, seconds)
			}
		}
	}
	for _, p := range racing {
		if _, err := p.ask("write"); err != nil {
			return err
		}
	}
	return nil
}

func present(peers []*peer) []*peer {
	var out []*peer
	for _, p := range peers {
		if p.missing == "" {
			out = append(out, p)
		}
	}
	return out
}

// print writes the table and what was found of the files.
func (c slipsComparison) print(peers []*peer) error {
	fmt.Printf("Slips: %d different ones, %d rounds in turn, on one core\n\n", c.slips, c.rounds)
	fmt.Printf("%-10s %9s %11s %11s  %s\n", "", "slips/s", "Konbill is", "bytes/file", "its files")
	racing := present(peers)
	konbill := racing[0]
	least := math.Inf(1)
	for _, p := range racing {
		times := ratio(p.seconds, konbill.seconds)
		if p != konbill {
			least = min(least, times)
		}
		size, err := medianSize(p.out, c.slips)
		if err != nil {
			return err
		}
		fmt.Printf("%-10s %9.0f %10.2fx %11d  %s\n", p.name, float64(c.slips)/median(p.seconds), times, size, verdict(konbill.out, p.out, c.slips))
	}
	for _, p := range peers {
		if p.missing != "" {
			fmt.Printf("%-10s %s\n", p.name, p.missing)
		}
	}
	if len(racing) > 1 {
		fmt.Printf("\nKonbill is %.2f times as fast as the best peer.\n", least)
	}
	fmt.Println()
	return nil
}
