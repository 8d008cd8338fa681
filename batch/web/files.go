package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/invoice"
)

// Drafts are where files wait that people have brought.
type Drafts interface {
	Bring(name, by string, at time.Time, content io.Reader) (inbox.Draft, error)
	Correct(d inbox.Draft, by string, content []byte) error
	All() ([]inbox.Draft, error)
	Draft(id string) (inbox.Draft, error)
	HandIn(d inbox.Draft, a inbox.Approval) (name string, err error)
	Discard(d inbox.Draft) error
	Forget(before time.Time) error
}

const (
	// MostUpload is how many bytes a file may have that is brought.
	MostUpload = 32 << 20
	// uploadOverhead is what a form has beside the file, at most.
	uploadOverhead = 16 << 10
	// uploadTime is how long a file may take to come.
	uploadTime = 5 * time.Minute
	// KeepDrafts is how long a file waits to be approved.
	KeepDrafts = 7 * 24 * time.Hour
	// found is how many findings a page lists.
	found = 100
)

// filesPage takes files, and lists those that wait.
type filesPage struct {
	liveNow
	Drafts []inbox.Draft
	Faults []fault
	Done   string // what became of one: discarded
}

// fault is a file that wasn't taken.
type fault struct{ Name, Why string }

// Why a file isn't taken.
const (
	tooLarge = "large" // it, or all of them together
	badName  = "name"
	noFile   = "none" // none came, or not whole
)

func (s *Server) showFiles(w http.ResponseWriter, v visit) {
	s.files(w, v, http.StatusOK, filesPage{Done: v.URL.Query().Get("done")})
}

func (s *Server) files(w http.ResponseWriter, v visit, status int, page filesPage) {
	var err error
	page.liveNow, err = s.liveNow(v.Context(), s.frameOf(v.Request, v.session, "files"))
	if err == nil {
		err = s.Drafts.Forget(s.Now().Add(-KeepDrafts))
	}
	if err == nil {
		page.Drafts, err = s.Drafts.All()
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	s.show(w, v.Request, status, "files", page)
}

// bring takes the files that somebody has chosen in the form. Each is taken by itself.
func (s *Server) bring(w http.ResponseWriter, v visit) {
	// Its error is that the deadline can't be set: the usual one holds then.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime))
	taken, faults, err := s.takeAll(v)
	switch {
	case err != nil:
		s.fail(w, v.Request, err)
	case len(faults) > 0:
		s.files(w, v, http.StatusBadRequest, filesPage{Faults: faults})
	case len(taken) == 1:
		http.Redirect(w, v.Request, "/files/"+taken[0].ID, http.StatusSeeOther)
	default:
		http.Redirect(w, v.Request, "/files", http.StatusSeeOther)
	}
}

// takeAll keeps the form's files as drafts.
func (s *Server) takeAll(v visit) (taken []inbox.Draft, faults []fault, err error) {
	form, err := v.MultipartReader()
	if err != nil {
		return nil, []fault{{"", noFile}}, nil
	}
	for {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF) && len(taken)+len(faults) > 0:
			return taken, faults, nil
		case isTooLarge(err):
			return taken, append(faults, fault{"", tooLarge}), nil
		case err != nil:
			return taken, append(faults, fault{"", noFile}), nil
		case part.FormName() != "file" || part.FileName() == "":
			continue
		}
		draft, why, err := s.take(v, part)
		switch {
		case err != nil:
			return taken, faults, err
		case why != "":
			faults = append(faults, fault{part.FileName(), why})
		default:
			taken = append(taken, draft)
		}
		if why == tooLarge || why == noFile {
			return taken, faults, nil // nothing follows
		}
	}
}

