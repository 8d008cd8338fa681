package slip

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"konbill/invoice"
	"konbill/templates"
)

const payURI = "https://pay.omise.co/offlines/econtext/instructions/oflp_test_5xsjw8t8y9jw9si8652"

// newYear is the end of 31 December 2026 in Japan.
var newYear = time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC)

// inJapanese and inEnglish are ordinary slips.
func inJapanese() templates.Instructions {
	return templates.Instructions{
		Merchant: templates.Merchant{
			Name: "みどり文化教室", Address: "〒150-0041\n東京都渋谷区神南1-2-3\nグリーンビル4階",
			Phone: "03-1234-5678", Hours: "平日 10:00〜18:00", Email: "kaikei@midori-bunka.example.jp",
			RegistrationNumber: "T9234567890123",
		},
		Invoice: invoice.Invoice{
			Number: "INV-2026-1001", Name: "髙橋 美咲", Phone: "09012345678", Amount: 8_800,
			Description: "書道講座 受講料（2026年12月分）", Language: invoice.Japanese, TaxRate: 10, Tax: 800,
		},
		PaymentCode: "709590", AuthorizeURI: payURI, ExpiresAt: newYear,
	}
}

func inEnglish() templates.Instructions {
	return templates.Instructions{
		Merchant: templates.Merchant{
			Name: "Midori Culture School", Address: "1-2-3 Jinnan, Shibuya-ku\nTokyo 150-0041, Japan",
			Phone: "+81 3 1234 5678", Hours: "weekdays 10 a.m. to 6 p.m.", Email: "accounts@midori-bunka.example.jp",
		},
		Invoice: invoice.Invoice{
			Number: "INV-2026-1002", Name: "John Smith", Phone: "08011112222", Amount: 49_999,
			Description: "Calligraphy course, December 2026", Language: invoice.English,
		},
		PaymentCode: "000123", AuthorizeURI: payURI, ExpiresAt: newYear,
	}
}

func drawn(t testing.TB, facts templates.Instructions) []byte {
	t.Helper()
	press, err := NewPress(facts.Merchant, Layout{}, slices.Values([]invoice.Invoice{facts.Invoice}))
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := press.Draw(facts)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

// BenchmarkSlip draws one slip after the other, each for another customer.
func BenchmarkSlip(b *testing.B) {
	facts := inJapanese()
	press, err := NewPress(facts.Merchant, Layout{}, slices.Values([]invoice.Invoice{facts.Invoice}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		facts.Invoice.Name = []string{"髙橋 美咲", "渡邉 健太郎", "山田 花子", "齋藤 一"}[n%4]
		if _, err := press.Draw(facts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "slips/s")
}

func TestSameFactsSameBytes(t *testing.T) {
	for name, facts := range extremes() {
		first := drawn(t, facts)
		other, err := NewPress(templates.Merchant{Name: "別の店"}, Layout{}, slices.Values([]invoice.Invoice{{Name: "齋藤 É 𩸽", Description: "別の請求"}}))
		if err != nil {
			t.Fatal(err)
		}
		again, err := other.Draw(facts)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Errorf("%s: another batch draws another file", name)
		}
	}
}

// TestOthersCharactersStayOut: a slip must not tell whom else the batch billed.
func TestOthersCharactersStayOut(t *testing.T) {
	facts := inJapanese()
	press, err := NewPress(facts.Merchant, Layout{}, slices.Values([]invoice.Invoice{facts.Invoice, {Name: "鱻 鱻鱻"}}))
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := press.Draw(facts)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pdf, drawn(t, facts)) {
		t.Error("the batch changes the slip")
	}
}

// TestManyWorkers shares one press that has to look characters up while it
// draws; the race detector watches.
func TestManyWorkers(t *testing.T) {
	facts := inJapanese()
	facts.Invoice.Description = "𠮷田 É"
	want := drawn(t, facts)
	press, err := NewPress(facts.Merchant, Layout{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 4 {
				got, err := press.Draw(facts)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("a worker's slip differs: %v", err)
				}
			}
		})
	}
	workers.Wait()
}

func TestSlipsAreSmall(t *testing.T) {
	const ordinary, most = 45 << 10, 60 << 10
	if size := len(drawn(t, inJapanese())); size > ordinary {
		t.Errorf("%d bytes", size)
	}
	for name, facts := range extremes() {
		if size := len(drawn(t, facts)); size > most {
			t.Errorf("%s: %d bytes", name, size)
		}
	}
}

// TestSlipsShareTheirWork: what costs as much as a font must not be done again
// for every slip.
func TestSlipsShareTheirWork(t *testing.T) {
	facts := inJapanese()
	press, err := NewPress(facts.Merchant, Layout{}, slices.Values([]invoice.Invoice{facts.Invoice}))
	if err != nil {
		t.Fatal(err)
	}
	draw := func() {
		if _, err := press.Draw(facts); err != nil {
			t.Fatal(err)
		}
	}
	draw()
	if n := len(press.kits.made); n != 1 {
		t.Errorf("%d kits", n)
	}
	const most = 4000
	if n := testing.AllocsPerRun(10, draw); n > most {
		t.Errorf("%.0f allocations", n)
	}
	if n := len(press.easels.made); n != 1 {
		t.Errorf("%d easels for one slip after the other", n)
	}
}

func TestLinkTooLongForACode(t *testing.T) {
	facts := inJapanese()
	facts.AuthorizeURI = payURI + strings.Repeat("x", 4000)
	press, err := NewPress(facts.Merchant, Layout{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := press.Draw(facts); err == nil || strings.Contains(err.Error(), "xxx") {
		t.Errorf("error is %v", err)
	}
}
