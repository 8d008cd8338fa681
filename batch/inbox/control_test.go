package inbox

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/width"

	"konbill/batch"
	"konbill/invoice"
)

func count(n int) batch.Control       { return batch.Control{Rows: n, HasRows: true} }
func sum(y invoice.Yen) batch.Control { return batch.Control{Yen: y, HasYen: true} }
func both(n int, y invoice.Yen) batch.Control {
	return batch.Control{Rows: n, HasRows: true, Yen: y, HasYen: true}
}

func TestControlTotalsPeopleWrite(t *testing.T) {
	for text, want := range map[string]batch.Control{
		"12":                         count(12),
		"12 rows":                    count(12),
		"1 row\r\n":                  count(1),
		"12件":                        count(12),
		"１２件":                        count(12),
		"件数: 12":                     count(12),
		"件数：12件":                     count(12),
		"請求書 12 件":                   count(12),
		"合計 12件":                     count(12),
		"total rows: 12":             count(12),
		"Number of invoices = 1,200": count(1200),
		"0件":                         count(0),
		"¥123,456":                   sum(123456),
		"￥１２３，４５６":                   sum(123456),
		`\123,456`:                   sum(123456),
		"合計 123,456円":                sum(123456),
		"合計: 123456":                 sum(123456),
		"合計金額　123,456 円也":            sum(123456),
		"JPY 123,456.00":             sum(123456),
		"123456 yen":                 sum(123456),
		"金123,456円也":                 sum(123456),
		"rows=12 yen=123456":         both(12, 123456),
		"yen=123456 rows=12":         both(12, 123456),
		"rows 12 yen 123456":         both(12, 123456),
		"12 rows 123,456 yen":        both(12, 123456),
		"12 rows JPY 123,456":        both(12, 123456),
		"12 yen=123456":              both(12, 123456),
		"12\n¥123,456":               both(12, 123456),
		"¥123,456 12":                both(12, 123456),
		"123,456円、12件":               both(12, 123456),
		"12,¥123456":                 both(12, 123456),
		"件数\t12\r\n合計金額\t123,456\r\n":      both(12, 123456),
		"12件 合計 123456":                    both(12, 123456),
		"Total: 12 rows; Amount: ¥123,456": both(12, 123456),
		"12, 123,456円":                     both(12, 123456),
	} {
		if got, fault := parseControl(text); got != want || fault != "" {
			t.Errorf("%q: %+v %s", text, got, fault)
		}
	}
}

func TestControlTotalsThatAreRefused(t *testing.T) {
	for text, want := range map[string]totalFault{
		"":                    totalEmpty,
		" \r\n、":              totalEmpty,
		"12 123456":           totalAmbiguous, // which is which
		"12\n123456":          totalAmbiguous,
		"12件 123456":          totalAmbiguous,
		"12 JPY 123456":       totalAmbiguous, // 12 yen, or 123,456
		"¥12件":                totalAmbiguous,
		"件数 12円":              totalAmbiguous,
		"件数 金額 12":            totalAmbiguous,
		"12件 13件":             totalRepeated,
		"12件 12件":             totalRepeated,
		"¥1 ¥2":               totalRepeated,
		"合計 100円 税込 110円":     totalRepeated,
		"12 rows, 3 rejected": totalUnreadable,
		"twelve":              totalUnreadable,
		"件数":                  totalUnreadable,
		"円 12":                totalUnreadable,
		"件数: 12 =":            totalUnreadable,
		"-12":                 totalUnreadable,
		"▲12円":                totalUnreadable,
		"(123,456)円":          totalUnreadable, // an accountant's minus
		"12万円":                totalUnreadable,
		"¥3,00":               totalUnreadable,
		"¥12,34,567":          totalUnreadable,
		"¥1,2345":             totalUnreadable,
		"¥3000.5":             totalUnreadable,
		"¥3.000":              totalUnreadable, // three thousand in much of Europe
		"¥1.2.3":              totalUnreadable,
		"1e3":                 totalUnreadable,
		"12,123456":           totalUnreadable,
		"2026-12-01 12件":      totalUnreadable,
		"3000000000件":         totalUnreadable,
		"¥1234567890123456":   totalUnreadable,
		"12\x00":              totalUnreadable,
		"十二件":                 totalUnreadable,
	} {
		if got, fault := parseControl(text); fault != want || got != (batch.Control{}) {
			t.Errorf("%q: %+v %q, want %q", text, got, fault, want)
		}
	}
}

