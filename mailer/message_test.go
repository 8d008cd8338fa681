package mailer

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	gomessage "github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// bill is a message as a run sends it.
func bill() Message {
	const from = "さくら商店 <billing@sakura.example>"
	return Message{
		ID:   MessageID("acct_1/test/INV-1", 1, from),
		From: from, ReplyTo: "desk@sakura.example", To: "taro@example.com", ToName: "山田 太郎",
		Subject:  "【さくら商店】コンビニお支払いのご案内（INV-1／12月31日まで）",
		Text:     "山田 太郎 様\n\nご案内です。\n.\n.dot\n",
		HTML:     "<!doctype html>\n<p>ご案内です。</p>\n<img src=\"cid:qr@konbill\" alt=\"QR\">\n",
		Language: "ja",
		Date:     time.Date(2026, 12, 1, 10, 0, 0, 0, time.FixedZone("JST", 9*60*60)),
		Pictures: []Picture{{ContentID: "qr@konbill", ContentType: "image/png", Data: []byte("\x89PNG\r\n\x1a\n")}},
		Attachments: []Attachment{{
			Name: "お支払いのご案内_INV-1.pdf", ContentType: "application/pdf", Data: bytes.Repeat([]byte("%PDF \r\n\x00\xff"), 40),
		}},
	}
}

func composed(t testing.TB, m Message) Envelope {
	t.Helper()
	e, err := Compose(m)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// received is a message as another reader takes it apart.
type received struct {
	header      gomail.Header
	text, html  string
	pictures    []Picture
	attachments []Attachment
	types       []string // of the parts, in order, depth first
}

func parse(t testing.TB, data []byte) *received {
	t.Helper()
	entity, err := gomessage.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("another reader can't read the message: %v\n%s", err, data)
	}
	r := &received{header: gomail.Header{Header: entity.Header}}
	err = entity.Walk(func(_ []int, part *gomessage.Entity, err error) error {
		if err != nil {
			return err
		}
		return r.take(part)
	})
	if err != nil {
		t.Fatalf("another reader can't take the message apart: %v\n%s", err, data)
	}
	return r
}

func (r *received) take(part *gomessage.Entity) error {
	kind, _, err := part.Header.ContentType()
	if err != nil {
		return err
	}
	r.types = append(r.types, kind)
	if strings.HasPrefix(kind, "multipart/") {
		return nil
	}
	body, err := io.ReadAll(part.Body)
	if err != nil {
		return err
	}
	attached := gomail.AttachmentHeader{Header: part.Header}
	switch name, _ := attached.Filename(); {
	case name != "":
		r.attachments = append(r.attachments, Attachment{Name: name, ContentType: kind, Data: body})
	case part.Header.Get("Content-Id") != "":
		id := strings.Trim(part.Header.Get("Content-Id"), "<>")
		r.pictures = append(r.pictures, Picture{ContentID: id, ContentType: kind, Data: body})
	case kind == "text/plain":
		r.text = string(body)
	default:
		r.html = string(body)
	}
	return nil
}

func TestAnotherReaderFindsWhatWasComposed(t *testing.T) {
	m := bill()
	e := composed(t, m)
	got := parse(t, e.Data)

	if want := "multipart/mixed multipart/related multipart/alternative text/plain text/html image/png application/pdf"; strings.Join(got.types, " ") != want {
		t.Errorf("parts %v, want %s", got.types, want)
	}
	if subject, err := got.header.Subject(); err != nil || subject != m.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	if got.text != withCRLF(m.Text) || got.html != withCRLF(m.HTML) {
		t.Errorf("text %q, HTML %q", got.text, got.html)
	}
	if !reflect.DeepEqual(got.pictures, m.Pictures) {
		t.Errorf("pictures %q", got.pictures)
	}
	if len(got.attachments) != 1 || got.attachments[0].Name != m.Attachments[0].Name || !bytes.Equal(got.attachments[0].Data, m.Attachments[0].Data) {
		t.Errorf("attachments %q", got.attachments)
	}
	for field, want := range map[string]string{"From": "さくら商店 billing@sakura.example", "To": "山田 太郎 taro@example.com", "Reply-To": " desk@sakura.example"} {
		list, err := got.header.AddressList(field)
		if err != nil || len(list) != 1 || list[0].Name+" "+list[0].Address != want {
			t.Errorf("%s: %v, %v; want %s", field, list, err, want)
		}
	}
	if date, err := got.header.Date(); err != nil || !date.Equal(m.Date) {
		t.Errorf("date %v, %v", date, err)
	}
	for field, want := range map[string]string{
		"Message-Id": "<" + m.ID + ">", "Auto-Submitted": "auto-generated", "Content-Language": "ja", "Mime-Version": "1.0",
		"User-Agent": "", "X-Mailer": "",
	} {
		if value := got.header.Get(field); value != want {
			t.Errorf("%s: %q, want %q", field, value, want)
		}
	}
}

