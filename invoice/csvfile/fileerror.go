package csvfile

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"

	"konbill/invoice"
)

// FileCode names a reason to refuse a file as a whole. Codes are stable.
type FileCode string

// The reasons.
const (
	CodeTooLarge        FileCode = "file_too_large"   // more than MaxBytes
	CodeTooManyRows     FileCode = "too_many_rows"    // more than limits.max_rows
	CodeWorkbook        FileCode = "excel_workbook"   // .xlsx or .xls, not CSV
	CodeUndecodable     FileCode = "undecodable"      // a byte without meaning
	CodeUnclosedQuote   FileCode = "unclosed_quote"   // a quote that never closes
	CodeEmpty           FileCode = "empty_file"       // not even a header
	CodeHeaderAbsent    FileCode = "header_absent"    // the first line holds no header at all
	CodeHeaderMissing   FileCode = "header_missing"   // a required column is absent
	CodeHeaderDuplicate FileCode = "header_duplicate" // two columns mean the same
	CodeHeaderEmpty     FileCode = "header_empty"     // a column without a header
	CodeHeaderQuote     FileCode = "header_stray_quote"
)

// FileError refuses a file as a whole: nothing of it may be charged.
type FileError struct {
	File     string
	Code     FileCode
	Line     int      // 1-based; 0 when it concerns no line
	Byte     int      // 1-based offset, for CodeUndecodable
	Encoding Encoding // in which the byte has no meaning; "" when none was recognised
	Columns  []Place  // concerned
	Missing  []string // required columns that are absent
	Found    []string // headers the file has
	Have     int      // rows, for CodeTooManyRows
	Max      int      // bytes or rows allowed
}

// Place is a column by its position, from 1, and its header.
type Place struct {
	Position int
	Header   string
}

// Error implements error, in English.
func (e *FileError) Error() string { return e.Message(invoice.English) }

// Message says what is wrong, where, and what to do.
func (e *FileError) Message(lang invoice.Language) string {
	tag := language.Japanese
	if lang == invoice.English {
		tag = language.English
	}
	printer := message.NewPrinter(tag, message.Catalog(wording()))
	line := strconv.Itoa(e.Line)
	var about []any
	switch e.Code {
	case CodeTooLarge:
		about = []any{e.Max >> 20}
	case CodeTooManyRows:
		about = []any{strconv.Itoa(e.Have), strconv.Itoa(e.Max)}
	case CodeUndecodable:
		about = []any{line, strconv.Itoa(e.Byte)}
	case CodeUnclosedQuote, CodeHeaderQuote:
		about = []any{line}
	case CodeHeaderAbsent:
		about = []any{line}
	case CodeHeaderMissing:
		about = []any{e.missing(lang), e.found(lang), line}
	case CodeHeaderDuplicate:
		about = []any{e.Columns[0].String(), e.Columns[1].String(), line}
	case CodeHeaderEmpty:
		about = []any{invoice.ColumnLetter(e.Columns[0].Position), line}
	}
	sentence := printer.Sprintf(string(e.Code), about...)
	if e.File == "" {
		return sentence
	}
	return e.File + ": " + sentence
}

// String names the column as a spreadsheet does, with its header.
func (p Place) String() string {
	return fmt.Sprintf("%s (%s)", invoice.ColumnLetter(p.Position), p.Header)
}

// found names the headers that the file has, as far as a message can hold them:
// the "header" may be a whole letter.
func (e *FileError) found(lang invoice.Language) string {
	const most = 300 // characters
	between := "、"
	if lang == invoice.English {
		between = ", "
	}
	found := []rune(strings.Join(strings.Fields(strings.Join(e.Found, between)), " "))
	if len(found) > most {
		return string(found[:most]) + "…"
	}
	return string(found)
}

