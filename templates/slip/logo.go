package slip

import (
	"bytes"
	"encoding/binary"
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
	kind    string // as the PDF writer calls it
	data    []byte
	pixels  image.Point
	colours string // the PDF file's name for their space
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
		return &Logo{"JPG", file, picture.Bounds().Size(), coloursOf(picture)}, nil
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
	return &Logo{"PNG", out.Bytes(), bounds.Size(), "DeviceRGB"}, nil
}

func coloursOf(picture image.Image) string {
	if _, grey := picture.(*image.Gray); grey {
		return "DeviceGray"
	}
	return "DeviceRGB"
}

// embedded is the picture as a PDF file carries it, and what must be done to
// read it. The data of a PNG file are as they must be (ISO 32000-1, 7.4.4.4).
func (l *Logo) embedded() (filter string, data []byte) {
	if l.kind == "JPG" {
		return "/Filter /DCTDecode", l.data
	}
	return fmt.Sprintf("/Filter /FlateDecode /DecodeParms <</Predictor 15 /Colors 3 /BitsPerComponent 8 /Columns %d>>", l.pixels.X),
		pngData(l.data)
}

// pngData joins the compressed pixels of a PNG file that flattened has made: its
// chunks are a length, four letters, the data and a check sum (PNG, 5.3).
func pngData(file []byte) []byte {
	const signature, frame = 8, 12
	var data []byte
	for rest := file[signature:]; len(rest) >= frame; {
		length := int(binary.BigEndian.Uint32(rest))
		if string(rest[4:8]) == "IDAT" {
			data = append(data, rest[8:8+length]...)
		}
		rest = rest[frame+length:]
	}
	return data
}

// fit is how large the logo prints, as large as a place allows and no larger
// than 150 pixels an inch make sharp.
func (l *Logo) fit(width, height float64) (w, h float64) {
	const coarsest = 25.4 / 150
	scale := min(width/float64(l.pixels.X), height/float64(l.pixels.Y), coarsest)
	return scale * float64(l.pixels.X), scale * float64(l.pixels.Y)
}
