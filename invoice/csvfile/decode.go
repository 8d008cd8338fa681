package csvfile

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

// Encoding is how a file's text is written in bytes.
type Encoding string

// The encodings that are read. Results are written in UTF-8 (with a byte order
// mark, which Excel wants) or CP932.
const (
	UTF8    Encoding = "utf-8"
	UTF8BOM Encoding = "utf-8-bom"
	CP932   Encoding = "cp932" // Windows Shift_JIS
	UTF16LE Encoding = "utf-16le"
	UTF16BE Encoding = "utf-16be"
)

const (
	markUTF8    = "\xEF\xBB\xBF"
	markUTF16LE = "\xFF\xFE"
	markUTF16BE = "\xFE\xFF"
)

// decode finds out the encoding and turns the file into text. It loses nothing:
// a byte that has no meaning refuses the file, with its place.
func decode(data []byte) (text string, enc Encoding, fault *FileError) {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("\xD0\xCF\x11\xE0")):
		return "", "", &FileError{Code: CodeWorkbook}
	case bytes.HasPrefix(data, []byte(markUTF16LE)):
		return decodeUTF16(data, UTF16LE, unicode.LittleEndian)
	case bytes.HasPrefix(data, []byte(markUTF16BE)):
		return decodeUTF16(data, UTF16BE, unicode.BigEndian)
	}
	if at := bytes.IndexByte(data, 0); at >= 0 {
		return "", "", undecodable(string(data), at, at, "")
	}
	text, marked := strings.CutPrefix(string(data), markUTF8)
	switch {
	case marked:
		if at := firstInvalidUTF8(data); at < len(data) {
			return "", "", undecodable(string(data), at, at, UTF8BOM)
		}
		return text, UTF8BOM, nil
	case utf8.ValidString(text):
		return text, UTF8, nil
	}
	return decodeCP932(data)
}

// firstInvalidUTF8 is the offset of the first byte that is not UTF-8, or the
// length of data.
func firstInvalidUTF8(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return len(data)
}

// decodeUTF16 looks at every unit first, since the decoder puts U+FFFD for half
// a surrogate pair without a word.
func decodeUTF16(data []byte, enc Encoding, order unicode.Endianness) (string, Encoding, *FileError) {
	sound := soundUTF16(data, len(markUTF16LE), enc)
	text, err := unicode.UTF16(order, unicode.ExpectBOM).NewDecoder().Bytes(data[:sound])
	if err != nil || sound < len(data) {
		return "", "", undecodable(string(text), len(text), sound, enc)
	}
	return string(text), enc, nil
}

// soundUTF16 is the offset up to which every unit from another on has a meaning:
// it is neither zero, nor half a surrogate pair, nor half a unit.
func soundUTF16(data []byte, at int, enc Encoding) int {
	unit := func(at int) uint16 {
		if enc == UTF16LE {
			return binary.LittleEndian.Uint16(data[at:])
		}
		return binary.BigEndian.Uint16(data[at:])
	}
	const (
		high, low = 0xD800, 0xDC00 // halves of a surrogate pair
		half      = 0xFC00         // the bits that tell them
	)
	for ; at+1 < len(data); at += 2 {
		switch u := unit(at); {
		case u == 0, u&half == low:
			return at
		case u&half == high:
			if at+3 >= len(data) || unit(at+2)&half != low {
				return at
			}
			at += 2
		}
	}
	return at
}

// decodeCP932 is for what is not UTF-8. When it is not CP932 either, the
// message is about whichever encoding explains more of the file.
func decodeCP932(data []byte) (string, Encoding, *FileError) {
	decoded, err := japanese.ShiftJIS.NewDecoder().Bytes(data)
	text := string(decoded)
	lost := strings.IndexFunc(text, meaninglessInCP932)
	if err == nil && lost < 0 {
		return text, CP932, nil
	}
	asCP932, asUTF8 := lengthInCP932(text[:max(lost, 0)]), firstInvalidUTF8(data)
	if asUTF8 > asCP932 {
		return "", "", undecodable(string(data), asUTF8, asUTF8, UTF8)
	}
	return "", "", undecodable(string(data), asCP932, asCP932, CP932)
}

// meaninglessInCP932 reports what the decoder makes of bytes that stand for no
// character. It lets the lone byte 0x80 pass as a control.
func meaninglessInCP932(r rune) bool { return r == utf8.RuneError || r == 0x80 }

// lengthInCP932 is how many bytes text had before it was decoded: one for ASCII
// and half-width kana, two for anything else.
func lengthInCP932(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r >= utf8.RuneSelf && (r < '｡' || r > 'ﾟ') {
			n++
		}
	}
	return n
}

// undecodable is the fault of a byte: text[:at] stands before it, and it has an
// offset in the file.
func undecodable(text string, at, offset int, enc Encoding) *FileError {
	return &FileError{Code: CodeUndecodable, Line: lineAt(text, at), Byte: offset + 1, Encoding: enc}
}

// encoder writes text to w in an encoding. Each Write must be whole characters.
// What the encoding lacks is an error.
func encoder(w io.Writer, enc Encoding) io.Writer {
	switch enc {
	case UTF8BOM:
		return &marked{w: w}
	case CP932:
		return japanese.ShiftJIS.NewEncoder().Writer(w)
	case UTF16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Writer(w)
	case UTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Writer(w)
	}
	return w
}

// marked writes the byte order mark before anything else.
type marked struct {
	w    io.Writer
	done bool
}

func (m *marked) Write(text []byte) (int, error) {
	if !m.done {
		if _, err := io.WriteString(m.w, markUTF8); err != nil {
			return 0, err
		}
		m.done = true
	}
	return m.w.Write(text)
}
