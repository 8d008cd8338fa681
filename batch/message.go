package batch

import (
	"cmp"
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"

	"konbill/invoice"
)

// Message says, in sentences for the people who run files, what was found in
// the row, what became of it, and what to do.
func (o RowOutcome) Message(lang invoice.Language, r Reach) string {
	var sentences []string
	for _, f := range o.Findings {
		sentences = append(sentences, f.Message(lang))
	}
	printer := inJapanese()
	if lang == invoice.English {
		printer = inEnglish()
	}
	e := o.Entry
	for _, code := range append(o.codes(r), o.notices()...) {
		var about []any
		switch code {
		case codeDeclined, codeUnknown, codeNotAttempted:
			about = []any{refusalText(e.Refusal), e.Invoice.Number}
		case codeUnread:
			about = []any{e.Invoice.Number}
		case codeNotRecorded, codeElsewhere:
			about = []any{e.Charge.ID}
		case codeOldPaid, codeOldUnclear:
			about = []any{e.Refusal.Message}
		case codeOldOpen:
			about = []any{cmp.Or(e.Charge.ID, e.Refusal.Message)}
		case CodeEndedUnpaid:
			about = []any{o.bill().ID}
		case CodeReissued:
			about = []any{o.replaces}
		case codeReplaced:
			about = []any{e.Charge.ID, o.replacedBy}
		case codeDuplicate:
			about = []any{e.Charge.ID, e.Duplicates}
		case codeUnsafeLink:
			about = []any{e.Charge.AuthorizeURI}
		case codeSlipFailed:
			about = []any{o.slipErr.Error()}
		case codeMailDeferred, codeMailRefused, codeMailHeld:
			about = []any{e.MailedTo, e.MailReply}
		}
		if _, differs := unattendedWording[code]; differs && r.Unattended {
			code += unattended
		}
		sentences = append(sentences, printer.Sprintf(string(code), about...))
	}
	space := " "
	if lang == invoice.Japanese {
		space = ""
	}
	return strings.Join(sentences, space)
}

func refusalText(r Refusal) string {
	if r.Message == "" {
		return r.Code
	}
	return r.Code + ": " + r.Message
}

// Printers may be shared, and take long to make.
var (
	inJapanese = printerIn(language.Japanese)
	inEnglish  = printerIn(language.English)
)

func printerIn(tag language.Tag) func() *message.Printer {
	return sync.OnceValue(func() *message.Printer { return message.NewPrinter(tag, message.Catalog(wording())) })
}