// missing names the absent columns with the header most people know.
func (e *FileError) missing(lang invoice.Language) string {
	var names []string
	for _, field := range e.Missing {
		if lang == invoice.English {
			names = append(names, field)
			continue
		}
		names = append(names, fmt.Sprintf("%s（%s）", aliases[invoice.Field(field)][0], field))
	}
	if lang == invoice.English {
		return strings.Join(names, ", ")
	}
	return strings.Join(names, "、")
}

var wording = sync.OnceValue(func() catalog.Catalog {
	b := catalog.NewBuilder(catalog.Fallback(language.Japanese))
	for code, text := range map[FileCode]struct{ ja, en string }{
		CodeTooLarge: {
			"ファイルが大きすぎます（上限 %[1]d MiB）。何回かに分けてください。",
			"The file is too large (the limit is %[1]d MiB). Split it.",
		},
		CodeTooManyRows: {
			"%[1]s 行あり、上限 limits.max_rows の %[2]s 行を超えています。ファイルを分けるか、正しい行数であれば設定の上限を上げてください。",
			"The file has %[1]s rows, limits.max_rows allows %[2]s. Split it or, if the number is right, raise the limit.",
		},
		CodeWorkbook: {
			"Excel ブックのままでは読み込めません。Excel の「名前を付けて保存」で「CSV UTF-8（コンマ区切り）」を選んで保存し直してください。",
			"This is an Excel workbook. In Excel choose Save As, \"CSV UTF-8 (Comma delimited)\".",
		},
		CodeUndecodable: {
			"%[1]s行目（先頭から %[2]s バイト目）に、文字として読み取れないデータがあります。「CSV UTF-8（コンマ区切り）」で保存し直してください。",
			"Line %[1]s (byte %[2]s of the file) can't be read as text. Save the file again as \"CSV UTF-8 (Comma delimited)\".",
		},
		CodeUnclosedQuote: {
			"%[1]s行目で始まる \" が閉じられていません。その行の \" を閉じるか取り除いてください。",
			"The quote that opens on line %[1]s never closes. Close it or take it away.",
		},
		CodeEmpty: {
			"ファイルに何も書かれていません。1行目に見出し、2行目から請求を書いてください。",
			"The file is empty. Put the headers on the first line and an invoice on each line below.",
		},
		CodeHeaderAbsent: {
			"見出しの行がありません（%[1]s行目に、知っている見出しが1つもありません）。1行目に「請求書番号,氏名,メールアドレス,電話番号,金額」のような見出しを書いてください。",
			"There is no header: line %[1]s has none that is known. Put headers such as invoice_no,name,email,phone,amount on the first line.",
		},
		CodeHeaderMissing: {
			"必要な列がありません：%[1]s。見出しの行（%[3]s行目）にある列：%[2]s。見出しを直すか、設定の [columns] に別名を加えてください。",
			"Required columns are missing: %[1]s. The header (line %[3]s) has: %[2]s. Correct it, or add an alias under [columns] in the configuration.",
		},
		CodeHeaderDuplicate: {
			"見出しの行（%[3]s行目）に同じ意味の列が2つあります：%[1]s と %[2]s。どちらかの見出しを変えるか、列を削除してください。",
			"Two columns of the header (line %[3]s) mean the same: %[1]s and %[2]s. Rename or delete one of them.",
		},
		CodeHeaderEmpty: {
			"%[2]s行目の %[1]s列に見出しがありません。見出しを付けるか、列を削除してください。",
			"Column %[1]s has no header on line %[2]s. Name it, or delete the column.",
		},
		CodeHeaderQuote: {
			"見出しの行（%[1]s行目）で \" の使い方が正しくありません。見出し全体を \" で囲むか、\" を取り除いてください。",
			"The quotes in the header (line %[1]s) are not in order. Put whole headers in quotes, or take the quotes away.",
		},
	} {
		for tag, sentence := range map[language.Tag]string{language.Japanese: text.ja, language.English: text.en} {
			if err := b.SetString(tag, string(code), sentence); err != nil {
				panic(err) // the table above is part of the program
			}
		}
	}
	return b
})
