package slip

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"konbill/invoice"
	"konbill/templates"
)

// extremes are slips whose values are as long as the rules of invoices let
// them be, or longer.
func extremes() map[string]templates.Instructions {
	all := map[string]templates.Instructions{"ja": inJapanese(), "en": inEnglish()}

	noCode := inJapanese()
	noCode.PaymentCode = ""
	all["no payment code"] = noCode

	long := inJapanese()
	long.Merchant = templates.Merchant{
		Name:    "一般社団法人みどり文化教育振興会グローバルソリューションズジャパン株式会社",
		Address: "〒150-0041\n東京都渋谷区神南一丁目二番三号\nグリーンシティタワーイースト 四十四階 4401号室\n経理部 請求書発行センター 宛",
		Phone:   "03-1234-5678（代表）・0120-000-000（通話料無料）", Hours: "月曜日から金曜日（祝日・年末年始・夏季休業期間を除く）午前10時〜午後6時",
		Email: "seikyusho-toiawase.midori-bunka-kyoiku@accounting.example.co.jp", RegistrationNumber: "T9234567890123",
	}
	long.Invoice.Number = strings.Repeat("W", 64)
	long.Invoice.Name = strings.Repeat("株式会社日本総合文化教育振興機構東日本統括本部", 3)
	long.Invoice.Company = true
	long.Invoice.Description = strings.Repeat("書道講座「教材費」。", 26)[:255*3]
	long.Invoice.Amount, long.Invoice.Tax = invoice.MaxAmount, 4_545
	long.PaymentCode = "1234-5678-9012-3456-7890"
	long.AuthorizeURI = payURI + "?" + strings.Repeat("reference=5xsjw8t8y9jw9si8652&", 6)
	all["long ja"] = long

	longEnglish := long
	longEnglish.Invoice.Language = invoice.English
	longEnglish.Invoice.Name = strings.Repeat("Alexandria Montgomery-Whitfield ", 4)
	longEnglish.Invoice.Description = strings.Repeat("Calligraphy course, 2026; ", 10)[:255]
	longEnglish.Merchant.Address = strings.Repeat("Greater Midori Tower East, 44th floor, room 4401, Jinnan, Shibuya-ku\n", 6)
	all["long en"] = longEnglish

	unbroken := longEnglish
	unbroken.Merchant.Name = strings.Repeat("Midori", 30)
	unbroken.Invoice.Name = strings.Repeat("x", 300)
	unbroken.Invoice.Description = strings.Repeat("W", 255)
	all["words without end"] = unbroken

	all["nothing given"] = templates.Instructions{AuthorizeURI: "https://pay.omise.co/1", ExpiresAt: newYear}
	return all
}

func TestNothingLeavesItsPlace(t *testing.T) {
	letters, err := newTypecase()
	if err != nil {
		t.Fatal(err)
	}
	for name, facts := range extremes() {
		t.Run(name, func(t *testing.T) {
			sheet, err := compose(letters, Layout{}, facts)
			if err != nil {
				t.Fatal(err)
			}
			checkPage(t, sheet, pageMargins)
		})
	}
}

// TestTooMuchForOnePage: texts of the merchant's own that no size of type puts on
// one page are an error, and not for ever tried smaller.
func TestTooMuchForOnePage(t *testing.T) {
	folder := t.TempDir()
	steps := "[shared]\nhow_to_pay = [" + strings.Repeat(`"次へ",`, 300) + "]\n"
	if err := os.WriteFile(filepath.Join(folder, "ja.toml"), []byte(steps), 0o600); err != nil {
		t.Fatal(err)
	}
	facts := inJapanese()
	var err error
	if facts.Texts, err = templates.Load(folder, Missing); err != nil {
		t.Fatal(err)
	}
	press, err := NewPress(facts.Merchant, Layout{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := press.Draw(facts); !errors.Is(err, errTooMuch) {
		t.Errorf("error is %v", err)
	}
}

func FuzzCompose(f *testing.F) {
	press, err := NewPress(templates.Merchant{}, Layout{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, facts := range extremes() {
		f.Add(facts.Invoice.Number, facts.Invoice.Name, facts.Invoice.Description, facts.Merchant.Name, facts.Merchant.Address, facts.PaymentCode)
	}
	f.Fuzz(func(t *testing.T, number, name, description, merchant, address, code string) {
		if len(number)+len(name)+len(description)+len(merchant)+len(address)+len(code) > 4000 {
			return
		}
		facts := inJapanese()
		facts.Invoice.Number, facts.Invoice.Name, facts.Invoice.Description = number, name, description
		facts.Merchant.Name, facts.Merchant.Address, facts.PaymentCode = merchant, address, code
		sheet, err := compose(press.letters, Layout{}, facts)
		if err != nil {
			t.Fatal(err)
		}
		checkPage(t, sheet, pageMargins)
		if _, err := press.bound(sheet, facts); err != nil {
			t.Fatal(err)
		}
	})
}

// The margins of a page, and of one whose addressee stands in the window.
var (
	pageMargins   = area{left, top, right - left, bottom - top}
	windowMargins = area{left, windowTop, right - left, bottom - windowTop}
)

// checkPage fails when a line crosses a margin, another line, the logo or the
// white zone of the code.
func checkPage(t *testing.T, sheet page, within area) {
	t.Helper()
	const rounding = 0.01
	var taken []area
	for _, c := range sheet.codes {
		taken = append(taken, c.area)
	}
	for _, q := range sheet.pictures {
		taken = append(taken, q.area)
		if !inside(q.area, within, rounding) {
			t.Errorf("the logo leaves the margins: %+v", q.area)
		}
	}
	for _, other := range taken {
		for _, f := range sheet.fills {
			if cross(f.area, other, rounding) {
				t.Errorf("%+v crosses the logo or the code at %+v", f, other)
			}
		}
	}
	for _, l := range sheet.lines {
		text := line{size: l.size, letters: withoutHanging(l.letters)}
		em := l.size * point
		at := area{l.x, l.y - ascent*em, text.width(), em}
		if !inside(at, within, rounding) {
			t.Errorf("%q leaves the margins: %+v", charsOf(l.letters), at)
		}
		for _, other := range taken {
			if cross(at, other, rounding) {
				t.Errorf("%q at %+v crosses %+v", charsOf(l.letters), at, other)
			}
		}
		taken = append(taken, at)
	}
}

func inside(a, within area, rounding float64) bool {
	return a.x > within.x-rounding && a.x+a.width < within.x+within.width+rounding &&
		a.y > within.y-rounding && a.y+a.height < within.y+within.height+rounding
}

func cross(a, b area, rounding float64) bool {
	return a.x+rounding < b.x+b.width && b.x+rounding < a.x+a.width && a.y+rounding < b.y+b.height && b.y+rounding < a.y+a.height
}
