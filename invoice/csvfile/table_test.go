package csvfile

import (
	"bytes"
	"errors"
	"testing"
)

func TestWriteTable(t *testing.T) {
	rows := [][]string{{"invoice_no", "name"}, {"=A-1", "髙橋, 花子"}, {"A-2", "𠮷野〜"}}
	for enc, want := range map[Encoding]string{
		UTF8:  "\uFEFFinvoice_no,name\r\n'=A-1,\"髙橋, 花子\"\r\nA-2,𠮷野〜\r\n",
		CP932: encoded(t, "invoice_no,name\r\n'=A-1,\"髙橋, 花子\"\r\nA-2,〓野～\r\n", CP932),
	} {
		var b bytes.Buffer
		if err := WriteTable(&b, enc, rows); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v\nwant %q", enc, b.String(), err, want)
		}
	}
	if err := WriteTable(fullDisk{}, UTF8, rows); !errors.Is(err, errDiskFull) {
		t.Error(err)
	}
}
