package batch_test

import (
	"bytes"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gomessage "github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"konbill/batch/omise/omisetest"
	"konbill/mailer"
	"konbill/mailer/mailertest"
	"konbill/samples"
	"konbill/samples/peertest"
)

// TestEndToEnd runs the sample file against the practice API and a mail server
// with STARTTLS and a login, and has others read what the customers got: the
// MIME parts, the text of the PDF, and its QR code, all agree with the charge
// that the API has.
func TestEndToEnd(t *testing.T) {
	s := newShop(t)
	s.speakTLS()
	sample, err := samples.Files.ReadFile("invoices.csv")
	s.must(err)
	path := filepath.Join(s.dir, "invoices.csv")
	s.must(os.WriteFile(path, sample, 0o600))
	report := s.run(path)
	charges := s.api.Charges()
	mails := s.mail.Messages()
	if len(charges) != 12 || len(mails) != 12 || report.NeedsPerson != 2 {
		t.Fatalf("%d charges, %d mails, %d rows for a person", len(charges), len(mails), report.NeedsPerson)
	}
	for _, charge := range charges {
		number := charge.Metadata["invoice_no"]
		t.Run(number, func(t *testing.T) {
			i := slices.IndexFunc(mails, func(m mailertest.Message) bool { return m.To == charge.Email })
			if i < 0 {
				t.Fatalf("no mail to the payer of %s", charge.ID)
			}
			mail := readMail(t, mails[i].Data)
			yen := charge.Amount.String()
			for part, text := range map[string]string{
				"text": mail.text, "HTML": mail.html, "PDF": pdfText(t, mail.pdf),
			} {
				for _, fact := range []string{number, yen, charge.PaymentCode, charge.AuthorizeURI, "さくら商店"} {
					if !strings.Contains(withoutSpace(text), withoutSpace(fact)) {
						t.Errorf("the %s lacks %q", part, fact)
					}
				}
			}
			if !strings.Contains(mail.subject, number) || !strings.Contains(mail.subject, "さくら商店") {
				t.Errorf("subject %q", mail.subject)
			}
			if !strings.HasSuffix(mail.file, number+".pdf") {
				t.Errorf("the attachment is called %q", mail.file)
			}
			stored, err := os.ReadFile(filepath.Join(report.Dir, "slips", number+".pdf"))
			if err != nil || !bytes.Equal(stored, mail.pdf) {
				t.Errorf("the slip in the results is another than the one mailed (%v)", err)
			}
			readCode(t, mail.pdf, charge)
			if !strings.Contains(mail.html, `src="cid:`+mail.pictureID+`"`) {
				t.Errorf("the HTML doesn't show the picture %q", mail.pictureID)
			}
			shown := onDisk(t, "code.png", mail.picture)
			if got := strings.TrimSpace(string(peertest.Run(t, "zbarimg", "--quiet", "--nodbus", "--raw", shown))); got != charge.AuthorizeURI {
				t.Errorf("zbarimg reads %q from the mail's own code", got)
			}
		})
	}
}

// speakTLS replaces the mail server by one that wants STARTTLS and a login.
func (s *shop) speakTLS() {
	s.Helper()
	var err error
	s.mail, err = mailertest.Start(mailertest.Options{TLS: "starttls", Username: "shop", Password: "secret"})
	s.must(err)
	s.Cleanup(func() { s.mail.Close() })
	post, err := mailer.NewSMTP(mailer.SMTPConfig{
		Host: s.mail.Host(), Port: s.mail.Port(), TLS: "starttls", RootCAs: s.mail.RootCAs(),
		Username: "shop", Password: "secret", Connections: 2,
	})
	s.must(err)
	s.Cleanup(func() { post.Close() })
	s.runner.Mailer = post
}

// readerMail is a mail as a reader that isn't ours sees it.
type readerMail struct {
	subject, text, html, file string
	pdf                       []byte
	pictureID                 string
	picture                   []byte
}

func readMail(t *testing.T, data []byte) readerMail {
	t.Helper()
	entity, err := gomessage.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	header := gomail.Header{Header: entity.Header}
	var mail readerMail
	if mail.subject, err = header.Subject(); err != nil {
		t.Fatal(err)
	}
	if sent := header.Get("Auto-Submitted"); sent != "auto-generated" {
		t.Errorf("Auto-Submitted: %q", sent)
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
			mail.text = string(body)
		case "text/html":
			mail.html = string(body)
		case "image/png":
			mail.picture, mail.pictureID = body, strings.Trim(part.Header.Get("Content-ID"), "<>")
		case "application/pdf":
			mail.pdf = body
			attachment := gomail.AttachmentHeader{Header: part.Header}
			mail.file, err = attachment.Filename()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return mail
}

// onDisk writes a file for the programs of others to read.
func onDisk(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pdfText is what a PDF reader makes of a slip.
func pdfText(t *testing.T, pdf []byte) string {
	t.Helper()
	path := onDisk(t, "slip.pdf", pdf)
	return string(peertest.Run(t, "pdftotext", "-layout", path, "-"))
}

// readCode reads the QR code of a printed slip twice, with different readers.
func readCode(t *testing.T, pdf []byte, charge omisetest.Charge) {
	t.Helper()
	path := onDisk(t, "slip.pdf", pdf)
	picture := rendered(t, path, 150)
	if got := strings.TrimSpace(string(peertest.Run(t, "zbarimg", "--quiet", "--nodbus", "--raw", picture))); got != charge.AuthorizeURI {
		t.Errorf("zbarimg reads %q", got)
	}
	// gozxing takes one look at a whole page and now and then misses the code
	// in it; like a phone, it may look again.
	var err error
	for _, dpi := range []int{150, 200, 300, 240, 400} {
		var code *gozxing.Result
		if code, err = look(t, rendered(t, path, dpi)); err == nil {
			if code.GetText() != charge.AuthorizeURI {
				t.Errorf("gozxing reads %q", code.GetText())
			}
			return
		}
	}
	t.Errorf("gozxing: %v", err)
}

// rendered is a slip as a picture.
func rendered(t *testing.T, pdf string, dpi int) string {
	t.Helper()
	picture := filepath.Join(filepath.Dir(pdf), fmt.Sprint(dpi))
	peertest.Run(t, "pdftoppm", "-png", "-r", fmt.Sprint(dpi), "-singlefile", pdf, picture)
	return picture + ".png"
}

// look reads a code with gozxing.
func look(t *testing.T, picture string) (*gozxing.Result, error) {
	t.Helper()
	f, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(page)
	if err != nil {
		t.Fatal(err)
	}
	return qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
}

// withoutSpace lets texts be compared whatever their line breaks.
func withoutSpace(s string) string { return strings.Join(strings.Fields(s), "") }
