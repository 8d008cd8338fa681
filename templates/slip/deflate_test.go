package slip

import (
	"bytes"
	"compress/zlib"
	"io"
	"testing"
)

// TestPiecesMakeOneStream reads with another reader what was packed apart. It
// checks the sum at the end, too.
func TestPiecesMakeOneStream(t *testing.T) {
	long := bytes.Repeat([]byte("コンビニエンスストア"), 4000)
	for _, pieces := range [][][]byte{{nil}, {[]byte("a"), nil}, {nil, []byte("b")}, {long, []byte("c")}, {long, long, long}} {
		var before []packed
		var want []byte
		for _, p := range pieces[1:] {
			before = append(before, pack(p))
			want = append(want, p...)
		}
		before = append([]packed{stored([]byte("head"))}, before...)
		want = append(append([]byte("head"), want...), pieces[0]...)
		reader, err := zlib.NewReader(bytes.NewReader(zlibOf(pieces[0], before...)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(reader)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, want %d: %v", len(got), len(want), err)
		}
	}
}
