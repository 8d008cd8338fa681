package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	gomessage "github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"golang.org/x/text/unicode/norm"

	"konbill/samples/peertest"
)

// attacks are texts that some reader of what we write could take for more than
// text.
var attacks = []string{
	// Mail headers, and a mail's end.
	"山田\r\nBcc: evil@example.com", "山田\nBcc: evil@example.com\n\nevil", "山田\rBcc: evil@example.com", "山田\r\n.\r\nMAIL FROM:<evil@example.com>",
	"山田>, <evil@example.com", "=?utf-8?q?evil?=",
	// Formulas, narrow and wide.
	`=HYPERLINK("http://evil.example","evil")`, "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1",
	"＝1+1", "＋1+1", "－2+3", "＠SUM(1)", "'=1+1",
	// HTML and scripts.
	"<script>evil()</script>", `"><img src=x onerror=evil()>`, `<a href="https://evil.example/">evil</a>`, "</title></style><b>evil", "&lt;b&gt;evil",
	// Templates and formats.
	"{{.Merchant}}", `{{printf "%s" .Link}}`, "%s%d%n%!v(evil)", "$(evil)", "`evil`", "${evil}", "%[1]s%[3]s",
	// PDF operators and objects.
	") Tj ET Q BT /F1 99 Tf (evil", "<< /S /JavaScript /JS (evil) >>", "endstream endobj 9 0 obj", `\) Tj \(`,
	// Terminals and logs.
	"\x1b[2J\x1b[31mevil", "\u009b31mevil", "\x07evil\x08\x7f", "evil\nERROR evil", "\u202Elive\u2066", "evil\u2028ERROR evil", "\x1b]0;evil\x07",
	// Addresses and forms.
	"https://evil.example/pay", "javascript:evil()", "x&amount=200&metadata[konbill_key]=evil", `x","result":"evil`, "x;y,z",
}

// addressOfAttack is a customer's only where it stands in the e-mail column, as
// in "name <address>".
const addressOfAttack = "evil@example.com"

// attacked is a row with an attack in one of its columns.
type attacked struct {
	line   int
	number string
	column int
	attack string
	raw    string // as the file has it
}

var attackedColumns = []string{
	"invoice_no", "name", "email", "phone", "amount", "due", "description", "language", "tax_rate", "tax", "備考",
}

