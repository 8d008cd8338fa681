package mailer

import (
	"bytes"
	"math/rand/v2"
	"mime"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var anyEncodedWord = regexp.MustCompile(`=\?utf-8\?[^? ]*\?[^? ]*\?=`)

// checkEncoding asserts what the readers of old phones need: no encoded word
// beyond 75 bytes (RFC 2047 section 2), each a text of whole characters by
// itself, and no line of a body beyond 76 (RFC 2045 section 6.8).
func checkEncoding(t testing.TB, data []byte) {
	t.Helper()
	head, body, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	for _, word := range anyEncodedWord.FindAllString(string(head), -1) {
		text, err := new(mime.WordDecoder).Decode(word)
		if err != nil || text == "" || !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) || len(word) > 75 {
			t.Errorf("the word %s (%d bytes) is %q by itself, %v", word, len(word), text, err)
		}
	}
	for _, line := range strings.Split(string(head), "\r\n") {
		if len(line) > 78 {
			t.Errorf("a line of %d bytes in the header: %s", len(line), line)
		}
	}
	for _, line := range strings.Split(string(body), "\r\n") {
		if len(line) > 76 && !strings.HasPrefix(line, " filename*=") {
			t.Errorf("a line of %d bytes in the body: %s", len(line), line)
		}
	}
}

// randomText is a text of the characters that names and subjects have, of one
// to four bytes each.
func randomText(r *rand.Rand, most int) string {
	kinds := [][]rune{[]rune("aZ09"), []rune(" -.,()\"\\<>@=?_"), []rune("éüÉ"), []rune("髙橋﨑あアｱー～㈱①"), []rune("𠮷𩸽😀")}
	var text strings.Builder
	for range 1 + r.IntN(most) {
		kind := kinds[r.IntN(len(kinds))]
		text.WriteRune(kind[r.IntN(len(kind))])
	}
	return text.String()
}

func TestEncodedWordsAreWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		m := bill()
		m.Subject, m.ToName, m.Text = randomText(r, 120), randomText(r, 60), randomText(r, 400)
		// Angle brackets end a name that stands before an address.
		sender := strings.NewReplacer("<", "", ">", "", `"`, "", `\`, "").Replace(randomText(r, 60))
		sender = strings.TrimSpace(sender)
		m.From = sender + " <billing@sakura.example>"
		m.Attachments[0].Name = randomText(r, 60)
		data := composed(t, m).Data
		checkLines(t, data)
		checkEncoding(t, data)
		got := parse(t, data)
		from, err := got.header.AddressList("From")
		if err != nil || from[0].Name != sender {
			t.Errorf("from %q came out as %v, %v", sender, from, err)
		}
		to, err := got.header.AddressList("To")
		if err != nil || to[0].Name != m.ToName {
			t.Errorf("to %q came out as %v, %v", m.ToName, to, err)
		}
		subject, err := got.header.Subject()
		if err != nil || subject != m.Subject || got.text != m.Text || got.attachments[0].Name != m.Attachments[0].Name {
			t.Errorf("%q, %q and %q came out as %q, %q and %q, %v", m.Subject, m.Text, m.Attachments[0].Name, subject, got.text, got.attachments[0].Name, err)
		}
	}
}
