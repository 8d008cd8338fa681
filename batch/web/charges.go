package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

// onPage is how many invoices a page lists.
const onPage = 50

// filter is a choice of invoices that people often want.
type filter struct {
	Name   string
	ja, en string
	query  func(now time.Time) batch.Query
}

// filters are the ones to choose from; the first is chosen when none is.
var filters = []filter{
	{"all", "すべて", "all", func(time.Time) batch.Query { return batch.Query{} }},
	{"pending", "お支払い待ち", "to be paid", func(time.Time) batch.Query {
		return batch.Query{ChargeStatuses: []string{batch.StatusPending}}
	}},
	{"due", "3日以内に期限", "due within 3 days", func(now time.Time) batch.Query {
		return batch.Query{ChargeStatuses: []string{batch.StatusPending}, DueAfter: now, DueUntil: now.AddDate(0, 0, 3)}
	}},
	{"paid", "入金済み", "paid", func(time.Time) batch.Query {
		return batch.Query{ChargeStatuses: []string{batch.StatusSuccessful}}
	}},
	{"expired", "期限切れ", "expired", func(time.Time) batch.Query {
		return batch.Query{ChargeStatuses: []string{batch.StatusExpired, batch.StatusFailed}}
	}},
	{"unknown", "結果不明", "outcome unknown", func(time.Time) batch.Query {
		return batch.Query{States: []batch.State{batch.Charging, batch.Unknown}}
	}},
	{"mail", "メール未達", "mail trouble", func(time.Time) batch.Query {
		return batch.Query{States: []batch.State{batch.Deferred, batch.Refused, batch.Held}}
	}},
}

// search is what somebody looks for.
type search struct {
	Filter string
	By     string // number, name or phone
	Text   string
	Run    int64 // of which they are; 0: of any
	cursor int64
}

func searchOf(values url.Values) search {
	s := search{Filter: values.Get("show"), By: values.Get("by"), Text: strings.TrimSpace(values.Get("q"))}
	s.Run, _ = strconv.ParseInt(values.Get("run"), 10, 64)
	s.cursor, _ = strconv.ParseInt(values.Get("before"), 10, 64) // anything else begins anew
	return s
}

// query is the search as the ledger understands it. ok is false when nothing can be meant
// by it.
func (s search) query(now time.Time) (q batch.Query, ok bool) {
	q = filters[0].query(now)
	for _, f := range filters {
		if f.Name == s.Filter {
			q = f.query(now)
		}
	}
	q.Job = s.Run
	if s.Text == "" {
		return q, true
	}
	switch s.By {
	case "name":
		q.NamePrefix = invoice.SearchName(s.Text)
		return q, q.NamePrefix != ""
	case "phone":
		q.PhoneEnd = lastDigits(s.Text)
		return q, len(q.PhoneEnd) == 4
	}
	q.NumberPrefix = s.Text
	return q, true
}

// lastDigits are the last four of a phone number, however it is written.
func lastDigits(phone string) string {
	digits := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return r
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		}
		return -1
	}, phone)
	return digits[max(len(digits)-4, 0):]
}

// link is the address of a list.
func (s search) link(cursor int64) string {
	values := url.Values{}
	for name, value := range map[string]string{"show": s.Filter, "by": s.By, "q": s.Text} {
		if value != "" {
			values.Set(name, value)
		}
	}
	for name, value := range map[string]int64{"run": s.Run, "before": cursor} {
		if value != 0 {
			values.Set(name, strconv.FormatInt(value, 10))
		}
	}
	return "/charges?" + values.Encode()
}

// chargesPage lists invoices.
type chargesPage struct {
	frame
	search
	Choices []choice
	Chart   *chart   // on the first page of all
	Sums    []sumRow // on the first page
	Total   batch.Sum
	Unclear bool // nothing can be meant by the search
	Entries []batch.Entry
	Next    string // link to those that follow; empty: there are none
}

type choice struct {
	Label, Link string
	Chosen      bool
}

type sumRow struct {
	Status string
	batch.Sum
}

