package batch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"konbill/invoice"
)

// TestNoWayAroundAnUnknownOutcome: whatever else the diagram may become, an
// invoice that may have been charged never leads to a request without having
// been proved absent, and a charge that is durable is never forgotten.
func TestNoWayAroundAnUnknownOutcome(t *testing.T) {
	all := []State{Accepted, Charging, Unknown, Declined, Charged, Mailing, Mailed, Deferred, Refused, Held}
	for _, from := range all {
		for _, to := range all {
			may := from.CanBecome(to)
			if to == Charging && from != Accepted && from != Charging && may {
				t.Errorf("%s leads to a request", from)
			}
			if from.HasCharge() && !to.HasCharge() && may {
				t.Errorf("%s forgets the charge by becoming %s", from, to)
			}
			if (from == Mailed || from == Refused) && may {
				t.Errorf("%s becomes %s by itself", from, to)
			}
			if from.CanBecomeByPerson(to) != (may || to == Mailing && (from == Mailed || from == Refused)) {
				t.Errorf("a person makes %s become %s", from, to)
			}
		}
	}
	if next[Unknown] == nil || !slices.Equal(next[Unknown], []State{Unknown, Charged, Accepted}) {
		t.Errorf("unknown leads to %v", next[Unknown])
	}
}

func TestLinkIsSafe(t *testing.T) {
	for link, want := range map[string]struct{ real, practice bool }{
		"https://pay.omise.co/offlines/econtext/instructions/oflp_1": {true, true},
		"https://omise.co/x":                           {true, true},
		"https://PAY.OMISE.CO/x":                       {true, true},
		"http://pay.omise.co/x":                        {false, false}, // not encrypted
		"https://omise.co.example.com/x":               {false, false},
		"https://evilomise.co/x":                       {false, false},
		"https://pay.omise.co@example.com/x":           {false, false}, // the host is example.com
		"https://user@pay.omise.co/x":                  {false, false},
		"https://example.com/?https://pay.omise.co/":   {false, false},
		"javascript:alert(1)//pay.omise.co":            {false, false},
		"":                                             {false, false},
		"://":                                          {false, false},
		"http://127.0.0.1:8765/offlines/x":             {false, true},
		"http://localhost:8765/offlines/x":             {false, true},
		"http://[::1]:8765/x":                          {false, true},
		"http://127.0.0.1.example.com/x":               {false, false},
		"ftp://127.0.0.1/x":                            {false, false},
		"https://xn--omse-4na.co/x":                    {false, false},
		"https://pay.omise.co./x":                      {false, false},
		"https://pay.omise.co\u3002example.com/phish":  {false, false},
		"https://pay.omise.co%2eexample.com/":          {false, false},
		"https://pay.omise.co:443/offlines/econtext/1": {true, true},
	} {
		if got := linkIsSafe(link, false); got != want.real {
			t.Errorf("%q: %v for the real API", link, got)
		}
		if got := linkIsSafe(link, true); got != want.practice {
			t.Errorf("%q: %v while practising", link, got)
		}
	}
}

func TestSlipNames(t *testing.T) {
	names := SlipNames{}
	given := map[string]string{}
	for _, number := range []string{
		"INV-1", "inv-1", "ｉｎｖ-1", "2026/11/001", "2026_11_001", "..", ".", "../../etc/passwd", "CON", "con.1", "nul",
		"請求-1", "が", "か\u3099", "a b", "a\tb", strings.Repeat("長", 64), "-rf", "x.pdf", "\\\\server\\share", "%2e%2e", "é", "e\u0301",
	} {
		name := names.NameOf(number)
		if other, met := given[fold(name)]; met {
			t.Errorf("%q and %q share the name %q", number, other, name)
		}
		given[fold(name)] = number
		if strings.ContainsAny(name, `/\:*?"<>|`+"\x00\t ") || strings.HasPrefix(name, ".") || len(name+".pdf") > 255 {
			t.Errorf("%q is stored as %q", number, name)
		}
		if again := names.NameOf(number); again != name {
			t.Errorf("%q is %q, then %q", number, name, again)
		}
	}
	if name := (SlipNames{}).NameOf("INV-2001"); name != "INV-2001" {
		t.Errorf("a plain number is stored as %q", name)
	}
}