func TestControlTotalInEveryEncoding(t *testing.T) {
	const text = "件数：１２件\r\n合計金額：￥１２３，４５６\r\n"
	cp932, err := japanese.ShiftJIS.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	encoded := map[string]string{"UTF-8": text, "UTF-8 with a mark": "\uFEFF" + text, "CP932": cp932, "CP932 yen": "12 \x5C123,456"}
	for name, order := range map[string]unicode.Endianness{"UTF-16LE": unicode.LittleEndian, "UTF-16BE": unicode.BigEndian} {
		if encoded[name], err = unicode.UTF16(order, unicode.UseBOM).NewEncoder().String(text); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range encoded {
		if got, fault := parseTotal([]byte(data)); got != both(12, 123456) || fault != "" {
			t.Errorf("%s: %+v %s", name, got, fault)
		}
	}
	for name, data := range map[string]string{
		"half a UTF-16 unit": encoded["UTF-16LE"] + "1",
		"half a pair":        "\xFF\xFE1\x002\x00\x00\xD8",
		"UTF-16 unmarked":    encoded["UTF-16LE"][2:],
		"half of a CP932":    cp932 + "\x8C",
		"neither":            "12\xFF",
		"a workbook":         "PK\x03\x04",
	} {
		if got, fault := parseTotal([]byte(data)); fault != totalUnreadable {
			t.Errorf("%s: %+v %q", name, got, fault)
		}
	}
	if _, fault := parseTotal([]byte(strings.Repeat(" ", maxTotal) + "1")); fault != totalTooLarge {
		t.Errorf("too large: %q", fault)
	}
	if got, fault := parseTotal([]byte(strings.Repeat(" ", maxTotal-1) + "1")); got != count(1) {
		t.Errorf("as large as may be: %+v %q", got, fault)
	}
}

// Every fault has its words, in which nobody has to look for what to write.
func TestTotalErrorSaysWhatToDo(t *testing.T) {
	for _, fault := range []totalFault{totalTooLarge, totalEmpty, totalUnreadable, totalAmbiguous, totalRepeated} {
		if totalMessages[fault].ja == "" || totalMessages[fault].en == "" {
			t.Errorf("%s has no words", fault)
		}
	}
	e := &TotalError{Name: "a.csv.total", fault: totalEmpty}
	for lang, example := range map[invoice.Language]string{invoice.Japanese: "12件 123,456円", invoice.English: "12 rows 123,456 yen"} {
		if said := e.Message(lang); !strings.Contains(said, example) || !strings.Contains(said, e.Name) {
			t.Errorf("%s: %s", lang, said)
		}
		if got, fault := parseControl(example); got != both(12, 123456) {
			t.Errorf("the example %q is %+v %s", example, got, fault)
		}
	}
}

var digitRuns = regexp.MustCompile(`\d[\d,.]*`)

func FuzzControl(f *testing.F) {
	for _, seed := range []string{
		"12", "12 rows 123,456 yen", "¥123,456 12", "件数：１２件\r\n合計金額：￥１２３，４５６", "rows=12 yen=123456", "12 JPY 123456", "3,00", "1.00", "\xFF\xFE1\x00",
		"\x8C\x8F12", "12 rows rows", "合計 12件 5円", "12=yen 3",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, fault := parseTotal(data)
		if fault != "" {
			if c != (batch.Control{}) {
				t.Errorf("%q: %s, and yet %+v", data, fault, c)
			}
			return
		}
		// Nothing but the numbers that were written makes the total, and none is
		// left out.
		text := width.Fold.String(decodeTotal(data))
		if !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) {
			t.Errorf("%q is damaged", data)
		}
		var want []string
		if c.HasRows {
			want = append(want, fmt.Sprint(c.Rows))
		}
		if c.HasYen {
			want = append(want, fmt.Sprint(int64(c.Yen)))
		}
		runs := digitRuns.FindAllString(text, -1)
		if len(runs) != len(want) {
			t.Errorf("%q: %+v of %d numbers", data, c, len(runs))
		}
		for _, w := range want {
			found := false
			for _, run := range runs {
				whole, _, _ := strings.Cut(strings.ReplaceAll(run, ",", ""), ".")
				found = found || strings.TrimLeft(whole, "0") == strings.TrimLeft(w, "0")
			}
			if !found {
				t.Errorf("%q: %s is not written there", data, w)
			}
		}
		for _, written := range writings(c) {
			if same, fault := parseControl(written); same != c || fault != "" {
				t.Errorf("%+v, written %q, is %+v %s", c, written, same, fault)
			}
		}
	})
}

// writings are a control total in the ways that the documentation gives.
func writings(c batch.Control) []string {
	var ja, en, unordered string
	if c.HasRows {
		ja, en, unordered = fmt.Sprintf("%d件 ", c.Rows), fmt.Sprintf("%d rows ", c.Rows), fmt.Sprintf(" rows=%d", c.Rows)
	}
	if c.HasYen {
		ja, en, unordered = ja+c.Yen.Format(invoice.Japanese), en+c.Yen.Format(invoice.English), fmt.Sprintf("yen=%d", c.Yen)+unordered
	}
	return []string{ja, en, unordered}
}
