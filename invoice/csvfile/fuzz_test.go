package csvfile

import (
	"strings"
	"testing"
)

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"山田", "\xEF\xBB\xBF山田", "\xFF\xFEA\x00\x71\x5C", "\xFE\xFF\x00A\x5C\x71", "\x8E\x52\x93\x63", "\xB1\xDE", "\x87\x90\x81\xE0", "\xED\x40",
		"\x80", "\xA0", "\xFD", "\x8E", "PK\x03\x04", "a\x00", "\xFF\xFE\x3D\xD8", "\xFF\xFE\x3D\xD8\x0A\xDE", "\xFE\xFF",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, enc, fault := decode(data)
		if fault != nil {
			inside := fault.Byte >= 1 && fault.Byte <= len(data) && fault.Line >= 1
			if fault.Code != CodeWorkbook && (fault.Code != CodeUndecodable || !inside) {
				t.Errorf("%q: %+v", data, fault)
			}
			return
		}
		back, err := encode(text, enc)
		if err != nil {
			t.Fatalf("%q (%s): %v", data, enc, err)
		}
		again, sameEnc, fault := decode(back)
		if fault != nil || again != text || sameEnc != enc && text != "" {
			t.Errorf("%q (%s): %q (%s) %v", data, enc, again, sameEnc, fault)
		}
		// CP932 has some characters twice; Windows itself writes them one way.
		if enc != CP932 && string(back) != string(data) || len(back) != len(data) {
			t.Errorf("%q (%s): %q", data, enc, back)
		}
	})
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"a,b\r\nc,d\n", "\"a\nb\",c\rd", "a\"b,c\n\"d\",e", "=\"01\",x\n=\"1\ny", "\"never", "\"a\"\"b\"", "\"a\"b\n\"c\n\"", "\r\r\n\n", "a\n,\n",
	} {
		f.Add(seed, byte(','))
	}
	f.Add("a;\"b;c\";d\n", byte(';'))
	f.Fuzz(func(t *testing.T, text string, delimiter byte) {
		if strings.IndexByte(",\t;", delimiter) < 0 {
			delimiter = ','
		}
		s := splitter{text: text, delimiter: delimiter, line: 1}
		at := 0
		for {
			r, ok, unclosed := s.next()
			if unclosed > 0 {
				if rest := text[at:]; !strings.Contains(rest, `"`) || unclosed > lineAt(text, len(text)) {
					t.Errorf("%q: no quote opens on line %d", text, unclosed)
				}
				return
			}
			if !ok {
				break
			}
			if r.start != at || r.line != lineAt(text, at) {
				t.Fatalf("%q: a record begins at %d on line %d, want %d on line %d", text, r.start, r.line, at, lineAt(text, at))
			}
			if cells := r.cells(text, delimiter); !r.stray && len(cells) != r.fields {
				t.Errorf("%q: %d cells, %d fields", text[r.start:r.end], len(cells), r.fields)
			}
			at = r.end + len(lineEndAt(text, r.end))
			if at == r.end && at != len(text) {
				t.Fatalf("%q: no line end at %d", text, at)
			}
		}
		if at != len(text) {
			t.Errorf("%q: ends at %d", text, at)
		}
	})
}

// FuzzFile reads whatever comes below a header, and what it writes of it.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"A-1,山田,a@x.jp,090,500\n", "A,=B,\"+\n\",'-,@\r\n\"\n\",,,,\n", "=\"1\",2,3,4,5\rx\ny\"", ",,,,\n \n", "\"\r\n\",\"\r\",\" \",\"\"\"\",\t",
		"'',''=,'+,''''-,'@", "\u00a0,~〜,\u0080,¥,\ufeff", "\"a\",b\nc\"", "\"0\n\" \"",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		file, err := Open("", []byte(sampleHeader+"\n"+body), Options{})
		if err != nil {
			return
		}
		before := rows(file)
		if len(before) != file.Len() {
			t.Fatalf("%d rows of %d", len(before), file.Len())
		}
		i := 0
		written := results(t, file, UTF8, func(row Row) Result {
			if row.Line != before[i].Line || row.Fields != before[i].Fields {
				t.Errorf("row %d: %+v, before %+v", i, row, before[i])
			}
			i++
			return issued(row)
		})
		again, err := Open("", []byte(written), Options{})
		if err != nil {
			t.Fatalf("%q: %v", written, err)
		}
		after := rows(again)
		if i != len(before) || len(after) != len(before) {
			t.Fatalf("%q: %d rows, %d results, %d rows read again", body, len(before), i, len(after))
		}
		for i := range before {
			if before[i].Problem == nil && after[i].Fields != before[i].Fields {
				t.Errorf("%+v, read again, is %+v", before[i].Fields, after[i].Fields)
			}
		}
		cp932, err := Open("", []byte(results(t, file, CP932, issued)), Options{})
		if err != nil || cp932.Len() != len(before) {
			t.Errorf("CP932: %v", err)
		}
		wrong := errorsFile(t, file, func(int) bool { return true })
		if same, err := Open("", []byte(wrong), Options{}); err != nil || same.Len() != len(before) {
			t.Errorf("%q: %v", wrong, err)
		}
	})
}

func FuzzProtect(f *testing.F) {
	for _, seed := range []string{"", "=1", "'=1", "''+", "'", "a", "\t", "'a", "-", "@\r"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		safe := protect(cell)
		if safe != "" && strings.IndexByte("=+-@\t\r", safe[0]) >= 0 {
			t.Errorf("%q is not neutralised", safe)
		}
		if back := unprotect(safe); back != cell {
			t.Errorf("%q comes back as %q", cell, back)
		}
	})
}
