package slip

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // one of the two formats that image.Decode reads
	"image/png"
)

// Bounds of a logo: every slip and every mail carries it, and a small file can
// unpack to a picture that fills the memory.
const (
	LogoBytes = 256 << 10 // of the file, and of what a slip carries
	LogoSide  = 1600      // pixels along the longer side
)

// Logo is a merchant's picture, ready to be printed.
type Logo struct {
	kind   string // as the PDF writer calls it
	data   []byte
	pixels image.Point
}

// LogoFault is what is wrong with a logo.
type LogoFault int

// The faults of a logo.
const (
	LogoUnreadable LogoFault = iota // neither PNG nor JPEG, or damaged
	LogoTooManyBytes
	LogoTooManyPixels
)

// LogoError says why a file can't be a logo.
type LogoError struct {
	Fault LogoFault
	Err   error // why it is unreadable
}

func (e *LogoError) Error() string {
	switch e.Fault {
	case LogoTooManyBytes:
		return fmt.Sprintf("the logo takes more than %d KiB", LogoBytes>>10)
	case LogoTooManyPixels:
		return fmt.Sprintf("the logo is larger than %d pixels along a side", LogoSide)
	}
	return fmt.Sprintf("the logo is no PNG or JPEG file that can be read: %v", e.Err)
}

func (e *LogoError) Unwrap() error { return e.Err }

// ReadLogo reads a PNG or JPEG file. The error is a *LogoError.
func ReadLogo(file []byte) (*Logo, error) {
	if len(file) > LogoBytes {
		return nil, &LogoError{Fault: LogoTooManyBytes}
	}
	facts, format, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, &LogoError{Err: err}
	}
	if max(facts.Width, facts.Height) > LogoSide {
		return nil, &LogoError{Fault: LogoTooManyPixels}
	}
	picture, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, &LogoError{Err: err}
	}
	if format == "jpeg" && printsAsItIs(picture) {
		return &Logo{"JPG", file, picture.Bounds().Size()}, nil
	}
	return flattened(picture)
}

// printsAsItIs reports whether a PDF file shows a JPEG as Go does. The four
// colours that some programs save, inverted or not, it doesn't.
func printsAsItIs(picture image.Image) bool {
	switch picture.(type) {
	case *image.YCbCr, *image.Gray:
		return true
	}
	return false
}

// flattened lays a picture on white paper and keeps it without loss, in the
// plainest kind of PNG: eight bits a colour, no transparency, no interlacing.
func flattened(picture image.Image) (*Logo, error) {
	bounds := picture.Bounds()
	paper := image.NewRGBA(image.Rectangle{Max: bounds.Size()})
	draw.Draw(paper, paper.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(paper, paper.Bounds(), picture, bounds.Min, draw.Over)
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, paper); err != nil {
		return nil, &LogoError{Err: err}
	}
	if out.Len() > LogoBytes {
		return nil, &LogoError{Fault: LogoTooManyBytes}
	}
	return &Logo{"PNG", out.Bytes(), bounds.Size()}, nil
}

// fit is how large the logo prints, as large as a place allows and no larger
// than 150 pixels an inch make sharp.
func (l *Logo) fit(width, height float64) (w, h float64) {
	const coarsest = 25.4 / 150
	scale := min(width/float64(l.pixels.X), height/float64(l.pixels.Y), coarsest)
	return scale * float64(l.pixels.X), scale * float64(l.pixels.Y)
}
