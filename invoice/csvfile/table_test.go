package csvfile

import (
	"bytes"
	"errors"
	"testing"
)

func TestTable(t *testing.T) {
	rows := [][]string{{"invoice_no", "name"}, {"=A-1", "髙橋, 花子"}, {"A-2", "𠮷野〜"}}
	for enc, want := range map[Encoding]string{
		UTF8:  "\uFEFFinvoice_no,name\r\n'=A-1,\"髙橋, 花子\"\r\nA-2,𠮷野〜\r\n",
		CP932: encoded(t, "invoice_no,name\r\n'=A-1,\"髙橋, 花子\"\r\nA-2,〓野～\r\n", CP932),
	} {
		var b bytes.Buffer
		table := NewTable(&b, enc)
		for _, row := range rows {
			if err := table.Write(row); err != nil {
				t.Error(err)
			}
		}
		if b.String() != want {
			t.Errorf("%s: %q\nwant %q", enc, b.String(), want)
		}
	}
	if err := NewTable(fullDisk{}, UTF8).Write(rows[0]); !errors.Is(err, errDiskFull) {
		t.Error(err)
	}
}
