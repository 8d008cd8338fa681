package invoice

import (
	"fmt"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// Message says in one sentence what was found and what to do. It quotes values
// whole, for the eyes of those whose file it is; it is not for logs.
func (f Finding) Message(lang Language) string {
	printer := inJapanese()
	if lang == English {
		printer = inEnglish()
	}
	return printer.Sprintf(string(f.Code), quotable(f.Before), quotable(f.After), f.Ref)
}

// Text is Message with the place in front: line, column and field.
func (f Finding) Text(lang Language) string {
	return f.place(lang) + f.Message(lang)
}

func (f Finding) place(lang Language) string {
	column := clean(f.Header)
	if f.Position > 0 {
		column = strings.TrimSpace(fmt.Sprintf("%s %s", ColumnLetter(f.Position), clean(f.Header)))
	}
	ja := lang != English
	switch {
	case column == "" && ja:
		return fmt.Sprintf("%d行目：", f.Line)
	case column == "":
		return fmt.Sprintf("line %d: ", f.Line)
	case ja:
		return fmt.Sprintf("%d行目［%s］", f.Line, column)
	}
	return fmt.Sprintf("line %d [%s] ", f.Line, column)
}

// quotable keeps a value that fills pages from filling a message.
func quotable(value string) string {
	const most = 60
	value = clean(value)
	if !longerThan(value, most) {
		return value
	}
	return cut(value, most) + "…"
}

// sentence is the message of one code. %[1]s is the value as written, %[2]s
// the value used or suggested instead, %[3]s what the message refers to.
type sentence struct{ ja, en string }

var sentences = map[Code]sentence{
	CodeTextDamaged: {
		"「%[1]s」に文字化け（�）があります。元のデータから入力し直してください。",
		"\"%[1]s\" contains a damaged character (�). Enter it again from its source.",
	},
	CodeTextCleaned: {
		"目に見えない文字を取り除きました（「%[2]s」）。",
		"Invisible characters were removed (\"%[2]s\").",
	},

	CodeNumberMissing: {
		"請求書番号がありません。ほかと重ならない番号を入力してください。",
		"The invoice number is missing. Enter one that no other invoice has.",
	},
	CodeNumberTooLong: {
		"請求書番号「%[1]s」が長すぎます。64文字以内にしてください。",
		"The invoice number \"%[1]s\" is too long. Use at most 64 characters.",
	},
	CodeNumberUnprintable: {
		"請求書番号「%[1]s」に印字できない文字（外字など）があります。ほかの文字に替えてください。",
		"The invoice number \"%[1]s\" has a character that can't be printed. Write it without that character.",
	},
	CodeNumberRepeated: {
		"%[3]s行目と同じ内容の行です（請求書番号「%[1]s」）。%[3]s行目だけを発行するので、この行は削除してください。",
		"This row repeats line %[3]s (invoice number \"%[1]s\"). Only line %[3]s is issued; delete this row.",
	},
	CodeNumberConflicting: {
		"請求書番号「%[1]s」が%[3]s行目にもあり、内容が異なります。どちらも発行しません。正しい行だけを残すか、番号を分けてください。",
		"The invoice number \"%[1]s\" also stands on line %[3]s, with other content. Neither is issued. Keep the right row, or give each its own number.",
	},

	CodeNameMissing: {
		"氏名（会社名）がありません。入力してください。",
		"The name is missing. Enter it.",
	},
	CodeNameUnusable: {
		"「%[1]s」には決済サービスで使える文字がありません。漢字・ひらがな・カタカナ・英数字で入力してください。",
		"\"%[1]s\" has no character that the payment service takes. Use kanji, kana, letters or digits.",
	},
	CodeNameTooLong: {
		"「%[1]s」は決済サービスの上限（10文字）を超えています。10文字以内の名前（例：「%[2]s」）にしてください。",
		"\"%[1]s\" is longer than the payment service takes (10 characters). Shorten it, for example to \"%[2]s\".",
	},
	CodeNameShortened: {
		"「%[1]s」は10文字を超えるため、決済サービスには「%[2]s」を送ります（伝票とメールには全体を記載します）。",
		"\"%[1]s\" is longer than 10 characters; the payment service gets \"%[2]s\" (slip and mail show it whole).",
	},
	CodeNameNormalised: {
		"決済サービスには「%[2]s」を送ります（元は「%[1]s」）。",
		"The payment service gets \"%[2]s\" (written \"%[1]s\").",
	},
	CodeNameDropped: {
		"決済サービスで使えない文字（%[3]s）を除き、「%[2]s」を送ります。よろしいかご確認ください。",
		"The payment service does not take %[3]s; it gets \"%[2]s\". Please check that this will do.",
	},
	CodeHonorificRemoved: {
		"敬称は自動で付けるため、「%[1]s」を「%[2]s」として扱います。",
		"Honorifics are added automatically, so \"%[1]s\" is taken as \"%[2]s\".",
	},

	CodePhoneMissing: {
		"電話番号がありません。コンビニでの支払いに必要なため、入力してください。",
		"The phone number is missing. Customers need it to pay; enter it.",
	},
	CodePhoneInvalid: {
		"電話番号「%[1]s」を読み取れません。0から始まる10桁または11桁の数字にしてください。",
		"The phone number \"%[1]s\" can't be read. Use 10 or 11 digits beginning with 0.",
	},
	CodePhoneScientific: {
		"電話番号が「%[1]s」になっており、下の桁が失われています。表計算ソフトで列の書式を「文字列」にし、番号を入力し直してください。",
		"The phone number has become \"%[1]s\" and lost its last digits. Set the column to Text in the spreadsheet and enter the number again.",
	},
	CodePhoneZeroRestored: {
		"電話番号「%[1]s」の先頭の0が失われていたため、「%[2]s」とみなしました。正しいかご確認ください。",
		"The phone number \"%[1]s\" had lost its leading 0; \"%[2]s\" is used. Please check it.",
	},
	CodePhoneImplausible: {
		"電話番号「%[1]s」は実在しない可能性があります。番号が違うとコンビニで支払えないため、ご確認ください。",
		"The phone number \"%[1]s\" may not exist. With a wrong number the customer can't pay at the store; please check it.",
	},
	CodePhoneNormalised: {
		"電話番号「%[1]s」を「%[2]s」として扱います。",
		"The phone number \"%[1]s\" is taken as \"%[2]s\".",
	},

	CodeEmailMissing: {
		"メールアドレスがありません。入力してください。",
		"The email address is missing. Enter it.",
	},
	CodeEmailInvalid: {
		"メールアドレス「%[1]s」の形式が正しくありません。お客様にご確認ください。",
		"\"%[1]s\" is not an email address. Check it with the customer.",
	},
	CodeEmailLength: {
		"メールアドレス「%[1]s」は、決済サービスで使える長さ（6〜50文字）ではありません。別のアドレスにしてください。",
		"The address \"%[1]s\" does not have the 6 to 50 characters that the payment service takes. Use another one.",
	},
	CodeEmailSeveral: {
		"「%[1]s」には複数のメールアドレスがあります。1件だけにしてください。",
		"\"%[1]s\" holds several addresses. Keep only one.",
	},
	CodeEmailNormalised: {
		"メールアドレス「%[1]s」を「%[2]s」として扱います。",
		"The address \"%[1]s\" is taken as \"%[2]s\".",
	},
	CodeEmailPlus: {
		"「%[1]s」のように「+」を含むアドレスは、決済サービスに断られることがあります。断られた場合は別のアドレスにしてください。",
		"The payment service may refuse addresses with a \"+\", such as \"%[1]s\". If it does, use another one.",
	},
	CodeEmailTypo: {
		"メールアドレス「%[1]s」は「%[2]s」の誤りではありませんか。ご確認ください。",
		"Is the address \"%[1]s\" meant to be \"%[2]s\"? Please check it.",
	},

	CodeAmountMissing: {
		"金額がありません。200〜49,999円で入力してください。",
		"The amount is missing. Enter 200 to 49,999 yen.",
	},
	CodeAmountUnreadable: {
		"金額「%[1]s」を読み取れません。「3000」または「3,000」のように入力してください。",
		"The amount \"%[1]s\" can't be read. Write it like 3000 or 3,000.",
	},
	CodeAmountFraction: {
		"金額「%[1]s」に円未満の端数があります。1円単位にしてください。",
		"The amount \"%[1]s\" has a fraction of a yen. Use whole yen.",
	},
	CodeAmountNegative: {
		"金額「%[1]s」がマイナスです。返金や値引きの行は請求できないため、取り除いてください。",
		"The amount \"%[1]s\" is negative. Refunds and discounts can't be charged; remove the row.",
	},
	CodeAmountTooSmall: {
		"金額「%[1]s」が少なすぎます。コンビニ払いは200円からです。金額をまとめるか、別の支払い方法にしてください。",
		"The amount \"%[1]s\" is too small. Konbini payments start at 200 yen; join invoices or use another way to pay.",
	},
	CodeAmountTooLarge: {
		"金額「%[1]s」が多すぎます。コンビニ払いは49,999円までです。請求を分けるか、別の支払い方法にしてください。",
		"The amount \"%[1]s\" is too large. Konbini payments end at 49,999 yen; split the invoice or use another way to pay.",
	},

	CodeDueUnreadable: {
		"支払期限「%[1]s」を読み取れません。「2026-12-31」のように入力してください。",
		"The due date \"%[1]s\" can't be read. Write it like 2026-12-31.",
	},
	CodeDueInvalid: {
		"支払期限「%[1]s」は暦にない日付です。訂正してください。",
		"The due date \"%[1]s\" is not a day of the calendar. Correct it.",
	},
	CodeDueAmbiguous: {
		"支払期限「%[1]s」は年月日の順序が決められません。「2026-12-31」のように、西暦4桁から入力してください。",
		"In the due date \"%[1]s\" the order of year, month and day is unclear. Write it like 2026-12-31.",
	},
	CodeDueSerial: {
		"支払期限が表計算ソフトの内部の数値「%[1]s」になっています（%[2]s のことと思われます）。日付として保存し直してください。",
		"The due date is a spreadsheet's day number, \"%[1]s\" (probably %[2]s). Save it as a date.",
	},
	CodeDuePast: {
		"支払期限「%[1]s」を過ぎています。これから先の日付にしてください。",
		"The due date \"%[1]s\" has passed. Use a day to come.",
	},
	CodeDueTooFar: {
		"支払期限「%[1]s」が先すぎます。%[3]s までの日付にしてください。",
		"The due date \"%[1]s\" is too far away. The last day possible is %[3]s.",
	},

	CodeDescriptionShortened: {
		"件名が255文字を超えるため、途中までにしました（「%[2]s」）。",
		"The description is longer than 255 characters and was cut (\"%[2]s\").",
	},
	CodeLanguageUnknown: {
		"言語「%[1]s」には対応していないため、「%[2]s」で作成します。ja または en を指定してください。",
		"There is no language \"%[1]s\"; \"%[2]s\" is used. Write ja or en.",
	},
	CodeTaxRateInvalid: {
		"税率「%[1]s」を読み取れません。10 または 8 を入力するか、空欄にしてください。",
		"The tax rate \"%[1]s\" can't be read. Write 10 or 8, or leave it empty.",
	},
	CodeTaxInvalid: {
		"消費税額「%[1]s」を読み取れないか、金額以上になっています。請求額に含まれる税額（円）を入力するか、空欄にしてください。",
		"The tax \"%[1]s\" can't be read, or is not less than the amount. Write the yen of tax included, or leave it empty.",
	},
	CodeTaxMismatch: {
		"消費税額「%[1]s」が税率から計算した額（%[2]s円）と合いません。ご確認ください。",
		"The tax \"%[1]s\" does not fit the rate (%[2]s yen). Please check it.",
	},

	CodeFieldCount: {
		"列の数が見出しと合いません（%[3]s）。値の中のカンマや改行は \" で囲んでください。",
		"The number of columns differs from the header's (%[3]s). Put values with commas or line breaks in double quotes.",
	},
	CodeStrayQuote: {
		"値の途中に \" があり、列の区切りを判断できません。値全体を \" で囲み、中の \" は \"\" と書いてください。",
		"A \" stands inside a value, so its end is unclear. Put the whole value in double quotes and write \"\" for a quote inside.",
	},
	CodeFieldTooLong: {
		"64 KiB を超える値があります。\" の閉じ忘れがないかご確認ください。",
		"A value is longer than 64 KiB. Look for a quote that does not close.",
	},
	CodeCP932Replaced: {
		"Shift_JIS（CP932）で表せない文字を、近い文字または〓に置き換えました。元の文字は入力ファイルをご覧ください。",
		"Characters that Shift_JIS (CP932) lacks were replaced with similar ones or 〓. See the input for the originals.",
	},

	CodeGlyphMissing: {
		"「%[1]s」の %[3]s は、伝票の書体にないため〓と印字されます。別の表記にできるかご確認ください。",
		"The slip's fonts lack %[3]s in \"%[1]s\", which prints as 〓. Please see if it can be written otherwise.",
	},
	CodeCorrected: {
		"%[3]s さんが「%[1]s」を「%[2]s」に訂正しました。",
		"%[3]s corrected \"%[1]s\" to \"%[2]s\".",
	},
	CodeConflict: {
		"請求書番号「%[3]s」は、別の内容で発行済みです（今回「%[1]s」、発行済み「%[2]s」）。二重請求を防ぐため発行しません。新しい請求であれば、別の番号を付けてください。",
		"Invoice \"%[3]s\" was issued with other content (now \"%[1]s\", issued \"%[2]s\"), so it is not issued again. If this is a new invoice, give it another number.",
	},
	CodeEmailDiffers: {
		"「%[2]s」宛てに発行済みです。「%[1]s」には送っていません。必要であれば、konbill resend --to で送るか、伝票（PDF）をお届けください。",
		"Issued to \"%[2]s\" before; nothing was sent to \"%[1]s\". If need be, mail it there with konbill resend --to, or hand over the slip (PDF).",
	},
}

// Printers may be shared, and take long to make.
var (
	inJapanese = printerIn(language.Japanese)
	inEnglish  = printerIn(language.English)
)

func printerIn(tag language.Tag) func() *message.Printer {
	return sync.OnceValue(func() *message.Printer { return message.NewPrinter(tag, message.Catalog(wording())) })
}

var wording = sync.OnceValue(func() catalog.Catalog {
	b := catalog.NewBuilder(catalog.Fallback(language.Japanese))
	for code, s := range sentences {
		for tag, text := range map[language.Tag]string{language.Japanese: s.ja, language.English: s.en} {
			if err := b.SetString(tag, string(code), text); err != nil {
				panic(err) // the table above is part of the program
			}
		}
	}
	return b
})
