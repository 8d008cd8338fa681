package omisetest

import (
	"time"

	"konbill/invoice"
)

// object shows a source as it is now. Before its first charge it has no
// references and its charge status is unknown.
func (h *heldSource) object(now time.Time) *sourceObject {
	o := &sourceObject{
		Object: "source", ID: h.id, Livemode: h.live, Location: "/sources/" + h.id, Amount: h.payer.amount,
		CreatedAt: stamp(h.createdAt), Currency: "JPY", Email: h.payer.email, Flow: "offline", Name: h.payer.name,
		MobileNumber: h.payer.phone, PhoneNumber: h.payer.phone, Items: []any{}, Type: "econtext",
		ChargeStatus: "unknown", Discounts: []any{},
	}
	if h.charge != nil {
		o.chargedWith(h.charge, now)
	}
	return o
}

func (o *sourceObject) chargedWith(c *heldCharge, now time.Time) {
	code := c.paymentCode
	o.ChargeStatus, _ = c.statusAt(now)
	o.References = &referencesObject{ExpiresAt: stamp(c.expiresAt), PaymentCode: &code}
}

// object shows a charge as it is now.
func (c *heldCharge) object(now time.Time) *chargeObject {
	fee, vat := fees(c.amount)
	location := "/charges/" + c.id
	source := c.source.object(now)
	source.chargedWith(c, now)
	refunds := page{from: time.Unix(0, 0), to: now, limit: defaultLimit, order: chronological}.object(location + "/refunds")
	o := &chargeObject{
		Object: "charge", ID: c.id, Location: location, Amount: c.amount, Net: c.amount - fee - vat, Fee: fee, FeeVAT: vat,
		FundingAmount: c.amount, TransactionFees: transactionFees{FeeFlat: "150.0", FeeRate: "0.5", VATRate: "10.0"},
		Currency: "JPY", FundingCurrency: "JPY", Refunds: refunds, Description: stringOrNull(c.description),
		Metadata: c.metadata, Source: source, AuthorizeURI: c.link, CreatedAt: stamp(c.createdAt),
		ExpiresAt: stamp(c.expiresAt), Capture: true, Livemode: c.source.live,
	}
	o.endedAs(c, now)
	return o
}

func (o *chargeObject) endedAs(c *heldCharge, now time.Time) {
	var since time.Time
	o.Status, since = c.statusAt(now)
	switch o.Status {
	case successful:
		o.Authorized, o.Paid = true, true
		o.PaidAt = stampAt(since)
		o.Transaction = stringOrNull(c.transaction)
	case failed:
		o.FailureCode = stringOrNull("failed_processing")
		o.FailureMessage = stringOrNull("the payment could not be processed")
	case expired:
		o.Expired = true
		o.ExpiredAt = stampAt(since)
	}
}

// fees are ¥150 and 0.5 % of the amount, and 10 % tax on that, each rounded half
// up to a whole yen: the rates of the payment page's sample, and the rounding
// that makes its ¥300 cost 152 and 15.
func fees(amount invoice.Yen) (fee, vat invoice.Yen) {
	const flat, perMille = 150, 5
	fee = flat + (amount*perMille+500)/1000
	return fee, (fee + 5) / 10
}

func (s *Server) account(c call) reply {
	id := s.options.AccountID
	switch {
	case id == "" && c.live:
		id = "account_5practice0account000"
	case id == "":
		id = "account_test_5practice0account000"
	}
	return found(&accountObject{
		Object: "account", ID: id, Livemode: c.live, Location: "/account", Country: "JP",
		CreatedAt: stamp(s.shelf.began), Currency: "JPY", Email: "practice@konbill.example",
		SupportedCurrencies: []string{"JPY"},
	})
}

func (s *Server) capability(call) reply {
	return found(&capabilityObject{
		Object: "capability", Location: "/capability", Banks: []string{}, Country: "JP",
		Limits: limitsObject{ChargeAmount: amountLimits{Max: invoice.MaxAmount, Min: invoice.MinAmount}},
		PaymentMethods: []paymentMethod{{
			Object: "payment_method", Name: "econtext", Currencies: []string{"JPY"},
		}},
	})
}
