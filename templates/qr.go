package templates

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"sync"

	"rsc.io/qr"
)

// qrCode is the payment link for a phone's camera, as the HTML shows it.
type qrCode struct {
	About     string
	ContentID string
	Alt       string
	Side      int // in pixels
}

const (
	module    = 4 // pixels: a phone reads it from a screen at arm's length
	quietZone = 4 // modules that stay white around a code (ISO/IEC 18004)
)

// encoder keeps its buffers: making them takes longer than a code does.
var encoder = png.Encoder{BufferPool: new(buffers)}

type buffers struct{ sync.Pool }

func (b *buffers) Get() *png.EncoderBuffer {
	buffer, _ := b.Pool.Get().(*png.EncoderBuffer)
	return buffer // nil makes the encoder bring its own
}

func (b *buffers) Put(buffer *png.EncoderBuffer) { b.Pool.Put(buffer) }

// drawCode draws the QR code of a link, black on white whatever is around it,
// and tells its side in pixels. It fails when the link is too long, some two
// thousand characters.
func drawCode(link string) (picture Picture, side int, err error) {
	code, err := qr.Encode(link, qr.M)
	if err != nil {
		return Picture{}, 0, fmt.Errorf("QR code of the payment link: %w", err)
	}
	side = (code.Size + 2*quietZone) * module
	pixels := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range code.Size {
		top := pixels.Pix[(y+quietZone)*module*side:]
		for x := range code.Size {
			if code.Black(x, y) {
				for i := range module {
					top[(x+quietZone)*module+i] = 1
				}
			}
		}
		for i := 1; i < module; i++ {
			copy(top[i*side:(i+1)*side], top)
		}
	}
	var data bytes.Buffer
	if err := encoder.Encode(&data, pixels); err != nil {
		return Picture{}, 0, err
	}
	of := sha256.Sum256([]byte(link))
	return Picture{ContentID: fmt.Sprintf("%x@konbill", of[:8]), ContentType: "image/png", Data: data.Bytes()}, side, nil
}
