package csvfile

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"konbill/invoice"
)

const sampleHeader = "請求書番号,氏名,メール,電話番号,金額"

// open reads a file that must be readable.
func open(t testing.TB, data string) *File {
	t.Helper()
	f, err := Open("test.csv", []byte(data), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func rows(f *File) []Row {
	var all []Row
	for row := range f.Rows() {
		all = append(all, row)
	}
	return all
}

// summary is what most tests look at: each row's line, number, name and amount,
// or the code of what is wrong with it.
func summary(f *File) string {
	var lines []string
	for _, row := range rows(f) {
		if row.Problem != nil {
			lines = append(lines, fmt.Sprintf("%d %s", row.Line, row.Problem.Code))
			continue
		}
		lines = append(lines, fmt.Sprintf("%d %s|%s|%s", row.Line, row.Fields.Number, row.Fields.Name, row.Fields.Amount))
	}
	return strings.Join(lines, "\n")
}

func encoded(t testing.TB, text string, enc Encoding) string {
	t.Helper()
	data, err := encode(text, enc)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEveryEncodingDelimiterAndLineEnd(t *testing.T) {
	want := []Row{
		{Line: 2, Fields: invoice.Fields{Number: "A-1", Name: "髙橋　一郎～", Email: "a@example.com", Phone: "09012345678", Amount: "3,000", Due: "2026;12\t31"}},
		{Line: 3, Fields: invoice.Fields{Number: "A-2", Name: "ﾔﾏﾀﾞ\nﾊﾅｺ", Email: "b@example.com", Phone: "0312345678", Amount: "500"}},
		{Line: 5, Fields: invoice.Fields{Number: "A-3", Name: `"塚"`, Email: "c@example.com", Phone: "0312345678", Amount: "600"}},
	}
	for _, enc := range []Encoding{UTF8, UTF8BOM, CP932, UTF16LE, UTF16BE} {
		for _, delimiter := range []string{",", "\t", ";"} {
			for _, lineEnd := range []string{"\r\n", "\n", "\r"} {
				for _, told := range []bool{false, true} {
					text := strings.ReplaceAll(`請求書番号|氏名|メール|電話番号|金額|支払期限
A-1|髙橋　一郎～|a@example.com|09012345678|"3,000"|"2026;12	31"
A-2|"ﾔﾏﾀﾞ
ﾊﾅｺ"|b@example.com|0312345678|500|

A-3|"""塚"""|c@example.com|0312345678|600|
`, "|", delimiter)
					text = strings.ReplaceAll(text, "\n", lineEnd)
					if told {
						text = "sep=" + delimiter + lineEnd + text
					}
					f := open(t, encoded(t, text, enc))
					got := rows(f)
					for i := range got {
						if told {
							got[i].Line--
						}
						if i > 1 {
							got[i].Line-- // the blank line
						}
						got[i].Fields.Name = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(got[i].Fields.Name)
					}
					if f.Encoding() != enc || f.Len() != 3 || !reflect.DeepEqual(got, want) {
						t.Errorf("%s %q %q told %v: %s\n%+v", enc, delimiter, lineEnd, told, f.Encoding(), got)
					}
				}
			}
		}
	}
}

func TestHeadersAreRecognised(t *testing.T) {
	for _, header := range []string{
		"invoice_no,name,email,phone,amount",
		"Invoice_No,NAME,E-Mail,Tel,Total",
		"請求番号,お名前,メールアドレス,携帯番号,ご請求額",
		"伝票番号,会社名,Ｅメール,ＴＥＬ,税込 金額",
		"注文番号,請求先,ﾒｰﾙｱﾄﾞﾚｽ,電話,合計　金額",
		"no,customer_name,mail,phone_number,price",
		"\"請求書\n番号\",氏名,メール,電話番号,金額", // a line break in a narrow column
		"\u200b請求書番号,氏名,メール,電話番号,金額",
	} {
		f := open(t, header+"\nA-1,山田,a@example.com,090,500\n")
		row := rows(f)[0]
		want := invoice.Fields{Number: "A-1", Name: "山田", Email: "a@example.com", Phone: "090", Amount: "500"}
		if row.Fields != want {
			t.Errorf("%s: %+v", header, row.Fields)
		}
	}
}

func TestEveryAliasMeansOneField(t *testing.T) {
	seen := map[string]invoice.Field{}
	for field, names := range aliases {
		for _, name := range append([]string{string(field)}, names...) {
			if other, met := seen[comparable(name)]; met && other != field {
				t.Errorf("%s means %s and %s", name, field, other)
			}
			seen[comparable(name)] = field
		}
	}
}

func TestAliasesOfTheConfiguration(t *testing.T) {
	data := []byte("会員番号,氏名,メール,電話番号,金額,内容\nA-1,山田,a@example.com,090,500,会費\n")
	o := Options{Aliases: map[invoice.Field][]string{invoice.FieldNumber: {"会員 番号"}}}
	f, err := Open("test.csv", data, o)
	if err != nil {
		t.Fatal(err)
	}
	if header, position := f.Column(invoice.FieldNumber); header != "会員番号" || position != 1 {
		t.Errorf("%s %d", header, position)
	}
	if header, position := f.Column(invoice.FieldDue); header != "" || position != 0 {
		t.Errorf("%s %d", header, position)
	}
	if got := rows(f)[0].Fields; got.Number != "A-1" || got.Description != "会費" {
		t.Errorf("%+v", got)
	}
}

// What is wrong with one row costs no other row.
func TestMalformedRowsAreRejectedAlone(t *testing.T) {
	long := strings.Repeat("あ", MaxField/3+1)
	for name, c := range map[string]struct{ body, want string }{
		"too few": {"A-1,山田,a@x.jp,090\nA-2,鈴木,b@x.jp,090,500\n", "2 row_field_count\n3 A-2|鈴木|500"},
		"a comma that was not quoted": {"A-1,山田,a@x.jp,090,3,000\nA-2,鈴木,b@x.jp,090,500",
			"2 row_field_count\n3 A-2|鈴木|500"},
		"a quote in a value": {"A-1,山\"田,a@x.jp,090,500\nA-2,鈴木,b@x.jp,090,500\n", "2 row_stray_quote\n3 A-2|鈴木|500"},
		"text behind a quote": {"A-1,\"山田\"様,a@x.jp,090,500\nA-2,鈴木,b@x.jp,090,500\n",
			"2 row_stray_quote\n3 A-2|鈴木|500"},
		"a quote closed by the next row": {"\"A-1,山田,a@x.jp,090,500\n\"A-2\",鈴木,b@x.jp,090,500\nA-3,林,c@x.jp,090,500\n",
			"2 row_stray_quote\n3 A-2|鈴木|500\n4 A-3|林|500"},
		"line breaks, then a stray quote": {"A-1,\"山\n田\",a\"@x.jp,090,500\nA-2,鈴木,b@x.jp,090,500\n",
			"2 row_stray_quote\n3 row_stray_quote\n4 A-2|鈴木|500"},
		"too long": {"A-1," + long + ",a@x.jp,090,500\nA-2,鈴木,b@x.jp,090,500\n", "2 field_too_long\n3 A-2|鈴木|500"},
		"blank lines": {"\n,,,,\n \nA-1,山田,a@x.jp,090,500\r\n\r\n\"\",\"\",,,\nA-2,鈴木,b@x.jp,090,500",
			"5 A-1|山田|500\n8 A-2|鈴木|500"},
		"line breaks in values": {"A-1,\"山\r\n\r田\n\",a@x.jp,090,500\nA-2,鈴木,b@x.jp,090,500\n", "2 A-1|山\n\r田\n|500\n6 A-2|鈴木|500"},
		"Excel's text":          {"=\"001\",山田,a@x.jp,=\"0901234567\",500\n\"=\"\"002\"\"\",鈴木,b@x.jp,090,500\n", "2 001|山田|500\n3 002|鈴木|500"},
		"half of Excel's text":  {"=\"001,山田,a@x.jp,090,500\n=1+\"2\",鈴木,b@x.jp,090,500\nA-3,林,c@x.jp,090,500\n", "2 row_stray_quote\n3 row_stray_quote\n4 A-3|林|500"},
		"only a header":         {"", ""},
	} {
		if got := summary(open(t, sampleHeader+"\n"+c.body)); got != c.want {
			t.Errorf("%s:\n%.300s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestFieldCountSaysWhatWasFound(t *testing.T) {
	row := rows(open(t, sampleHeader+"\nA-1,山田\n"))[0]
	if row.Problem.Ref != "2 / 5" || row.Problem.Line != 2 || row.Problem.Severity != invoice.Error {
		t.Errorf("%+v", row.Problem)
	}
}

func TestTabsBetweenValuesWithCommas(t *testing.T) {
	f := open(t, "請求書番号\t氏名\tメール\t電話番号\t金額\nA-1\t山田, 太郎\ta@x.jp\t090\t3,000\n")
	if got := summary(f); got != "2 A-1|山田, 太郎|3,000" {
		t.Error(got)
	}
}

func TestEmptyColumnsAtTheEndAreIgnored(t *testing.T) {
	f := open(t, sampleHeader+",,\nA-1,山田,a@x.jp,090,500,,\nA-2,鈴木,b@x.jp,090,600, ,\n")
	if got := summary(f); got != "2 A-1|山田|500\n3 A-2|鈴木|600" {
		t.Error(got)
	}
}

// The file is refused as a whole, with the place and a remedy in both
// languages.
func TestFilesThatAreRefused(t *testing.T) {
	rowsOf := func(n int) string {
		return sampleHeader + "\n" + strings.Repeat("A,山田,a@x.jp,090,500\n", n)
	}
	cp932 := encoded(t, sampleHeader+"\r\nA-1,山田,a@x.jp,090,500\r\n", CP932)
	utf16 := encoded(t, "《\n"+sampleHeader+"\n", UTF16LE) // 《 is 0A 30: no line end
	for name, c := range map[string]struct {
		data   string
		code   FileCode
		line   int
		byte   int
		ja, en []string
	}{
		"workbook":    {"PK\x03\x04....", CodeWorkbook, 0, 0, []string{"Excel ブック", "CSV UTF-8"}, []string{"Excel workbook", "Save As"}},
		"old Excel":   {"\xD0\xCF\x11\xE0\xA1\xB1", CodeWorkbook, 0, 0, []string{"Excel ブック"}, []string{"Excel workbook"}},
		"nothing":     {"", CodeEmpty, 0, 0, []string{"1行目に見出し"}, []string{"Put the headers"}},
		"blank":       {"\xEF\xBB\xBF\r\n  ,,\r\n", CodeEmpty, 0, 0, []string{"何も書かれていません"}, []string{"is empty"}},
		"too large":   {strings.Repeat("x", MaxBytes+1), CodeTooLarge, 0, 0, []string{"32 MiB", "分けて"}, []string{"32 MiB", "Split"}},
		"too many":    {rowsOf(4), CodeTooManyRows, 0, 0, []string{"4 行", "3 行", "limits.max_rows"}, []string{"4 rows", "allows 3", "raise"}},
		"NUL":         {sampleHeader + "\nA\x00", CodeUndecodable, 2, len(sampleHeader) + 3, []string{"2行目", "CSV UTF-8"}, []string{"Line 2", "Save the file"}},
		"NUL and BOM": {"\xEF\xBB\xBFA\x00", CodeUndecodable, 1, 5, []string{"1行目", "5 バイト目"}, []string{"Line 1", "byte 5"}},
		"half a character, CP932": {cp932 + "A-2,\x8E", CodeUndecodable, 3, len(cp932) + 5,
			[]string{"3行目", fmt.Sprint(len(cp932)+5, " バイト目")}, []string{"Line 3"}},
		"no character, CP932": {cp932 + "\x8E\x5F\xB1\xFF", CodeUndecodable, 3, len(cp932) + 4, []string{"3行目"}, []string{"Line 3"}},
		"broken UTF-8":        {sampleHeader + "\r山田\r\xE5\xB1\r", CodeUndecodable, 3, len(sampleHeader) + 9, []string{"3行目"}, []string{"Line 3"}},
		"broken UTF-8, BOM":   {"\xEF\xBB\xBF" + sampleHeader + "\n\xFF", CodeUndecodable, 2, len(sampleHeader) + 5, []string{"2行目"}, []string{"Line 2"}},
		"half a unit":         {utf16 + "x", CodeUndecodable, 3, len(utf16) + 1, []string{"3行目"}, []string{"Line 3"}},
		"half a pair":         {utf16 + "\x3D\xD8x\x00", CodeUndecodable, 3, len(utf16) + 1, []string{"3行目"}, []string{"Line 3"}},
		"other half":          {utf16 + "\x00\xDC", CodeUndecodable, 3, len(utf16) + 1, []string{"3行目"}, []string{"Line 3"}},
		"unclosed": {sampleHeader + "\n\"A\n1\",山田,a@x.jp,090,500\nB,\"鈴木,b@x.jp,090,500\nC,林,c@x.jp,090,500\n",
			CodeUnclosedQuote, 4, 0, []string{"4行目で始まる"}, []string{"opens on line 4", "Close it"}},
		"unclosed in the header": {"\"請求書番号,氏名\nA,B\n", CodeUnclosedQuote, 1, 0, []string{"1行目"}, []string{"line 1"}},
		"missing": {"\n請求書番号,氏名,TEL,金額(税抜)\nA,B,C,D\n", CodeHeaderMissing, 2, 0,
			[]string{"メール", "email", "請求", "2行目", "金額(税抜)", "[columns]"}, []string{"email, amount", "line 2", "TEL", "[columns]"}},
		"a letter":                  {strings.Repeat("拝啓 時下ますますご清栄のこととお慶び申し上げます。", 100), CodeHeaderAbsent, 1, 0, []string{"見出しの行がありません"}, []string{"There is no header"}},
		"a long header":             {strings.Repeat("備考", 1000) + ",氏名\n", CodeHeaderMissing, 1, 0, []string{"…"}, []string{"…"}},
		"no header, but a customer": {"S-1,山田太郎,taro@example.jp,09012345678,3000\n", CodeHeaderAbsent, 1, 0, []string{"1行目"}, []string{"line 1"}},
		"duplicate": {sampleHeader + ",ご請求額\n", CodeHeaderDuplicate, 1, 0,
			[]string{"1行目", "E (金額)", "F (ご請求額)", "削除"}, []string{"line 1", "E (金額)", "F (ご請求額)", "Rename or delete"}},
		"duplicate, unknown": {sampleHeader + ",備考,備 考\n", CodeHeaderDuplicate, 1, 0, []string{"F (備考)", "G (備 考)"}, []string{"F (備考)"}},
		"empty header":       {sampleHeader + ",,備考\nA,山田,a@x.jp,090,500,,\n", CodeHeaderEmpty, 1, 0, []string{"F列", "1行目"}, []string{"Column F", "line 1"}},
		"empty header, used": {sampleHeader + ",\nA,山田,a@x.jp,090,500,x\n", CodeHeaderEmpty, 1, 0, []string{"F列"}, []string{"Column F"}},
		"quote in header": {"sep=,\n請求書\"番号\",氏名,メール,電話番号,金額\n", CodeHeaderQuote, 2, 0,
			[]string{"2行目", "取り除いて"}, []string{"line 2", "take the quotes away"}},
	} {
		_, err := Open("11月.csv", []byte(c.data), Options{MaxRows: 3})
		refused, ok := err.(*FileError)
		if !ok || refused.Code != c.code || refused.Line != c.line || refused.Byte != c.byte {
			t.Errorf("%s: %#v", name, err)
			continue
		}
		for message, parts := range map[string][]string{
			refused.Message(invoice.Japanese): c.ja,
			refused.Error():                   c.en,
		} {
			for _, part := range append(parts, "11月.csv: ") {
				if !strings.Contains(message, part) || strings.Contains(message, "%!") || len(message) > 1500 {
					t.Errorf("%s: %s (no %q)", name, message, part)
				}
			}
		}
		if ja := refused.Message(invoice.Japanese); !strings.Contains(ja, "ください") {
			t.Errorf("%s: %s", name, ja)
		}
	}
}

func TestRowsUpToTheLimitAreRead(t *testing.T) {
	f, err := Open("test.csv", []byte(sampleHeader+"\nA,山田,a@x.jp,090,500\nB,山田,a@x.jp,090,500\n"), Options{MaxRows: 2})
	if err != nil || f.Len() != 2 || f.Name() != "test.csv" {
		t.Error(err)
	}
}

func TestReadFileStopsBehindTheLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.csv")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, MaxBytes+1000); err != nil {
		t.Fatal(err)
	}
	data, err := ReadFile(path)
	if err != nil || len(data) != MaxBytes+1 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if _, err := ReadFile(path + ".csv"); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func TestRowsCanBeLeftAndBegunAgain(t *testing.T) {
	f := open(t, sampleHeader+"\nA,山田,a@x.jp,090,500\nB,鈴木,a@x.jp,090,500\n")
	for row := range f.Rows() {
		if row.Fields.Number != "A" {
			t.Error(row)
		}
		break
	}
	if got := summary(f); got != "2 A|山田|500\n3 B|鈴木|500" {
		t.Error(got)
	}
}
