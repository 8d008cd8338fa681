package batch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"

	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// TestCheckupIsASheet: a file that isn't held is found to be what it is found to
// be when it is held, whatever is wrong with it.
func TestCheckupIsASheet(t *testing.T) {
	now := time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC)
	how := Reading{
		Rules:    invoice.Rules{DueDays: 30, MaxDueDays: 60, NameOverflow: invoice.CutName, Language: invoice.Japanese},
		Language: invoice.Japanese,
	}
	random := rand.New(rand.NewPCG(7, 7))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	for n := range 60 {
		rows := pick("3", "40", "3000")
		var count int
		fmt.Sscan(rows, &count)
		end := pick("\n", "\r\n", "\r")
		var text strings.Builder
		text.WriteString("請求書番号,氏名,メール,電話,金額,支払期限,件名" + end)
		for i := range count {
			number := fmt.Sprint("INV-", i)
			if random.IntN(20) == 0 {
				number = pick("INV-1", "ＩＮＶ－1", "", "INV-2")
			}
			row := []string{
				number, pick("山田 太郎", "株式会社ながいながいながいなまえ", "", "髙橋ﾀﾛｳ", "\"山\"\"田\""), pick("a@example.jp", "nobody", "a..b@docomo.ne.jp"),
				pick("09011112222", "9011112222", "abc"), pick("3000", "\"3,000\"", "10", "３０００円"),
				pick("", "2026-12-20", "2020/1/1", "令和8年12月20日"), pick("会費", "\"二\n行\"", "〜", ""),
			}
			if random.IntN(50) == 0 {
				row = append(row, "more")
			}
			text.WriteString(strings.Join(row, ",") + end)
		}
		data := []byte(text.String())
		if n%3 == 1 {
			sjis, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte(strings.NewReplacer("〜", "～", "髙", "高").Replace(text.String())))
			if err != nil {
				t.Fatal(err)
			}
			data = sjis
		}
		path := filepath.Join(t.TempDir(), "rows.csv")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		sheet, err := ReadSheet(path, how, now)
		if err != nil {
			t.Fatal(err)
		}
		checkup, err := CheckUp(path, how, now)
		if err != nil {
			t.Fatal(err)
		}
		defer checkup.Close()
		for range 2 { // its rows can be gone through again
			var got []Row
			for row, err := range checkup.Rows() {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, row)
			}
			if checkup.Name != sheet.Name || checkup.SHA256 != sheet.SHA256 || checkup.Refusal != nil || len(got) != len(sheet.Rows) {
				t.Fatalf("file %d: %s, %s, %v, %d rows of %d", n, checkup.Name, checkup.SHA256, checkup.Refusal, len(got), len(sheet.Rows))
			}
			for i := range got {
				if !reflect.DeepEqual(got[i], sheet.Rows[i]) {
					t.Fatalf("file %d, row %d:\n got %+v\nwant %+v", n, i, got[i], sheet.Rows[i])
				}
			}
		}
	}
}

// TestInOrderPassesPanicsOn to who takes the results: a service recovers there.
func TestInOrderPassesPanicsOn(t *testing.T) {
	file, err := csvfile.Open("rows.csv", []byte("請求書番号,氏名,メール,電話,金額\n1,山田,a@example.jp,09011112222,3000\n"), csvfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if p := recover(); p != "boom" {
			t.Errorf("recovered %v", p)
		}
	}()
	for range inOrder(held(file.Chunks()), func(csvfile.Chunk) int { panic("boom") }) {
		t.Error("a result of work that panicked")
	}
	t.Error("no panic")
}
