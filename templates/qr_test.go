package templates

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"konbill/invoice"
)

// The picture in the mail is a code that leads to the payment page, with its
// white zone, and small.
func TestPictureOfTheCode(t *testing.T) {
	i := bill(invoice.Japanese)
	m := mailOf(t, i)
	if len(m.Pictures) != 1 || m.Pictures[0].ContentType != "image/png" || strings.Count(m.HTML, `src="cid:`+m.Pictures[0].ContentID+`"`) != 1 {
		t.Fatalf("%d pictures in\n%s", len(m.Pictures), m.HTML)
	}
	data := m.Pictures[0].Data
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatal(err)
	}
	if result.GetText() != i.AuthorizeURI {
		t.Errorf("leads to %s", result.GetText())
	}
	side := picture.Bounds().Dx()
	for at := range side {
		for edge := range 4 * module {
			for _, c := range [][2]int{{at, edge}, {at, side - 1 - edge}, {edge, at}, {side - 1 - edge, at}} {
				if r, _, _, _ := picture.At(c[0], c[1]).RGBA(); r != 0xFFFF {
					t.Fatalf("%v is in the white zone and isn't white", c)
				}
			}
		}
	}
	if len(data) > 1000 || module < 4 {
		t.Errorf("%d bytes, modules of %d pixels", len(data), module)
	}
}

func TestLinksTooLongForACodeAreRefused(t *testing.T) {
	i := bill(invoice.Japanese)
	i.AuthorizeURI += strings.Repeat("x", 3000)
	if _, err := MailOf(i); err == nil {
		t.Error("mailed")
	}
}

// A merchant's own HTML may do without the code; then it isn't in the mail.
func TestNoCodeNoPicture(t *testing.T) {
	html := own("mail.html").text
	from := strings.Index(html, "<p style=\"margin:0 0 16px\"><img")
	until := from + strings.Index(html[from:], "</p>")
	i := bill(invoice.Japanese)
	i.Texts = loaded(t, map[string]string{"mail.html": html[:from] + html[until:]})
	if m := mailOf(t, i); len(m.Pictures) != 0 || strings.Contains(m.HTML, "cid:") {
		t.Errorf("%d pictures in\n%s", len(m.Pictures), m.HTML)
	}
}
