package templates

import (
	"strings"
	"testing"
	"time"

	"konbill/invoice"
)

// payment is the bill, paid shortly after midnight in Japan.
func payment(language invoice.Language) Payment {
	i := bill(language)
	return Payment{Merchant: i.Merchant, Invoice: i.Invoice, PaidAt: time.Date(2026, 12, 19, 15, 1, 0, 0, time.UTC)}
}

func receiptOf(t testing.TB, p Payment) Mail {
	t.Helper()
	m, err := ReceiptOf(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestReceiptsAsWritten(t *testing.T) {
	sparse := payment(invoice.English)
	sparse.Merchant, sparse.Invoice.Description, sparse.PaidAt = Merchant{Name: "Sakura Store"}, "", time.Time{}
	for name, p := range map[string]Payment{
		"ja-receipt": payment(invoice.Japanese), "en-receipt": payment(invoice.English), "en-receipt-sparse": sparse,
	} {
		m := receiptOf(t, p)
		golden(t, name+".txt.golden", "Subject: "+m.Subject+"\n\n"+m.Text)
		golden(t, name+".html.golden", m.HTML)
	}
}

func TestReceiptsSayWhatWasPaid(t *testing.T) {
	for language, facts := range map[invoice.Language][]string{
		invoice.Japanese: {"さくら商店", "INV-1", "12月分 受講料", "12,345円", "2026年12月20日（日）", "03-0000-0000", "領収書や適格請求書（インボイス）ではありません"},
		invoice.English:  {"Sakura Store", "INV-1", "Lessons in December", "¥12,345", "Sunday, 20 December 2026", "03-0000-0000", "not a receipt"},
	} {
		m := receiptOf(t, payment(language))
		for _, fact := range facts {
			if !strings.Contains(m.Text, fact) || !strings.Contains(m.HTML, fact) {
				t.Errorf("%s: no %q in\n%s\n%s", language, fact, m.Text, m.HTML)
			}
		}
	}
}

// Who has paid is led nowhere and given nothing to open or to pay with, whatever
// a field holds.
func TestReceiptsLeadNowhere(t *testing.T) {
	for _, evil := range []string{"", `<script>alert(1)</script>`, `<a href="https://evil.example">x</a>`, "x\r\nBcc: evil@example.com", "a\n■ b", "{{.Paid}}"} {
		for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
			p := payment(language)
			if evil != "" {
				p.Merchant = Merchant{Name: evil, Address: strings.ReplaceAll(evil, "\n", " "), Phone: evil, Hours: evil, Email: evil}
				p.Invoice.Number, p.Invoice.Name, p.Invoice.Description = evil, evil, evil
			}
			m := receiptOf(t, p)
			if strings.Contains(m.HTML, "<a") || m.AttachmentName != "" || strangeTag(m.HTML) != "" {
				t.Errorf("%q: attachment %q in\n%s", evil, m.AttachmentName, m.HTML)
			}
			if evil == "" && (address.MatchString(m.HTML) || address.MatchString(m.Text)) {
				t.Errorf("%s: has an address:\n%s", language, m.Text)
			}
			if strings.ContainsAny(m.Subject, "\r\n") || strings.Count(m.Text, "\n■ ") != 2 {
				t.Errorf("%q: subject %q, text\n%s", evil, m.Subject, m.Text)
			}
			if tax := p.Merchant.RegistrationNumber; tax != "" && strings.Contains(m.Text+m.HTML, tax) {
				t.Errorf("%s: looks like an invoice for consumption tax:\n%s", language, m.Text)
			}
		}
	}
}
