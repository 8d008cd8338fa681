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

// sameAsOpen compares what is read block by block with what Open reads.
func sameAsOpen(t testing.TB, data []byte, o Options, block int) {
	t.Helper()
	held, heldErr := Open("a.csv", data, Options{Aliases: o.Aliases})
	streamed, err := scan("a.csv", bytes.NewReader(data), int64(len(data)), o, block)
	if heldErr != nil || err != nil {
		if !reflect.DeepEqual(heldErr, err) {
			t.Fatalf("%q in blocks of %d: %v, want %v", data, block, err, heldErr)
		}
		return
	}
	_, refusal := Open("a.csv", data, o)
	if !reflect.DeepEqual(streamed.Refusal(), refusal) {
		t.Errorf("%q: refused with %v, want %v", data, streamed.Refusal(), refusal)
	}
	for _, field := range required {
		header, position := held.Column(field)
		if gotHeader, got := streamed.Column(field); gotHeader != header || got != position {
			t.Errorf("%q: %s is %s (%d), want %s (%d)", data, field, gotHeader, got, header, position)
		}
	}
	if got, want := rowsOfStream(t, streamed.Chunks()), rows(held); !reflect.DeepEqual(got, want) || streamed.Len() != held.Len() {
		t.Fatalf("%q in blocks of %d: %d of %d rows\n%+v\nwant %d\n%+v", data, block, len(got), streamed.Len(), got, held.Len(), want)
	}
	if got, want := rowsOfStream(t, streamed.Suspects()), sharing(rows(held)); !reflect.DeepEqual(got, want) {
		t.Errorf("%q in blocks of %d: suspects %+v\nwant %+v", data, block, got, want)
	}
}

func rowsOfStream(t testing.TB, chunks iter.Seq2[Chunk, error]) []Row {
	t.Helper()
	var all []Row
	for chunk, err := range chunks {
		if err != nil {
			t.Fatal(err)
		}
		for row := range chunk.Rows() {
			all = append(all, row)
		}
	}
	return all
}

// sharing are the rows whose number another row has.
func sharing(all []Row) []Row {
	times := map[string]int{}
	for _, row := range all {
		times[invoice.NumberOf(row.Fields.Number)]++
	}
	var found []Row
	for _, row := range all {
		if number := invoice.NumberOf(row.Fields.Number); number != "" && times[number] > 1 {
			found = append(found, row)
		}
	}
	return found
}

// trickyBodies are rows that are hard to cut: quotes, line ends and blank lines
// where a block may end, and characters of several bytes.
var trickyBodies = []string{
	"", "A-1,山田,a@example.com,09012345678,3000", "\n\n , \nA-1,a,b,c,d\r\n\r\nA-1,a,b,c,d\r",
	"A-1,\"山\n田\",a,b,c\nA-2,\"a\"\"b\",=\"01\",c,d\n", "A-1,\"x\ny\",=\"12,c,d\nA-1,a,b,c,=\"9\"\n", "A-1,a\"b,c,d,e\n\"never\n",
	"A-1,髙橋　①㈱～ﾔﾏﾀﾞ,a,b,c\nA-1,い,う,え,お\n", "A-1,a,b,c\nA-2,a,b,c,d,e\n", "\"a\"b\n\"c\nd\",e,f,g,h\n", "A-1,\u0080,a,b,c\n", "A-1,\ufeff\U00020BB7,a,b,c\n\x00",
	"A-1,\"\"\"\",a,b,\"\"\n" + strings.Repeat("A-9,あいうえお,a@example.com,0312345678,500\r\n", 20),
}

var trickyHeads = []string{
	sampleHeader, "sep=;\r\n" + strings.ReplaceAll(sampleHeader, ",", ";"), strings.ReplaceAll(sampleHeader, ",", "\t"),
	"\n,,\n\r\n " + "\n" + sampleHeader, sampleHeader + ",,", "請求書番号;\"氏名\nx\",電話", "\"請求書番号\",\"氏名\",メール,電話番号,\"金額\"",
	sampleHeader + ",\"担;\"\"当\"", "", "abc", "\"",
	sampleHeader + ",result,codes,message,line,sent_name,sent_phone,charge_id,payment_code,authorize_uri,expires_at,charge_status,slip,mail,mailed_at",
}

