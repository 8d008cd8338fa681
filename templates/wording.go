package templates

// Wording are the words that slip and mail share, in one language. A wording
// file gives each under the key of its tag; holds and needs name what may, and
// what must, stand in it in braces.
type Wording struct {
	Title       string `key:"title"`               // of the slip
	Lead        string `key:"lead"`                // what the slip asks for, in a sentence or two
	Sample      string `key:"sample"`              // across a preview
	Person      string `key:"person" needs:"name"` // whom it is for
	Company     string `key:"company" needs:"name"`
	Number      string `key:"number"` // label of the invoice number
	Description string `key:"description"`
	Amount      string `key:"amount"`
	Code        string `key:"code"`  // label of the payment code
	Phone       string `key:"phone"` // label of the phone number to enter
	Due         string `key:"due"`   // label of the deadline
	Link        string `key:"link"`  // label of the payment page's address

	HowTo     string   `key:"how_to"`     // heading above HowToPay
	HowToPay  []string `key:"how_to_pay"` // the steps, in order; the stores' own screens are left to the payment page
	PhoneOnly string   `key:"phone_only"` // the last of HowToPay where there is no payment code
	WhereTo   string   `key:"where_to"`   // heading above Places
	Places    []string `key:"places"`     // where one can pay, most used first
	NotHere   string   `key:"not_here"`   // where one can't
	LinkHost  string   `key:"link_host"`  // why the link leads to the payment service

	Questions   string `key:"questions"`    // heading
	QuestionsTo string `key:"questions_to"` // the sentence before the merchant's contact

	MerchantPhone      string `key:"merchant_phone"` // labels
	MerchantHours      string `key:"merchant_hours"`
	MerchantEmail      string `key:"merchant_email"`
	RegistrationNumber string `key:"registration_number"`

	Tax         string `key:"tax" needs:"tax"`
	TaxAtRate   string `key:"tax_at_rate" needs:"rate tax"`
	TaxIncluded string `key:"tax_included" needs:"rate"`

	TaxDetails      string `key:"tax_details"` // label of TaxBlock
	TaxBlock        string `key:"tax_block" needs:"rate amount tax"`
	TaxBlockReduced string `key:"tax_block_reduced" needs:"rate amount tax"`

	Until string `key:"until" needs:"day hour"` // the deadline
}

// mailWording are the words of the mail beyond those it shares with the slip.
type mailWording struct {
	Subject  string `key:"subject" holds:"merchant title number due_day"`
	Again    string `key:"again"` // marks in front of the subject
	Reminder string `key:"reminder"`
	Reissued string `key:"reissued"`

	Preheader  string `key:"preheader" holds:"amount deadline"` // what lists of mails show behind the subject
	Lead       string `key:"lead" holds:"merchant"`
	Attached   string `key:"attached"`
	SentBefore string `key:"sent_before"`               // of what is mailed again
	DueSoon    string `key:"due_soon" holds:"merchant"` // of a reminder, before the deadline
	SameBill   string `key:"same_bill"`                 // of a reminder, after it
	Replaces   string `key:"replaces"`                  // of a bill that replaces one that ended unpaid
	SampleNote string `key:"sample_note"`

	Bill      string   `key:"bill"` // headings
	Pay       string   `key:"pay"`
	Steps     []string `key:"steps"`
	Numbers   string   `key:"numbers"`    // the step at which a store asks for numbers
	PhoneOnly string   `key:"phone_only"` // that step without a payment code
	NoCode    string   `key:"no_code"`    // where the numbers are, without a payment code
	CheckHost string   `key:"check_host" holds:"host"`

	QR          string `key:"qr"`     // what the QR code is for
	QRAlt       string `key:"qr_alt"` // in place of its picture
	SecondMail  string `key:"second_mail"`
	Unexpected  string `key:"unexpected"` // heading above the merchant's contact
	CheckByHand string `key:"check_by_hand"`

	Colon     string `key:"colon"`               // between label and value
	Separator string `key:"separator"`           // between places, and before the tax
	File      string `key:"file" needs:"number"` // the attachment's name
}

// receiptWording are the words of the mail that confirms a payment.
type receiptWording struct {
	Subject     string `key:"subject" holds:"merchant number"`
	Preheader   string `key:"preheader" holds:"amount"`
	Received    string `key:"received" holds:"merchant"`
	Paid        string `key:"paid"` // heading
	Amount      string `key:"amount"`
	PaidOn      string `key:"paid_on"`
	NothingToDo string `key:"nothing_to_do"`
	NoReceipt   string `key:"no_receipt"`   // what the mail is not
	Questions   string `key:"questions"`    // heading
	QuestionsTo string `key:"questions_to"` // the sentence before the merchant's contact
}
