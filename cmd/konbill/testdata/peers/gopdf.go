package main

import (
	"os"
	"path/filepath"

	"github.com/signintech/gopdf"
)

// drawWithGopdf parses the cut faces once into a container that all files share.
func drawWithGopdf(folder string, pages []page) (drawer, error) {
	faces := new(gopdf.FontContainer)
	for _, face := range []string{"regular", "bold"} {
		data, err := os.ReadFile(filepath.Join(folder, face+".ttf"))
		if err != nil {
			return nil, err
		}
		if err := faces.AddTTFFontData(face, data); err != nil {
			return nil, err
		}
	}
	return func(slip int) ([]byte, error) {
		g := gopdfPage{new(gopdf.GoPdf)}
		g.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
		for _, face := range []string{"regular", "bold"} {
			if err := g.AddTTFFontFromFontContainer(face, faces); err != nil {
				return nil, err
			}
		}
		g.AddPage()
		if err := g.draw(pages[slip]); err != nil {
			return nil, err
		}
		return g.GetBytesPdfReturnErr()
	}, nil
}

// gopdfPage draws a page, measured from the upper left as gopdf does.
type gopdfPage struct{ *gopdf.GoPdf }

func (g gopdfPage) draw(p page) error {
	height := gopdf.PageSizeA4.H
	for _, path := range p.Paths {
		g.SetFillColor(bytesOf(path.Colour))
		for _, a := range path.Areas {
			g.RectFromUpperLeftWithStyle(a[0], height-a[1]-a[3], a[2], a[3], "F")
		}
	}
	for _, l := range p.Lines {
		g.SetTextColor(bytesOf(l.Colour))
		if err := g.SetFont(l.Face, "", l.Size); err != nil {
			return err
		}
		g.SetXY(l.X, height-l.Y)
		if err := g.Text(l.Text); err != nil {
			return err
		}
	}
	for _, l := range p.Links {
		g.AddExternalLink(l.Address, l.Area[0], height-l.Area[1]-l.Area[3], l.Area[2], l.Area[3])
	}
	return nil
}

// bytesOf is a colour in 255 steps.
func bytesOf(colour [3]float64) (red, green, blue uint8) {
	return uint8(colour[0]*255 + 0.5), uint8(colour[1]*255 + 0.5), uint8(colour[2]*255 + 0.5)
}
