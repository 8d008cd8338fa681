package templates

import "konbill/invoice"

// mailWording are the words of the mail beyond those it shares with the slip,
// in one language.
type mailWording struct {
	colon                     string
	subject                   string // format: merchant, title, number, last day to pay
	again, reminder, reissued string // marks in front of the subject
	sentBefore                string // of what is mailed again
	dueSoon                   string // of a reminder, before the deadline; format: merchant
	sameBill                  string // of a reminder, after it
	replaces                  string // of a bill that replaces one that ended unpaid
	lead                      string // format: merchant
	attached                  string
	sampleNote                string
	bill, pay                 string // headings
	steps                     []string
	number                    string // the step at which a store asks for numbers
	phoneOnly                 string // that step without a payment code
	noCode                    string // where the numbers are, without a payment code
	checkHost                 string // format: the site that the link leads to
	separator                 string // between places, and before the tax
	secondMail                string
	unexpected                string // heading above the merchant's contact
	checkByHand               string
	file                      string // format of the attachment's name: number

	receiptSubject                   string // format: merchant, number
	received                         string // format: merchant
	paid                             string // heading
	paidAmount, paidOn               string // labels
	nothingToDo                      string
	noReceipt                        string // what the mail is not
	receiptQuestions, receiptContact string // heading, and the sentence before the merchant's contact
}

func mailWordingIn(language invoice.Language) mailWording {
	if language == invoice.English {
		return englishMail
	}
	return japaneseMail
}

var japaneseMail = mailWording{
	colon:   "：",
	subject: "【%s】%s（%s／%sまで）",
	again:   "【再送】", reminder: "【お支払い期限のお知らせ】", reissued: "【再発行】",
	sentBefore: "先にお送りしたご案内を、あらためてお送りします。ご請求は同じもので、お支払いは一度だけです。すでにお支払いがお済みの場合は、行き違いですのでご容赦ください。",
	dueSoon:    "%sからのご請求につきまして、お支払い期限が近づいてまいりましたが、お支払いをまだ確認できておりませんので、お知らせいたします。",
	sameBill:   "ご請求は先にご案内したものと同じで、お支払い手順のページも番号も変わりません。お支払いは一度だけで結構です。すでにお支払いがお済みの場合は、行き違いですのでご容赦ください。お支払いの確認には、しばらくお時間をいただくことがあります。",
	replaces:   "このご案内は、お支払いのないまま終了した以前のご請求に代わるものです。以前のメールや PDF に記載の番号とアドレスはご利用いただけませんので、お手数ですが、このメールに記載のものをお使いください。以前のご請求をすでにお支払いの場合は、重ねてお支払いにならず、下記までご連絡ください。",
	lead:       "%sからのご請求について、お支払い方法をご案内いたします。",
	attached:   "添付の PDF には、このメールと同じ内容を記載しています。印刷してご利用いただけます。",
	sampleNote: "【見本】内容を確認するための見本です。お支払いはできません。",
	bill:       "ご請求の内容",
	pay:        "お支払い方法",
	steps: []string{
		"下のアドレスを開いて、お支払い手順のページを表示します。",
		"お支払い先を選び、画面の手順に従ってお進みください。",
	},
	number:      "お支払い番号と電話番号の入力を求められたときは、下に記載の番号を入力してください。",
	phoneOnly:   "電話番号の入力を求められたときは、下に記載の番号を入力してください。",
	noCode:      "そのほかにお支払いに必要な番号は、お支払い手順のページでご確認ください。",
	checkHost:   "アドレスを開く前に、サイト名が %s であることをご確認ください。",
	separator:   "、",
	secondMail:  "決済サービスからも、同じお支払いについてのご案内メールが届くことがあります。お支払いは一度で完了しますので、重ねてのお支払いは不要です。",
	unexpected:  "お心当たりのない場合・お問い合わせ",
	checkByHand: "このメールの真偽をお確かめになりたいときは、契約書や公式サイトなどに記載の電話番号へお問い合わせください。",
	file:        "お支払いのご案内_%s.pdf",

	receiptSubject: "【%s】お支払いを確認いたしました（%s）",
	received:       "%sです。お支払いいただき、誠にありがとうございます。下記のとおり、お支払いを確認いたしました。",
	paid:           "お支払いの内容",
	paidAmount:     "お支払い金額", paidOn: "お支払い日",
	nothingToDo:      "このご請求について、これ以上のお手続きは必要ありません。",
	noReceipt:        "このメールはお支払いの確認をお知らせするもので、領収書や適格請求書（インボイス）ではありません。",
	receiptQuestions: "お問い合わせ",
	receiptContact:   "ご不明な点や、お心当たりのない場合は、下記までご連絡ください。",
}

var englishMail = mailWording{
	colon:   ": ",
	subject: "[%s] %s (%s, by %s)",
	again:   "Resent: ", reminder: "Reminder: ", reissued: "New payment details: ",
	sentBefore: "This is a copy of an e-mail that we sent before. It is the same bill, to be paid only once. If you have paid already, please ignore it.",
	dueSoon:    "This is a reminder: the deadline of your bill from %s is near, and we have not seen your payment yet.",
	sameBill:   "It is the same bill that we sent you before, with the same link and the same numbers, to be paid only once. If you have paid already, please ignore this e-mail: payments can take a while to reach us.",
	replaces:   "This bill replaces an earlier one that ended unpaid. The numbers and the address in the earlier e-mail and PDF can no longer be used; please use the ones given here. If you have paid the earlier bill, do not pay again, but contact us as given below.",
	lead:       "This is how to pay your bill from %s.",
	attached:   "The attached PDF says the same as this e-mail, for you to print.",
	sampleNote: "SAMPLE: for review only. It cannot be paid.",
	bill:       "Your bill",
	pay:        "How to pay",
	steps: []string{
		"Open the address below to see the payment instructions.",
		"Choose where to pay and follow the steps on the screen.",
	},
	number:      "If you are asked for a payment code and a phone number, enter the ones given below.",
	phoneOnly:   "If you are asked for a phone number, enter the one given below.",
	noCode:      "Any other number that you need is shown on the payment instructions page.",
	checkHost:   "Before you open the address, check that the site it names is %s.",
	separator:   ", ",
	secondMail:  "The payment service may send you an e-mail about the same payment, too. You only need to pay once.",
	unexpected:  "Questions, or a bill you do not expect",
	checkByHand: "To make sure that this e-mail is genuine, call the number that you already have for us, such as the one in your contract or on our official website.",
	file:        "Payment-instructions_%s.pdf",

	receiptSubject: "[%s] We have received your payment (%s)",
	received:       "Thank you. %s has received your payment for the bill below.",
	paid:           "Your payment",
	paidAmount:     "Amount paid", paidOn: "Paid on",
	nothingToDo:      "There is nothing more to be done for this bill.",
	noReceipt:        "This e-mail only confirms your payment. It is not a receipt (ryoshusho), nor a qualified invoice for consumption tax.",
	receiptQuestions: "Questions",
	receiptContact:   "If anything is unclear, or you do not know of this payment, please contact us.",
}
