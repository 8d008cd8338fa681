package slip

import (
	"bytes"
	"fmt"
	"strings"

	"konbill/templates/fonts"
)

// pdfFile is a PDF file in the making (ISO 32000-1, 7.5). The writer paints the
// page; the file around it is put together here, which lets slips share what
// they have in common.
type pdfFile struct {
	bytes.Buffer
	offsets []int // of the objects, from the first
}

func newFile() *pdfFile {
	const usual = 48 << 10
	f := &pdfFile{}
	f.Grow(usual)
	f.WriteString("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n") // the second line says that there are bytes which aren't text
	return f
}

// add writes the next object and returns its number.
func (f *pdfFile) add(format string, values ...any) int {
	return f.write(func() { fmt.Fprintf(f, format, values...) })
}

// stream writes an object that carries data. Its dictionary is given without
// the length.
func (f *pdfFile) stream(dictionary string, data []byte) int {
	return f.write(func() {
		fmt.Fprintf(f, "<<%s /Length %d>>\nstream\n", dictionary, len(data))
		f.Write(data)
		f.WriteString("\nendstream")
	})
}

func (f *pdfFile) write(object func()) int {
	f.offsets = append(f.offsets, f.Len())
	number := len(f.offsets)
	fmt.Fprintf(f, "%d 0 obj\n", number)
	object()
	f.WriteString("\nendobj\n")
	return number
}

// next is the number that the next object will have.
func (f *pdfFile) next() int { return len(f.offsets) + 1 }

// close writes where the objects are.
func (f *pdfFile) close(catalog, info int) []byte {
	table := f.Len()
	fmt.Fprintf(f, "xref\n0 %d\n0000000000 65535 f \n", f.next())
	for _, offset := range f.offsets {
		fmt.Fprintf(f, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(f, "trailer\n<</Size %d /Root %d 0 R /Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", f.next(), catalog, info, table)
	return f.Bytes()
}

// book makes the file of one page. The drawing calls its fonts by names.
func (f *pdfFile) book(info about, sheet page, drawing []byte, works fontWorks, names map[*fonts.Face]string) []byte {
	var resources, annotations strings.Builder
	resources.WriteString("/Font <<")
	for _, w := range works {
		fmt.Fprintf(&resources, "/%s %d 0 R ", names[w.face], f.font(w))
	}
	resources.WriteString(">>")
	for _, q := range sheet.pictures {
		fmt.Fprintf(&resources, " /XObject <</%s %d 0 R>>", logoName, f.logo(q.logo))
	}
	for _, l := range sheet.links {
		annotations.WriteString(l.annotation())
	}
	content := f.stream("/Filter /FlateDecode", zlibOf(drawing))
	pages := f.next() + 1
	leaf := f.add("<</Type /Page /Parent %d 0 R /MediaBox [0 0 %.2f %.2f] /Resources <<%s>> /Contents %d 0 R /Annots [%s]>>",
		pages, paperWidth/point, paperHeight/point, resources.String(), content, annotations.String())
	f.add("<</Type /Pages /Kids [%d 0 R] /Count 1>>", leaf)
	catalog := f.add("<</Type /Catalog /Pages %d 0 R /Lang (%s)>>", pages, info.language)
	return f.close(catalog, f.add("<</Producer (%s) /Title %s /Author %s /CreationDate (%[4]s) /ModDate (%[4]s)>>",
		producer, textObject(info.title), textObject(info.author), undated.Format("D:20060102150405")))
}

// font writes one font with all that belongs to it, and returns its number.
func (f *pdfFile) font(w *fontWork) int {
	name := w.tagged()
	program, length := w.file()
	file := f.stream(fmt.Sprintf("/Filter /FlateDecode /Length1 %d", length), program)
	m := w.face.Metrics()
	descriptor := f.add("<</Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [%d %d %d %d] /ItalicAngle 0"+
		" /Ascent %d /Descent %d /CapHeight %d /StemV %d /FontFile2 %d 0 R>>",
		name, m.Box[0], m.Box[1], m.Box[2], m.Box[3], m.Ascent, m.Descent, m.CapHeight, stemOf(m), file)
	glyphs := f.add("<</Type /Font /Subtype /CIDFontType2 /BaseFont /%s"+
		" /CIDSystemInfo <</Registry (Adobe) /Ordering (Identity) /Supplement 0>>"+
		" /FontDescriptor %d 0 R /DW %d /W %s /CIDToGIDMap /Identity>>", name, descriptor, fullWidth, w.widths())
	unicode := f.stream("/Filter /FlateDecode", w.characters())
	return f.add("<</Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R>>",
		name, glyphs, unicode)
}

// stemOf guesses the thickness of stems from the weight, as PDF writers do: no
// font tells it, and only programs that replace fonts want it.
func stemOf(m fonts.Metrics) int { return 50 + m.Weight*m.Weight/(65*65) }

// logo writes a picture and returns its number.
func (f *pdfFile) logo(l *Logo) int {
	filter, data := l.embedded()
	return f.stream(fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /%s /BitsPerComponent 8 %s",
		l.pixels.X, l.pixels.Y, l.colours, filter), data)
}

// textObject writes a text between its brackets (ISO 32000-1, 7.3.4.2).
func textObject(text string) string {
	return "(" + string(escaped(textString(text))) + ")"
}

func escaped(text string) []byte {
	out := make([]byte, 0, len(text))
	for _, b := range []byte(text) {
		switch b {
		case '(', ')', '\\':
			out = append(out, '\\', b)
		case '\r':
			out = append(out, `\r`...)
		default:
			out = append(out, b)
		}
	}
	return out
}
