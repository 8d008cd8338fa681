package omisetest

import (
	"time"

	"konbill/invoice"
)

// The objects have the fields of the payment page's samples, in their order.
// A nil stands for null.

type sourceObject struct {
	Object                   string            `json:"object"`
	ID                       string            `json:"id"`
	Livemode                 bool              `json:"livemode"`
	Location                 string            `json:"location"`
	Amount                   invoice.Yen       `json:"amount"`
	Barcode                  any               `json:"barcode"`
	Bank                     any               `json:"bank"`
	CreatedAt                stamp             `json:"created_at"`
	Currency                 string            `json:"currency"`
	Email                    string            `json:"email"`
	Flow                     string            `json:"flow"`
	InstallmentTerm          any               `json:"installment_term"`
	IP                       any               `json:"ip"`
	AbsorptionType           any               `json:"absorption_type"`
	Name                     string            `json:"name"`
	MobileNumber             string            `json:"mobile_number"`
	PhoneNumber              string            `json:"phone_number"`
	PlatformType             any               `json:"platform_type"`
	ScannableCode            any               `json:"scannable_code"`
	Billing                  any               `json:"billing"`
	Shipping                 any               `json:"shipping"`
	Items                    []any             `json:"items"`
	References               *referencesObject `json:"references"`
	ProviderReferences       any               `json:"provider_references"`
	StoreID                  any               `json:"store_id"`
	StoreName                any               `json:"store_name"`
	TerminalID               any               `json:"terminal_id"`
	Type                     string            `json:"type"`
	ZeroInterestInstallments any               `json:"zero_interest_installments"`
	ChargeStatus             string            `json:"charge_status"`
	ReceiptAmount            any               `json:"receipt_amount"`
	Discounts                []any             `json:"discounts"`
}

type referencesObject struct {
	ExpiresAt            stamp   `json:"expires_at"`
	DeviceID             any     `json:"device_id"`
	CustomerAmount       any     `json:"customer_amount"`
	CustomerCurrency     any     `json:"customer_currency"`
	CustomerExchangeRate any     `json:"customer_exchange_rate"`
	OmiseTaxID           any     `json:"omise_tax_id"`
	ReferenceNumber1     any     `json:"reference_number_1"`
	ReferenceNumber2     any     `json:"reference_number_2"`
	Barcode              any     `json:"barcode"`
	PaymentCode          *string `json:"payment_code"`
	VACode               any     `json:"va_code"`
}

type chargeObject struct {
	Object                   string            `json:"object"`
	ID                       string            `json:"id"`
	Location                 string            `json:"location"`
	Amount                   invoice.Yen       `json:"amount"`
	Net                      invoice.Yen       `json:"net"`
	Fee                      invoice.Yen       `json:"fee"`
	FeeVAT                   invoice.Yen       `json:"fee_vat"`
	Interest                 invoice.Yen       `json:"interest"`
	InterestVAT              invoice.Yen       `json:"interest_vat"`
	FundingAmount            invoice.Yen       `json:"funding_amount"`
	RefundedAmount           invoice.Yen       `json:"refunded_amount"`
	TransactionFees          transactionFees   `json:"transaction_fees"`
	PlatformFee              platformFee       `json:"platform_fee"`
	Currency                 string            `json:"currency"`
	FundingCurrency          string            `json:"funding_currency"`
	IP                       any               `json:"ip"`
	Refunds                  listObject        `json:"refunds"`
	Link                     any               `json:"link"`
	Description              *string           `json:"description"`
	Metadata                 map[string]string `json:"metadata"`
	Card                     any               `json:"card"`
	Source                   *sourceObject     `json:"source"`
	Schedule                 any               `json:"schedule"`
	Customer                 any               `json:"customer"`
	Dispute                  any               `json:"dispute"`
	Transaction              *string           `json:"transaction"`
	FailureCode              *string           `json:"failure_code"`
	FailureMessage           *string           `json:"failure_message"`
	Status                   string            `json:"status"`
	AuthorizeURI             string            `json:"authorize_uri"`
	ReturnURI                any               `json:"return_uri"`
	CreatedAt                stamp             `json:"created_at"`
	PaidAt                   *stamp            `json:"paid_at"`
	ExpiresAt                stamp             `json:"expires_at"`
	ExpiredAt                *stamp            `json:"expired_at"`
	ReversedAt               *stamp            `json:"reversed_at"`
	ZeroInterestInstallments bool              `json:"zero_interest_installments"`
	Branch                   any               `json:"branch"`
	Terminal                 any               `json:"terminal"`
	Device                   any               `json:"device"`
	Authorized               bool              `json:"authorized"`
	Capturable               bool              `json:"capturable"`
	Capture                  bool              `json:"capture"`
	Disputable               bool              `json:"disputable"`
	Livemode                 bool              `json:"livemode"`
	Refundable               bool              `json:"refundable"`
	PartiallyRefundable      bool              `json:"partially_refundable"`
	Reversed                 bool              `json:"reversed"`
	Reversible               bool              `json:"reversible"`
	Voided                   bool              `json:"voided"`
	Paid                     bool              `json:"paid"`
	Expired                  bool              `json:"expired"`
}