// wording holds a sentence for every code of an outcome.
var wording = sync.OnceValue(func() catalog.Catalog {
	b := catalog.NewBuilder(catalog.Fallback(language.Japanese))
	for code, w := range map[invoice.Code]struct{ ja, en string }{
		codeDeclined: {
			ja: "決済サービスが請求を受け付けませんでした（%[1]s）。内容を訂正し、同じ請求書番号で再度実行してください。",
			en: "The payment service declined the charge (%[1]s). Correct the row and run it again under the same number.",
		},
		codeUnknown: {
			ja: "請求が作成されたかどうか確認できていません（%[1]s）。二重請求を防ぐため、確認できるまで再請求しません。しばらくしてから konbill reconcile を実行するか、決済サービスの管理画面で「%[2]s」を検索し、ご確認ください。",
			en: "Whether the charge was made is not known (%[1]s). It is not asked for again before that is known, so that nobody is billed twice. Run konbill reconcile in a while, or search the payment service's dashboard for \"%[2]s\".",
		},
		codeNotRecorded: {
			ja: "請求 %[1]s は作成されましたが、台帳に記録できませんでした。別の手段で再請求しないでください。台帳の保存先（空き容量・権限）を確認し、再度実行してください。",
			en: "The charge %[1]s was made, but the ledger could not store it. Do not bill it by other means. Check the ledger's disk (space, permissions) and run the file again.",
		},
		codeNotAttempted: {
			ja: "処理が途中で止まったため、まだ請求していません。原因を取り除き、同じファイルを再度実行してください。",
			en: "Not charged, since the run stopped before. Remove the cause and run the same file again.",
		},
		codeUnread: {
			ja: "台帳を読み込めないため、請求の内容を表示できません（処理の記録は台帳に残っています）。台帳の保存先を確認し、「konbill results ファイル名」で結果を作り直してください。状況は「konbill status %[1]s」で確認できます。",
			en: "The ledger could not be read, so what it has recorded of the bill is not shown here. Check the ledger's disk, then write the results again with konbill results FILE; konbill status %[1]s shows where the bill stands.",
		},
		codeUnsafeLink: {
			ja: "支払い用リンク（%[1]s）の接続先が決済サービスではないため、伝票もメールもお客様に渡していません。決済サービスにお問い合わせください。",
			en: "The payment link (%[1]s) does not lead to the payment service, so neither slip nor mail was made. Ask the payment service about it.",
		},
		codeNotPayable: {
			ja: "支払期限を過ぎたか、支払いができない状態になっているため、メールを送っていません。",
			en: "It can't be paid any more, for example since the due date has passed, so no mail was sent.",
		},
		codeElsewhere: {
			ja: "この請求書番号は、この台帳の外（別の台帳、または復元前の台帳）ですでに請求済みです（%[1]s）。二重には請求していません。案内メールが届いているか分からないため、メールは送っていません。お客様にご確認のうえ、必要であれば伝票（PDF）をお届けください。",
			en: "This number was charged outside this ledger (by another one, or before this one was restored): %[1]s. It was not charged again. Whether it was mailed is not known, so no mail was sent; ask the customer, and hand over the slip (PDF) if need be.",
		},
		codeDuplicate: {
			ja: "決済サービスに、この請求書番号の請求が複数あります（%[1]s のほかに %[2]s）。お客様が二重に支払わないよう、管理画面で不要な請求を確認し、取り消してください。",
			en: "The payment service has more than one charge under this number (beside %[1]s: %[2]s). See to it in the dashboard, so that the customer does not pay twice.",
		},
		codeMailNotSent: {
			ja: "請求は済んでいますが、メールはまだ送っていません。同じファイルを再度実行すると送信します。",
			en: "Charged, but not mailed yet. Run the same file again to send the mail.",
		},
		codeSlipFailed: {
			ja: "伝票を保存できませんでした（%[1]s）。同じファイルを再度実行すると作成します。",
			en: "The slip could not be stored (%[1]s). Run the same file again to make it.",
		},
		codeMailDeferred: {
			ja: "%[1]s 宛てのメールは、まだ送信できていません（%[2]s）。同じファイルを再度実行すると、もう一度送信します。",
			en: "The mail to %[1]s could not be sent yet (%[2]s). Run the same file again to send it.",
		},
		codeMailRefused: {
			ja: "%[1]s 宛てのメールは、メールサーバーに拒否されました（%[2]s）。アドレスをお客様にご確認のうえ、konbill resend --to で正しいアドレスに送るか、伝票（PDF）を別の方法でお届けください。",
			en: "The mail server refused the mail to %[1]s (%[2]s). Check the address with the customer; mail it to the right one with konbill resend --to, or hand over the slip by other means.",
		},
		codeMailHeld: {
			ja: "%[1]s 宛てのメールが届いたかどうか確認できていません（%[2]s）。二重送信を防ぐため、自動では再送しません。お客様にご確認のうえ、届いていなければ konbill resend で再送してください。",
			en: "Whether the mail to %[1]s arrived is not known (%[2]s). It is not sent again by itself. Ask the customer, and send it again with konbill resend if need be.",
		},
		codeOldPaid: {
			ja: "以前の請求（%[1]s）がすでに支払われていたため、再発行していません。この行で請求するものはありません。",
			en: "The earlier bill (%[1]s) turns out to be paid, so it was not issued again. There is nothing left to bill in this row.",
		},
		codeOldOpen: {
			ja: "以前の請求（%[1]s）がまだ支払える可能性があるため、再発行していません。しばらくしてから再度実行するか、決済サービスの管理画面でご確認ください。",
			en: "The earlier bill (%[1]s) may still be paid, so it was not issued again. Run the file again in a while, or look at the bill in the payment service's dashboard.",
		},
		codeOldUnclear: {
			ja: "以前の請求（%[1]s）が支払われたかどうか決済サービスに確認できないため、再発行していません。しばらくしてから再度実行するか、決済サービスの管理画面でご確認ください。",
			en: "The payment service could not say what became of the earlier bill (%[1]s), so it was not issued again. Run the file again in a while, or look at the bill in the payment service's dashboard.",
		},
		CodeReissued: {
			ja: "支払われずに終わった以前の請求（%[1]s）に代えて、再発行しました。",
			en: "Issued again in the place of the earlier bill (%[1]s), which ended unpaid.",
		},
		codeReplaced: {
			ja: "この請求（%[1]s）は支払われずに終わり、新しい請求（%[2]s）を再発行しています。",
			en: "This bill (%[1]s) ended unpaid and was issued again: %[2]s.",
		},
		CodeEndedUnpaid: {
			ja: "この番号の請求（%[1]s）は、支払われずに終わっています。請求し直す場合は、支払期限を先の日付にして（空欄でも可）、konbill run --reissue-expired で実行してください。",
			en: "The bill under this number (%[1]s) ended unpaid. To bill it again, give it a due date to come (or none) and run it with konbill run --reissue-expired.",
		},
	} {
		mustSet(b, language.Japanese, code, w.ja)
		mustSet(b, language.English, code, w.en)
	}
	for code, w := range unattendedWording {
		mustSet(b, language.Japanese, code+unattended, w.ja)
		mustSet(b, language.English, code+unattended, w.en)
	}
	return b
})