func (s *Server) showCharges(w http.ResponseWriter, v visit) {
	page := chargesPage{frame: s.frameOf(v.Request, v.session, "charges"), search: searchOf(v.URL.Query())}
	for i, f := range filters {
		other := page.search
		other.Filter = f.Name
		page.Choices = append(page.Choices, choice{
			words{page.Lang}.say(f.ja, f.en), other.link(0), f.Name == page.Filter || page.Filter == "" && i == 0,
		})
	}
	query, ok := page.query(s.Now())
	if !ok {
		page.Unclear = true
		s.show(w, v.Request, http.StatusOK, "charges", page)
		return
	}
	entries, next, err := s.Ledger.Recent(v.Context(), query, page.cursor, onPage)
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	page.Entries = entries
	if page.cursor == 0 { // to add up a hundred thousand takes a second; the pages that follow don't
		err = s.addUp(v.Context(), &page, query)
	}
	if err == nil && page.isFirst() {
		page.Chart, err = s.chartNow(v.Context())
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	if next != 0 {
		page.Next = page.link(next)
	}
	s.show(w, v.Request, http.StatusOK, "charges", page)
}

// isFirst reports whether nothing is looked for yet.
func (s search) isFirst() bool {
	return (s.Filter == "" || s.Filter == filters[0].Name) && s.Text == "" && s.Run == 0 && s.cursor == 0
}

// addUp puts the sums of what a query selects on a page.
func (s *Server) addUp(ctx context.Context, page *chargesPage, query batch.Query) error {
	sums, err := s.Ledger.Sums(ctx, query)
	for _, status := range []string{batch.StatusPending, batch.StatusSuccessful, batch.StatusExpired, batch.StatusFailed, batch.StatusReversed, ""} {
		if sum := sums[status]; sum.Rows > 0 {
			page.Sums = append(page.Sums, sumRow{status, sum})
		}
	}
	for _, sum := range sums {
		page.Total.Rows += sum.Rows
		page.Total.Yen += sum.Yen
	}
	return err
}

// chargePage is one invoice with its history.
type chargePage struct {
	frame
	batch.Entry
	Events   []batch.Event
	Notices  []batch.Notice
	Revealed bool // the customer's data are shown
	Purged   bool // they were removed
	Payable  bool // the link leads to payment
	Resends  bool // the person may have it mailed again
	Recalls  bool // and called back

	Said string // what became of what was asked for; empty: nothing was
	Good bool   // it was done
}

func (s *Server) showCharge(w http.ResponseWriter, v visit) {
	if entry, ok := s.entryOf(w, v); ok {
		s.charge(w, v, chargePage{Entry: entry})
	}
}

// revealCharge shows a customer's data, and remembers to whom.
func (s *Server) revealCharge(w http.ResponseWriter, v visit) {
	entry, ok := s.entryOf(w, v)
	if ok && s.recorded(w, v, "looked", entry) {
		s.charge(w, v, chargePage{Entry: entry, Revealed: true})
	}
}

// entryOf is the invoice that a request is about; it answers itself when there is none.
func (s *Server) entryOf(w http.ResponseWriter, v visit) (e batch.Entry, ok bool) {
	e, err := s.Ledger.Entry(v.Context(), batch.Key(v.PathValue("key")))
	switch {
	case isNotFound(err):
		s.message(w, v.Request, http.StatusNotFound)
	case err != nil:
		s.fail(w, v.Request, err)
	}
	return e, err == nil
}

// recorded records what a person does with an invoice; it answers itself when that fails,
// and then it isn't to be done.
func (s *Server) recorded(w http.ResponseWriter, v visit, what string, e batch.Entry) bool {
	err := s.record(v.Context(), v.session.Person.Name, what, e.Invoice.Number)
	if err != nil {
		s.fail(w, v.Request, err)
	}
	return err == nil
}

// slip gives the customer's slip, with all that stands on it.
func (s *Server) slip(w http.ResponseWriter, v visit) {
	entry, ok := s.entryOf(w, v)
	if !ok || !s.recorded(w, v, "took_slip", entry) {
		return
	}
	pdf, err := s.Slip(entry)
	switch {
	case errors.Is(err, batch.ErrNoSlip):
		lang := words{s.frameOf(v.Request, v.session, "").Lang}
		s.charge(w, v, chargePage{Entry: entry, Said: lang.say("お支払いいただける状態ではないため、払込案内はありません。", "It can't be paid now, so there is no slip.")})
	case err != nil:
		s.fail(w, v.Request, err)
	default:
		download(w, "application/pdf", entry.Invoice.Number+".pdf", bytes.NewReader(pdf))
	}
}

// deedTime is how long a mail or a request may take. Whoever leaves the page meanwhile
// doesn't end it: then nobody would know whether it went.
const deedTime = time.Minute

// resend has a bill mailed to the customer again.
func (s *Server) resend(w http.ResponseWriter, v visit) {
	entry, ok := s.entryOf(w, v)
	if !ok || !s.recorded(w, v, "resent", entry) {
		return
	}
	s.haveDone(w, v, entry, s.Resend)
}

// recall calls a bill back. The person types its number: a customer may be at the till.
func (s *Server) recall(w http.ResponseWriter, v visit) {
	entry, ok := s.entryOf(w, v)
	if !ok {
		return
	}
	if v.PostFormValue("number") != entry.Invoice.Number {
		lang := words{s.frameOf(v.Request, v.session, "").Lang}
		s.charge(w, v, chargePage{Entry: entry, Said: lang.say("入力された請求書番号が一致しません。取り消していません。", "That isn't its number. It was not called back.")})
		return
	}
	if s.recorded(w, v, "recalled", entry) {
		s.haveDone(w, v, entry, s.Recall)
	}
}

// haveDone has something done with a bill, and shows what came of it.
func (s *Server) haveDone(w http.ResponseWriter, v visit, entry batch.Entry, do func(context.Context, string, invoice.Language) (string, bool, error)) {
	lang := s.frameOf(v.Request, v.session, "").Lang
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Context()), deedTime)
	defer cancel()
	said, done, err := do(ctx, entry.Invoice.Number, lang)
	if errors.Is(err, batch.ErrHeld) {
		said, err = words{lang}.say("いま発行の処理中のため、何もしていません。終わってから、もう一度お試しください。", "Nothing was done: a run goes on. Try again when it has ended."), nil
	}
	if err == nil {
		entry, err = s.Ledger.Entry(ctx, entry.Key)
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	s.charge(w, v, chargePage{Entry: entry, Said: said, Good: done})
}

// charge shows an invoice with its history.
func (s *Server) charge(w http.ResponseWriter, v visit, page chargePage) {
	page.frame = s.frameOf(v.Request, v.session, "charge")
	var err error
	if page.Events, err = s.Ledger.Events(v.Context(), page.Key); err == nil {
		page.Notices, err = s.Ledger.Notices(v.Context(), page.Key)
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	page.Purged = !page.PurgedAt.IsZero()
	page.Resends, page.Recalls = may(page.Person, batch.Preparer), may(page.Person, batch.Approver)
	page.Payable = page.Charge.Status == batch.StatusPending && page.Charge.ExpiresAt.After(s.Now())
	s.show(w, v.Request, http.StatusOK, "charge", page)
}
