package web

import (
	"strings"

	"konbill/invoice"
)

// why says in the page's language why a step of an invoice was made. The ledger has it in
// English; a sentence that isn't known here is shown as it is.
func (w words) why(english string) string {
	if w.lang == invoice.English {
		return english
	}
	for _, s := range steps {
		if values, ok := matched(s.english, english); ok {
			return filled(s.japanese, values)
		}
	}
	return english
}

// steps are the sentences of batch and follow; * stands for a value, and a sentence before
// another that it would match, too.
var steps = []struct{ english, japanese string }{
	{"accepted in the place of *, which is over unpaid, by job *", "未払いで終わった請求 * に代えて受け付け（実行番号 *）"},
	{"replaced by revision *, by job *", "* 回目の請求に差し替え（実行番号 *）"},
	{"accepted again by job *", "もう一度受け付け（実行番号 *）"},
	{"accepted by job *", "受け付け（実行番号 *）"},
	{"corrected by job *", "内容を訂正して受け付け（実行番号 *）"},
	{"described by job *", "お名前などを補足（実行番号 *）"},
	{"about to ask for the charge", "請求を要求する直前"},
	{"source made, about to charge it", "支払い手段を作成、請求を要求する直前"},
	{"the API answered with the charge", "決済サービスが請求を作成"},
	{"the answer came after the intent was given up", "打ち切ったあとに、決済サービスから請求の応答"},
	{"the request never left", "要求を送れず（請求なし）"},
	{"the API was too busy and made nothing", "決済サービスが混雑（請求なし）"},
	{"the API refused the key", "決済サービスが鍵を拒否（請求なし）"},
	{"the API declined", "決済サービスが請求を拒否"},
	{"no trustworthy answer", "確かな応答がなく、結果不明"},
	{"no outcome was recorded by an earlier run", "前回の実行が結果を記録できずに終了"},
	{"not charged: the run stopped before", "実行が止まったため、未請求"},
	{"not charged: its due date has passed", "支払期限を過ぎたため、未請求"},
	{"not charged: an earlier bill is paid: *", "以前の請求 * が入金済みのため、未請求"},
	{"not charged: an earlier bill is not over: *", "以前の請求 * が支払い待ちのため、未請求"},
	{"not charged: the API doesn't tell what became of an earlier bill: *", "以前の請求 * の状況を確認できないため、未請求"},
	{"a complete list doesn't have the charge", "照合 1 回目：請求は見つからず"},
	{"two complete lists don't have the charge", "照合 2 回目：請求なしと確定"},
	{"the account has a charge under this key that this ledger did not make", "この台帳以外で作られた請求を発見"},
	{"the account has another charge under this key: *", "重複した請求 * を発見"},
	{"the account has the charge", "照合で請求を確認"},
	{"its slip is in the results", "伝票を結果フォルダーに保存"},
	{"about to mail again, by a person's word, to another address", "担当者の操作で、別の宛先へ再送する直前"},
	{"about to mail again, by a person's word", "担当者の操作で再送する直前"},
	{"about to mail: reminder*", "お支払いのお願いメールを送る直前"},
	{"about to mail: receipt*", "入金のお知らせメールを送る直前"},
	{"about to mail", "メールを送る直前"},
	{"mail mailed: *", "お知らせメールを送信"},
	{"mail mailed", "メールを送信"},
	{"mail deferred*", "メールサーバーが受け取らず、再送待ち"},
	{"mail refused*", "メールサーバーが宛先を拒否"},
	{"mail held*", "メールが届いたか不明"},
	{"the payment is successful, was *", "入金を確認"},
	{"the payment is expired, was *", "期限切れ"},
	{"the payment is failed, was pending: *", "支払いが失敗（*）"},
	{"the payment is failed, was *", "支払いが失敗"},
	{"the payment is reversed, was *", "返金・取消"},
	{"the payment is *, with other details", "支払いの詳細が更新"},
	{"about to call back, by a person's word", "担当者の操作で取り消す直前"},
	{"its personal data are removed, by a person's word", "担当者の操作で個人情報を削除"},
}

// matched finds the values that stand for the * in a sentence.
func matched(pattern, sentence string) (values []string, ok bool) {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(sentence, parts[0])
	if !ok {
		return nil, false
	}
	for i, part := range parts[1:] {
		at := strings.Index(rest, part)
		if i == len(parts)-2 && part == "" {
			at = len(rest) // the last one goes to the end
		}
		if at < 0 {
			return nil, false
		}
		values = append(values, rest[:at])
		rest = rest[at+len(part):]
	}
	return values, rest == ""
}

// filled puts values for the * of a sentence, in their order.
func filled(sentence string, values []string) string {
	for _, value := range values {
		sentence = strings.Replace(sentence, "*", value, 1)
	}
	return sentence
}
