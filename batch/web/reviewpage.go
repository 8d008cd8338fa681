package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/invoice"
)

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
func (p reviewPage) Waits() bool { return !p.MayApprove && may(p.Person, batch.Approver) }

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
