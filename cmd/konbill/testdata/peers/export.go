package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/jung-kurt/gofpdf"

	"konbill/templates/slip"
)

// pagesFile is what the peers read, beside regular.ttf and bold.ttf.
const pagesFile = "pages.json"

// export writes what the peers draw: the slips of orders as Konbill sets them,
// and the two faces, cut to what stands on all of them, as a peer would do once
// a batch.
func export(folder string, orders int) error {
	press, err := newPress(orders)
	if err != nil {
		return err
	}
	var pages []page
	for order := range orders {
		facts := instructionsOf(order)
		file, err := press.Draw(facts)
		if err != nil {
			return err
		}
		p, err := readPage(file)
		if err != nil {
			return fmt.Errorf("reading Konbill's slip %d: %w", order, err)
		}
		p.Number, p.Code = facts.Invoice.Number, facts.PaymentCode
		pages = append(pages, p)
	}
	if err := cutFaces(folder, pages); err != nil {
		return err
	}
	return writeJSON(filepath.Join(folder, pagesFile), pages)
}

// newPress is a press for the slips of orders.
func newPress(orders int) (*slip.Press, error) {
	return slip.NewPress(merchant, slip.Layout{}, slices.Values(invoicesOf(orders)))
}

// cutFaces writes regular.ttf and bold.ttf.
func cutFaces(folder string, pages []page) error {
	for face, file := range map[string]string{"regular": "BIZUDPGothic_400Regular.ttf", "bold": "BIZUDPGothic_700Bold.ttf"} {
		whole, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "templates", "fonts", file))
		if err != nil {
			return err
		}
		cut := gofpdf.UTF8CutFont(whole, charactersIn(pages))
		if err := os.WriteFile(filepath.Join(folder, face+".ttf"), cut, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// charactersIn returns every character on the pages once, and those that only
// a slip with other numbers has.
func charactersIn(pages []page) string {
	var all []rune
	for r := ' '; r <= '~'; r++ {
		all = append(all, r)
	}
	for _, p := range pages {
		for _, l := range p.Lines {
			all = append(all, []rune(l.Text)...)
		}
	}
	slices.Sort(all)
	return string(slices.Compact(all))
}

func writeJSON(name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o600)
}
