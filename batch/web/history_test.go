package web

import (
	"testing"

	"konbill/invoice"
)

func TestWhy(t *testing.T) {
	for english, want := range map[string]string{
		"accepted by job 12": "受け付け（実行番号 12）",
		"accepted in the place of chrg_1, which is over unpaid, by job 3": "未払いで終わった請求 chrg_1 に代えて受け付け（実行番号 3）",
		"replaced by revision 2, by job 3":                                "2 回目の請求に差し替え（実行番号 3）",
		"mail mailed":                                                     "メールを送信",
		"mail mailed: receipt":                                            "お知らせメールを送信",
		"about to mail":                                                   "メールを送る直前",
		"about to mail again, by a person's word":                         "担当者の操作で再送する直前",
		"the payment is failed, was pending: payment_cancelled":           "支払いが失敗（payment_cancelled）",
		"the payment is successful, was pending":                          "入金を確認",
		"the account has another charge under this key: chrg_2":           "重複した請求 chrg_2 を発見",
		"the account has the charge":                                      "照合で請求を確認",
		"something new":                                                   "something new",
		"":                                                                "",
	} {
		if got := (words{invoice.Japanese}).why(english); got != want {
			t.Errorf("%q is %q, want %q", english, got, want)
		}
		if got := (words{invoice.English}).why(english); got != english {
			t.Errorf("%q is %q in English", english, got)
		}
	}
}
