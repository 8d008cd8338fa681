package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

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

// template is a file to begin with, for Excel.
func (s *Server) template(w http.ResponseWriter, v visit) {
	header := "請求書番号,氏名,メールアドレス,電話番号,請求金額,支払期限,件名,言語,税率,消費税額\r\n"
	name := "請求データ.csv"
	if s.frameOf(v.Request, v.session, "").Lang == invoice.English {
		header, name = "invoice_no,name,email,phone,amount,due,description,language,tax_rate,tax\r\n", "invoices.csv"
	}
	download(w, "text/csv", name, strings.NewReader("\uFEFF"+header))
}
