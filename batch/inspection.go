package batch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// inspection checks rows one by one. It may be used at the same time by several.
type inspection struct {
	checker *invoice.Checker
	column  func(invoice.Field) (header string, position int) // of the file
	glyphs  *glyphs
}

func newInspection(how Reading, now time.Time, column func(invoice.Field) (string, int)) inspection {
	return inspection{checker: invoice.NewChecker(how.Rules, now), column: column, glyphs: new(glyphs)}
}

// inspected is a row of which only the other rows could tell more.
type inspected struct {
	Row
	fields invoice.Fields // as the file has them
	glyphs int            // how many of the findings, the last ones, are about what the slip can't show
}

// repeats adds that the row's number was met before, where the findings of its
// fields end.
func (i *inspected) repeats(f invoice.Finding) {
	i.Findings = slices.Insert(i.Findings, len(i.Findings)-i.glyphs, f)
}

// chunk inspects the rows of a chunk.
func (i inspection) chunk(chunk csvfile.Chunk) []inspected {
	rows := make([]inspected, 0, chunk.Len())
	for row := range chunk.Rows() {
		rows = append(rows, i.row(row))
	}
	return rows
}

func (i inspection) row(row csvfile.Row) inspected {
	if row.Problem != nil {
		return inspected{Row: Row{Line: row.Line, Findings: []invoice.Finding{*row.Problem}}}
	}
	checked := i.checker.Examine(row.Line, row.Fields)
	glyphs := i.missingGlyphs(row.Line, checked.Invoice)
	findings := append(checked.Findings, glyphs...)
	for at := range findings {
		findings[at] = i.place(findings[at])
	}
	return inspected{Row{Line: row.Line, Invoice: checked.Invoice, Findings: findings}, row.Fields, len(glyphs)}
}

func (i inspection) place(f invoice.Finding) invoice.Finding { return placed(f, i.column) }

// placed adds where in the file a finding's field stands.
func placed(f invoice.Finding, column func(invoice.Field) (string, int)) invoice.Finding {
	if f.Field == "" {
		return f
	}
	return f.At(column(f.Field))
}

// missingGlyphs finds the characters that would print as 〓 on the slip.
func (i inspection) missingGlyphs(line int, inv invoice.Invoice) []invoice.Finding {
	var found []invoice.Finding
	for _, at := range []struct {
		field invoice.Field
		text  string
	}{{invoice.FieldNumber, inv.Number}, {invoice.FieldName, inv.Name}, {invoice.FieldDescription, inv.Description}} {
		missing := i.glyphs.missing(at.text)
		if len(missing) == 0 {
			continue
		}
		found = append(found, invoice.Finding{
			Line: line, Field: at.field, Code: invoice.CodeGlyphMissing, Severity: invoice.Warning,
			Before: at.text, Ref: withCodePoints(missing),
		})
	}
	return found
}

// withCodePoints lists characters with what tells apart those that look alike, or
// don't show at all.
func withCodePoints(characters []rune) string {
	var list []string
	for _, r := range characters {
		list = append(list, fmt.Sprintf("%c (%U)", r, r))
	}
	return strings.Join(list, " ")
}