// attackedFile puts every attack into every column, a row each. Row 1 is an
// ordinary one, to compare with.
func attackedFile() (text string, rows []attacked) {
	text = strings.Join(attackedColumns, ",") + "\r\n"
	line := 2
	add := func(column int, attack string) {
		row := attacked{line: line, number: fmt.Sprintf("N-%d", len(rows)+1), column: column, attack: attack}
		cells := []string{row.number, "山田太郎", "taro@example.jp", "09011112222", "3000", "", "品代", "", "10", "272", "メモ"}
		if column == 0 {
			cells[0] = fmt.Sprintf("%s %d", attack, len(rows)+1) // a number of its own
			row.attack = cells[0]
		} else if column > 0 {
			cells[column] = attack
		}
		for i, cell := range cells {
			cells[i] = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		row.raw = strings.Join(cells, ",") + "\r\n"
		text += row.raw
		rows = append(rows, row)
		lineEnds := strings.Count(strings.ReplaceAll(row.raw, "\r\n", "\n"), "\n") + strings.Count(strings.ReplaceAll(row.raw, "\r\n", ""), "\r")
		line += lineEnds
	}
	add(-1, "")
	for column := range attackedColumns {
		for _, attack := range attacks {
			add(column, attack)
		}
	}
	return text, rows
}

// TestNoColumnCarriesMoreThanText runs every attack through every column, and
// looks at everything that people, mail servers, spreadsheets, browsers, PDF
// readers and terminals are given.
func TestNoColumnCarriesMoreThanText(t *testing.T) {
	s := newShop(t, "KONBILL_OMISE__REQUESTS_PER_SECOND=100", "KONBILL_MERCHANT__EMAIL=billing@sakura.example")
	text, rows := attackedFile()
	s.must(os.WriteFile(filepath.Join(s.dir, "file.csv"), []byte(text), 0o600))
	s.checkTerminal(exitNeedsPerson, "check", "file.csv")
	s.checkTerminal(exitNeedsPerson, "--lang", "en", "check", "file.csv")
	s.checkTerminal(exitNeedsPerson, "check", "--json", "file.csv")
	s.checkTerminal(exitNeedsPerson, "run", "file.csv")
	s.checkTerminal(exitNeedsPerson, "run", "--json", "file.csv")
	s.checkTerminal(exitDone, "status")
	s.checkTerminal(exitDone, "status", "--json")

	results := s.results("file.csv")
	if len(results) != len(rows) {
		t.Fatalf("%d results of %d rows", len(results), len(rows))
	}
	for i, result := range results {
		rows[i].number = result["invoice_no"]
	}
	s.checkAccepted(rows, results)
	s.checkStatusOf(results)
	s.checkCells(rows)
	s.checkErrorsFile(text, rows, results)
	s.checkReceipt()
	s.checkCharges()
	s.checkLetters(results)
	s.checkSlips(rows, results)
}

// checkAccepted: the attacks must get through wherever text is allowed, or
// nothing behind would have been tried.
func (s *shop) checkAccepted(rows []attacked, results []map[string]string) {
	issued := map[string]int{}
	for i, row := range rows {
		if row.column >= 0 && results[i]["slip"] != "" {
			issued[attackedColumns[row.column]]++
		}
	}
	for _, column := range []string{"invoice_no", "name", "description", "language", "備考"} {
		if issued[column] < len(attacks)*3/4 {
			s.Errorf("only %d of %d rows with an attack in %s were issued", issued[column], len(attacks), column)
		}
	}
}

// checkTerminal runs konbill and looks for what a terminal would obey, and for
// lines that it never wrote.
func (s *shop) checkTerminal(code int, args ...string) {
	s.Helper()
	p := s.start(nil, args...)
	if got := s.end(p); got != code {
		s.Errorf("konbill %q exits with %d, want %d\n%s", args, got, code, p.stderr)
	}
	for stream, said := range map[string]string{"stdout": p.stdout.String(), "stderr": p.stderr.String()} {
		if !utf8.ValidString(said) {
			s.Errorf("konbill %q: %s is not UTF-8", args, stream)
		}
		for line := range strings.SplitSeq(said, "\n") {
			if i := strings.IndexFunc(line, isActive); i >= 0 {
				s.Errorf("konbill %q: %s has a character that a terminal obeys: %q", args, stream, line)
			}
			for _, begin := range []string{"ERROR", "Bcc", "evil", ".", "MAIL FROM"} {
				if strings.HasPrefix(line, begin) {
					s.Errorf("konbill %q: the file wrote a line of %s: %q", args, stream, line)
				}
			}
		}
	}
	if slices.Contains(args, "--json") && !json.Valid([]byte(p.stdout.String())) {
		s.Errorf("konbill %q: not JSON", args)
	}
}

// isActive reports what a terminal or an editor obeys in place of showing it:
// controls, C1 controls among them, marks of direction, other line ends.
func isActive(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

func (s *shop) checkStatusOf(results []map[string]string) {
	args := []string{"status"}
	for _, r := range results {
		if r["slip"] != "" {
			args = append(args, strings.TrimPrefix(asShown(r["invoice_no"]), "'"))
		}
	}
	p := s.start(nil, args...)
	s.end(p)
	for line := range strings.SplitSeq(p.stdout.String(), "\n") {
		if strings.ContainsFunc(line, isActive) {
			s.Errorf("status: %q", line)
		}
	}
}

// asShown is a text as we show it: without what can't be seen.
func asShown(text string) string {
	visible := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case isActive(r) || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(visible)
}

// checkCells: no cell of the results begins like a formula, and taking the '
// away gives back what the file had.
func (s *shop) checkCells(rows []attacked) {
	data, err := os.ReadFile(filepath.Join(s.dir, "file-results", "file.results.csv"))
	s.must(err)
	// encoding/csv makes \n of \r\n inside quotes; keep them apart from it.
	const carriageReturn = "\uE000"
	text := strings.ReplaceAll(strings.TrimPrefix(string(data), "\uFEFF"), "\r", carriageReturn)
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	s.must(err)
	for i, line := range lines {
		for j, cell := range line {
			cell = strings.ReplaceAll(cell, carriageReturn, "\r")
			if first, _ := utf8.DecodeRuneInString(cell); cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) && cell != "\r" {
				s.Errorf("row %d, column %d of the results is a formula to a spreadsheet: %q", i, j, cell)
			}
			if i == 0 || j >= len(attackedColumns) || rows[i-1].column != j {
				continue
			}
			if back := strings.TrimPrefix(cell, "'"); back != rows[i-1].attack && cell != rows[i-1].attack {
				s.Errorf("row %d: the results have %q, the file had %q", i, cell, rows[i-1].attack)
			}
		}
	}
}

// checkErrorsFile: rejected rows come back as the bytes they were, and nothing
// else does.
func (s *shop) checkErrorsFile(text string, rows []attacked, results []map[string]string) {
	want := text[:strings.Index(text, "\r\n")+2]
	for i, row := range rows {
		if results[i]["result"] == "rejected" {
			want += row.raw
		}
	}
	got, err := os.ReadFile(filepath.Join(s.dir, "file-results", "file.errors.csv"))
	s.must(err)
	if string(got) != want {
		s.Errorf("the errors file has %d bytes, the rejected rows have %d\n%.2000q", len(got), len(want), got)
	}
}

func (s *shop) checkReceipt() {
	data, err := os.ReadFile(filepath.Join(s.dir, "file-results", "receipt.json"))
	s.must(err)
	if !json.Valid(data) || strings.Contains(string(data), "evil") {
		s.Errorf("receipt.json: %s", data)
	}
}

// checkCharges: the API is asked for what the columns say, whatever they hold.
func (s *shop) checkCharges() {
	var keys []string
	for _, c := range s.api.Charges() {
		if c.Amount != 3000 || c.Email != "taro@example.jp" && c.Email != addressOfAttack || len(c.Phone) != 11 {
			s.Errorf("a charge of %d for %s, %s", c.Amount, c.Email, c.Phone)
		}
		if keys == nil {
			for key := range c.Metadata {
				keys = append(keys, key)
			}
		}
		for key := range c.Metadata {
			if !slices.Contains(keys, key) || len(c.Metadata) != len(keys) {
				s.Errorf("metadata of a charge: %q", c.Metadata)
			}
		}
	}
}

// readMail is a mail as another reader takes it apart.
type readMail struct {
	headers    map[string][]string
	to         []*gomail.Address
	text, html string
	slip       []byte
	pictures   map[string][]byte // by what shows them in HTML, such as cid:code@konbill
}

func readLetter(t *testing.T, data []byte) readMail {
	t.Helper()
	entity, err := gomessage.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("another reader can't read a mail: %v\n%s", err, data)
	}
	l := readMail{headers: map[string][]string{}, pictures: map[string][]byte{}}
	for fields := entity.Header.Fields(); fields.Next(); {
		l.headers[fields.Key()] = append(l.headers[fields.Key()], fields.Value())
	}
	if l.to, err = (&gomail.Header{Header: entity.Header}).AddressList("To"); err != nil {
		t.Fatalf("To: %v", err)
	}
	err = entity.Walk(func(_ []int, part *gomessage.Entity, err error) error {
		if err != nil {
			return err
		}
		kind, _, err := part.Header.ContentType()
		if err != nil || strings.HasPrefix(kind, "multipart/") {
			return err
		}
		body, err := io.ReadAll(part.Body)
		switch kind {
		case "text/plain":
			l.text += string(body)
		case "text/html":
			l.html += string(body)
		case "application/pdf":
			l.slip = append(l.slip, body...)
		case "image/png":
			l.pictures["cid:"+strings.Trim(part.Header.Get("Content-ID"), "<>")] = body
		default:
			t.Errorf("a mail has a part of type %s", kind)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// checkLetters compares every mail with the ordinary row's: the same headers,
// the same elements of HTML, the same number of lines, one link.
func (s *shop) checkLetters(results []map[string]string) {
	links := map[string]bool{}
	mailed, strangers, addressed := 0, 0, 0
	for _, r := range results {
		if r["mail"] == "mailed" {
			mailed++
			if strings.Contains(r["email"], addressOfAttack) {
				addressed++
			}
			links[r["authorize_uri"]] = true
		}
	}
	messages := s.mail.Messages()
	if len(messages) != mailed {
		s.Errorf("%d mails of %d rows mailed", len(messages), mailed)
	}
	var plain *readMail
	for _, m := range messages {
		l := readLetter(s.T, m.Data)
		if len(l.to) != 1 || l.to[0].Address != m.To || m.To != "taro@example.jp" && m.To != addressOfAttack {
			s.Errorf("a mail is to %v, delivered to %s", l.to, m.To)
		}
		if m.To == addressOfAttack {
			strangers++
		}
		if strings.Contains(l.text, "品代") && strings.Contains(l.text, "山田太郎 様") && strings.Contains(l.text, "N-1\r\n") {
			plain = &l
		}
	}
	if strangers != addressed {
		s.Errorf("%d mails to a stranger, whose address stands in %d rows as theirs", strangers, addressed)
	}
	if plain == nil {
		s.Fatal("the ordinary row's mail is missing")
	}
	elements, _ := skeleton(s.T, plain.html)
	for _, m := range messages {
		l := readLetter(s.T, m.Data)
		if len(l.headers) != len(plain.headers) {
			s.Errorf("headers %q", l.headers)
		}
		for name, values := range l.headers {
			if len(values) != 1 || plain.headers[name] == nil || strings.ContainsFunc(values[0], unicode.IsControl) {
				s.Errorf("header %s: %q", name, values)
			}
		}
		mine, addresses := skeleton(s.T, l.html)
		// A row may have no description: one paragraph fewer.
		if mine != elements && mine != strings.Replace(elements, "p[style] span[class style] br[] p[style] span[class style] br[] ", "p[style] span[class style] br[] ", 1) {
			s.Errorf("the HTML has other elements\n%s\nthan an ordinary mail\n%s\n%s", mine, elements, l.html)
		}
		for _, address := range addresses {
			if !links[address] && l.pictures[address] == nil {
				s.Errorf("the HTML leads to %s", address)
			}
		}
		s.checkPictures(l, links)
		if a, b := strings.Count(l.text, "\n"), strings.Count(plain.text, "\n"); a != b && a != b-1 {
			s.Errorf("the text has %d lines, an ordinary one %d:\n%s", a, b, l.text)
		}
		if strings.ContainsFunc(strings.NewReplacer("\r\n", "", "\n", "").Replace(l.text+l.html), isActive) {
			s.Errorf("a mail has control characters: %q", l.text)
		}
	}
	s.checkWords(messagesText(s.T, s))
}

// checkPictures: a mail has one, which its HTML shows, and which leads a phone to
// where the link leads everybody.
func (s *shop) checkPictures(l readMail, links map[string]bool) {
	if len(l.pictures) != 1 {
		s.Errorf("a mail has %d pictures", len(l.pictures))
	}
	for shown, data := range l.pictures {
		picture, err := png.Decode(bytes.NewReader(data))
		s.must(err)
		bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
		s.must(err)
		code, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
		s.must(err)
		if !links[code.GetText()] || !strings.Contains(l.text, "\n"+code.GetText()+"\r\n") || !strings.Contains(l.html, `src="`+shown+`"`) {
			s.Errorf("the picture %s leads to %s", shown, code.GetText())
		}
	}
}

func messagesText(t *testing.T, s *shop) string {
	var all strings.Builder
	for _, m := range s.mail.Messages() {
		all.WriteString(readLetter(t, m.Data).text)
	}
	return all.String()
}

// checkWords: what looks like a template's action or a format is a word like
// any other.
func (s *shop) checkWords(text string) {
	for _, word := range []string{"{{.Merchant}}", `{{printf "%s" .Link}}`, "%s%d%n%!v(evil)", "%[1]s%[3]s", "<script>evil()</script>", "${evil}"} {
		if !strings.Contains(text, word) {
			s.Errorf("no mail shows %q as it was written", word)
		}
	}
	for _, sign := range []string{"%!s(", "%!d(", "(MISSING)", "(EXTRA", "BADINDEX", "<no value>"} {
		if strings.Contains(text, sign) {
			s.Errorf("a mail was formatted by its own words: %q", sign)
		}
	}
}

// skeleton lists the elements of an HTML page with the names of their
// attributes, and all addresses it names. encoding/xml reads HTML as html/template
// writes it, and stops where a browser would have to guess.
func skeleton(t *testing.T, page string) (elements string, addresses []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var names strings.Builder
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			return names.String(), addresses
		}
		if err != nil {
			t.Errorf("the HTML can't be read: %v\n%s", err, page)
			return names.String(), addresses
		}
		switch token := token.(type) {
		case xml.StartElement:
			var attributes []string
			for _, a := range token.Attr {
				attributes = append(attributes, a.Name.Local)
				if name := strings.ToLower(a.Name.Local); name == "href" || name == "src" || name == "action" {
					addresses = append(addresses, a.Value)
				}
			}
			names.WriteString(token.Name.Local + "[" + strings.Join(attributes, " ") + "] ")
		case xml.Comment, xml.ProcInst:
			t.Errorf("the HTML has %T", token)
		}
	}
}

// activePDF are the keys by which a PDF does something by itself.
var activePDF = regexp.MustCompile(`/(?:JavaScript|JS|OpenAction|AA|Launch|EmbeddedFile|SubmitForm|GoToR|RichMedia|AcroForm)\b`)

// uriOfPDF is a link of a PDF as gofpdf writes it.
var uriOfPDF = regexp.MustCompile(`/URI \(([^)]*)\)`)

// checkSlips: every slip is a valid page that does nothing, leads nowhere but to
// the payment, and shows the attack as text.
func (s *shop) checkSlips(rows []attacked, results []map[string]string) {
	api.DisableConfigDir()
	for i, r := range results {
		if r["slip"] == "" {
			continue
		}
		file := filepath.Join(s.dir, "file-results", filepath.FromSlash(r["slip"]))
		pdf, err := os.ReadFile(file)
		s.must(err)
		if err := api.Validate(bytes.NewReader(pdf), nil); err != nil {
			s.Errorf("%q: %v", rows[i].attack, err)
		}
		if pages, err := api.PageCount(bytes.NewReader(pdf), nil); err != nil || pages != 1 {
			s.Errorf("%q: %d pages, %v", rows[i].attack, pages, err)
		}
		plain := streams.ReplaceAll(pdf, nil)
		if found := activePDF.Find(withoutStrings(plain)); found != nil {
			s.Errorf("%q: the slip has %s", rows[i].attack, found)
		}
		for _, uri := range uriOfPDF.FindAllSubmatch(plain, -1) {
			if string(uri[1]) != r["authorize_uri"] {
				s.Errorf("%q: the slip leads to %s", rows[i].attack, uri[1])
			}
		}
	}
	s.Run("read by poppler", func(t *testing.T) {
		for i, r := range results {
			row := rows[i]
			shown := row.column >= 0 && slices.Contains([]string{"invoice_no", "name", "description"}, attackedColumns[row.column])
			if r["slip"] == "" || !shown {
				continue
			}
			file := filepath.Join(s.dir, "file-results", filepath.FromSlash(r["slip"]))
			text := string(peertest.Run(t, "pdftotext", "-raw", file, "-"))
			if want := withoutSpaces(asShown(row.attack)); !strings.Contains(withoutSpaces(text), want) {
				t.Errorf("%q in %s isn't on the slip as text:\n%s", row.attack, attackedColumns[row.column], text)
			}
		}
	})
}

// streams are the compressed parts of a PDF.
var streams = regexp.MustCompile(`(?s)stream\r?\n.*?endstream`)

// withoutStrings takes the text strings out of a PDF's objects: a title may
// well say /JavaScript.
func withoutStrings(pdf []byte) []byte {
	var out []byte
	depth := 0
	for i := 0; i < len(pdf); i++ {
		switch c := pdf[i]; {
		case depth > 0 && c == '\\':
			i++
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			out = append(out, c)
		}
	}
	return out
}

func withoutSpaces(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}

// TestEmailsAreOnlyAddresses: characters that are formulas, shell words or HTML
// elsewhere may stand in an address.
func TestEmailsAreOnlyAddresses(t *testing.T) {
	s := newShop(t)
	emails := []string{"=1+1=1@example.jp", "-2+3=1@example.jp", "+x=1@example.jp", "{{.}}=1@example.jp", "a&b`$%s|'=1@example.jp", "/../../x=1@example.jp"}
	text := "invoice_no,name,email,phone,amount\n"
	for i, email := range emails {
		text += fmt.Sprintf("E-%d,山田太郎,\"%s\",09011112222,3000\n", i, email)
	}
	s.must(os.WriteFile(filepath.Join(s.dir, "a.csv"), []byte(text), 0o600))
	p := s.start([]string{"KONBILL_SMTP__MODE=smtp"}, "run", "a.csv")
	s.end(p)
	var got []string
	for _, m := range s.mail.Messages() {
		got = append(got, m.To)
		if l := readLetter(t, m.Data); len(l.to) != 1 || l.to[0].Address != m.To {
			t.Errorf("to %v, delivered to %s", l.to, m.To)
		}
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(emails))
	for _, r := range s.results("a.csv") {
		if r["result"] != "issued" {
			want = slices.DeleteFunc(want, func(email string) bool { return "'"+email == r["email"] || email == r["email"] })
		}
	}
	if len(want) < 4 || !slices.Equal(got, want) {
		t.Errorf("mails to %q, want %q\n%s", got, want, p.stdout)
	}
}

// TestHeadersOfFilesAreOnlyText: the first line is as much a stranger's text as
// the others.
func TestHeadersOfFilesAreOnlyText(t *testing.T) {
	s := newShop(t)
	columns := "invoice_no,name,email,phone,amount"
	hostile := "\"\x1b[31mevil\nERROR evil\u009b\u202E\u2028\""
	row := "\nA-1,山田太郎,taro@example.jp,09011112222,30,x,y\n"
	for name, text := range map[string]string{
		"unknown.csv":   columns + "," + hostile + ",=evil" + row,
		"missing.csv":   "invoice_no,name,email,phone," + hostile + ",x,y" + row,
		"duplicate.csv": columns + "," + hostile + "," + hostile + row,
		"alias.csv":     "invoice_no,name,email,phone,\"a\x1bm\no\u202Eunt\",x,y" + row,
		"known.csv":     "invoice_no,\"na\u202Eme\",email,\"\u200Bphone\",\"amount\u2066\",x,y" + row,
	} {
		s.must(os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
		for _, args := range [][]string{{"check", name}, {"--lang", "en", "check", name}, {"check", "--json", name}, {"run", name}} {
			p := s.start(nil, args...)
			code := s.end(p)
			if code != exitNeedsPerson && code != exitFailed {
				t.Errorf("konbill %q exits with %d", args, code)
			}
			for line := range strings.SplitSeq(p.stdout.String()+p.stderr.String(), "\n") {
				if strings.ContainsFunc(line, isActive) || strings.HasPrefix(line, "ERROR") {
					t.Errorf("konbill %q says %q", args, line)
				}
			}
		}
	}
	header, _, _ := strings.Cut(readText(s, "unknown-results/unknown.results.csv"), "result,")
	if !strings.Contains(header, ",'=evil,") {
		t.Errorf("the header of the results is a formula: %q", header)
	}
}

func readText(s *shop, name string) string {
	s.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(name)))
	s.must(err)
	return string(data)
}

// digestInName is what a slip's name gets when its number alone can't be it.
func digestInName(number string) string {
	sum := sha256.Sum256([]byte(number))
	return hex.EncodeToString(sum[:4])
}

// hostileNumbers are numbers that would be other places as file names, or each
// other's.
var hostileNumbers = []string{
	"a_b-" + digestInName("a/b"), // before the number whose name it would be
	"../../x", `..\..\x`, "/etc/x", `\\server\share\x`, "C:x", `C:\x`, "C:/x", "x:stream", "..", ".", "...", "./x", "a/b", "a?b", "a*b", "a|b",
	"CON", "con", "Con.txt", "nul.txt", "NUL", "aux.", "COM1", "lpt9.pdf", "CON .txt", "PRN..", "CONIN$", "COM¹",
	"x.", "x .", ".x", "~", "-rf", "$HOME", "%2e%2e%2fx", "%APPDATA%", "a b", "a\u3000b", "a\tb",
	"．．／x", "‥/x", "∕etc∕x", "⁄x", "＼x", "ａ／ｂ", "Ｃ：x",
	"abc\u202Efdp.exe", "\u200Fabd", "ab\u200Bg", "\u2066abe\u2069",
	"case", "CASE", "Case", "straße", "STRASSE", "STRAßE", "STRAẞE", "σ", "ς", "Σ", "ſ", "s", "S", "K", "k", "\u212A", "é", "e\u0301", "É", "ı", "i", "I", "İ",
	"か\u3099", "が", "ｶﾞ", "ガ",
	"_CON", "_con-" + digestInName("con"),
	strings.Repeat("𠮷", 64), strings.Repeat("あ", 64), strings.Repeat("x", 64), strings.Repeat("/", 64), strings.Repeat(".", 64),
}

// TestNumbersDontSteerFiles: whatever the numbers are, nothing is written but
// into the results, the outbox and the ledger, and every issued row has a slip
// of its own, whose name any system takes.
func TestNumbersDontSteerFiles(t *testing.T) {
	s := newShop(t, "KONBILL_OMISE__REQUESTS_PER_SECOND=100", "KONBILL_SMTP__MODE=folder")
	inside := filepath.Join("deep", "er")
	s.must(os.MkdirAll(filepath.Join(s.dir, inside), 0o700))
	text := "invoice_no,name,email,phone,amount\n"
	for _, number := range append(slices.Clone(hostileNumbers), strings.Repeat("y", 300), strings.Repeat("../", 100), strings.Repeat("y", 65)) {
		text += fmt.Sprintf("\"%s\",山田太郎,taro@example.jp,09011112222,3000\n", number)
	}
	file := filepath.Join(inside, "in.csv")
	s.must(os.WriteFile(filepath.Join(s.dir, file), []byte(text), 0o600))
	before := s.files()
	s.konbill(exitNeedsPerson, "run", file)
	s.expectNewOnlyIn(before, path.Join(filepath.ToSlash(inside), "in-results"), "konbill.db", "outbox", ".waited")

	results := (&shop{T: t, dir: filepath.Join(s.dir, inside)}).results("in.csv")
	owners := map[string]string{}
	for i, r := range results {
		if i >= len(hostileNumbers) {
			if r["result"] != "rejected" || r["codes"] != "invoice_no_too_long" {
				t.Errorf("a number of %d characters: %s %s", utf8.RuneCountInString(r["invoice_no"]), r["result"], r["codes"])
			}
			continue
		}
		number := hostileNumbers[i]
		if r["result"] != "issued" {
			if !strings.HasPrefix(r["codes"], "invoice_no_") {
				t.Errorf("%q: %s %s %s", number, r["result"], r["codes"], r["message"])
			}
			continue
		}
		if r["slip"] == "" {
			t.Errorf("%q has no slip: %s", number, r["message"])
			continue
		}
		checkFileName(t, number, r["slip"])
		seen := strings.ToLower(strings.ToUpper(norm.NFC.String(r["slip"])))
		if other, taken := owners[seen]; taken {
			t.Errorf("%q and %q share the slip %s", number, other, r["slip"])
		}
		owners[seen] = number
		if _, err := os.Stat(filepath.Join(s.dir, inside, "in-results", filepath.FromSlash(r["slip"]))); err != nil {
			t.Errorf("%q: %v", number, err)
		}
	}
	if len(owners) < len(hostileNumbers)*3/4 {
		t.Errorf("only %d of %d numbers were issued", len(owners), len(hostileNumbers))
	}
}

// checkFileName holds a slip's path to what Windows, macOS and Linux all take.
func checkFileName(t *testing.T, number, slip string) {
	t.Helper()
	folder, name := path.Split(slip)
	stem, isPDF := strings.CutSuffix(name, ".pdf")
	device, _, _ := strings.Cut(stem, ".")
	switch {
	case folder != "slips/" || !isPDF || stem == "":
		t.Errorf("%q: the slip is %s", number, slip)
	case strings.ContainsAny(name, `<>:"/\|?*$%~`) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		t.Errorf("%q: %q has characters that a file name can't or shouldn't have", number, name)
	case strings.HasPrefix(name, ".") || strings.HasSuffix(stem, ".") || strings.Contains(name, " "):
		t.Errorf("%q: %q is hidden, or loses its end", number, name)
	case windowsDevice.MatchString(device):
		t.Errorf("%q: %q is a device on Windows", number, name)
	case len(name) > 255:
		t.Errorf("%q: %q has %d bytes; most systems take 255", number, name, len(name))
	}
}

var windowsDevice = regexp.MustCompile(`(?i)^(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])$`)

// files lists all files and folders of the shop.
func (s *shop) files() map[string]bool {
	s.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(s.dir, func(file string, _ fs.DirEntry, err error) error {
		name, _ := filepath.Rel(s.dir, file)
		found[filepath.ToSlash(name)] = true
		return err
	})
	s.must(err)
	return found
}

// expectNewOnlyIn fails for every file made since that begins with none of the
// prefixes.
func (s *shop) expectNewOnlyIn(before map[string]bool, prefixes ...string) {
	s.Helper()
	made := 0
	for name := range s.files() {
		if before[name] {
			continue
		}
		made++
		if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			s.Errorf("%s was created", name)
		}
	}
	if made == 0 {
		s.Error("nothing was created at all")
	}
}

