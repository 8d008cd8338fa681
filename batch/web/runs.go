package web

import (
	"net/http"

	"konbill/batch"
)

// runsShown is how many runs are listed.
const runsShown = 30

// runsPage lists the latest runs, and what comes next.
type runsPage struct {
	liveNow
	Done    string // what somebody has just done: approved
	Results []batch.Result
	Jobs    []batch.Job
	Outbox  []result // for those who may have them
}

func (s *Server) showRuns(w http.ResponseWriter, v visit) {
	live, err := s.liveNow(v.Context(), s.frameOf(v.Request, v.session, "runs"))
	page := runsPage{liveNow: live, Done: v.URL.Query().Get("done"), Results: batch.Results}
	if err == nil {
		page.Jobs, err = s.Ledger.Jobs(v.Context(), runsShown)
	}
	if err == nil && s.Outbox != nil && may(page.Person, batch.Preparer) {
		page.Outbox, err = s.results()
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	page.Refresh = page.Running != "" || page.Done != ""
	s.show(w, v.Request, http.StatusOK, "runs", page)
}
