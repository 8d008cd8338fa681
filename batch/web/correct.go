package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// whyNot says why something wasn't put right; empty: it was, or nobody wanted it.
type whyNot string

const (
	noSuchRow    whyNot = "row"    // no row begins there that can be read
	noSuchColumn whyNot = "column" // the file has none for that field
	growsTooMuch whyNot = "large"  // beyond what a file may have
)

// correct puts one value of a draft right. What a person saw must still be there: its form
// names the file's digest.
func (s *Server) correct(w http.ResponseWriter, v visit) {
	s.deciding.Lock()
	defer s.deciding.Unlock()
	draft, ok := s.draftOf(w, v)
	if !ok {
		return
	}
	line, _ := strconv.Atoi(v.PostFormValue("line")) // anything else is no line
	field, person := invoice.Field(v.PostFormValue("field")), v.session.Person.Name
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
	content, err := sheet.Corrected(line, field, v.PostFormValue("value"), person)
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
	case err == nil:
		err = s.record(v.Context(), person, "corrected", fmt.Sprintf("%s:%d %s", draft.Name, line, field))
	}
	if err == nil {
		err = s.Drafts.Correct(draft, person, content)
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	back := url.Values{"corrected": {strconv.Itoa(line)}}
	for _, name := range []string{"cause", "from"} {
		if value := v.PostFormValue(name); value != "" {
			back.Set(name, value)
		}
	}
	http.Redirect(w, v.Request, "/files/"+draft.ID+"?"+back.Encode(), http.StatusSeeOther)
}