// unattended marks the sentence that a code has where nobody runs files by hand.
const unattended = " unattended"

// unattendedWording holds what a code means to those who drop files into an
// inbox: much goes on by itself there, and nobody has a command line.
var unattendedWording = map[invoice.Code]struct{ ja, en string }{
	codeDeclined: {
		ja: "決済サービスが請求を受け付けませんでした（%[1]s）。内容を訂正し、同じ請求書番号でもう一度受付フォルダーに入れてください。",
		en: "The payment service declined the charge (%[1]s). Correct the row and drop it again under the same number.",
	},
	codeUnknown: {
		ja: "請求が作成されたかどうか確認できていません（%[1]s）。Konbill が自動で確認します。二重請求になるため、ほかの方法で請求しないでください。",
		en: "Whether the charge was made is not known (%[1]s). Konbill finds out by itself. Do not bill it by other means: it might be billed twice.",
	},
	codeNotRecorded: {
		ja: "請求 %[1]s は作成されましたが、台帳に記録できませんでした。ほかの方法で請求しないでください。台帳の保存先（空き容量・権限）の確認を、システム担当者に依頼してください。",
		en: "The charge %[1]s was made, but the ledger could not store it. Do not bill it by other means. Have the ledger's disk checked (space, permissions).",
	},
	codeUnread: {
		ja: "台帳を読み込めないため、請求の内容を表示できません（処理の記録は台帳に残っています）。台帳の保存先の確認と、結果の再作成をシステム担当者に依頼してください。",
		en: "The ledger could not be read, so what it has recorded of the bill is not shown here. Have the ledger's disk checked and the results written again.",
	},
	codeNotAttempted: {
		ja: "処理が途中で止まったため、まだ請求していません。Konbill が自動で続きから処理します。",
		en: "Not charged yet, since the run stopped before. Konbill goes on by itself.",
	},
	codeOldOpen: {
		ja: "以前の請求（%[1]s）がまだ支払える可能性があるため、再発行していません。決済サービスの管理画面での確認を、システム担当者に依頼してください。",
		en: "The earlier bill (%[1]s) may still be paid, so it was not issued again. Have it looked at in the payment service's dashboard.",
	},
	codeOldUnclear: {
		ja: "以前の請求（%[1]s）が支払われたかどうか決済サービスに確認できないため、再発行していません。決済サービスの管理画面での確認を、システム担当者に依頼してください。",
		en: "The payment service could not say what became of the earlier bill (%[1]s), so it was not issued again. Have it looked at in the payment service's dashboard.",
	},
	CodeEndedUnpaid: {
		ja: "この番号の請求（%[1]s）は、支払われずに終わっています。請求し直す場合は、再発行をシステム担当者に依頼してください。",
		en: "The bill under this number (%[1]s) ended unpaid. To bill it again, ask your system administrator to issue it again.",
	},
	codeMailNotSent: {
		ja: "請求は済んでいますが、メールはまだ送っていません。Konbill が自動で送信します。",
		en: "Charged, but not mailed yet. Konbill sends the mail by itself.",
	},
	codeSlipFailed: {
		ja: "伝票を保存できませんでした（%[1]s）。保存先の確認を、システム担当者に依頼してください。",
		en: "The slip could not be stored (%[1]s). Have the disk checked.",
	},
	codeMailRefused: {
		ja: "%[1]s 宛てのメールは、メールサーバーに拒否されました（%[2]s）。アドレスをお客様にご確認のうえ、伝票（PDF）をお届けするか、正しいアドレスへの再送をシステム担当者に依頼してください。",
		en: "The mail server refused the mail to %[1]s (%[2]s). Check the address with the customer; hand over the slip, or have the mail sent to the right address.",
	},
	codeMailHeld: {
		ja: "%[1]s 宛てのメールが届いたかどうか確認できていません（%[2]s）。二重送信を防ぐため、自動では再送しません。お客様にご確認のうえ、届いていなければ再送をシステム担当者に依頼してください。",
		en: "Whether the mail to %[1]s arrived is not known (%[2]s). It is not sent again by itself. Ask the customer, and have it sent again if need be.",
	},
	codeMailDeferred: {
		ja: "%[1]s 宛てのメールは、まだ送信できていません（%[2]s）。Konbill が自動でもう一度送信します。",
		en: "The mail to %[1]s could not be sent yet (%[2]s). Konbill sends it again by itself.",
	},
}

func mustSet(b *catalog.Builder, tag language.Tag, code invoice.Code, sentence string) {
	if err := b.SetString(tag, string(code), sentence); err != nil {
		panic(err) // the table above is part of the program
	}
}
