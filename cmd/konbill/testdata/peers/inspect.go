package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// medianSize is the size of a peer's files, in bytes.
func medianSize(folder string, slips int) (int64, error) {
	var sizes []int64
	for i := range slips {
		facts, err := os.Stat(slipFile(folder, i))
		if err != nil {
			return 0, err
		}
		sizes = append(sizes, facts.Size())
	}
	return median(sizes), nil
}

func slipFile(folder string, slip int) string {
	return filepath.Join(folder, fmt.Sprintf("%d.pdf", slip))
}

// verdict says whether a peer's files are what ours are, by poppler: the same
// characters, in fonts that are embedded and cut. Ten slips stand for all.
func verdict(ours, theirs string, slips int) string {
	if _, err := exec.LookPath("pdftotext"); err != nil {
		return "not examined: poppler-utils isn't on this machine"
	}
	fonts := ""
	for i := range 10 {
		slip := i * slips / 10
		want, err := charactersOf(slipFile(ours, slip))
		if err != nil {
			return err.Error()
		}
		got, err := charactersOf(slipFile(theirs, slip))
		if err != nil {
			return err.Error()
		}
		if got != want {
			return fmt.Sprintf("ANOTHER TEXT on slip %d", slip)
		}
		if fonts, err = fontsOf(slipFile(theirs, slip)); err != nil {
			return err.Error()
		}
	}
	return "same text, " + fonts
}

// charactersOf returns the characters on a slip, sorted: programs that extract
// text disagree about its order, depending on how a page is put together.
func charactersOf(file string) (string, error) {
	text, err := exec.Command("pdftotext", file, "-").Output()
	if err != nil {
		return "", fmt.Errorf("pdftotext %s: %w", file, err)
	}
	var letters []rune
	for _, r := range string(text) {
		if !unicode.IsSpace(r) && !unicode.IsControl(r) {
			letters = append(letters, r)
		}
	}
	slices.Sort(letters)
	return string(letters), nil
}

// fontsOf says how a file has its fonts. It fails unless every one is embedded
// and can be searched.
func fontsOf(file string) (string, error) {
	table, err := exec.Command("pdffonts", file).Output()
	if err != nil {
		return "", fmt.Errorf("pdffonts %s: %w", file, err)
	}
	answer := "embedded subsets"
	for _, row := range strings.Split(strings.TrimSpace(string(table)), "\n")[2:] {
		switch {
		case strings.Contains(row, " yes no  yes "):
			answer = "embedded subsets, not named so" // gopdf leaves the tag of ISO 32000-1, 9.6.4 out
		case !strings.Contains(row, " yes yes yes "):
			return "", fmt.Errorf("font not embedded: %s", row)
		}
	}
	return answer, nil
}
