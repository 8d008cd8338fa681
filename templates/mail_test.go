package templates

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"konbill/invoice"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// bill is a payment as a run mails it.
func bill(language invoice.Language) Instructions {
	i := Instructions{
		Merchant: Merchant{
			Name: "さくら商店", Address: "〒100-0001\n東京都千代田区千代田1-1", Phone: "03-0000-0000", Hours: "平日 10:00〜17:00",
			Email: "billing@sakura.example", RegistrationNumber: "T9234567890123",
		},
		Invoice: invoice.Invoice{
			Number: "INV-1", Name: "山田 太郎", Phone: "09012345678", Amount: 12345, TaxRate: 10, Tax: 1122,
			Description: "12月分 受講料", Language: language,
		},
		PaymentCode: "709590", AuthorizeURI: "https://pay.omise.co/offlines/econtext/instructions/oflp_test_5xsjw8t8y9jw9si8652",
		ExpiresAt: time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC),
	}
	if language == invoice.English {
		i.Merchant.Name, i.Invoice.Name, i.Invoice.Description = "Sakura Store", "Taro Yamada", "Lessons in December"
		i.Merchant.Address, i.Merchant.Hours = "1-1 Chiyoda, Chiyoda-ku\nTokyo 100-0001", "weekdays 10:00–17:00"
	}
	return i
}

func mailOf(t testing.TB, i Instructions) Mail {
	t.Helper()
	m, err := MailOf(i)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMailsAsWritten(t *testing.T) {
	withoutCode, sample, sparse := bill(invoice.Japanese), bill(invoice.Japanese), bill(invoice.English)
	withoutCode.PaymentCode, withoutCode.Invoice.Company, withoutCode.Invoice.Name = "", true, "株式会社山田商会"
	sample.Sample = true
	sparse.Merchant = Merchant{Name: "Sakura Store"}
	sparse.Invoice.Description, sparse.Invoice.Tax, sparse.Invoice.TaxRate = "", 0, 0
	sparse.PaymentCode, sparse.AuthorizeURI, sparse.Sample = "", "http://127.0.0.1:8080/pay/1", true
	mails := map[string]Instructions{
		"ja": bill(invoice.Japanese), "en": bill(invoice.English),
		"ja-without-code": withoutCode, "ja-sample": sample, "en-sparse": sparse,
	}
	for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
		again, reminder, reissued, reissuedAgain := bill(language), bill(language), bill(language), bill(language)
		again.Again, reminder.Reminder, reissued.Reissued = true, true, true
		reissuedAgain.Reissued, reissuedAgain.Again = true, true
		mails[string(language)+"-again"], mails[string(language)+"-reminder"] = again, reminder
		mails[string(language)+"-reissued"], mails[string(language)+"-reissued-again"] = reissued, reissuedAgain
	}
	for name, i := range mails {
		m := mailOf(t, i)
		golden(t, name+".txt.golden", "Subject: "+m.Subject+"\nAttachment: "+m.AttachmentName+"\n\n"+m.Text)
		golden(t, name+".html.golden", m.HTML)
	}
}

func golden(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "mail", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s has changed (go test -update, if that is meant):\n%s", name, got)
	}
}

func TestSubjectsTellWhoWhatAndWhen(t *testing.T) {
	for language, want := range map[invoice.Language]Mail{
		invoice.Japanese: {Subject: "【さくら商店】コンビニお支払いのご案内（INV-1／12月31日まで）", AttachmentName: "お支払いのご案内_INV-1.pdf"},
		invoice.English:  {Subject: "[Sakura Store] How to pay at a convenience store (INV-1, by 31 December)", AttachmentName: "Payment-instructions_INV-1.pdf"},
	} {
		if m := mailOf(t, bill(language)); m.Subject != want.Subject || m.AttachmentName != want.AttachmentName {
			t.Errorf("%s, %s", m.Subject, m.AttachmentName)
		}
	}
}

// The marks in front of a subject, however a mail stands to those before it.
func TestSubjectsAreMarked(t *testing.T) {
	const plain = "【さくら商店】コンビニお支払いのご案内（INV-1／12月31日まで）"
	for marks, set := range map[string]func(*Instructions){
		"":          func(*Instructions) {},
		"【再送】":      func(i *Instructions) { i.Again = true },
		"【再発行】":     func(i *Instructions) { i.Reissued = true },
		"【再送】【再発行】": func(i *Instructions) { i.Again, i.Reissued = true, true },
		"【お支払い期限のお知らせ】":          func(i *Instructions) { i.Reminder, i.Reissued = true, true },
		"【再送】【お支払い期限のお知らせ】":      func(i *Instructions) { i.Reminder, i.Again = true, true },
		"[見本] 【再送】【お支払い期限のお知らせ】": func(i *Instructions) { i.Reminder, i.Again, i.Sample = true, true, true },
	} {
		i := bill(invoice.Japanese)
		set(&i)
		if got := mailOf(t, i).Subject; got != marks+plain {
			t.Errorf("%s, want %s", got, marks+plain)
		}
	}
}

