package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"konbill/batch"
	"konbill/invoice"
)

//go:embed pages
var files embed.FS

const languageCookie = "konbill-lang"

// pages are the templates, in either language.
type pages map[invoice.Language]*template.Template

func readPages() *pages {
	all := pages{}
	for _, lang := range []invoice.Language{invoice.Japanese, invoice.English} {
		words := words{lang}
		all[lang] = template.Must(template.New("").Funcs(template.FuncMap{
			"say": words.say, "yen": words.yen, "count": words.count, "time": words.time, "day": words.day, "deadline": words.deadline, "state": words.state, "payment": words.payment,
			"result": words.result, "act": words.act, "severity": words.severity, "role": words.role, "origin": words.origin, "field": words.field, "why": words.why, "masked": masked, "maskedMail": maskedMail, "ending": ending,
		}).ParseFS(files, "pages/*.html"))
	}
	return &all
}

// frame is what stands around every page.
type frame struct {
	Lang   invoice.Language
	Live   bool
	Person batch.Person // zero: nobody has signed in
	At     string       // which page it is
	Here   string       // the path of the request, to come back to
	Files  bool         // the person may bring files

	Refresh bool // a browser without script asks again after a while
}

func (s *Server) frameOf(r *http.Request, session batch.Session, at string) frame {
	lang := s.Language
	if cookie, err := r.Cookie(languageCookie); err == nil {
		switch chosen := invoice.Language(cookie.Value); chosen {
		case invoice.Japanese, invoice.English:
			lang = chosen
		}
	}
	path := r.URL.Path
	if r.Method == http.MethodGet && r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return frame{
		Lang: lang, Live: s.Live, Person: session.Person, At: at, Here: path,
		Files: s.Drafts != nil && may(session.Person, batch.Preparer),
	}
}

// language is that of the page, for show.
func (f frame) language() invoice.Language { return f.Lang }

// show writes a page whole, or none of it.
func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, name string, page interface{ language() invoice.Language }) {
	var html bytes.Buffer
	if err := (*s.pages)[page.language()].ExecuteTemplate(&html, name+".html", page); err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(html.Bytes()) // a browser that has gone
}

// fail says that a page can't be shown. Why is for operators.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, context.Canceled) {
		s.Log.Error("a page could not be shown", "page", r.Pattern, "reason", err.Error())
	}
	s.message(w, r, http.StatusInternalServerError)
}

// messagePage says what is wrong with a request.
type messagePage struct {
	frame
	Missing, Forbidden bool
}

// message says that there is nothing, or that it can't be shown now.
func (s *Server) message(w http.ResponseWriter, r *http.Request, status int) {
	page := messagePage{s.frameOf(r, batch.Session{}, ""), status == http.StatusNotFound, status == http.StatusForbidden}
	var html bytes.Buffer
	if err := (*s.pages)[page.Lang].ExecuteTemplate(&html, "message.html", page); err != nil {
		panic(err) // our own template
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(html.Bytes()) // a browser that has gone
}

// masked shows of a name its first character.
func masked(name string) string {
	if name == "" {
		return ""
	}
	_, size := utf8.DecodeRuneInString(name)
	return name[:size] + "＊＊＊"
}

// maskedMail shows of an address its first character and the domain.
func maskedMail(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return ""
	}
	return address[:1] + "***" + address[at:]
}

// ending is the end of a phone number, by which customers can be told apart.
func ending(phone string) string {
	if len(phone) < 4 {
		return ""
	}
	return "…" + phone[len(phone)-4:]
}

// download gives a browser a file to keep.
func download(w http.ResponseWriter, kind, name string, content io.Reader) {
	attach(w, kind, name)
	_, _ = io.Copy(w, content) // a browser that has gone
}

// attach says that what follows is a file to keep.
func attach(w http.ResponseWriter, kind, name string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}

// words write values in a language.
type words struct{ lang invoice.Language }

func (w words) say(ja, en string) string {
	if w.lang == invoice.English {
		return en
	}
	return ja
}

func (w words) yen(amount invoice.Yen) string { return amount.Format(w.lang) }

// count is a number of invoices.
func (w words) count(n int) string { return invoice.Yen(n).String() + w.say("件", "") }

func (w words) time(t time.Time) string { return inJapan(t, "2006-01-02 15:04") }

func (w words) day(t time.Time) string { return inJapan(t, time.DateOnly) }