func TestComposingKeepsItsBytes(t *testing.T) {
	got := composed(t, bill()).Data
	if again := composed(t, bill()).Data; !bytes.Equal(got, again) {
		t.Errorf("the same message gave other bytes")
	}
	path := filepath.Join("testdata", "bill.eml.golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the message has changed (go test -update, if that is meant):\n%s", got)
	}
	other := bill()
	other.ID = MessageID("acct_1/test/INV-1", 2, other.From)
	first, second := boundary.FindAllString(string(got), -1), boundary.FindAllString(string(composed(t, other).Data), -1)
	if len(first) != 3 || first[0] == first[1] || first[1] == first[2] || first[0] == second[0] {
		t.Errorf("boundaries %v and %v", first, second)
	}
}

// checkLines asserts what every server can take: ASCII, CRLF only, no line too
// long.
func checkLines(t testing.TB, data []byte) {
	t.Helper()
	for _, line := range strings.SplitAfter(string(data), "\r\n") {
		line = strings.TrimSuffix(line, "\r\n")
		if strings.ContainsAny(line, "\r\n") {
			t.Errorf("a bare CR or LF in %q", line)
		}
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }) {
			t.Errorf("not ASCII: %q", line)
		}
	}
}

func TestLinesAreShort(t *testing.T) {
	m := bill()
	m.Subject = strings.Repeat("長い件名𠮷", 60)
	m.ToName = strings.Repeat("Long Name ", 30)
	m.Text = strings.Repeat("あ", 5000)
	data := composed(t, m).Data
	checkLines(t, data)
	checkEncoding(t, data)
}

func TestAttachmentNames(t *testing.T) {
	for name, ascii := range map[string]string{
		"お支払いのご案内_INV-1.pdf":         "INV-1.pdf",
		"Payment-instructions_7.pdf": "Payment-instructions_7.pdf",
		"ご案内.pdf":                    "attachment.pdf",
		"ご案内":                        "attachment",
		`a"b;c'd%e*f g+h.pdf`:        "a_b_c_d_e_f_g_h.pdf",
		"𠮷野家様.pdf":                   "attachment.pdf",
	} {
		m := bill()
		m.Attachments[0].Name = name
		data := composed(t, m).Data
		if got := parse(t, data).attachments[0].Name; got != name {
			t.Errorf("%s came out as %s", name, got)
		}
		if !bytes.Contains(data, []byte(`filename="`+ascii+`"`)) || !bytes.Contains(data, []byte("filename*=utf-8''")) {
			t.Errorf("%s: no %s for old readers in\n%s", name, ascii, regexp.MustCompile(`(?s)Content-Disposition.{200}`).Find(data))
		}
	}
}

// carrierPaths are addresses that Japanese carriers gave out, and how headers
// and SMTP must write them.
var carrierPaths = map[string]string{
	"a..b@docomo.ne.jp":  `"a..b"@docomo.ne.jp`,
	"a.@ezweb.ne.jp":     `"a."@ezweb.ne.jp`,
	".a@docomo.ne.jp":    `".a"@docomo.ne.jp`,
	"-a...@docomo.ne.jp": `"-a..."@docomo.ne.jp`,
	"a.b@docomo.ne.jp":   "a.b@docomo.ne.jp",
	"a_b-c+d@au.com":     "a_b-c+d@au.com",
	"a..b@t.vodafone.jp": `"a..b"@t.vodafone.jp`,
}

