package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"konbill/batch/inbox"
	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// whyNot says why something wasn't put right; empty: it was, or nobody wanted it.
type whyNot string

const (
	noSuchRow    whyNot = "row"    // no row begins there that can be read
	noSuchColumn whyNot = "column" // the file has none for that field
	growsTooMuch whyNot = "large"  // beyond what a file may have
	nothingNew   whyNot = "same"   // nobody has changed a value
)

// correct puts values of a draft right: those that somebody has changed in the list of
// findings, or one by its line. What they saw must still be there: the form names the
// file's digest.
func (s *Server) correct(w http.ResponseWriter, v visit, draft inbox.Draft) {
	sheet, err := s.Read(draft.Path, s.Language)
	switch {
	case errors.As(err, new(*csvfile.FileError)):
		s.reviewed(w, v, http.StatusConflict, reviewPage{}) // which says what is wrong with it
		return
	case err != nil:
		s.fail(w, v.Request, err)
		return
	case sheet.SHA256 != v.PostFormValue("file"):
		s.reviewed(w, v, http.StatusConflict, reviewPage{Changed: true})
		return
	}
	changes, err := s.changes(v, draft)
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	if len(changes) == 0 {
		s.reviewed(w, v, http.StatusBadRequest, reviewPage{WhyNot: nothingNew})
		return
	}
	content, err := sheet.Corrected(changes, v.session.Person.Name)
	switch {
	case errors.Is(err, csvfile.ErrNoRow):
		s.reviewed(w, v, http.StatusBadRequest, reviewPage{WhyNot: noSuchRow})
		return
	case errors.Is(err, csvfile.ErrNoColumn):
		s.reviewed(w, v, http.StatusBadRequest, reviewPage{WhyNot: noSuchColumn})
		return
	case err == nil && len(content) > MostUpload:
		s.reviewed(w, v, http.StatusBadRequest, reviewPage{WhyNot: growsTooMuch})
		return
	}
	if err == nil {
		err = s.keepCorrected(v, draft, changes, content)
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	back := listOf(v.PostForm)
	back.Set("corrected", strconv.Itoa(len(changes)))
	http.Redirect(w, v.Request, "/files/"+draft.ID+"?"+back.Encode(), http.StatusSeeOther)
}

// listOf is which findings a page lists.
func listOf(values url.Values) url.Values {
	list := url.Values{}
	for _, name := range []string{"cause", "from"} {
		if value := values.Get(name); value != "" {
			list.Set(name, value)
		}
	}
	return list
}

// changes are what somebody wants to put right: what differs in their form from what the
// list of findings showed, or the value of a line that they name.
func (s *Server) changes(v visit, draft inbox.Draft) (changes []csvfile.Change, err error) {
	if err := v.ParseForm(); err != nil {
		return nil, err
	}
	if v.PostForm.Has("line") {
		line, _ := strconv.Atoi(v.PostFormValue("line")) // anything else is no line
		return []csvfile.Change{{Line: line, Field: invoice.Field(v.PostFormValue("field")), Value: v.PostFormValue("value")}}, nil
	}
	page := reviewPage{frame: frame{Lang: s.Language}}
	if err := s.fill(v.Context(), draft, listOf(v.PostForm), &page); err != nil {
		return nil, err
	}
	for _, f := range page.Findings {
		if f.Input != "" && v.PostForm.Has(f.Input) && v.PostFormValue(f.Input) != f.Now {
			changes = append(changes, csvfile.Change{Line: f.Line, Field: f.Field, Value: v.PostFormValue(f.Input)})
		}
	}
	return changes, nil
}

// keepCorrected records each correction, and then makes them.
func (s *Server) keepCorrected(v visit, draft inbox.Draft, changes []csvfile.Change, content []byte) error {
	person := v.session.Person.Name
	for _, c := range changes {
		if err := s.record(v.Context(), person, "corrected", fmt.Sprintf("%s:%d %s", draft.Name, c.Line, c.Field)); err != nil {
			return err
		}
	}
	return s.Drafts.Correct(draft, person, content)
}
