package templates

import (
	"html"
	"strings"
	"time"

	"konbill/invoice"
)

// Specimens are bills to try a set of texts on: in both languages, with and
// without a payment code, with everything that can be told and with nothing
// that can be left out. They are marked as samples.
func Specimens(texts *Set) []Instructions {
	var all []Instructions
	for _, language := range []invoice.Language{invoice.Japanese, invoice.English} {
		full := Instructions{
			Texts: texts,
			Merchant: Merchant{
				Name: "さくら商店", Address: "〒100-0001\n東京都千代田区千代田1-1", Phone: "03-0000-0000", Hours: "10:00-17:00",
				Email: "billing@sakura.example", RegistrationNumber: "T9234567890123",
			},
			Invoice: invoice.Invoice{
				Number: "INV-2001", Name: "山田 太郎", Phone: "09012345678", Amount: 12345, TaxRate: 10, Tax: 1122,
				Description: "12月分 受講料", Language: language,
			},
			PaymentCode: "709590", AuthorizeURI: "https://" + paymentHost + "/offlines/econtext/instructions/SAMPLE",
			ExpiresAt: time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC), Sample: true,
		}
		sparse := full
		sparse.Merchant = Merchant{Name: full.Merchant.Name, Phone: full.Merchant.Phone}
		sparse.Invoice.Company, sparse.Invoice.Tax, sparse.Invoice.TaxRate, sparse.Invoice.Description = true, 0, 0, ""
		sparse.PaymentCode = ""
		all = append(all, full, sparse)
	}
	return all
}

// try writes every mail that a set is for, and looks for what none of them can
// do without.
func (s *Set) try(path func(name string) string) []Fault {
	var faults []Fault
	found := map[Fault]bool{}
	add := func(more []Fault) {
		for _, f := range more {
			if !found[f] {
				found[f] = true
				faults = append(faults, f)
			}
		}
	}
	for _, specimen := range Specimens(s) {
		for _, as := range []func(*Instructions){
			func(i *Instructions) { i.Sample = false },
			func(i *Instructions) { i.Sample = true },
			func(i *Instructions) { i.Again = true },
			func(i *Instructions) { i.Reissued = true },
			func(i *Instructions) { i.Reminder, i.Reissued = true, true },
		} {
			bill := specimen
			as(&bill)
			add(bill.try(path))
		}
		add(Payment{Texts: s, Merchant: specimen.Merchant, Invoice: specimen.Invoice, PaidAt: specimen.ExpiresAt}.try(path))
	}
	return faults
}

// indispensable is what a mail must say, and the variable that says it.
type indispensable struct{ variable, value string }

func (i Instructions) try(path func(name string) string) []Fault {
	m, err := MailOf(i)
	if err != nil {
		return []Fault{templateFault(path, err)}
	}
	link, err := checkLink(i.AuthorizeURI)
	if err != nil {
		return []Fault{templateFault(path, err)}
	}
	facts := letterOf(i, link)
	needed := []indispensable{
		{"Addressee", facts.Addressee}, {"Merchant", facts.Merchant}, {"Link", facts.Link},
		{"Sample", facts.Sample}, {"DueSoon", facts.DueSoon},
	}
	for _, told := range facts.Before {
		needed = append(needed, indispensable{"Before", told})
	}
	for _, f := range facts.Bill {
		needed = append(needed, indispensable{"Bill", f.Value})
	}
	for _, f := range facts.Numbers {
		needed = append(needed, indispensable{"Numbers", f.Value})
	}
	return leftOut(path, "mail", m, needed)
}

func (p Payment) try(path func(name string) string) []Fault {
	m, err := ReceiptOf(p)
	if err != nil {
		return []Fault{templateFault(path, err)}
	}
	facts := receiptLetterOf(p)
	needed := []indispensable{{"Addressee", facts.Addressee}, {"Merchant", facts.Merchant}, {"NoReceipt", facts.NoReceipt}}
	for _, f := range facts.Paid {
		needed = append(needed, indispensable{"Paid", f.Value})
	}
	return leftOut(path, "receipt", m, needed)
}

func leftOut(path func(name string) string, name string, m Mail, needed []indispensable) []Fault {
	var faults []Fault
	for _, n := range needed {
		if !strings.Contains(m.Text, n.value) {
			faults = append(faults, Fault{Path: path(name + ".txt"), code: faultLeftOut, detail: n.variable})
		}
		if !strings.Contains(html.UnescapeString(m.HTML), n.value) {
			faults = append(faults, Fault{Path: path(name + ".html"), code: faultLeftOut, detail: n.variable})
		}
	}
	return faults
}
