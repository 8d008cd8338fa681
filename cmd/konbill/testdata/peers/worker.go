package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// drawer makes one slip a PDF file.
type drawer func(slip int) ([]byte, error)

// drawers are the peers written in Go. Each prepares what serves a whole batch.
var drawers = map[string]func(folder string, pages []page) (drawer, error){
	"konbill": drawWithKonbill,
	"gopdf":   drawWithGopdf,
}

// work is what every peer does, in whatever language: it reads the pages, makes
// ready, and answers each line "draw" with the seconds that drawing all slips
// took, and each line "write" after writing the files of the last time.
func work(name, folder, out string, orders io.Reader, answers io.Writer) error {
	pages, err := readPages(folder)
	if err != nil {
		return err
	}
	prepare, known := drawers[name]
	if !known {
		return fmt.Errorf("no peer %q", name)
	}
	draw, err := prepare(folder, pages)
	if err != nil {
		return err
	}
	fmt.Fprintln(answers, "ready")
	files := make([][]byte, len(pages))
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		begun := time.Now()
		if lines.Text() == "draw" {
			err = drawAll(draw, files)
		} else {
			err = writeAll(out, files)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(answers, time.Since(begun).Seconds())
	}
	return nil
}

func drawAll(draw drawer, files [][]byte) (err error) {
	for i := range files {
		if files[i], err = draw(i); err != nil {
			return err
		}
	}
	return nil
}

func writeAll(out string, files [][]byte) error {
	for i, file := range files {
		if err := os.WriteFile(filepath.Join(out, fmt.Sprintf("%d.pdf", i)), file, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func readPages(folder string) ([]page, error) {
	data, err := os.ReadFile(filepath.Join(folder, pagesFile))
	if err != nil {
		return nil, err
	}
	var pages []page
	return pages, json.Unmarshal(data, &pages)
}

// drawWithKonbill composes each slip from its facts, too: that is what the press
// does, and the peers are spared it.
func drawWithKonbill(_ string, pages []page) (drawer, error) {
	press, err := newPress(len(pages))
	return func(slip int) ([]byte, error) { return press.Draw(instructionsOf(slip)) }, err
}
