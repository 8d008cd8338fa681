package web

import (
	"net/http"

	"konbill/batch"
)

// runsShown is how many runs are listed.
const runsShown = 30

// refreshAfter is how many seconds after a page about a run browsers ask for it again by
// themselves: it needs no script to follow a run.
const refreshAfter = "10"

// runsPage lists the latest runs, and what comes next.
type runsPage struct {
	frame
	Operation
	Results []batch.Result
	Jobs    []batch.Job
	Outbox  []result // for those who may have them
}

func (s *Server) showRuns(w http.ResponseWriter, v visit) {
	jobs, err := s.Ledger.Jobs(v.Context(), runsShown)
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	page := runsPage{frame: s.frameOf(v.Request, v.session, "runs"), Operation: s.Operation(v.Context()), Results: batch.Results, Jobs: jobs}
	if s.Outbox != nil && page.Person.Role != batch.Viewer {
		if page.Outbox, err = s.results(); err != nil {
			s.fail(w, v.Request, err)
			return
		}
	}
	if page.Running != "" {
		w.Header().Set("Refresh", refreshAfter)
	}
	s.show(w, v.Request, http.StatusOK, "runs", page)
}