type transactionFees struct {
	FeeFlat string `json:"fee_flat"`
	FeeRate string `json:"fee_rate"`
	VATRate string `json:"vat_rate"`
}

type platformFee struct {
	Fixed      any `json:"fixed"`
	Amount     any `json:"amount"`
	Percentage any `json:"percentage"`
}

type listObject struct {
	Object   string          `json:"object"`
	Data     []*chargeObject `json:"data"`
	Limit    int             `json:"limit"`
	Offset   int             `json:"offset"`
	Total    int             `json:"total"`
	Location string          `json:"location"`
	Order    string          `json:"order"`
	From     stamp           `json:"from"`
	To       stamp           `json:"to"`
}

type searchObject struct {
	Object     string            `json:"object"`
	Order      string            `json:"order"`
	Scope      string            `json:"scope"`
	Query      string            `json:"query"`
	Filters    map[string]string `json:"filters"`
	Page       int               `json:"page"`
	TotalPages int               `json:"total_pages"`
	Total      int               `json:"total"`
	Data       []*chargeObject   `json:"data"`
}

type accountObject struct {
	Object              string   `json:"object"`
	ID                  string   `json:"id"`
	Livemode            bool     `json:"livemode"`
	Location            string   `json:"location"`
	Country             string   `json:"country"`
	CreatedAt           stamp    `json:"created_at"`
	Currency            string   `json:"currency"`
	Email               string   `json:"email"`
	SupportedCurrencies []string `json:"supported_currencies"`
	WebhookURI          any      `json:"webhook_uri"`
}

type capabilityObject struct {
	Object                   string          `json:"object"`
	Location                 string          `json:"location"`
	Banks                    []string        `json:"banks"`
	Limits                   limitsObject    `json:"limits"`
	PaymentMethods           []paymentMethod `json:"payment_methods"`
	Country                  string          `json:"country"`
	ZeroInterestInstallments bool            `json:"zero_interest_installments"`
}

type limitsObject struct {
	ChargeAmount amountLimits `json:"charge_amount"`
}

type amountLimits struct {
	Max invoice.Yen `json:"max"`
	Min invoice.Yen `json:"min"`
}

type paymentMethod struct {
	Object           string   `json:"object"`
	Name             string   `json:"name"`
	Currencies       []string `json:"currencies"`
	CardBrands       any      `json:"card_brands"`
	InstallmentTerms any      `json:"installment_terms"`
}

type errorObject struct {
	Object   string `json:"object"`
	Location string `json:"location"`
	Code     string `json:"code"`
	Message  string `json:"message"`
}

// stamp is an instant in UTC, to the second.
type stamp time.Time

// MarshalText writes the API's form of an instant.
func (t stamp) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05Z"), nil
}

func stampAt(t time.Time) *stamp {
	s := stamp(t)
	return &s
}

func stringOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