// take keeps one file, and records who brought it. why says what is wrong with it.
func (s *Server) take(v visit, part *multipart.Part) (draft inbox.Draft, why string, err error) {
	draft, err = s.Drafts.Bring(part.FileName(), v.session.Person.Name, s.Now(), part)
	switch {
	case isTooLarge(err):
		return draft, tooLarge, nil
	case errors.Is(err, inbox.ErrName):
		return draft, badName, nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return draft, noFile, nil
	case err != nil:
		return draft, "", err
	}
	if err := s.record(v.Context(), v.session.Person.Name, "brought", draft.Name); err != nil {
		return draft, "", errors.Join(err, s.Drafts.Discard(draft))
	}
	return draft, "", nil
}

func isTooLarge(err error) bool { return errors.As(err, new(*http.MaxBytesError)) }

// reviewPage shows what a file would do.
type reviewPage struct {
	frame
	inbox.Draft
	review
	Cause      string // of the findings that are listed; empty: all
	Findings   []finding
	Next       int // where the following ones begin; 0: there are none
	From       int // where the listed ones begin
	MayApprove bool
	Changed    bool // since it was shown
	WrongTotal bool
	NoSuchLine bool   // that could be previewed
	Corrected  string // how many values were just put right
	WhyNot     whyNot
}

// Waits reports whether it is somebody else who must approve.
func (p reviewPage) Waits() bool { return !p.MayApprove && p.Person.Role == batch.Approver }

// Correctable are the fields that can be put right.
func (p reviewPage) Correctable() []invoice.Field { return invoice.Correctable }

// finding is one line of the table.
type finding struct {
	Line          int
	Severity      invoice.Severity
	Text          string
	Before, After string

	Field invoice.Field // the value can be put right
	Input string        // by this field of the form; empty: it can't, or an earlier line does
	Now   string        // what stands in it at first
}

// list adds a finding to those that are listed.
func (p *reviewPage) list(f invoice.Finding) {
	one := finding{Line: f.Line, Severity: f.Severity, Text: f.Text(p.Lang), Before: f.Before, After: f.After, Field: f.Field}
	input := fmt.Sprintf("%d %s", f.Line, f.Field)
	isListed := slices.ContainsFunc(p.Findings, func(f finding) bool { return f.Input == input })
	if slices.Contains(invoice.Correctable, f.Field) && !isListed {
		one.Input, one.Now = input, f.Before
		if f.Code == invoice.CodeCorrected {
			one.Now = f.After
		}
	}
	p.Findings = append(p.Findings, one)
}

// Inputs reports whether a value can be put right.
func (p reviewPage) Inputs() bool {
	return slices.ContainsFunc(p.Findings, func(f finding) bool { return f.Input != "" })
}

// showReview shows what a file would do. It shows customers' data, so that somebody looked
// is recorded, once for all its pages.
func (s *Server) showReview(w http.ResponseWriter, v visit) {
	if v.URL.RawQuery == "" {
		draft, ok := s.draftOf(w, v)
		if !ok {
			return
		}
		if err := s.record(v.Context(), v.session.Person.Name, "reviewed", draft.Name); err != nil {
			s.fail(w, v.Request, err)
			return
		}
	}
	s.reviewed(w, v, http.StatusOK, reviewPage{})
}

func (s *Server) reviewed(w http.ResponseWriter, v visit, status int, page reviewPage) {
	draft, ok := s.draftOf(w, v)
	if !ok {
		return
	}
	page.frame, page.Draft = s.frameOf(v.Request, v.session, "review"), draft
	page.MayApprove = s.mayApprove(v.session.Person, draft)
	page.Corrected = v.URL.Query().Get("corrected")
	if err := s.fill(v.Context(), draft, listOf(v.URL.Query()), &page); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	s.show(w, v.Request, status, "review", page)
}

// fill reviews a draft, and lists some of the findings.
func (s *Server) fill(ctx context.Context, draft inbox.Draft, list url.Values, page *reviewPage) (err error) {
	page.Cause = list.Get("cause")
	page.From, _ = strconv.Atoi(list.Get("from")) // anything else begins anew
	page.review, err = s.review(ctx, draft, page.Lang, func(n int, f invoice.Finding) {
		switch {
		case n < page.From:
		case len(page.Findings) < found:
			page.list(f)
		default:
			page.Next = page.From + found
		}
	}, page.Cause)
	return err
}

