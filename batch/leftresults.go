package batch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// LeftResults is what a run has left in a results folder.
type LeftResults struct {
	Dir     string    // STEM-results
	File    string    // path of the results file
	Written time.Time // when that was written last
}

const (
	folderSuffix  = "-results"
	resultsSuffix = ".results.csv"
	errorsSuffix  = ".errors.csv"
	printsSuffix  = ".print.pdf"
	receiptFile   = "receipt.json"
)

// ReceiptOf is where a run that was given no other folder leaves the receipt of a file.
func ReceiptOf(path string) string {
	return filepath.Join(filepath.Dir(path), stemOf(path)+folderSuffix, receiptFile)
}

// stemOf is what the names of all that a run leaves of a file begin with.
func stemOf(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// ResultsIn finds the results in a folder: its own, if it is a results folder,
// else those of the results folders in it. A folder without any is an error.
func ResultsIn(folder string) ([]LeftResults, error) {
	if left, ok := resultsOf(folder); ok {
		return []LeftResults{left}, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var found []LeftResults
	for _, e := range entries {
		if left, ok := resultsOf(filepath.Join(folder, e.Name())); e.IsDir() && ok {
			found = append(found, left)
		}
	}
	if len(found) == 0 {
		return nil, &fs.PathError{Op: "find results in", Path: folder, Err: fs.ErrNotExist}
	}
	return found, nil
}

func resultsOf(dir string) (LeftResults, bool) {
	stem, ok := strings.CutSuffix(filepath.Base(filepath.Clean(dir)), folderSuffix)
	file := filepath.Join(dir, stem+resultsSuffix)
	info, err := os.Lstat(file)
	if !ok || err != nil || !info.Mode().IsRegular() {
		return LeftResults{}, false
	}
	return LeftResults{Dir: dir, File: file, Written: info.ModTime()}, true
}

// Remove removes results, errors, slips and print file, and the folder with the receipt, in
// which nobody is named. What others have put there stays, and so does the folder
// then. The results go last: until then the same can be removed again.
func (l LeftResults) Remove() error {
	slips := filepath.Join(l.Dir, slipsFolder)
	drawn, err := os.ReadDir(slips)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var paths []string
	for _, e := range drawn {
		if e.Type().IsRegular() && filepath.Ext(e.Name()) == ".pdf" {
			paths = append(paths, filepath.Join(slips, e.Name()))
		}
	}
	stem := strings.TrimSuffix(l.File, resultsSuffix)
	for _, path := range append(paths, slips, stem+printsSuffix, stem+errorsSuffix, filepath.Join(l.Dir, receiptFile), l.File, l.Dir) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) && !isFull(path) {
			return err
		}
	}
	return nil
}

// isFull reports a folder that still holds something.
func isFull(path string) bool {
	entries, err := os.ReadDir(path)
	return err == nil && len(entries) > 0
}
