package batch

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"

	"konbill/invoice"
)

// BenchmarkCheck checks files of several sizes and encodings, three tenths of whose
// rows have something to be said about. The heap is what is in use
// when half the rows were checked.
func BenchmarkCheck(b *testing.B) {
	for _, rows := range []int{1_000, 100_000, 1_000_000} {
		for _, encoding := range []string{"UTF-8", "CP932"} {
			b.Run(fmt.Sprintf("%d rows in %s", rows, encoding), func(b *testing.B) {
				path := benchList(b, rows, encoding)
				b.ReportAllocs()
				var heap uint64
				for b.Loop() {
					heap = max(heap, benchCheck(b, path, rows))
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
				b.ReportMetric(float64(heap)/(1<<20), "MB-heap")
			})
		}
	}
}

func benchCheck(b testing.TB, path string, rows int) (heap uint64) {
	how := Reading{
		Rules:    invoice.Rules{DueDays: 30, MaxDueDays: 60, NameOverflow: invoice.CutName, Language: invoice.Japanese},
		Language: invoice.Japanese,
	}
	checkup, err := CheckUp(path, how, time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC))
	if err != nil {
		b.Fatal(err)
	}
	defer checkup.Close()
	n, findings := 0, 0
	for row, err := range checkup.Rows() {
		if err != nil {
			b.Fatal(err)
		}
		if n++; n == rows/2 {
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			heap = memory.HeapInuse
		}
		findings += len(row.Findings)
	}
	if n != rows || findings != rows*3/10 {
		b.Fatalf("%d rows, %d findings", n, findings)
	}
	return heap
}

func benchList(b testing.TB, rows int, encoding string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "list.csv")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	var out io.Writer = file
	if encoding == "CP932" {
		out = japanese.ShiftJIS.NewEncoder().Writer(file)
	}
	buffered := bufio.NewWriter(out)
	fmt.Fprintln(buffered, "請求書番号,氏名,メールアドレス,電話番号,請求金額,支払期限,件名,担当")
	for i := range rows {
		name := []string{"山田 太郎", "ﾔﾏﾀﾞ ﾊﾅｺ", "株式会社さくら商会", "髙橋 一", "John Smith"}[i%5]
		phone := []string{"090-1234-5678", "03-1234-5678", "08012345678"}[i%3]
		amount := "3,000"
		if i%10 == 7 {
			amount = "30" // too little
		}
		fmt.Fprintf(buffered, "INV-%07d,%s,user%d@example.com,%s,\"%s\",%s,11月分 会費,佐藤\n",
			i, name, i, phone, amount, []string{"", "2026-12-31"}[i%2])
	}
	if err := buffered.Flush(); err != nil {
		b.Fatal(err)
	}
	return path
}

// TestCheckAllocatesLittle: what a row leaves to be collected must not grow with
// the file.
func TestCheckAllocatesLittle(t *testing.T) {
	const rows, mostPerRow = 2000, 40
	for _, encoding := range []string{"UTF-8", "CP932"} {
		path := benchList(t, rows, encoding)
		if n := testing.AllocsPerRun(3, func() { benchCheck(t, path, rows) }); n > rows*mostPerRow {
			t.Errorf("%s: %.1f allocations a row", encoding, n/rows)
		}
	}
}