func TestCarrierAddressesAreQuoted(t *testing.T) {
	for address, path := range carrierPaths {
		m := bill()
		m.To = address
		e := composed(t, m)
		list, err := parse(t, e.Data).header.AddressList("To")
		if e.To != path || err != nil || list[0].Address != address {
			t.Errorf("%s: envelope %s, header %v, %v", address, e.To, list, err)
		}
	}
}

func TestMailboxes(t *testing.T) {
	for text, want := range map[string]mailbox{
		"a@b.example":                       {"", "a", "b.example"},
		" (株)さくら <a@b.example>":             {"(株)さくら", "a", "b.example"}, // net/mail takes (株) for a comment
		"A.B商店, 経理 <a@b.example>":           {"A.B商店, 経理", "a", "b.example"},
		`"Sakura \"S\" Inc." <a@localhost>`: {`Sakura "S" Inc.`, "a", "localhost"},
		"<a@b.example>":                     {"", "a", "b.example"},
	} {
		if got, err := parseMailbox(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "a", "a@", "@b", "a b@c", "a@b c", "a@b@c", "a@-b", "a@b..c", "a@b\r\nRCPT TO:<x@y>", "a\n@b", `"a"@b`, "a@b>", "a@[1.2.3.4]", "a,b@c",
	} {
		if got, err := parseMailbox(text); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
	for _, text := range []string{"あ@example.com", "a@例え.jp", "ａ@example.com"} {
		if _, err := parseMailbox(text); err != errNotASCII {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A header must end where we end it.
func TestHeadersCantBeInjected(t *testing.T) {
	for _, evil := range []string{"x\r\nBcc: evil@example.com", "x\nBcc: evil@example.com", "x\rBcc: e@example.com", "x\x00y", "x\u2028Bcc: y", "x\x7f", "bad \xff utf"} {
		for field, set := range map[string]func(*Message){
			"ID": func(m *Message) { m.ID = evil + "@b" }, "From": func(m *Message) { m.From = evil + " <a@b.example>" },
			"From address": func(m *Message) { m.From = evil + "@b.example" }, "ReplyTo": func(m *Message) { m.ReplyTo = evil + " <a@b.example>" },
			"To": func(m *Message) { m.To = evil + "@b.example" }, "ToName": func(m *Message) { m.ToName = evil },
			"Subject": func(m *Message) { m.Subject = evil }, "Language": func(m *Message) { m.Language = evil },
			"ContentID": func(m *Message) { m.Pictures[0].ContentID = evil + "@b" }, "picture": func(m *Message) { m.Pictures[0].ContentType = "image/" + evil },
			"Name": func(m *Message) { m.Attachments[0].Name = evil }, "ContentType": func(m *Message) { m.Attachments[0].ContentType = evil },
		} {
			m := bill()
			set(&m)
			e, err := Compose(m)
			if err == nil {
				t.Errorf("%s %q was composed:\n%s", field, evil, e.Data)
			} else if kind := KindOf(err); kind != NotSent && kind != Refused || strings.Contains(err.Error(), "evil") {
				t.Errorf("%s %q: kind %v, %v", field, evil, kind, err)
			}
		}
	}
}

func TestAddressesBeyondASCIIAreRefused(t *testing.T) {
	m := bill()
	m.To = "たろう@example.com"
	_, err := Compose(m)
	if KindOf(err) != Refused || strings.Contains(err.Error(), "たろう") {
		t.Errorf("%v %v", KindOf(err), err)
	}
	m = bill()
	m.From = "さくら@example.com"
	if _, err := Compose(m); KindOf(err) != NotSent {
		t.Errorf("%v %v", KindOf(err), err)
	}
}

func TestMessageID(t *testing.T) {
	id := MessageID("acct/test/請求-1", 1, "さくら商店 <billing@Sakura.Example>")
	if id != MessageID("acct/test/請求-1", 1, "other@sakura.example") {
		t.Error("not a function of key, attempt and domain")
	}
	if id == MessageID("acct/test/請求-1", 2, "billing@sakura.example") || id == MessageID("acct/test/請求-2", 1, "billing@sakura.example") {
		t.Error("two mails share an id")
	}
	if !messageID.MatchString(id) || !strings.HasSuffix(id, "@sakura.example") {
		t.Errorf("%s is no message id of the sender", id)
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("山田 太郎", "【さくら】ご案内", "本文\n", "<p>本文</p>", "案内_1.pdf", []byte("%PDF"))
	f.Add("a  b", " =?utf-8?b?44GC?= ", "a\r\nb\rc\n.\n", "", "x", []byte{})
	f.Add(`"q" <x@y>`, strings.Repeat("long ", 300), "\x00", "--", `'";*%`, []byte("\r\n.\r\n"))
	f.Add("トム, (株)", "\t", "=", "&", "𠮷.pdf", []byte{0})
	f.Fuzz(func(t *testing.T, name, subject, text, html, file string, data []byte) {
		m := bill()
		m.ToName, m.Subject, m.Text, m.HTML, m.Pictures = name, subject, text, html, nil
		m.Attachments = []Attachment{{Name: file, ContentType: "application/pdf", Data: data}}
		e, err := Compose(m)
		if err != nil {
			return // what can't be written is refused as a whole
		}
		checkLines(t, e.Data)
		checkEncoding(t, e.Data)
		got := parse(t, e.Data)
		if s, err := got.header.Subject(); err != nil || s != subject {
			t.Errorf("subject %q came out as %q, %v", subject, s, err)
		}
		if list, err := got.header.AddressList("To"); err != nil || len(list) != 1 || list[0].Name != name || list[0].Address != m.To {
			t.Errorf("to %q came out as %v, %v", name, list, err)
		}
		if got.text != withCRLF(text) || got.html != withCRLF(html) {
			t.Errorf("text %q and HTML %q came out as %q and %q", text, html, got.text, got.html)
		}
		if len(got.attachments) != 1 || got.attachments[0].Name != file || !bytes.Equal(got.attachments[0].Data, data) {
			t.Errorf("attachment %q came out as %v", file, got.attachments)
		}
	})
}

// Pictures are related to text and HTML, whether files come with them or not.
func TestPicturesNameTheirRoot(t *testing.T) {
	m := bill()
	m.Attachments = nil
	data := composed(t, m).Data
	entity, err := gomessage.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if kind, parameters, err := entity.Header.ContentType(); err != nil || kind != "multipart/related" || parameters["type"] != "multipart/alternative" {
		t.Errorf("%s %v, %v", kind, parameters, err)
	}
	if want := "multipart/related multipart/alternative text/plain text/html image/png"; strings.Join(parse(t, data).types, " ") != want {
		t.Errorf("parts %v, want %s", parse(t, data).types, want)
	}
}

// A picture that nothing shows, or that another one hides, is a mistake.
func TestPicturesMustBeShown(t *testing.T) {
	for about, spoil := range map[string]func(*Message){
		"no HTML":          func(m *Message) { m.HTML = "" },
		"no Content-ID":    func(m *Message) { m.Pictures[0].ContentID = "" },
		"the same twice":   func(m *Message) { m.Pictures = append(m.Pictures, m.Pictures[0]) },
		"not a picture":    func(m *Message) { m.Pictures[0].ContentType = "text/html" },
		"with angle marks": func(m *Message) { m.Pictures[0].ContentID = "<qr@konbill>" },
	} {
		m := bill()
		spoil(&m)
		if _, err := Compose(m); KindOf(err) != NotSent {
			t.Errorf("%s: %v", about, err)
		}
	}
}

// TestTextAlone: what has no HTML isn't wrapped into alternatives.
func TestTextAlone(t *testing.T) {
	m := bill()
	m.HTML, m.Pictures = "", nil
	got := parse(t, composed(t, m).Data)
	if want := "multipart/mixed text/plain application/pdf"; strings.Join(got.types, " ") != want || got.text != withCRLF(m.Text) {
		t.Errorf("parts %v, want %s; text %q", got.types, want, got.text)
	}
	m.Attachments = nil
	if got = parse(t, composed(t, m).Data); strings.Join(got.types, " ") != "text/plain" {
		t.Errorf("parts %v", got.types)
	}
}
