package csvfile

import (
	"bytes"
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"

	"konbill/invoice"
)

func results(t testing.TB, f *File, enc Encoding, result func(Row) Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.WriteResults(&b, enc, resultsOf(f, result)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func resultsOf(f *File, result func(Row) Result) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for row := range f.Rows() {
			if !yield(result(row)) {
				return
			}
		}
	}
}

// encode is a text as the bytes of a file.
func encode(text string, enc Encoding) ([]byte, error) {
	var b bytes.Buffer
	_, err := encoder(&b, enc).Write([]byte(text))
	return b.Bytes(), err
}

func errorsFile(t testing.TB, f *File, rejected func(line int) bool) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.WriteErrors(&b, rejected); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func issued(row Row) Result {
	return Result{
		Result: "issued", Codes: "name_normalised", Message: "「ヤマダ」を送ります。", Line: row.Line, SentName: "ヤマダ", SentPhone: "09012345678",
		ChargeID: "chrg_test_1", PaymentCode: "709590", AuthorizeURI: "https://pay.omise.co/1", ExpiresAt: "2027-01-01T00:00:00+09:00",
		ChargeStatus: "pending", Slip: "slips/A.pdf", Mail: "mailed", MailedAt: "2026-11-24T12:00:00+09:00",
		PaidAt: "2026-11-30T09:00:00+09:00", Fee: "184", Net: "316", Language: invoice.Japanese,
	}
}

const addedHeader = "result,codes,message,line,sent_name,sent_phone,charge_id,payment_code,authorize_uri,expires_at,charge_status,slip,mail,mailed_at,paid_at,fee,net"

const addedCells = "name_normalised,「ヤマダ」を送ります。,2,ヤマダ,09012345678,chrg_test_1,709590,https://pay.omise.co/1," +
	"2027-01-01T00:00:00+09:00,pending,slips/A.pdf,mailed,2026-11-24T12:00:00+09:00,2026-11-30T09:00:00+09:00,184,316"

