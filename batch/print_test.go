package batch_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	pdf "github.com/pdfcpu/pdfcpu/pkg/api"

	"konbill/batch"
	"konbill/batch/omise/omisetest"
	"konbill/invoice"
)

// bookmarks are the invoice numbers of a print file, in its order.
func bookmarks(t *testing.T, path string) []string {
	t.Helper()
	pdf.DisableConfigDir()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	marks, err := pdf.Bookmarks(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []string
	for _, mark := range marks {
		numbers = append(numbers, mark.Title)
	}
	return numbers
}

// TestPrintFile has every slip that customers can pay with, in the order of the
// rows, whoever of the workers was faster.
func TestPrintFile(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.PrintFile = true
	s.api.Order(omisetest.Fault{Kind: omisetest.ForeignAuthorizeURI, Method: "POST", Path: "/charges"})
	first := s.run(s.file("x.csv", "X-9,1000"))
	if first.Prints != "" {
		t.Errorf("a print file without a slip: %s", first.Prints)
	}
	path := s.file("y.csv", "Y-3,1000", "Y-1,2000", "Y-0,1", "Y-2,3000", "Y-9,1000")
	report := s.run(path)
	if want := filepath.Join(report.Dir, "y.print.pdf"); report.Prints != want {
		t.Fatalf("the print file is %q, want %q", report.Prints, want)
	}
	want := []string{"Y-3", "Y-1", "Y-2", "Y-9"}
	if got := bookmarks(t, report.Prints); !slices.Equal(got, want) {
		t.Errorf("it holds %q, want %q", got, want)
	}
	again := s.run(path)
	if got := bookmarks(t, again.Prints); !slices.Equal(got, want) {
		t.Errorf("run again, it holds %q", got)
	}
	// It names customers, so it goes with the results.
	left, err := batch.ResultsIn(again.Dir)
	s.must(err)
	s.must(left[0].Remove())
	if _, err := os.Stat(again.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
}

// TestPrintFileFails: what was issued stands in the results all the same.
func TestPrintFileFails(t *testing.T) {
	s := newShop(t)
	s.runner.Settings.PrintFile = true
	path := s.file("x.csv", "X-1,1000")
	s.must(os.MkdirAll(filepath.Join(s.dir, "x-results", "x.print.pdf"), 0o700)) // in its place
	report, err := s.runner.Run(t.Context(), path, "")
	var stop *batch.Stop
	if err == nil || errors.As(err, &stop) || report == nil || report.Prints != "" {
		t.Fatalf("report %+v, error %v", report, err)
	}
	s.accounts(report)
	if s.results(report)[0]["result"] != string(batch.Issued) {
		t.Errorf("results are %v", s.results(report))
	}
}

// TestGlyphMissing names each character that would print as 〓 with its code
// point, since some that no font has don't show on a screen either.
func TestGlyphMissing(t *testing.T) {
	s := newShop(t)
	text := "invoice_no,amount,email,name,phone,description\nA-\uE001,1000,a@example.jp,𠮷田 😀,09011112222,한 髙﨑\n"
	sheet, err := batch.CheckSheet("x.csv", []byte(text), s.runner.Settings.Reading, s.clock.now())
	s.must(err)
	found := map[invoice.Field]string{}
	for _, f := range sheet.Rows[0].Findings {
		if f.Code == invoice.CodeGlyphMissing {
			found[f.Field] = f.Ref
		}
	}
	for field, want := range map[invoice.Field]string{
		invoice.FieldNumber: "\uE001 (U+E001)", invoice.FieldName: "😀 (U+1F600)", invoice.FieldDescription: "한 (U+D55C)",
	} {
		if found[field] != want {
			t.Errorf("%s: %q, want %q", field, found[field], want)
		}
	}
}