// TestFileNamesDontSteerResults: whatever a file is called, its results are
// beside it.
func TestFileNamesDontSteerResults(t *testing.T) {
	s := newShop(t, "KONBILL_SMTP__MODE=off")
	s.must(os.MkdirAll(filepath.Join(s.dir, "in", "elsewhere"), 0o700))
	for i, name := range []string{"..csv", ".csv", "...csv", "-x.csv", "a;b c.csv", "x.results.csv", "日本.CSV", "no-extension", "~.csv", "$HOME.csv", "%s%d.csv", "--out=..csv"} {
		file := filepath.Join("in", name)
		text := fmt.Sprintf("invoice_no,name,email,phone,amount\nF-%d,山田太郎,taro@example.jp,09011112222,3000\n", i)
		s.must(os.WriteFile(filepath.Join(s.dir, file), []byte(text), 0o600))
		results := strings.TrimSuffix(name, filepath.Ext(name)) + "-results"
		before := s.files()
		s.konbill(exitDone, "run", "--", file)
		s.expectNewOnlyIn(before, "in/"+results, "konbill.db", ".waited")
		before = s.files()
		s.konbill(exitDone, "run", "--out", filepath.Join("in", "elsewhere"), "--", file)
		s.expectNewOnlyIn(before, "in/elsewhere/"+results)
		p := s.start(nil, "results", "--", file)
		if s.end(p); strings.Contains(p.stdout.String()+p.stderr.String(), "%!") {
			t.Errorf("%s: %s%s", name, p.stdout, p.stderr)
		}
	}
	for _, place := range []string{"in", "in/..", ".", "/", os.DevNull} {
		before := s.files()
		p := s.start(nil, "run", place)
		if code := s.end(p); code != exitFailed {
			t.Errorf("run %s exits with %d", place, code)
		}
		for name := range s.files() {
			if !before[name] {
				t.Errorf("run %s created %s", place, name)
			}
		}
	}
}

// TestFileNamesAreOnlyText: a file may have been named by a stranger, too.
func TestFileNamesAreOnlyText(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows takes no such names")
	}
	s := newShop(t)
	name := s.file("a\x1b[31m\nERROR evil\u202E\u009b.csv", "A-1")
	headless := "b\x1b[31m\nERROR evil.csv"
	s.must(os.WriteFile(filepath.Join(s.dir, headless), []byte("x,y\n1,2\n"), 0o600))
	for _, args := range [][]string{
		{"check", name}, {"run", name}, {"run", "--json", name}, {"results", name}, {"status"}, {"status", "--json"},
		{"preview", name, "--line", "2"}, {"preview", name, "--line", "7"}, {"check", headless}, {"run", headless}, {"run", name + "x"},
		{"results", headless}, {"status", name}, {"reconcile", name}, {name},
	} {
		p := s.start(nil, args...)
		s.end(p)
		for line := range strings.SplitSeq(p.stdout.String()+p.stderr.String(), "\n") {
			if strings.ContainsFunc(line, isActive) || strings.HasPrefix(line, "ERROR") {
				t.Errorf("konbill %q says %q", args, line)
			}
		}
	}
}
