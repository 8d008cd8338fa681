package templates

import "konbill/invoice"

// mailWording are the words of the mail beyond those it shares with the slip,
// in one language.
type mailWording struct {
	colon       string
	subject     string // format: merchant, title, number, last day to pay
	again       string // in front of the subject of what is mailed again
	sentBefore  string
	lead        string // format: merchant
	attached    string
	sampleNote  string
	bill, pay   string // headings
	steps       []string
	number      string // the step at which a store asks for numbers
	phoneOnly   string // that step without a payment code
	noCode      string // where the numbers are, without a payment code
	checkHost   string // format: the site that the link leads to
	separator   string // between places, and before the tax
	secondMail  string
	unexpected  string // heading above the merchant's contact
	checkByHand string
	file        string // format of the attachment's name: number
}

func mailWordingIn(language invoice.Language) mailWording {
	if language == invoice.English {
		return englishMail
	}
	return japaneseMail
}

var japaneseMail = mailWording{
	colon:      "：",
	subject:    "【%s】%s（%s／%sまで）",
	again:      "【再送】",
	sentBefore: "先にお送りしたご案内を、あらためてお送りします。ご請求は同じもので、お支払いは一度だけです。すでにお支払いがお済みの場合は、行き違いですのでご容赦ください。",
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
}

var englishMail = mailWording{
	colon:      ": ",
	subject:    "[%s] %s (%s, by %s)",
	again:      "Resent: ",
	sentBefore: "This is a copy of an e-mail that we sent before. It is the same bill, to be paid only once. If you have paid already, please ignore it.",
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
}