// TestMessagesOfOutcomes reads every sentence in both languages as a person
// would get it.
func TestMessagesOfOutcomes(t *testing.T) {
	at := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	reach := Reach{LoopbackAPI: false, Now: at}
	charge := Charge{ID: "chrg_test_1", AuthorizeURI: "https://pay.omise.co/x", Status: "pending", ExpiresAt: at.Add(time.Hour)}
	entry := func(s State, change func(*Entry)) RowOutcome {
		e := Entry{Key: "kb_1", State: s, Invoice: invoice.Invoice{Number: "INV-1"}, Charge: charge, MailedTo: "a@example.jp"}
		change(&e)
		return RowOutcome{Entry: e, Result: resultOf(s, true)}
	}
	same := func(*Entry) {}
	for code, o := range map[invoice.Code]RowOutcome{
		codeDeclined:     entry(Declined, func(e *Entry) { e.Refusal = Refusal{"invalid_charge", "name is too long"} }),
		codeUnknown:      entry(Unknown, func(e *Entry) { e.Refusal = Refusal{Code: "no_answer"} }),
		codeNotRecorded:  entry(Charging, func(e *Entry) { e.Refusal = Refusal{Code: faultNotRecorded} }),
		codeNotAttempted: entry(Accepted, same),
		codeUnsafeLink:   entry(Charged, func(e *Entry) { e.Charge.AuthorizeURI = "https://evil.example/" }),
		codeNotPayable:   entry(Charged, func(e *Entry) { e.Charge.ExpiresAt = at }),
		codeMailNotSent:  entry(Charged, same),
		codeElsewhere:    entry(Charged, func(e *Entry) { e.Elsewhere = true }),
		codeDuplicate:    entry(Mailed, func(e *Entry) { e.Duplicates = "chrg_test_2" }),
		codeMailDeferred: entry(Deferred, func(e *Entry) { e.MailReply = "451 later" }),
		codeMailRefused:  entry(Refused, func(e *Entry) { e.MailReply = "550 no such user" }),
		codeMailHeld:     entry(Held, func(e *Entry) { e.MailReply = "EOF" }),
		codeSlipFailed: {Entry: Entry{Key: "kb_1", State: Mailed, Charge: charge}, Result: Issued,
			remarks: remarks{slipErr: &StaleError{Key: "kb_1", Want: Charged, Have: Mailed}}},
		codeUnread: {Entry: Entry{Key: "kb_1", State: Mailed, Invoice: invoice.Invoice{Number: "INV-1"}}, Result: Issued, unread: true},
	} {
		if codes := o.codes(reach); !slices.Contains(codes, code) {
			t.Errorf("%s: codes are %v", code, codes)
		}
		if !o.NeedsPerson(reach) {
			t.Errorf("%s: nobody is asked to look", code)
		}
		for _, lang := range []invoice.Language{invoice.Japanese, invoice.English} {
			text := o.Message(lang, reach)
			if strings.Contains(text, "%!") || text == "" || strings.Contains(text, string(code)) {
				t.Errorf("%s in %s: %q", code, lang, text)
			}
			for _, fact := range []string{o.Entry.MailReply, o.Entry.Refusal.Message, o.Entry.Duplicates} {
				if !strings.Contains(text, fact) {
					t.Errorf("%s in %s doesn't say %q: %q", code, lang, fact, text)
				}
			}
			if english := !strings.ContainsFunc(text, func(r rune) bool { return r > 0x2FFF }); english != (lang == invoice.English) {
				t.Errorf("%s in %s: %q", code, lang, text)
			}
		}
	}
	if done := entry(Mailed, same); done.NeedsPerson(reach) || done.Message(invoice.Japanese, reach) != "" {
		t.Error("a mailed invoice needs a person")
	}
}

func TestDiffers(t *testing.T) {
	day := time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC)
	issued := invoice.Invoice{Number: "1", Name: "山田 太郎", SentName: "山田太郎", Phone: "09011112222", Amount: 300, Due: day, Email: "a@example.jp"}
	for want, change := range map[invoice.Field]func(*invoice.Invoice){
		invoice.FieldAmount: func(i *invoice.Invoice) { i.Amount++ },
		invoice.FieldName:   func(i *invoice.Invoice) { i.SentName = "山田次郎" },
		invoice.FieldPhone:  func(i *invoice.Invoice) { i.Phone = "09011112223" },
		invoice.FieldDue:    func(i *invoice.Invoice) { i.Due, i.DueGiven = day.AddDate(0, 0, 1), true },
	} {
		row := issued
		change(&row)
		if got := (Entry{Invoice: issued}).Differs(row); got != want {
			t.Errorf("another %s: %q", want, got)
		}
	}
	row := issued
	row.Due, row.Email, row.Name, row.Description = day.AddDate(0, 0, 3), "b@example.jp", "山田　太郎", "other"
	if got := (Entry{Invoice: issued}).Differs(row); got != "" {
		t.Errorf("an open due date, another address and description: %q", got)
	}
}

func TestKeyOf(t *testing.T) {
	a := Account{ID: "account_1"}
	live := Account{ID: "account_1", Live: true}
	keys := map[Key]bool{KeyOf(a, "1"): true, KeyOf(live, "1"): true, KeyOf(a, "2"): true, KeyOf(Account{ID: "account_2"}, "1"): true}
	if len(keys) != 4 {
		t.Error("account, mode and number don't tell keys apart")
	}
	if KeyOf(a, "1") != "kb_"+KeyOf(a, "1")[3:] || len(KeyOf(a, "1")) != 35 {
		t.Errorf("key %s", KeyOf(a, "1"))
	}
}
