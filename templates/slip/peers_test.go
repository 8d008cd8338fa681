package slip

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/pdfcpu/pdfcpu/pkg/api"

	"konbill/samples/peertest"
	"konbill/templates"
)

// onDisk writes a slip for the programs of others to read.
func onDisk(t testing.TB, pdf []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "slip.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rendered prints a slip to pixels, or only a part of it.
func rendered(t testing.TB, pdf []byte, dpi int, only ...image.Rectangle) (img image.Image, path string) {
	t.Helper()
	source := onDisk(t, pdf)
	stem := strings.TrimSuffix(source, ".pdf")
	args := []string{"-png", "-singlefile", "-r", strconv.Itoa(dpi)}
	for _, r := range only {
		args = append(args, "-x", strconv.Itoa(r.Min.X), "-y", strconv.Itoa(r.Min.Y), "-W", strconv.Itoa(r.Dx()), "-H", strconv.Itoa(r.Dy()))
	}
	peertest.Run(t, "pdftoppm", append(args, source, stem)...)
	file, err := os.Open(stem + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err = png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return img, stem + ".png"
}

func TestValidWithGoAlone(t *testing.T) {
	api.DisableConfigDir()
	for name, facts := range extremes() {
		pdf := drawn(t, facts)
		if err := api.Validate(bytes.NewReader(pdf), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if pages, err := api.PageCount(bytes.NewReader(pdf), nil); err != nil || pages != 1 {
			t.Errorf("%s: %d pages, %v", name, pages, err)
		}
	}
}

func TestQPDFFindsNoFault(t *testing.T) {
	for name, facts := range extremes() {
		out := peertest.Run(t, "qpdf", "--check", onDisk(t, drawn(t, facts)))
		if !strings.Contains(string(out), "No syntax or stream encoding errors found") || strings.Contains(string(out), "WARNING") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

func TestFontsAreEmbeddedSubsets(t *testing.T) {
	facts := inJapanese()
	facts.Invoice.Description = "𠮷田"
	out := string(peertest.Run(t, "pdffonts", onDisk(t, drawn(t, facts))))
	rows := strings.Split(strings.TrimSpace(out), "\n")[2:]
	if len(rows) != 3 {
		t.Fatalf("want three fonts:\n%s", out)
	}
	for _, row := range rows {
		if !strings.Contains(row, "yes yes yes") || !strings.Contains(row, "+") {
			t.Errorf("not embedded as a tagged subset with its characters: %s", row)
		}
	}
}

func TestInfo(t *testing.T) {
	facts := inJapanese()
	facts.Invoice.Number = `A-𠮷(1)\`
	out := string(peertest.Run(t, "pdfinfo", "-enc", "UTF-8", onDisk(t, drawn(t, facts))))
	for _, want := range []string{`コンビニお支払いのご案内 A-𠮷(1)\`, "みどり文化教室", "A4"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestEveryFactCanBeRead reads each slip as a screen reader or a search would.
func TestEveryFactCanBeRead(t *testing.T) {
	rare := inJapanese()
	rare.Invoice.Name = "𠮷﨑 神\uFA19濵渡邉"
	rare.Invoice.Description = "É①㈱～𩸽の一夜干し ﾔﾏﾀﾞ 〓 𠮷野家𠮷"
	slips := extremes()
	slips["rare characters"] = rare
	for name, facts := range slips {
		t.Run(name, func(t *testing.T) {
			text := string(peertest.Run(t, "pdftotext", "-raw", onDisk(t, drawn(t, facts)), "-"))
			checkFacts(t, text, facts)
			if facts.PaymentCode == "" && strings.Contains(dense(text), dense(facts.Wording().Code)) {
				t.Error("speaks of a payment code, without one")
			}
		})
	}
}

func checkFacts(t *testing.T, text string, facts templates.Instructions) {
	t.Helper()
	for _, fact := range factsOf(facts) {
		if !strings.Contains(dense(text), dense(fact)) {
			t.Errorf("no %q in\n%s", fact, text)
		}
	}
}

func factsOf(i templates.Instructions) []string {
	w, m := i.Wording(), i.Merchant
	facts := []string{
		w.Title, w.Amount, w.Due, w.Phone, w.Link, w.NotHere, w.LinkHost, w.Questions, w.QuestionsTo,
		i.Addressee(), i.Amount(), i.Phone(), i.Deadline(), i.PaymentCode, i.AuthorizeURI,
		i.Invoice.Number, i.Invoice.Description,
		m.Name, m.Address, m.Phone, m.Hours, m.Email, m.RegistrationNumber,
	}
	if i.PaymentCode != "" {
		facts = append(facts, w.Code)
	}
	if i.TaxBlock() != "" {
		facts = append(facts, w.TaxDetails, i.TaxBlock())
	} else {
		facts = append(facts, i.Tax())
	}
	return append(append(facts, i.Steps()...), w.Places...)
}

// TestLinkCopiesInOnePiece: readers join what stands close together.
func TestLinkCopiesInOnePiece(t *testing.T) {
	text := string(peertest.Run(t, "pdftotext", onDisk(t, drawn(t, inJapanese())), "-"))
	if !slices.Contains(strings.Split(text, "\n"), payURI) {
		t.Errorf("the link is no line of its own in\n%s", text)
	}
}

// dense leaves spaces out, since those at line breaks are the reader's.
func dense(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}
