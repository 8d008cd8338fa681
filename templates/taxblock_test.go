package templates

import (
	"testing"

	"konbill/invoice"
)

func TestTaxBlock(t *testing.T) {
	const number = "T9234567890123"
	for _, test := range []struct {
		why, number string
		language    invoice.Language
		amount, tax invoice.Yen
		rate        int
		want        string
	}{
		{"as the invoice has it", number, invoice.Japanese, 8_800, 801, 10, "10%対象（税込） 8,800円　うち消費税 801円"},
		{"the reduced rate", number, invoice.Japanese, 1_080, 80, 8, "8%対象（軽減税率・税込） 1,080円　うち消費税 80円"},
		{"worked out, and rounded down once", number, invoice.Japanese, 49_999, 0, 10, "10%対象（税込） 49,999円　うち消費税 4,545円"},
		{"in English", number, invoice.English, 49_999, 0, 8, "8% (reduced rate) on ¥49,999 (tax included), of which tax ¥3,703"},
		{"without a registration number", "", invoice.Japanese, 8_800, 800, 10, ""},
		{"without a rate", number, invoice.Japanese, 8_800, 800, 0, ""},
	} {
		i := Instructions{
			Merchant: Merchant{RegistrationNumber: test.number},
			Invoice:  invoice.Invoice{Language: test.language, Amount: test.amount, Tax: test.tax, TaxRate: test.rate},
		}
		if got := i.TaxBlock(); got != test.want {
			t.Errorf("%s: %q, want %q", test.why, got, test.want)
		}
	}
}
