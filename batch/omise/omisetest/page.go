package omisetest

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"
)

// pagePath is where payment pages are, each under its own id.
const pagePath = "/offlines/econtext/instructions/"

//go:embed page.html
var pageText string

var pageTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageText)) })

// pageFacts are what a payment page shows.
type pageFacts struct {
	Amount, Code, ID, Description string
	DeadlineJA, DeadlineEN        string
	StatusJA, StatusEN            string
	Pending, Practice             bool
}

// isPage reports a visit to a payment page. It needs no key, meets no fault and
// is not among the requests remembered.
func isPage(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, pagePath) }

// servePage shows a payment page, or takes the form on it. It returns the
// status sent.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) int {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")
	id := strings.TrimPrefix(r.URL.Path, pagePath)
	facts, known := s.pageOf(id)
	switch {
	case !known:
		return sendPage(w, http.StatusNotFound, []byte("<!doctype html><meta charset=\"utf-8\"><p>お支払いが見つかりません。There is no such payment.</p>\n"))
	case r.Method == http.MethodPost:
		return s.payOnPage(w, r, id)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return http.StatusMethodNotAllowed
	}
	var html bytes.Buffer
	if err := pageTemplate().Execute(&html, facts); err != nil {
		panic(fmt.Sprintf("omisetest: payment page: %v", err)) // our own template
	}
	return sendPage(w, http.StatusOK, html.Bytes())
}

// payOnPage plays the customer, in test mode only. A charge that has ended
// already stays as it is: the page then shows that.
func (s *Server) payOnPage(w http.ResponseWriter, r *http.Request, id string) int {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	as := map[string]string{"paid": successful, "failed": failed}[r.PostFormValue("result")]
	if as == "" {
		w.WriteHeader(http.StatusBadRequest)
		return http.StatusBadRequest
	}
	s.mu.Lock()
	if held := s.shelf.pages[id]; !held.source.live {
		s.shelf.end(held, as, s.now())
	}
	s.mu.Unlock()
	w.Header().Set("Location", pagePath+id)
	w.WriteHeader(http.StatusSeeOther)
	return http.StatusSeeOther
}

var japanTime = time.FixedZone("JST", 9*60*60)

// deadline is an expiry in Japan: midnight is the end of the day before it, 24:00,
// lest somebody take it for a day more.
func deadline(expiresAt time.Time) (day time.Time, hour string) {
	at := expiresAt.In(japanTime)
	if at.Hour() == 0 && at.Minute() == 0 {
		return at.AddDate(0, 0, -1), "24:00"
	}
	return at, at.Format("15:04")
}

// statusWords are for people.
var statusWords = map[string][2]string{
	pending:    {"お支払い待ち", "Waiting for payment"},
	successful: {"お支払い済み", "Paid"},
	failed:     {"お支払い失敗", "Failed"},
	expired:    {"期限切れ", "Expired"},
}

func (s *Server) pageOf(id string) (pageFacts, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.shelf.pages[id]
	if held == nil {
		return pageFacts{}, false
	}
	status, _ := held.statusAt(s.now())
	day, hour := deadline(held.expiresAt)
	return pageFacts{
		Amount: held.amount.String(), Code: held.paymentCode, ID: held.id, Description: held.description,
		DeadlineJA: day.Format("2006年1月2日 ") + hour, DeadlineEN: day.Format("2 January 2006, ") + hour,
		StatusJA: statusWords[status][0], StatusEN: statusWords[status][1],
		Pending: status == pending, Practice: !held.source.live,
	}, true
}
