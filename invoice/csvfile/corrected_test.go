package csvfile

import (
	"errors"
	"strings"
	"testing"

	"konbill/invoice"
)

func TestCorrected(t *testing.T) {
	for name, c := range map[string]struct {
		file, field, value string
		line               int
		want               string
	}{
		"a name": {
			"invoice_no,name,email,phone,amount\nA-1,山田,a@x.jp,090,500\nA-2,鈴木,b@x.jp,080,600\n", "name", "山本", 2,
			"invoice_no,name,email,phone,amount,konbill_corrections\n" +
				"A-1,山本,a@x.jp,090,500,\"[{\"\"field\"\":\"\"name\"\",\"\"was\"\":\"\"山田\"\",\"\"by\"\":\"\"花子\"\"}]\"\nA-2,鈴木,b@x.jp,080,600,\n",
		},
		"an amount behind a blank line, in a file with columns of a spreadsheet at the end": {
			"invoice_no;name;email;phone;amount;;\r\n\r\nA-1;山田;a@x.jp;090;\"5\r\n00\";;\r\nA-2;鈴木;b@x.jp;080;600;;", "amount", "a;\nb", 3,
			"invoice_no;name;email;phone;amount;konbill_corrections;\r\n\r\n" +
				"A-1;山田;a@x.jp;090;\"a; b\";\"[{\"\"field\"\":\"\"amount\"\",\"\"was\"\":\"\"5\\r\\n00\"\",\"\"by\"\":\"\"花子\"\"}]\";\r\nA-2;鈴木;b@x.jp;080;600;;",
		},
		"a due date in a file that has none": {
			"invoice_no,name,email,phone,amount,\nA-1,山田,a@x.jp,090,500,\nA-2,鈴木,b@x.jp,080,600\nA-3,鈴木,b@x.jp,080,600,\n", "due", "2026-12-31", 2,
			"invoice_no,name,email,phone,amount,due,konbill_corrections\n" +
				"A-1,山田,a@x.jp,090,500,2026-12-31,\"[{\"\"field\"\":\"\"due\"\",\"\"was\"\":\"\"\"\",\"\"by\"\":\"\"花子\"\"}]\"\nA-2,鈴木,b@x.jp,080,600,\nA-3,鈴木,b@x.jp,080,600,,\n",
		},
		"beside malformed rows, which stay so": {
			"sep=,\ninvoice_no,name,email,phone,amount\nA-1,山田,a@x.jp,090,500,9\nA\"2,鈴木,b@x.jp,080\nA-3,山田,c@x.jp,090\nA-4,山田,d@x.jp,090,500", "email", "e@x.jp", 6,
			"sep=,\ninvoice_no,name,email,phone,amount,konbill_corrections\nA-1,山田,a@x.jp,090,500,9,\nA\"2,鈴木,b@x.jp,080\nA-3,山田,c@x.jp,090,\n" +
				"A-4,山田,e@x.jp,090,500,\"[{\"\"field\"\":\"\"email\"\",\"\"was\"\":\"\"d@x.jp\"\",\"\"by\"\":\"\"花子\"\"}]\"",
		},
	} {
		got, err := open(t, c.file).Corrected([]Change{{c.line, invoice.Field(c.field), c.value}}, "花子")
		if err != nil || string(got) != "\uFEFF"+c.want {
			t.Errorf("%s: %v\n%q\nwant\n%q", name, err, got, "\uFEFF"+c.want)
		}
		before, after := rows(open(t, c.file)), rows(open(t, string(got)))
		for i := range before {
			if (before[i].Problem == nil) != (after[i].Problem == nil) || before[i].Line != after[i].Line && !strings.Contains(c.file, "\"5\r\n") {
				t.Errorf("%s: row %d is %+v, before %+v", name, i, after[i], before[i])
			}
		}
	}
}

