package inbox

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"konbill/batch"
	"konbill/invoice"
)

// maxTotal is how many bytes a control total may have. It holds two numbers.
const maxTotal = 4 << 10

// Control reads the file's control total; nil when none stood beside it. The
// error is a *TotalError, or the operating system's.
func (f *File) Control() (*batch.Control, error) {
	if f.total == "" {
		return nil, nil
	}
	data, err := readTotal(f.total)
	if err != nil {
		return nil, err
	}
	control, fault := parseTotal(data)
	if fault != "" {
		return nil, &TotalError{Name: filepath.Base(f.total), fault: fault}
	}
	return &control, nil
}

// readTotal reads at most one byte more than a control total may have.
func readTotal(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxTotal+1))
}

func parseTotal(data []byte) (batch.Control, totalFault) {
	if len(data) > maxTotal {
		return batch.Control{}, totalTooLarge
	}
	return parseControl(decodeTotal(data))
}

// decodeTotal turns a control total into text as editors in Japan write it:
// UTF-8 or UTF-16 with their marks, UTF-8 without, else CP932. A byte without
// meaning becomes U+FFFD, which the parser refuses.
func decodeTotal(data []byte) string {
	text := string(data)
	switch {
	case strings.HasPrefix(text, "\xFF\xFE"):
		return decodeUTF16(data[2:], binary.LittleEndian)
	case strings.HasPrefix(text, "\xFE\xFF"):
		return decodeUTF16(data[2:], binary.BigEndian)
	case utf8.ValidString(text):
		return strings.TrimPrefix(text, "\uFEFF")
	}
	decoded, err := japanese.ShiftJIS.NewDecoder().String(text)
	if err != nil {
		return string(utf8.RuneError)
	}
	return decoded
}

func decodeUTF16(data []byte, order binary.ByteOrder) string {
	var units []uint16
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	text := string(utf16.Decode(units))
	if len(data) > 0 { // half a character
		text += string(utf8.RuneError)
	}
	return text
}

// TotalError says that a control total can't be understood. It doesn't quote
// it.
type TotalError struct {
	Name  string // of the control total
	fault totalFault
}

// totalFault is what is wrong with a control total; "" when nothing is.
type totalFault string

const (
	totalTooLarge   totalFault = "too large"
	totalEmpty      totalFault = "empty"
	totalUnreadable totalFault = "unreadable"
	totalAmbiguous  totalFault = "ambiguous"
	totalRepeated   totalFault = "repeated"
)

// Error implements error, in English.
func (e *TotalError) Error() string { return e.Message(invoice.English) }

// Message says what is wrong and what to do.
func (e *TotalError) Message(lang invoice.Language) string {
	said := totalMessages[e.fault]
	if lang == invoice.English {
		return fmt.Sprintf("the control total %s %s. Write the number of rows and the sum in yen, each once, like this: 12 rows 123,456 yen. Then drop it again together with its file.", e.Name, said.en)
	}
	return fmt.Sprintf("合計ファイル「%s」%s。「12件 123,456円」のように件数と合計金額を1つずつ書き、請求データと一緒にもう一度入れてください。", e.Name, said.ja)
}

var totalMessages = map[totalFault]struct{ ja, en string }{
	totalTooLarge:   {"が大きすぎます（上限4KB）", "is larger than 4 KiB"},
	totalEmpty:      {"に件数も合計金額も書かれていません", "has neither a number of rows nor a sum"},
	totalUnreadable: {"に、件数や合計金額として読み取れない文字や数字があります", "holds something that is neither a number of rows nor a sum in yen"},
	totalAmbiguous:  {"に、件数なのか金額なのか判断できない数字があります", "has a number that may be one of rows or of yen"},
	totalRepeated:   {"に、件数または合計金額が2つ以上書かれています", "has more than one number of rows, or more than one sum"},
}
