package templates

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"konbill/invoice"
)

// Fault is one thing that is wrong with a merchant's own texts.
type Fault struct {
	Path string
	Line int // 0: the file as a whole

	code   faultCode
	entry  string // of a wording file, such as mail.subject
	detail string
}

type faultCode int

const (
	_                faultCode = iota
	faultNoFolder              // it isn't there, or is a file
	faultUnreadable            // detail: the operating system's word
	faultUnknownFile           // there is no such text to override
	faultTooLarge
	faultNotUTF8
	faultNotTOML            // detail: TOML's word
	faultUnknownWord        // entry
	faultNoText             // entry is something else
	faultNoList             // entry is something else, or empty
	faultUnknownPlaceholder // entry; detail: with its braces
	faultNeedsPlaceholder   // entry; detail: with its braces
	faultBadFileName        // entry
	faultNotPrintable       // entry; detail: the characters
	faultTemplate           // detail: the template engine's word
	faultLeftOut            // detail: the variable of a template that a mail can't do without
)

// FolderError says that a merchant's own texts can't be used as they are.
type FolderError struct {
	Folder string
	Faults []Fault // one or more
}

// Error implements error, in English.
func (e *FolderError) Error() string {
	var all []string
	for _, f := range e.Faults {
		all = append(all, f.Message(invoice.English))
	}
	return strings.Join(all, "; ")
}

// Message says what is wrong, where, and what to do.
func (f Fault) Message(language invoice.Language) string {
	if language == invoice.English {
		where := f.Path
		if f.Line > 0 {
			where += fmt.Sprintf(", line %d", f.Line)
		}
		return where + f.english()
	}
	if f.Line == 0 {
		return f.Path + f.japanese()
	}
	return fmt.Sprintf("%s（%d 行目）", f.Path, f.Line) + strings.TrimPrefix(f.japanese(), " ")
}

func (f Fault) english() string {
	switch f.code {
	case faultNoFolder:
		return " is no folder; konbill templates export makes one with Konbill's own texts"
	case faultUnknownFile:
		return " is not used by Konbill; the files are " + strings.Join(fileNames, ", ") + ". Rename it, or move it elsewhere"
	case faultTooLarge:
		return fmt.Sprintf(" is too large; a text may have %d KiB", maxSize>>10)
	case faultNotUTF8:
		return " is not UTF-8; save the file as UTF-8"
	case faultNotTOML:
		return " can't be read as TOML: " + f.detail + ". Put texts in quotes"
	case faultUnknownWord:
		return fmt.Sprintf(": there is no %s; compare with the file that konbill templates export writes", f.entry)
	case faultNoText:
		return fmt.Sprintf(": %s must be a text in quotes", f.entry)
	case faultNoList:
		return fmt.Sprintf(`: %s must be a list of texts, such as ["one", "two"]`, f.entry)
	case faultUnknownPlaceholder:
		return fmt.Sprintf(": %s can't hold %s; correct the word in braces, or leave it out", f.entry, f.detail)
	case faultNeedsPlaceholder:
		return fmt.Sprintf(": %s must hold %s", f.entry, f.detail)
	case faultBadFileName:
		return fmt.Sprintf(`: %s must be a file name that ends in .pdf, without / \ : * ? " < > |, of at most %d bytes beside the number`, f.entry, maxFileFormat)
	case faultNotPrintable:
		return fmt.Sprintf(": %s has %s, which the slip's fonts lack; write it in other characters", f.entry, f.detail)
	case faultTemplate:
		return ": " + f.detail + "; compare with the file that konbill templates export writes"
	case faultLeftOut:
		return fmt.Sprintf(" makes mails that lack {{.%s}}; put it back in", f.detail)
	}
	return ": " + f.detail
}

func (f Fault) japanese() string {
	switch f.code {
	case faultNoFolder:
		return " というフォルダーがありません。konbill templates export で、もとの文面を書き出せます"
	case faultUnknownFile:
		return " は使われないファイルです。使えるのは " + strings.Join(fileNames, "、") + " です。名前を直すか、別の場所に移してください"
	case faultTooLarge:
		return fmt.Sprintf(" が大きすぎます。文面は %d KiB までです", maxSize>>10)
	case faultNotUTF8:
		return " に UTF-8 ではない文字があります。UTF-8 で保存し直してください"
	case faultNotTOML:
		return " を TOML として読み取れません（" + f.detail + "）。文言は引用符で囲んでください"
	case faultUnknownWord:
		return fmt.Sprintf("：%s という項目はありません。konbill templates export で書き出したファイルと見比べてください", f.entry)
	case faultNoText:
		return fmt.Sprintf("：%s は引用符で囲んだ文にしてください", f.entry)
	case faultNoList:
		return fmt.Sprintf(`：%s は ["一つ目", "二つ目"] のような一覧にしてください`, f.entry)
	case faultUnknownPlaceholder:
		return fmt.Sprintf("：%s では %s を使えません。綴りを直すか、取り除いてください", f.entry, f.detail)
	case faultNeedsPlaceholder:
		return fmt.Sprintf("：%s には %s が必要です", f.entry, f.detail)
	case faultBadFileName:
		return fmt.Sprintf(`：%s は .pdf で終わるファイル名にしてください（/ \ : * ? " < > | は使えません。番号を除いて %d バイトまで）`, f.entry, maxFileFormat)
	case faultNotPrintable:
		return fmt.Sprintf("：%s の %s は伝票に印刷できません。ほかの文字で書いてください", f.entry, f.detail)
	case faultTemplate:
		return "：テンプレートに誤りがあります（" + f.detail + "）。konbill templates export で書き出したファイルと見比べてください"
	case faultLeftOut:
		return fmt.Sprintf(" で作るメールに {{.%s}} がありません。もとに戻してください", f.detail)
	}
	return "：" + f.detail
}

// placed is how the template engines say where something is wrong.
var placed = regexp.MustCompile(`(?s)^(?:html/)?template: ?([\w.]+):(\d+)(?::\d+)?: (.*)$`)

// templateFault is what a template engine complains about. Its words are kept;
// only the place is taken out of them, to be told as for every other file.
func templateFault(path func(name string) string, err error) Fault {
	found := placed.FindStringSubmatch(err.Error())
	if found == nil {
		return Fault{Path: strings.Join(fileNames, ", "), code: faultTemplate, detail: err.Error()}
	}
	line, _ := strconv.Atoi(found[2]) // digits; too many of them are no line
	return Fault{Path: path(found[1]), Line: line, code: faultTemplate, detail: found[3]}
}
