package templates

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"konbill/invoice"
	"konbill/samples/peertest"
)

// browse shows a page in a browser that is as quiet as it can be made.
func browse(t testing.TB, url string, flags ...string) {
	t.Helper()
	peertest.Run(t, "chromium", append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--font-render-hinting=none", "--force-device-scale-factor=1",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--no-pings",
		"--user-data-dir=" + t.TempDir(), "--virtual-time-budget=5000",
	}, append(flags, url)...)...)
}

// screen is what somebody reads mails on.
type screen struct {
	width, height int // pixels
	dark          bool
}

var narrow, wide = screen{320, 3300, false}, screen{800, 1900, false}

func (s screen) inTheDark() screen {
	s.dark = true
	return s
}

func (s screen) String() string {
	if s.dark {
		return fmt.Sprintf("%d-dark", s.width)
	}
	return fmt.Sprintf("%d-bright", s.width)
}

// ownFonts makes every machine set the page with the same letters.
const ownFonts = `<style>
@font-face { font-family: Own; src: url(/BIZUDPGothic_400Regular.ttf); }
@font-face { font-family: Own; src: url(/BIZUDPGothic_700Bold.ttf); font-weight: bold; }
* { font-family: Own !important; }
</style>`

// shown is a mail as its reader sees it.
func shown(t testing.TB, m Mail, on screen) (picture image.Image, path string) {
	t.Helper()
	html := strings.Replace(m.Standalone(), "</head>", ownFonts+"</head>", 1)
	files := http.FileServer(http.Dir("fonts"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			fmt.Fprint(w, html)
			return
		}
		files.ServeHTTP(w, r)
	}))
	defer server.Close()
	scheme := 1 // of Chromium's own: 0 is dark, 1 is light
	if on.dark {
		scheme = 0
	}
	path = filepath.Join(t.TempDir(), "page.png")
	browse(t, server.URL, fmt.Sprintf("--blink-settings=preferredColorScheme=%d", scheme), "--screenshot="+path,
		fmt.Sprintf("--window-size=%d,%d", on.width, on.height))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if picture, err = png.Decode(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return picture, path
}

// TestMailsAsShown compares mails, as a browser shows them, with pictures that
// were looked at. The code on each leads to the payment page.
func TestMailsAsShown(t *testing.T) {
	reminder := bill(invoice.English)
	reminder.Reminder = true
	ja, en, receipt := mailOf(t, bill(invoice.Japanese)), mailOf(t, reminder), receiptOf(t, payment(invoice.Japanese))
	for _, page := range []struct {
		name string
		mail Mail
		on   screen
	}{
		{"ja", ja, narrow}, {"ja", ja, narrow.inTheDark()}, {"ja", ja, wide}, {"ja", ja, wide.inTheDark()},
		{"en-reminder", en, narrow.inTheDark()}, {"ja-receipt", receipt, narrow},
	} {
		name := page.name + "-" + page.on.String()
		t.Run(name, func(t *testing.T) {
			picture, path := shown(t, page.mail, page.on)
			golden := filepath.Join("testdata", "mail", name+".png")
			if *update {
				keep(t, golden, picture)
			}
			if n := differing(picture, pictureAt(t, golden)); n > mostDiffering {
				t.Errorf("%d places differ from %s (go test -update, if that is meant; look at it)", n, golden)
			}
			if !endsIn(picture) {
				t.Error("the screen is not high enough")
			}
			if len(page.mail.Pictures) == 0 {
				return
			}
			read := string(peertest.Run(t, "zbarimg", "--quiet", "--nodbus", "--raw", "-Sdisable", "-Sqrcode.enable", path))
			if strings.TrimSpace(read) != reminder.AuthorizeURI {
				t.Errorf("zbarimg reads %q", read)
			}
		})
	}
}

// A comparison that lets a wrong payment code pass would be none.
func TestPicturesTellMailsApart(t *testing.T) {
	other := bill(invoice.Japanese)
	other.PaymentCode = "709596"
	picture, _ := shown(t, mailOf(t, other), narrow)
	if n := differing(picture, pictureAt(t, filepath.Join("testdata", "mail", "ja-320-bright.png"))); n <= mostDiffering {
		t.Errorf("only %d places differ", n)
	}
}

