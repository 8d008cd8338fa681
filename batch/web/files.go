package web

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/invoice"
)

// Drafts are where files wait that people have brought.
type Drafts interface {
	Bring(name, by string, at time.Time, content io.Reader) (inbox.Draft, error)
	All() ([]inbox.Draft, error)
	Draft(id string) (inbox.Draft, error)
	HandIn(d inbox.Draft) (name string, err error)
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
	frame
	Operation
	Drafts []inbox.Draft
	Fault  string // why a file wasn't taken; empty: none was refused
	Done   string // what became of one: approved, discarded
}

func (s *Server) showFiles(w http.ResponseWriter, v visit) {
	page := filesPage{frame: s.frameOf(v.Request, v.session, "files"), Done: v.URL.Query().Get("done")}
	s.files(w, v, http.StatusOK, page)
}

func (s *Server) files(w http.ResponseWriter, v visit, status int, page filesPage) {
	page.Operation = s.Operation(v.Context())
	err := s.Drafts.Forget(s.Now().Add(-KeepDrafts))
	if err == nil {
		page.Drafts, err = s.Drafts.All()
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	s.show(w, v.Request, status, "files", page)
}

// bring takes a file that somebody has chosen in the form.
func (s *Server) bring(w http.ResponseWriter, v visit) {
	// Its error is that the deadline can't be set: the usual one holds then.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime))
	draft, fault, err := s.take(v)
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	if fault != "" {
		s.files(w, v, http.StatusBadRequest, filesPage{frame: s.frameOf(v.Request, v.session, "files"), Fault: fault})
		return
	}
	if err := s.record(v.Context(), v.session.Person.Name, "brought", draft.Name); err != nil {
		s.fail(w, v.Request, errors.Join(err, s.Drafts.Discard(draft)))
		return
	}
	http.Redirect(w, v.Request, "/files/"+draft.ID, http.StatusSeeOther)
}

// take keeps the form's file as a draft. fault says what is wrong with what came.
func (s *Server) take(v visit) (draft inbox.Draft, fault string, err error) {
	form, err := v.MultipartReader()
	if err != nil {
		return draft, "none", nil
	}
	for {
		part, err := form.NextPart()
		switch {
		case isTooLarge(err):
			return draft, "large", nil
		case err != nil:
			return draft, "none", nil
		case part.FormName() != "file" || part.FileName() == "":
			continue
		}
		draft, err = s.Drafts.Bring(part.FileName(), v.session.Person.Name, s.Now(), part)
		switch {
		case isTooLarge(err):
			return draft, "large", nil
		case errors.Is(err, inbox.ErrName):
			return draft, "name", nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return draft, "none", nil
		}
		return draft, "", err
	}
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
	Mine       bool
	MayApprove bool
	Changed    bool // since it was shown
	WrongTotal bool
}

// Waits reports whether it is somebody else who must approve.
func (p reviewPage) Waits() bool { return p.Mine && !p.MayApprove && p.Person.Role == batch.Approver }

// finding is one line of the table.
type finding struct {
	Line          int
	Severity      invoice.Severity
	Text          string
	Before, After string
}

func (s *Server) showReview(w http.ResponseWriter, v visit) {
	s.reviewed(w, v, http.StatusOK, reviewPage{})
}

func (s *Server) reviewed(w http.ResponseWriter, v visit, status int, page reviewPage) {
	draft, ok := s.draftOf(w, v)
	if !ok {
		return
	}
	page.frame, page.Draft = s.frameOf(v.Request, v.session, "review"), draft
	page.Mine = draft.By == v.session.Person.Name
	page.MayApprove = s.mayApprove(v.session.Person, draft)
	page.Cause = v.URL.Query().Get("cause")
	from, _ := strconv.Atoi(v.URL.Query().Get("from")) // anything else begins anew
	var err error
	page.review, err = s.review(v.Context(), draft, page.Lang, func(n int, f invoice.Finding) {
		switch {
		case n < from:
		case len(page.Findings) < found:
			page.Findings = append(page.Findings, finding{f.Line, f.Severity, f.Text(page.Lang), f.Before, f.After})
		default:
			page.Next = from + found
		}
	}, page.Cause)
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	s.show(w, v.Request, status, "review", page)
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

// mayApprove reports whether a person may have a draft charged.
func (s *Server) mayApprove(p batch.Person, d inbox.Draft) bool {
	return p.Role == batch.Approver && !(s.SecondPerson && d.By == p.Name)
}

// approve hands a file in to be charged, if it would still do just what was shown.
func (s *Server) approve(w http.ResponseWriter, v visit) {
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
	if _, err := s.Drafts.HandIn(draft); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	http.Redirect(w, v.Request, "/files?done=approved", http.StatusSeeOther)
}

// discard removes a file that somebody has brought. Who brought it may, and who may
// approve.
func (s *Server) discard(w http.ResponseWriter, v visit) {
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
