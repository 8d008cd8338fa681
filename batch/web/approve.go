package web

import (
	"net/http"
	"slices"
	"strconv"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/invoice"
)

// mayApprove reports whether a person may have a draft charged: where a second person must,
// not who has brought it or put something right in it.
func (s *Server) mayApprove(p batch.Person, d inbox.Draft) bool {
	tookPart := d.By == p.Name || slices.Contains(d.CorrectedBy, p.Name)
	return may(p, batch.Approver) && !(s.SecondPerson && tookPart)
}

// deciding has something decided about a draft, by one person at a time.
func (s *Server) deciding(decide func(http.ResponseWriter, visit, inbox.Draft)) func(http.ResponseWriter, visit) {
	return func(w http.ResponseWriter, v visit) {
		s.decision.Lock()
		defer s.decision.Unlock()
		if draft, ok := s.draftOf(w, v); ok {
			decide(w, v, draft)
		}
	}
}

// approve hands a file in to be charged, if it would still do just what was shown.
func (s *Server) approve(w http.ResponseWriter, v visit, draft inbox.Draft) {
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
func (s *Server) discard(w http.ResponseWriter, v visit, draft inbox.Draft) {
	if draft.By != v.session.Person.Name && !may(v.session.Person, batch.Approver) {
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