// errorsFile is what can't be issued of a draft, to be mended and brought again.
func (s *Server) errorsFile(w http.ResponseWriter, v visit) {
	draft, ok := s.draftOf(w, v)
	if !ok {
		return
	}
	sheet, err := s.Read(draft.Path, s.Language)
	var rows bytes.Buffer
	if err == nil {
		err = sheet.WriteErrors(&rows)
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	download(w, "text/csv", strings.TrimSuffix(draft.Name, filepath.Ext(draft.Name))+".errors.csv", &rows)
}

// template is a file to begin with, for Excel.
func (s *Server) template(w http.ResponseWriter, v visit) {
	header := "請求書番号,氏名,メールアドレス,電話番号,請求金額,支払期限,件名,言語,税率,消費税額\r\n"
	name := "請求データ.csv"
	if s.frameOf(v.Request, v.session, "").Lang == invoice.English {
		header, name = "invoice_no,name,email,phone,amount,due,description,language,tax_rate,tax\r\n", "invoices.csv"
	}
	download(w, "text/csv", name, strings.NewReader("\uFEFF"+header))
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

// draftOf is the draft that a request is about; it answers itself when there is none.
func (s *Server) draftOf(w http.ResponseWriter, v visit) (draft inbox.Draft, ok bool) {
	draft, err := s.Drafts.Draft(v.PathValue("id"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.message(w, v.Request, http.StatusNotFound)
	case err != nil:
		s.fail(w, v.Request, err)
	default:
		return draft, true
	}
	return draft, false
}

// mayApprove reports whether a person may have a draft charged: where a second person must,
// not who has brought it or put something right in it.
func (s *Server) mayApprove(p batch.Person, d inbox.Draft) bool {
	tookPart := d.By == p.Name || slices.Contains(d.CorrectedBy, p.Name)
	return p.Role == batch.Approver && !(s.SecondPerson && tookPart)
}

// approve hands a file in to be charged, if it would still do just what was shown.
func (s *Server) approve(w http.ResponseWriter, v visit) {
	s.deciding.Lock()
	defer s.deciding.Unlock()
	draft, ok := s.draftOf(w, v)
	if !ok {
		return
	}
	person := v.session.Person.Name
	if !s.mayApprove(v.session.Person, draft) {
		s.refuse(w, v, "approve", draft.Name)
		return
	}
	now, err := s.review(v.Context(), draft, s.Language, func(int, invoice.Finding) {}, "")
	switch {
	case err != nil:
		s.fail(w, v.Request, err)
		return
	case now.Fault != "" || now.ToIssue.Rows == 0 || v.PostFormValue("shown") != now.Shown:
		s.reviewed(w, v, http.StatusConflict, reviewPage{Changed: true})
		return
	case s.Live && v.PostFormValue("total") != strconv.FormatInt(int64(now.ToIssue.Yen), 10):
		s.reviewed(w, v, http.StatusBadRequest, reviewPage{WrongTotal: true})
		return
	}
	if err := s.record(v.Context(), person, "approved", draft.Name); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	if _, err := s.Drafts.HandIn(draft, inbox.Approval{SHA256: now.File, By: person, At: s.Now()}); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	http.Redirect(w, v.Request, "/?done=approved", http.StatusSeeOther)
}

// discard removes a file that somebody has brought. Who brought it may, and who may
// approve.
func (s *Server) discard(w http.ResponseWriter, v visit) {
	s.deciding.Lock()
	defer s.deciding.Unlock()
	draft, ok := s.draftOf(w, v)
	if !ok {
		return
	}
	if draft.By != v.session.Person.Name && v.session.Person.Role != batch.Approver {
		s.refuse(w, v, "discard", draft.Name)
		return
	}
	err := s.record(v.Context(), v.session.Person.Name, "discarded", draft.Name)
	if err == nil {
		err = s.Drafts.Discard(draft)
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	http.Redirect(w, v.Request, "/files?done=discarded", http.StatusSeeOther)
}
