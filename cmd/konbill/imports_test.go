package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport says which of our packages each of our packages may import. The
// longest matching prefix of a package's path decides. Imports go one way: the
// domain at the centre, a technology a package, cmd ties them together.
var mayImport = map[string][]string{
	"invoice":                 {},
	"invoice/csvfile":         {"invoice"},
	"mailer":                  {},
	"templates":               {"invoice"},
	"templates/fonts":         {},
	"templates/fonts/slim":    {},
	"templates/slip":          {"invoice", "templates", "templates/fonts"},
	"batch":                   {"invoice", "invoice/csvfile", "templates", "templates/slip", "mailer"},
	"batch/omise":             {"batch", "batch/places", "invoice"},
	"batch/omise/omisetest":   {"invoice"},
	"batch/places":            {},
	"batch/fleet":             {"batch", "batch/ledger", "batch/omise", "batch/places"},
	"batch/inbox":             {"batch", "invoice"},
	"batch/follow":            {"batch"},
	"batch/schedule":          {"invoice"},
	"batch/web":               {"batch", "batch/inbox", "invoice", "invoice/csvfile"},
	"templates/staff":         {"invoice"},
	"batch/ledger":            {"batch", "invoice"},
	"batch/ledger/ledgertest": {"batch", "invoice"},
	"samples":                 {},
	"samples/peertest":        {},
	"samples/browsertest":     {"samples/peertest"},
	"mailer/mailertest":       {},
}

// TestImportsGoOneWay reads the source files rather than asking the go command:
// a cached answer would hide a new import.
func TestImportsGoOneWay(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		from := filepath.ToSlash(dir)
		if from == "cmd/konbill" {
			return nil
		}
		seen[from] = true
		allowed, known := mayImport[from]
		if !known {
			t.Errorf("%s: a new package; say in mayImport what it may import", from)
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			ours, isOurs := strings.CutPrefix(imported, "konbill/")
			if isOurs && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s", path, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range mayImport {
		if !seen[pkg] {
			t.Errorf("%s: in mayImport, but there is no such package", pkg)
		}
	}
}
