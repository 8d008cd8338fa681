package web

import (
	"net/http"

	"konbill/batch"
)

// actsShown is how many acts are listed.
const actsShown = 100

// checkUpPage says how Konbill itself is doing.
type checkUpPage struct {
	liveNow
	Examined bool // a person asked for it: it takes a while
	Found    []Examination
	Settings []Setting
	Acts     []batch.Act
}

func (s *Server) checkUp(w http.ResponseWriter, v visit, examine bool) {
	page := checkUpPage{Examined: examine, Settings: s.Settings}
	var err error
	if page.liveNow, err = s.liveNow(v.Context(), s.frameOf(v.Request, v.session, "checkup")); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	if examine {
		s.examining.Lock()
		page.Found, err = s.Examine(v.Context(), page.Lang)
		s.examining.Unlock()
		if err != nil {
			s.fail(w, v.Request, err)
			return
		}
	}
	if page.Acts, err = s.Ledger.Acts(v.Context(), actsShown); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	s.show(w, v.Request, http.StatusOK, "checkup", page)
}
