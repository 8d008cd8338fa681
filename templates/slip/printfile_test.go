package slip

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"strings"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"

	"konbill/samples/peertest"
	"konbill/templates"
)

// batchOf are slips in both languages, each with a number and a link of its own.
func batchOf(n int) []templates.Instructions {
	var slips []templates.Instructions
	for i := range n {
		facts := []templates.Instructions{inJapanese(), inEnglish()}[i%2]
		facts.Invoice.Number = fmt.Sprintf("A-%03d (請求)", i+1)
		facts.Invoice.Name = []string{"髙橋 美咲", "John Smith", "𠮷野家 鱻", "渡邉 É"}[i%4]
		facts.AuthorizeURI = fmt.Sprintf("%s%03d", payURI, i+1)
		slips = append(slips, facts)
	}
	return slips
}

func printed(t testing.TB, layout Layout, slips []templates.Instructions) []byte {
	t.Helper()
	press, err := NewPress(inJapanese().Merchant, layout, nil)
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := press.PrintFile(slips)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

func TestPrintFileHasEverySlipInOrder(t *testing.T) {
	api.DisableConfigDir()
	slips := batchOf(7)
	for perPage, sheets := range map[int]int{0: 7, 1: 7, 2: 4, 3: 3} {
		pdf := printed(t, Layout{PerPage: perPage, Logo: testLogo(t)}, slips)
		if got, err := api.PageCount(bytes.NewReader(pdf), nil); err != nil || got != sheets {
			t.Errorf("%d a sheet: %d sheets, want %d: %v", perPage, got, sheets, err)
		}
		marks, err := api.Bookmarks(bytes.NewReader(pdf), nil)
		if err != nil || len(marks) != len(slips) {
			t.Fatalf("%d a sheet: %d bookmarks: %v", perPage, len(marks), err)
		}
		for i, mark := range marks {
			if page := i/max(perPage, 1) + 1; mark.Title != slips[i].Invoice.Number || mark.PageFrom != page {
				t.Errorf("%d a sheet: bookmark %d is %q on page %d", perPage, i, mark.Title, mark.PageFrom)
			}
		}
		if again := printed(t, Layout{PerPage: perPage, Logo: testLogo(t)}, slips); !bytes.Equal(pdf, again) {
			t.Errorf("%d a sheet: drawn again, the file differs", perPage)
		}
	}
}

// TestPrintFileIsSound reads print files with the programs of others.
func TestPrintFileIsSound(t *testing.T) {
	slips := batchOf(5)
	for perPage := 1; perPage <= 3; perPage++ {
		path := onDisk(t, printed(t, Layout{PerPage: perPage, Logo: testLogo(t)}, slips))
		if out := string(peertest.Run(t, "qpdf", "--check", path)); !strings.Contains(out, "No syntax or stream encoding errors found") || strings.Contains(out, "WARNING") {
			t.Errorf("%d a sheet: %s", perPage, out)
		}
		for _, row := range strings.Split(strings.TrimSpace(string(peertest.Run(t, "pdffonts", path))), "\n")[2:] {
			if !strings.Contains(row, "yes yes yes") || !strings.Contains(row, "+") {
				t.Errorf("%d a sheet: not embedded as a tagged subset: %s", perPage, row)
			}
		}
		text := string(peertest.Run(t, "pdftotext", "-raw", path, "-"))
		for _, facts := range slips {
			if perPage > 1 {
				facts.Merchant.Address = strings.Join(strings.Fields(facts.Merchant.Address), " ")
				checkPanelFacts(t, text, facts)
			} else {
				checkFacts(t, text, facts)
			}
		}
	}
}

// checkPanelFacts: a panel lists the places in a sentence.
func checkPanelFacts(t *testing.T, text string, facts templates.Instructions) {
	t.Helper()
	for _, fact := range append(factsOf(facts), facts.Wording().Places...) {
		if !strings.Contains(dense(text), dense(fact)) {
			t.Errorf("no %q in\n%s", fact, text)
		}
	}
}

func TestCodesOfAPrintFileLeadToTheirOwnPages(t *testing.T) {
	slips := batchOf(3)
	sheet, _ := rendered(t, printed(t, Layout{PerPage: 3}, slips), 150)
	third := sheet.Bounds().Dy() / 3
	for i, facts := range slips {
		piece := image.NewRGBA(image.Rect(0, 0, sheet.Bounds().Dx(), third))
		draw.Draw(piece, piece.Bounds(), sheet, image.Pt(0, i*third), draw.Src)
		if got := decoded(t, piece); got != facts.AuthorizeURI {
			t.Errorf("slip %d: %q, want %q", i+1, got, facts.AuthorizeURI)
		}
	}
}

// TestBookmarkOfAnyNumber: the writer panics at what it can't write.
func TestBookmarkOfAnyNumber(t *testing.T) {
	facts := inJapanese()
	facts.Invoice.Number = "𠮷-1 \xff (a\\b)"
	api.DisableConfigDir()
	marks, err := api.Bookmarks(bytes.NewReader(printed(t, Layout{}, []templates.Instructions{facts})), nil)
	if err != nil || len(marks) != 1 || !strings.HasPrefix(marks[0].Title, "〓-1 ") {
		t.Errorf("%+v, %v", marks, err)
	}
}

func TestPrintFileHasABound(t *testing.T) {
	press, err := NewPress(templates.Merchant{}, Layout{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := press.PrintFile(make([]templates.Instructions, MostPrinted+1)); err == nil {
		t.Error("more slips than the bound are printed")
	}
}

func BenchmarkPrintFile(b *testing.B) {
	slips := batchOf(500)
	press, err := NewPress(inJapanese().Merchant, Layout{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := press.PrintFile(slips); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(slips)*b.N)/b.Elapsed().Seconds(), "slips/s")
}
