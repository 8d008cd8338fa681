package slip

import (
	"fmt"

	"rsc.io/qr"
)

// quiet is how many modules must stay white around a code (ISO/IEC 18004).
const quiet = 4

// newCode makes the code of a text as large as an area. Its quiet zone lies
// around it and may reach into the margin. The error correction is M: a fold or
// a stain across the paper is likely, a missing corner is not.
func newCode(text string, at area) (code, error) {
	made, err := qr.Encode(text, qr.M)
	if err != nil {
		return code{}, fmt.Errorf("QR code of the payment link: %w", err)
	}
	module := at.width / float64(made.Size)
	zone := quiet * module
	c := code{area: area{at.x - zone, at.y - zone, at.width + 2*zone, at.height + 2*zone}, module: module}
	for y := range made.Size {
		for x := 0; x < made.Size; x++ {
			start := x
			for made.Black(x, y) {
				x++
			}
			if x > start {
				c.dark = append(c.dark, stretch{start + quiet, y + quiet, x - start})
			}
		}
	}
	return c, nil
}
