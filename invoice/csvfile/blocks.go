package csvfile

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// errUndecodable says that a block holds bytes without a meaning.
var errUndecodable = errors.New("csvfile: a byte without meaning")

// blocks decodes a file block by block. What it makes of one is what [decode]
// makes of the file as a whole.
type blocks struct {
	source  io.Reader // behind the byte order mark
	enc     Encoding
	decoder transform.Transformer // nil: the bytes are known to be UTF-8
	raw     []byte                // read, and not yet decoded: a character may be cut in two
	ended   bool                  // nothing is left to read
}

func newBlocks(source io.Reader, enc Encoding) *blocks {
	b := &blocks{source: source, enc: enc}
	switch enc {
	case CP932:
		b.decoder = japanese.ShiftJIS.NewDecoder()
	case UTF16LE:
		b.decoder = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case UTF16BE:
		b.decoder = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	}
	return b
}

// next reads up to n bytes and puts their text behind other text. Errors are
// errUndecodable and the source's.
func (b *blocks) next(text []byte, n int) ([]byte, error) {
	kept := len(b.raw)
	b.raw = slices.Grow(b.raw, n)[:kept+n]
	read, err := io.ReadFull(b.source, b.raw[kept:])
	b.raw = b.raw[:kept+read]
	switch err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		b.ended = true
	default:
		return text, err
	}
	return b.decode(text)
}

// decode takes the whole characters off what was read.
func (b *blocks) decode(text []byte) ([]byte, error) {
	if b.decoder == nil {
		text = append(text, b.raw...)
		b.raw = b.raw[:0]
		return text, nil
	}
	whole := len(b.raw)
	if b.enc == UTF16LE || b.enc == UTF16BE {
		const pair = 4 // bytes; less may be the beginning of one
		whole = soundUTF16(b.raw, 0, b.enc)
		if rest := len(b.raw) - whole; rest >= pair || b.ended && rest > 0 {
			return text, errUndecodable
		}
	}
	const most = 3 // bytes of text for one in the file: half-width kana
	before := len(text)
	text = slices.Grow(text, most*whole+utf8.UTFMax)
	written, used, err := b.decoder.Transform(text[before:cap(text)], b.raw[:whole], b.ended)
	if err != nil && (err != transform.ErrShortSrc || b.ended) {
		return text, errUndecodable
	}
	text = text[:before+written]
	b.raw = append(b.raw[:0], b.raw[used:]...)
	if b.enc == CP932 && hasMeaningless(text[before:]) {
		return text, errUndecodable
	}
	return text, nil
}

// hasMeaningless reports what meaninglessInCP932 looks for.
func hasMeaningless(text []byte) bool {
	return bytes.Contains(text, []byte("\uFFFD")) || bytes.Contains(text, []byte("\u0080"))
}