func TestStreamReadsWhatOpenReads(t *testing.T) {
	for _, head := range trickyHeads {
		for _, body := range trickyBodies {
			text := head + "\n" + body
			for _, enc := range []Encoding{UTF8, UTF8BOM, CP932, UTF16LE, UTF16BE} {
				data, err := encode(text, enc)
				if err != nil {
					continue // a character that CP932 lacks
				}
				for _, block := range []int{1, 3, 64, 4096} {
					sameAsOpen(t, data, Options{MaxRows: 10}, block)
					sameAsOpen(t, data[:len(data)-len(data)/3], Options{}, block)
				}
			}
		}
	}
}

func FuzzStream(f *testing.F) {
	for i, head := range trickyHeads {
		f.Add([]byte(head+"\r\n"+trickyBodies[i%len(trickyBodies)]), uint8(i), uint8(i))
	}
	f.Add([]byte(sampleHeader+"\n\x8E\x52\xB1,\x80,\xFD"), uint8(3), uint8(5))
	f.Fuzz(func(t *testing.T, data []byte, block, encoding uint8) {
		enc := []Encoding{UTF8, UTF8BOM, CP932, UTF16LE, UTF16BE}[encoding%5]
		if again, err := encode(string(data), enc); err == nil {
			sameAsOpen(t, again, Options{MaxRows: 3}, int(block)+1)
		}
		sameAsOpen(t, data, Options{MaxRows: 3}, int(block)+1)
	})
}

// changing is a file that somebody writes to after it was read some times.
type changing struct {
	before, after string
	readings      int // how many find it as it was
}

func (c *changing) ReadAt(p []byte, off int64) (int, error) {
	if off == 0 {
		c.readings--
	}
	text := c.before
	if c.readings < 0 {
		text = c.after
	}
	return strings.NewReader(text).ReadAt(p, off)
}

func errorOf(chunks iter.Seq2[Chunk, error]) error {
	for _, err := range chunks {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestStreamNoticesThatTheFileChanged(t *testing.T) {
	row := "A-1,a,b,c,1\n"
	sound := sampleHeader + "\n" + row + row
	for _, after := range []string{
		sampleHeader + "\n" + row + "A-1,a,b,c,2\n", sampleHeader + "\n" + row, "", sampleHeader + "\n" + row + "\"A-1,a,b,c,\n",
	} {
		for readings := 1; readings <= 3; readings++ {
			s, err := scan("a.csv", &changing{sound, after, readings}, int64(len(sound)), Options{}, 4096)
			if err == nil {
				err = errors.Join(errorOf(s.Suspects()), errorOf(s.Chunks()))
			}
			if !errors.Is(err, ErrChanged) {
				t.Errorf("%q after %d readings: %v", after, readings, err)
			}
		}
	}
}

func TestStreamRefusesWhatRunWouldRefuse(t *testing.T) {
	large := sampleHeader + "\n" + strings.Repeat("A-1,a,b,c,1"+strings.Repeat(" ", 1000)+"\n", MaxBytes/1000)
	s, err := Scan("a.csv", strings.NewReader(large), int64(len(large)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var fault *FileError
	if !errors.As(s.Refusal(), &fault) || fault.Code != CodeTooLarge || s.Len() != MaxBytes/1000 {
		t.Errorf("%v, %d rows", s.Refusal(), s.Len())
	}
	endless := large + "\"" + strings.Repeat("x", MaxBytes+1<<20)
	if _, err = Scan("a.csv", strings.NewReader(endless), int64(len(endless)), Options{}); !errors.As(err, &fault) || fault.Code != CodeTooLarge {
		t.Error(err)
	}
	if _, err = Scan("a.csv", nil, MaxStream+1, Options{}); !errors.As(err, &fault) || fault.Code != CodeTooLarge {
		t.Error(err)
	}
}
