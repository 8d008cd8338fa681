package slip

import (
	"bytes"
	"fmt"
	"runtime"

	"github.com/jung-kurt/gofpdf"

	"konbill/templates/fonts"
)

// easel is where the writer paints one page after the other, for slips that are
// files of their own. Of the fonts it holds nothing but the names: reading a font
// and hashing its table of widths is what takes the writer longest, and the
// letters are named by numbers that the file gives them (see fontWork).
type easel struct {
	*gofpdf.Fpdf
	names map[*fonts.Face]string // by which pages call the fonts
}

func newEasel(letters *typecase) (*easel, error) {
	e := &easel{gofpdf.New("P", "mm", "A4", ""), map[*fonts.Face]string{}}
	for _, face := range letters.all() {
		e.AddUTF8FontFromBytes(family(face), "", face.Cut(nil))
	}
	if err := e.Error(); err != nil {
		return nil, fmt.Errorf("fonts of the slip: %w", err)
	}
	for _, face := range letters.all() {
		page := e.page(func(pdf *gofpdf.Fpdf) { pdf.SetFont(family(face), "", 1) })
		name, ok := fontNamed(page)
		if !ok {
			return nil, fmt.Errorf("fonts of the slip: the PDF writer has no name for %s", face.Name)
		}
		e.names[face] = name
	}
	return e, nil
}

// page returns the drawing instructions of a page.
func (e *easel) page(paint func(*gofpdf.Fpdf)) []byte {
	return e.CreateTemplate(func(t *gofpdf.Tpl) { paint(&t.Fpdf) }).Bytes()
}

// fontNamed finds the font that a page sets: /F… 1.00 Tf.
func fontNamed(page []byte) (name string, ok bool) {
	_, after, ok := bytes.Cut(page, []byte("BT /"))
	if !ok {
		return "", false
	}
	before, _, ok := bytes.Cut(after, []byte(" "))
	return string(before), ok
}

// easels are lent to workers, one each. There are as many at most as cores, since a
// core draws one slip at a time and an easel takes some 2 MB.
type easels struct {
	free chan *easel
	made chan struct{}
}

func newEasels() easels {
	most := runtime.GOMAXPROCS(0)
	return easels{free: make(chan *easel, most), made: make(chan struct{}, most)}
}

// take waits for an easel, unless another may be made.
func (s easels) take(letters *typecase) (*easel, error) {
	select {
	case e := <-s.free:
		return e, nil
	default:
	}
	select {
	case e := <-s.free:
		return e, nil
	case s.made <- struct{}{}:
	}
	e, err := newEasel(letters)
	if err != nil {
		<-s.made
	}
	return e, err
}

func (s easels) giveBack(e *easel) { s.free <- e }