// deadline is the last day of something that is over at midnight.
func (w words) deadline(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return w.day(t.Add(-time.Nanosecond))
}

func inJapan(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.In(invoice.Japan).Format(layout)
}

func (w words) of(names map[string][2]string, word string) string {
	name, ok := names[word]
	if !ok {
		return word
	}
	return w.say(name[0], name[1])
}

func (w words) state(s batch.State) string { return w.of(stateNames, string(s)) }

var stateNames = map[string][2]string{
	string(batch.Accepted): {"未請求", "not charged yet"}, string(batch.Charging): {"請求中（結果未確認）", "being charged"},
	string(batch.Unknown): {"結果不明", "outcome unknown"}, string(batch.Declined): {"請求不可", "declined"},
	string(batch.Charged): {"請求済み", "charged"}, string(batch.Mailing): {"メール送信中", "mail being sent"},
	string(batch.Mailed): {"メール送信済み", "mailed"}, string(batch.Deferred): {"メール再送待ち", "mail put off"},
	string(batch.Refused): {"メール拒否", "mail refused"}, string(batch.Held): {"メール確認待ち", "mail perhaps sent"},
}

func (w words) payment(status string) string { return w.of(paymentNames, status) }

var paymentNames = map[string][2]string{
	"": {"請求なし", "no charge"}, batch.StatusPending: {"お支払い待ち", "to be paid"}, batch.StatusSuccessful: {"入金済み", "paid"},
	batch.StatusExpired: {"期限切れ", "expired"}, batch.StatusFailed: {"失敗", "failed"}, batch.StatusReversed: {"返金・取消", "paid back"},
}

func (w words) result(r batch.Result) string { return w.of(resultNames, string(r)) }

var resultNames = map[string][2]string{
	string(batch.Issued): {"発行", "issued"}, string(batch.AlreadyIssued): {"発行済み", "already issued"}, string(batch.Rejected): {"要修正", "to correct"},
	string(batch.Failed): {"失敗", "failed"}, string(batch.UnknownResult): {"結果不明", "unknown"},
}

func (w words) severity(s invoice.Severity) string { return w.of(severityNames, string(s)) }

var severityNames = map[string][2]string{
	string(invoice.Error): {"エラー", "error"}, string(invoice.Warning): {"要確認", "warning"}, string(invoice.Notice): {"補正", "notice"},
}

func (w words) role(r batch.Role) string { return w.of(roleNames, string(r)) }

var roleNames = map[string][2]string{
	string(batch.Viewer): {"閲覧", "viewer"}, string(batch.Preparer): {"作成", "preparer"}, string(batch.Approver): {"承認", "approver"},
}

func (w words) field(f invoice.Field) string { return w.of(fieldNames, string(f)) }

var fieldNames = map[string][2]string{
	string(invoice.FieldName): {"氏名", "name"}, string(invoice.FieldPhone): {"電話番号", "phone"}, string(invoice.FieldEmail): {"メールアドレス", "mail address"},
	string(invoice.FieldAmount): {"金額", "amount"}, string(invoice.FieldDue): {"支払期限", "due date"},
}

// origin is where a setting comes from.
func (w words) origin(from string) string { return w.of(originNames, from) }

var originNames = map[string][2]string{"": {"既定値", "default"}, "environment": {"環境変数", "environment"}}

func (w words) act(what string) string { return w.of(actNames, what) }

var actNames = map[string][2]string{
	"signed_in": {"ログイン", "signed in"}, "signed_out": {"ログアウト", "signed out"}, "sign_in_refused": {"ログイン失敗", "sign-in refused"},
	"brought": {"ファイルを投入", "brought a file"}, "reviewed": {"ファイルの内容を確認", "reviewed a file"}, "approved": {"発行を承認", "approved a file"}, "discarded": {"ファイルを破棄", "discarded a file"},
	"corrected": {"値を訂正", "corrected a value"}, "paused": {"一時停止", "paused"}, "continued": {"再開", "had it go on"}, "recalled": {"請求を取り消し", "called a bill back"},
	"resent": {"メールを再送", "had a mail sent again"}, "took_results": {"結果を取得", "took results"}, "took_slip": {"払込案内を取得", "took a slip"},
	"refused": {"権限がないため拒否", "was refused"},
	"looked":  {"お客様の情報を表示", "looked at a customer's data"},
	"added":   {"利用者を追加", "added a person"}, "removed": {"利用者を削除", "removed a person"}, "password_set": {"パスワードを変更", "set a password"},
}
