package templates

import "konbill/invoice"

// Wording are the words that slip and mail share, in one language.
type Wording struct {
	Title       string // of the slip
	Lead        string // what the slip asks for, in a sentence or two
	Sample      string // across a preview
	Number      string // label of the invoice number
	Description string
	Amount      string
	Code        string // label of the payment code
	Phone       string // label of the phone number to enter
	Due         string // label of the deadline
	Link        string // label of the payment page's address

	HowTo    string   // heading above HowToPay
	HowToPay []string // the steps, in order; the stores' own screens are left to the payment page
	WhereTo  string   // heading above Places
	Places   []string // where one can pay, most used first
	NotHere  string   // where one can't
	LinkHost string   // why the link leads to the payment service
	Questions,
	QuestionsTo string // heading, and the sentence before the merchant's contact

	MerchantPhone, MerchantHours, MerchantEmail, RegistrationNumber string // labels

	tax, taxAtRate, taxIncluded string // formats: yen; percent and yen; percent
	until                       string // format: day, hour
	phoneOnly                   string // the last of HowToPay where there is no payment code
}

// WordingIn returns the words of a language; Japanese for one that Konbill
// doesn't speak.
func WordingIn(language invoice.Language) Wording {
	if language == invoice.English {
		return english
	}
	return japanese
}

var japanese = Wording{
	Title:       "コンビニお支払いのご案内",
	Lead:        "下記のとおりご請求申し上げます。\nお支払い期限までにお支払いください。",
	Sample:      "見本",
	Number:      "請求書番号",
	Description: "件名",
	Amount:      "ご請求金額",
	Code:        "お支払い番号",
	Phone:       "電話番号",
	Due:         "お支払い期限",
	Link:        "お支払い手順のページ",
	HowTo:       "お支払い方法",
	HowToPay: []string{
		"二次元コードを読み取るか、下のアドレスを開いて、お支払い手順のページを表示します。",
		"お支払い先を選び、画面の手順に従ってお進みください。",
		"お支払い番号と電話番号の入力を求められたときは、この案内に記載の番号を入力してください。",
	},
	WhereTo:     "お支払いいただける場所",
	Places:      []string{"ローソン", "ミニストップ", "セイコーマート", "ファミリーマート", "銀行・ゆうちょ銀行のATM（ペイジー）", "ネットバンキング"},
	NotHere:     "セブン-イレブンではお支払いいただけません。",
	LinkHost:    "お支払い手順のページは、決済サービス Omise（pay.omise.co）が提供しています。",
	Questions:   "お問い合わせ",
	QuestionsTo: "ご不明な点や、お心当たりのない場合は、お支払いの前に下記までご連絡ください。",

	MerchantPhone: "電話", MerchantHours: "受付時間", MerchantEmail: "メール", RegistrationNumber: "登録番号",

	tax: "うち消費税 %s", taxAtRate: "うち消費税（%d%%） %s", taxIncluded: "消費税（%d%%）込み",
	until:     "%s%sまで",
	phoneOnly: "電話番号を求められたときは、この案内に記載の番号を入力してください。",
}

var english = Wording{
	Title:       "How to pay at a convenience store",
	Lead:        "Please pay the amount below before the deadline, at a convenience store or by one of the other ways listed.",
	Sample:      "SAMPLE",
	Number:      "Invoice number",
	Description: "For",
	Amount:      "Amount to pay",
	Code:        "Payment code",
	Phone:       "Phone number",
	Due:         "Pay by",
	Link:        "Payment instructions",
	HowTo:       "How to pay",
	HowToPay: []string{
		"Scan the QR code, or open the address below, to see the payment instructions.",
		"Choose where to pay and follow the steps on the screen.",
		"If you are asked for a payment code and a phone number, enter the ones printed here.",
	},
	WhereTo:     "Where you can pay",
	Places:      []string{"Lawson", "MiniStop", "Seicomart", "FamilyMart", "bank and post office ATMs (Pay-easy)", "online banking"},
	NotHere:     "7-Eleven does not take this payment.",
	LinkHost:    "The payment instructions are a page of the payment service Omise (pay.omise.co).",
	Questions:   "Questions",
	QuestionsTo: "If anything is unclear, or you do not expect this bill, please contact us before you pay.",

	MerchantPhone: "Phone", MerchantHours: "Hours", MerchantEmail: "E-mail", RegistrationNumber: "Registration number",

	tax: "including consumption tax of %s", taxAtRate: "including %d%% consumption tax of %s", taxIncluded: "including %d%% consumption tax",
	until:     "%[1]s, %[2]s Japan time",
	phoneOnly: "If you are asked for a phone number, enter the one printed here.",
}