// Nothing may lie beyond the edge of a narrow screen.
func TestNarrowScreensShowAll(t *testing.T) {
	long := bill(invoice.English)
	long.Merchant.Name, long.Invoice.Name = strings.Repeat("Sakura", 12), strings.Repeat("W", 60)
	long.Invoice.Number, long.Invoice.Description = strings.Repeat("8", 64), strings.Repeat("Lessons", 28)
	long.Merchant.Email = strings.Repeat("m", 40) + "@sakura.example"
	picture, _ := shown(t, mailOf(t, long), narrow)
	for y := range picture.Bounds().Dy() {
		for x := narrow.width - 14; x < narrow.width; x++ { // the margin of 16, less what letters may lean
			if level(picture.At(x, y)) < 0xE0 {
				t.Fatalf("something stands at %d, %d", x, y)
			}
		}
	}
}

// endsIn reports whether the whole page is on a picture: its last lines are
// empty.
func endsIn(picture image.Image) bool {
	size := picture.Bounds()
	for y := size.Max.Y - 8; y < size.Max.Y; y++ {
		for x := range size.Max.X {
			if picture.At(x, y) != picture.At(0, 0) {
				return false
			}
		}
	}
	return true
}

// places are squares of pixels; letters drawn by another release of the browser
// differ within them, but not on the whole.
const (
	place         = 4  // pixels
	contrast      = 32 // levels of grey
	mostDiffering = 5
)

// differing counts the places at which two pictures differ.
func differing(a, b image.Image) int {
	if a.Bounds() != b.Bounds() {
		return a.Bounds().Dx() * a.Bounds().Dy()
	}
	count := 0
	for y := 0; y < a.Bounds().Dy(); y += place {
		for x := 0; x < a.Bounds().Dx(); x += place {
			if d := brightness(a, x, y) - brightness(b, x, y); d > contrast || d < -contrast {
				count++
			}
		}
	}
	return count
}

func brightness(picture image.Image, left, top int) int {
	sum, n := 0, 0
	for y := top; y < min(top+place, picture.Bounds().Dy()); y++ {
		for x := left; x < min(left+place, picture.Bounds().Dx()); x++ {
			sum += level(picture.At(x, y))
			n++
		}
	}
	return sum / n
}

func level(c color.Color) int { return int(color.GrayModel.Convert(c).(color.Gray).Y) }

func pictureAt(t testing.TB, path string) image.Image {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// keep stores a picture in shades of grey, which is what is compared.
func keep(t testing.TB, path string, picture image.Image) {
	t.Helper()
	const shades = 16
	var greys color.Palette
	for i := range shades {
		greys = append(greys, color.Gray{uint8(i * 0xFF / (shades - 1))})
	}
	few := image.NewPaletted(picture.Bounds(), greys)
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			few.Set(x, y, picture.At(x, y))
		}
	}
	var data bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&data, few); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// browsersOwn are the hosts that Chromium asks of its own accord, for updates
// and the time. Which of them it asks, and when, is nobody's to choose.
var browsersOwn = regexp.MustCompile(`(^|\.)(google\.com|(update|content-autofill|optimizationguide-pa)\.googleapis\.com|gvt1\.com)$`)

// fetched lists the hosts that a browser asks for while it shows a page, whether
// by http or https: everything goes through a proxy that knows only the page.
func fetched(t testing.TB, html string) []string {
	t.Helper()
	var mu sync.Mutex
	var hosts []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		mu.Lock()
		defer mu.Unlock()
		if !browsersOwn.MatchString(host) && r.URL.Path != "/favicon.ico" {
			hosts = append(hosts, r.Method+" "+host+r.URL.Path)
		}
		if host == "mail.example" && r.URL.Path == "/" {
			fmt.Fprint(w, html)
			return
		}
		http.NotFound(w, r)
	}))
	defer proxy.Close()
	browse(t, "http://mail.example/", "--proxy-server="+proxy.Listener.Addr().String(), "--screenshot="+filepath.Join(t.TempDir(), "x.png"))
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

func TestNothingIsFetched(t *testing.T) {
	for name, m := range map[string]Mail{"bill": mailOf(t, bill(invoice.English)), "receipt": receiptOf(t, payment(invoice.English))} {
		if got := fetched(t, m.HTML); !slices.Equal(got, []string{"GET mail.example/"}) {
			t.Errorf("%s: the browser asks for %q", name, got)
		}
	}
	// The same eyes see what other mails fetch.
	remote := strings.Replace(mailOf(t, bill(invoice.English)).HTML, "<ol", `<img src="http://one.example/x.png"><img src="https://two.example/x.png"><link rel="stylesheet" href="http://three.example/x.css"><ol`, 1)
	got := fetched(t, remote)
	for _, want := range []string{"GET one.example/x.png", "CONNECT two.example", "GET three.example/x.css"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s among %q", want, got)
		}
	}
}