func TestResultsKeepTheInputAndAddTheirColumns(t *testing.T) {
	f := open(t, encoded(t, "請求書番号;氏名;メール;電話番号;金額;担当, 部署\nA-1;ﾔﾏﾀﾞ;a@x.jp;090;500;\"佐藤; \"\"経理\"\"\"\n", UTF16LE))
	want := "\uFEFF請求書番号,氏名,メール,電話番号,金額,\"担当, 部署\"," + addedHeader + "\r\n" +
		"A-1,ﾔﾏﾀﾞ,a@x.jp,090,500,\"佐藤; \"\"経理\"\"\",issued," + addedCells + "\r\n"
	for _, enc := range []Encoding{UTF8, UTF8BOM} {
		if got := results(t, f, enc, issued); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

func TestResultsHoldEveryRow(t *testing.T) {
	f := open(t, sampleHeader+"\nA-1,山田\nA-2,鈴\"木,b@x.jp,090,500\nA-3,林,c@x.jp,090,3,000\n")
	result := func(row Row) Result { return Result{Result: "rejected", Line: row.Line} }
	got := strings.Split(strings.TrimSuffix(results(t, f, UTF8, result), "\r\n"), "\r\n")[1:]
	want := []string{
		"A-1,山田,,,,rejected,,,2,,,,,,,,,,,,,",
		"A-2,\"鈴\"\"木\",b@x.jp,090,500,rejected,,,3,,,,,,,,,,,,,",
		"A-3,林,c@x.jp,090,\"3,000\",rejected,,,4,,,,,,,,,,,,,",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}

func TestFormulasAreNeutralisedAndComeBack(t *testing.T) {
	input := sampleHeader + ",=備考\n" +
		"=A-1,+山田,@x.jp,+819012345678,-500,\"=HYPERLINK(\"\"http://x\"\")\"\n" +
		"'=A-2,\"\t鈴木\",'a@x.jp,\"=\"\"0901\"\"\",500,\"\rx\"\n" +
		"＝A-3,＋山田,＠x.jp,－1,'＝500,\"\n=1\"\n"
	f := open(t, input)
	result := func(row Row) Result { return Result{Result: "rejected", Message: "=1+1", Line: row.Line} }
	written := results(t, f, UTF8, result)
	again := open(t, written)
	for row := range strings.SplitSeq(strings.TrimPrefix(written, markUTF8), "\r\n") {
		cells := record{end: len(row)}.cells(row, ',')
		for _, cell := range cells {
			if cell != "" && strings.IndexAny(cell, "=+-@＝＋－＠\t\r\n") == 0 {
				t.Errorf("%q begins like a formula", cell)
			}
		}
	}
	if got, want := fieldsOf(again), fieldsOf(f); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if third := results(t, again, UTF8, result); third != written {
		t.Errorf("written again:\n%s\nwant\n%s", third, written)
	}
}

func fieldsOf(f *File) []invoice.Fields {
	var all []invoice.Fields
	for row := range f.Rows() {
		all = append(all, row.Fields)
	}
	return all
}

// A results file dropped as input is the input it came from: its result columns
// are replaced, not repeated, in whichever encoding Excel saved it.
func TestResultsAreInputAgain(t *testing.T) {
	f := open(t, "請求書番号,氏名,メール,電話番号,金額,支払期限,result,message\nA-1,山田,a@x.jp,=\"090\",500,2026-12-31,先月,自分の列\n")
	written := results(t, f, UTF8, issued)
	text := strings.TrimPrefix(written, markUTF8)
	for name, saved := range map[string]string{
		"as it is":     written,
		"CP932":        encoded(t, text, CP932),
		"UTF-16, tabs": encoded(t, strings.ReplaceAll(text, ",", "\t"), UTF16LE),
	} {
		again := open(t, saved)
		if got, want := fieldsOf(again), fieldsOf(f); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v\nwant %+v", name, got, want)
		}
		if third := results(t, again, UTF8, issued); third != written {
			t.Errorf("%s:\n%s\nwant\n%s", name, third, written)
		}
	}
}

// The first release wrote fewer columns. What somebody has added behind them is
// theirs, whatever it is called.
func TestResultsOfTheFirstReleaseAreInputAgain(t *testing.T) {
	first := "result,codes,message,line,sent_name,sent_phone,charge_id,payment_code,authorize_uri,expires_at,charge_status,slip,mail,mailed_at"
	f := open(t, sampleHeader+","+first+",fee\nA-1,山田,a@x.jp,090,500,issued,,,2,,,,,,,,,,,役員会費\n")
	want := "\uFEFF" + sampleHeader + ",fee," + addedHeader + "\r\n" + "A-1,山田,a@x.jp,090,500,役員会費,issued," + addedCells + "\r\n"
	written := results(t, f, UTF8, issued)
	if written != want {
		t.Errorf("%s\nwant\n%s", written, want)
	}
	if again := results(t, open(t, written), UTF8, issued); again != want {
		t.Errorf("written again:\n%s\nwant\n%s", again, want)
	}
}

// Its errors file has the input's columns alone.
func TestErrorsOfAResultsFile(t *testing.T) {
	f := open(t, sampleHeader+"\nA-1,山田,a@x.jp,+8190,500\nA-2,鈴木,b@x.jp,090,50\n")
	again := open(t, results(t, f, UTF8, issued))
	got := errorsFile(t, again, func(line int) bool { return line == 2 })
	if want := "\uFEFF" + sampleHeader + "\r\nA-1,山田,a@x.jp,+8190,500\r\n"; got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestAnInputMayHaveColumnsNamedLikeResults(t *testing.T) {
	f := open(t, "result,invoice_no,name,mail,phone,amount,line,slip\nx,A-1,山田,a@x.jp,090,500,7,8\n")
	if got := summary(f); got != "2 A-1|山田|500" {
		t.Error(got)
	}
	if got := results(t, f, UTF8, issued); !strings.Contains(got, "\r\nx,A-1,山田,a@x.jp,090,500,7,8,issued,") {
		t.Error(got)
	}
}

func TestResultsInCP932(t *testing.T) {
	f := open(t, sampleHeader+",備考\n"+
		"A-1,髙橋〜,a@x.jp,03−1234,¥500,a—b–c￣¦\n"+
		"A-2,𠮷野,a@x.jp,090,500,José\n"+
		"A-3,林,a@x.jp,090,500,\n")
	result := func(row Row) Result {
		r := Result{Result: "issued", Message: "発行しました。", Line: row.Line, Language: invoice.Japanese}
		if row.Line == 4 {
			r.Codes, r.Message, r.Language = "name_normalised", "Issued.", invoice.English
			r.SentName = "塚😊"
		}
		return r
	}
	again := open(t, results(t, f, CP932, result))
	if again.Encoding() != CP932 {
		t.Fatal(again.Encoding())
	}
	lines := strings.Split(again.text, "\r\n")
	for i, want := range []string{
		sampleHeader + ",備考," + addedHeader,
		"A-1,髙橋～,a@x.jp,03－1234,￥500,a―b－c￣￤,issued,,発行しました。,2,",
		"A-2,〓野,a@x.jp,090,500,Jose,issued,cp932_replaced,発行しました。Shift_JIS（CP932）で",
		"A-3,林,a@x.jp,090,500,,issued,name_normalised;cp932_replaced,Issued. Characters that Shift_JIS (CP932) lacks",
	} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("%s\nwant %s", lines[i], want)
		}
	}
	if !strings.Contains(lines[3], ",塚〓,") {
		t.Error(lines[3])
	}
}

// The errors file is the input's own text: the same delimiter, encoding, line
// ends and cells; corrected, it is input.
func TestErrorsFileIsInputOnceCorrected(t *testing.T) {
	for _, enc := range []Encoding{UTF8, UTF8BOM, CP932, UTF16LE, UTF16BE} {
		for _, told := range []string{"", "sep=;\r\n"} {
			header := "請求書番号;氏名;メール;電話番号;金額;備考\r\n"
			wrong := "A-2;\"鈴木\r\n塚\";b@x.jp;=\"090\";\"5;0\";'=1\r\n"
			text := told + "\r\n" + header + "A-1;山田;a@x.jp;090;500;\r\n" + wrong + "A-3;林;c@x.jp;090;500\r\nA-4;森;d@x.jp;090;500;"
			f := open(t, encoded(t, text, enc))
			line := 4
			if told != "" {
				line = 5
			}
			got := errorsFile(t, f, func(at int) bool { return at >= line && at < line+3 })
			want := encoded(t, told+header+wrong+"A-3;林;c@x.jp;090;500\r\n", enc)
			if got != want {
				t.Fatalf("%s: %q\nwant %q", enc, got, want)
			}
			decoded, _, fault := decode([]byte(got))
			if fault != nil {
				t.Fatal(fault)
			}
			corrected := strings.NewReplacer("\"5;0\"", "50", "500\r\n", "500;\r\n").Replace(decoded)
			again := open(t, encoded(t, corrected, enc))
			first := 2 + strings.Count(told, "\n")
			rows := rows(again)
			if len(rows) != 2 || rows[0].Line != first || rows[0].Problem != nil || rows[0].Fields.Amount != "50" ||
				rows[0].Fields.Phone != "090" || rows[1].Problem != nil || rows[1].Fields.Number != "A-3" {
				t.Errorf("%s: %+v", enc, rows)
			}
		}
	}
}

var errDiskFull = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errDiskFull }

func TestWriterErrorsAreGiven(t *testing.T) {
	f := open(t, sampleHeader+"\nA-1,山田,a@x.jp,090,500\n")
	if err := f.WriteResults(fullDisk{}, UTF8, resultsOf(f, issued)); !errors.Is(err, errDiskFull) {
		t.Error(err)
	}
	if err := f.WriteErrors(fullDisk{}, func(int) bool { return true }); !errors.Is(err, errDiskFull) {
		t.Error(err)
	}
}
