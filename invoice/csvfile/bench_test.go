package csvfile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"konbill/invoice"
)

// BenchmarkCheck reads a file of 10,000 rows and checks each.
func BenchmarkCheck(b *testing.B) {
	const count = 10_000
	var text strings.Builder
	text.WriteString("請求書番号,氏名,メールアドレス,電話番号,請求金額,支払期限,件名,担当\n")
	for i := range count {
		name := []string{"山田 太郎", "ﾔﾏﾀﾞ ﾊﾅｺ", "株式会社さくら商会", "㈲髙橋工務店", "John Smith"}[i%5]
		phone := []string{"090-1234-5678", "03-1234-5678", "08012345678"}[i%3]
		due := []string{"", "2026-12-31"}[i%2]
		fmt.Fprintf(&text, "INV-%d,%s,user%d@example.com,%s,\"3,000\",%s,11月分 会費,佐藤\n", i, name, i, phone, due)
	}
	data := []byte(text.String())
	rules := invoice.Rules{DueDays: 30, MaxDueDays: 60, NameOverflow: invoice.CutName, Language: invoice.Japanese}
	now := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		f, err := Open("bench.csv", data, Options{})
		if err != nil {
			b.Fatal(err)
		}
		checker := invoice.NewChecker(rules, now)
		for row := range f.Rows() {
			if checked := checker.Check(row.Line, row.Fields); row.Problem != nil || checked.Rejected() {
				b.Fatal(row, checked.Findings)
			}
		}
	}
	b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