// Whoever is reminded, or has an earlier bill in hand, is told so before the
// bill itself.
func TestWhatCameBeforeIsToldFirst(t *testing.T) {
	for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
		words := bill(language).Texts.wordsIn(language).Mail
		i := bill(language)
		i.Reminder, i.Reissued, i.Again = true, true, true
		m := mailOf(t, i)
		for _, part := range []string{m.Text, m.HTML} {
			top, _, _ := strings.Cut(part, words.Bill)
			for _, told := range []string{fill(words.DueSoon, "merchant", i.Merchant.Name), i.Deadline(), words.SameBill, words.Replaces} {
				if !strings.Contains(top, told) {
					t.Errorf("%s: no %q at the top of\n%s", language, told, part)
				}
			}
			if strings.Contains(part, words.SentBefore) {
				t.Errorf("%s: a reminder says twice that it is no new bill:\n%s", language, part)
			}
		}
	}
}

// Text and HTML say every fact that the slip says.
func TestBothPartsSayEveryFact(t *testing.T) {
	for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
		i := bill(language)
		m, w := mailOf(t, i), i.Wording()
		facts := append([]string{
			i.Merchant.Name, i.Merchant.Phone, i.Merchant.Hours, i.Merchant.Email, i.Merchant.RegistrationNumber, "Chiyoda", "100-0001",
			i.Addressee(), i.Invoice.Number, i.Invoice.Description, i.Amount(), oneLine(i.TaxBlock()), i.PaymentCode, "090-1234-5678", i.Deadline(),
			i.AuthorizeURI, w.NotHere, w.LinkHost, w.QuestionsTo, w.Code, w.Phone, w.Due,
		}, w.Places...)
		if language == invoice.Japanese {
			facts[5] = "東京都千代田区千代田1-1"
		}
		for _, fact := range facts {
			if !strings.Contains(m.Text, fact) || !strings.Contains(m.HTML, fact) {
				t.Errorf("%s: %q in text %v, in HTML %v", language, fact, strings.Contains(m.Text, fact), strings.Contains(m.HTML, fact))
			}
		}
		// What must be copied has a line for itself.
		for _, copied := range []string{i.PaymentCode, "090-1234-5678", i.AuthorizeURI} {
			if !strings.Contains(m.Text, "\n"+copied+"\n") {
				t.Errorf("%s: %s does not stand alone", language, copied)
			}
		}
	}
}

// Nothing in the mail may hang on spaces that mail programs drop.
func TestNoLineEndsInASpace(t *testing.T) {
	for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
		i := bill(language)
		i.Merchant.Address, i.Invoice.Description = " a \r\n\r\n b ", "x \n"
		for _, line := range strings.Split(mailOf(t, i).Text, "\n") {
			if strings.TrimRight(line, " 　\t\r") != line {
				t.Errorf("%q", line)
			}
		}
	}
}

// Whatever a field holds, it is text: in HTML, in the plain part, in the
// subject and in the file name.
func TestFieldsAreInert(t *testing.T) {
	for _, evil := range []string{ // an address alone may have lines
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onload='x`, `</title><script>x</script>`, `<a href="javascript:x">y</a>`,
		"x\r\nBcc: evil@example.com", "{{.Link}}", "x\n\n■ お支払い方法\n", "\xff\xfe", "a\u2028b",
	} {
		for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
			i := bill(language)
			i.Merchant = Merchant{Name: evil, Address: strings.ReplaceAll(evil, "\n", " "), Phone: evil, Hours: evil, Email: evil, RegistrationNumber: evil}
			i.Invoice.Number, i.Invoice.Name, i.Invoice.Description, i.Invoice.Phone, i.PaymentCode = evil, evil, evil, evil, evil
			m := mailOf(t, i)
			if found := strangeTag(m.HTML); found != "" || strings.Count(m.HTML, "<a") != 1 {
				t.Errorf("%q: %s in\n%s", evil, found, m.HTML)
			}
			if strings.ContainsAny(m.Subject, "\r\n\u2028") || strings.Count(m.Text, "\n■ ") != 3 {
				t.Errorf("%q: subject %q, text\n%s", evil, m.Subject, m.Text)
			}
			if strings.ContainsAny(m.AttachmentName, "/\\:*?\"<>|\r\n\x00 ") {
				t.Errorf("%q: attachment %q", evil, m.AttachmentName)
			}
		}
	}
}

func TestLinksThatNobodyCanCheckAreRefused(t *testing.T) {
	for _, link := range []string{
		"", "pay.omise.co/x", "javascript:alert(1)", "https:///x", "ftp://pay.omise.co/x", "https://pay.omise.co/ x", "https://pay.omise.co/\nx",
		"https://pay.omise.co@evil.example/", "https://例え.jp/", `https://pay.omise.co/"><script>`, "https://pay.omise.co/(x)", "https://pay.omise.co/%zz",
	} {
		i := bill(invoice.Japanese)
		i.AuthorizeURI = link
		if m, err := MailOf(i); err == nil {
			t.Errorf("%q was mailed:\n%s", link, m.Text)
		}
	}
}

func TestAttachmentNamesAreSafe(t *testing.T) {
	for number, want := range map[string]string{
		"INV-1": "INV-1", "2026/12-001": "2026_12-001", "請求 No.7": "請求_No_7", `a\b:c*d?e"f<g>h|i`: "a_b_c_d_e_f_g_h_i", "..": "__", "\u202Efdp": "_fdp", "𠮷1": "𠮷1",
	} {
		i := bill(invoice.Japanese)
		i.Invoice.Number = number
		if got := mailOf(t, i).AttachmentName; got != "お支払いのご案内_"+want+".pdf" {
			t.Errorf("%q: %s", number, got)
		}
		i.Sample = true
		if got := mailOf(t, i).AttachmentName; got != "見本_お支払いのご案内_"+want+".pdf" {
			t.Errorf("%q: %s", number, got)
		}
	}
}