// TestCorrectedBack puts a value right, then its like, and then back: nothing was changed.
func TestCorrectedBack(t *testing.T) {
	text := "invoice_no,name,email,phone,amount\nA-1,山田,a@x.jp,090,500\n"
	for _, step := range []struct{ value, by, want string }{
		{"山本", "花子", `[{"field":"name","was":"山田","by":"花子"}]`},
		{"山下", "太郎", `[{"field":"name","was":"山田","by":"太郎"}]`},
		{"山田", "太郎", ""},
	} {
		data, err := open(t, text).Corrected([]Change{{2, invoice.FieldName, step.value}}, step.by)
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
		row := rows(open(t, text))[0]
		if row.Fields.Name != step.value || row.Fields.Corrections != step.want {
			t.Errorf("it says %q and %q, want %q", row.Fields.Name, row.Fields.Corrections, step.want)
		}
	}
}

// TestCorrectedTogether puts several values right at once, of one row and of others.
func TestCorrectedTogether(t *testing.T) {
	f := open(t, "invoice_no,name,email,phone,amount\nA-1,山田,a@x.jp,090,500\nA-2,鈴木,b@x.jp,080,600\nA-3,田中,c@x.jp,070,700\n")
	text, err := f.Corrected([]Change{{4, invoice.FieldName, "田原"}, {2, invoice.FieldName, "山本"}, {2, invoice.FieldAmount, "5000"}}, "花子")
	if err != nil {
		t.Fatal(err)
	}
	after := rows(open(t, string(text)))
	if after[0].Fields.Name != "山本" || after[0].Fields.Amount != "5000" || len(invoice.CorrectionsOf(after[0].Fields.Corrections)) != 2 ||
		after[1].Fields.Corrections != "" || after[2].Fields.Name != "田原" {
		t.Errorf("%s", text)
	}
}

func TestCorrectedRefuses(t *testing.T) {
	f := open(t, "invoice_no,name,email,phone,amount\nA-1,山田,a@x.jp,090,500\nA-2,鈴木\n")
	for _, c := range []struct {
		line  int
		field invoice.Field
		want  error
	}{
		{1, invoice.FieldName, ErrNoRow}, {3, invoice.FieldName, ErrNoRow}, {4, invoice.FieldName, ErrNoRow},
		{2, invoice.FieldDescription, ErrNoColumn}, {2, invoice.FieldNumber, ErrNoColumn}, {2, "", ErrNoColumn},
	} {
		if _, err := f.Corrected([]Change{{2, invoice.FieldEmail, "y"}, {c.line, c.field, "x"}}, "花子"); !errors.Is(err, c.want) {
			t.Errorf("line %d, %s: %v, want %v", c.line, c.field, err, c.want)
		}
	}
}

// FuzzCorrected puts the name of the first sound row right, whatever the file is like: all
// other values and rows stay.
func FuzzCorrected(f *testing.F) {
	for _, seed := range []string{"A-1,山田,a@x.jp,090,500\n", "A,\"=B\",\"\n\",'-,@,,\r\n\"\n\",,,,\n", "a\"b\n1,2,3,4,5,6\n1,2,3,4,5\n", ",,,,\n1,2,3,4,=\"5\""} {
		for _, top := range []string{"", ",", ",,", ",konbill_corrections", ",x,", ",result,charge_id,sent_name"} {
			f.Add(top, seed, "山本")
		}
	}
	f.Fuzz(func(t *testing.T, top, body, value string) {
		file, err := Open("", []byte(sampleHeader+top+"\n"+body), Options{})
		if err != nil || strings.ContainsAny(top, "\r\n") {
			return
		}
		before := rows(file)
		for i, row := range before {
			if row.Problem != nil {
				continue
			}
			data, err := file.Corrected([]Change{{row.Line, invoice.FieldName, value}, {row.Line, invoice.FieldDue, value}}[:1+len(top)%2], "花子")
			if err != nil {
				t.Fatal(err)
			}
			again, err := Open("", data, Options{})
			if err != nil {
				t.Fatalf("%q: %v", data, err)
			}
			after := rows(again)
			if len(after) != len(before) {
				t.Fatalf("%q: %d rows, before %d", data, len(after), len(before))
			}
			for j := range before {
				want, got := before[j].Fields, after[j].Fields
				if j == i {
					want.Name, want.Due, want.Corrections, got.Corrections = got.Name, got.Due, "", ""
				}
				if got != want || (before[j].Problem == nil) != (after[j].Problem == nil) || j <= i && after[j].Line != before[j].Line {
					t.Fatalf("%q: row %d is %+v, before %+v", data, j, after[j], before[j])
				}
			}
			return
		}
	})
}
