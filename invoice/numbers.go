package invoice

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
)

// Numbers sees to it that a number is unique in its file.
type Numbers struct {
	seen map[string]sighting
	late []Finding
}

// sighting is where a number was first met, and with what content.
type sighting struct {
	line     int
	content  [sha256.Size]byte // a digest, so that a file need not be held
	disputed bool              // a row with other content has the number, too
}

// NewNumbers returns the numbers of a file of which no row was met.
func NewNumbers() *Numbers { return &Numbers{seen: map[string]sighting{}} }

// NumberOf is the invoice number that a cell holds: what [Checked] has as the
// number of its invoice.
func NumberOf(written string) string { return clean(written) }

// Meet remembers the number of a row, and gives the finding that rejects one
// whose number was met before. When the contents differ nobody knows which row
// is meant, so the first one is rejected, too. Rows are met in file order; one
// without a number repeats none.
func (n *Numbers) Meet(line int, number string, f Fields) (repeated Finding, ok bool) {
	if number == "" {
		return Finding{}, false
	}
	content := digest(f)
	first, met := n.seen[number]
	if !met {
		n.seen[strings.Clone(number)] = sighting{line: line, content: content}
		return Finding{}, false
	}
	repeated = Finding{
		Line: line, Field: FieldNumber, Code: CodeNumberRepeated, Severity: Error,
		Before: number, Ref: strconv.Itoa(first.line),
	}
	if first.content == content {
		return repeated, true
	}
	repeated.Code = CodeNumberConflicting
	if !first.disputed {
		first.disputed = true
		n.seen[number] = first
		n.late = append(n.late, Finding{
			Line: first.line, Field: FieldNumber, Code: CodeNumberConflicting, Severity: Error,
			Before: number, Ref: strconv.Itoa(line),
		})
	}
	return repeated, true
}

// Late returns the findings that only the whole file could show: those of
// earlier rows whose number came again with other content.
func (n *Numbers) Late() []Finding { return n.late }

// digest is the same for the same content only: each field stands behind its
// length.
func digest(f Fields) [sha256.Size]byte {
	var content []byte
	for _, text := range [...]string{
		f.Number, f.Name, f.Email, f.Phone, f.Amount, f.Due, f.Description, f.Language, f.TaxRate, f.Tax,
	} {
		content = binary.AppendUvarint(content, uint64(len(text)))
		content = append(content, text...)
	}
	return sha256.Sum256(content)
}
