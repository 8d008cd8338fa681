package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"konbill/batch"
)

const (
	sessionIdle   = 30 * time.Minute
	sessionLength = 12 * time.Hour
	// seenEvery is how exactly the ledger knows when a session was last used.
	seenEvery = time.Minute
	// maxForm bounds what a form may hold, in bytes.
	maxForm = 16 << 10
	// maxCorrections bounds that with the values of a page of findings.
	maxCorrections = 256 << 10
)

// contentPolicy is the header that says what a page may do (Content Security Policy Level 3).
const contentPolicy = "Content-Security-Policy"

// headers of every answer. Nothing comes from elsewhere or is framed, and nothing runs but
// the page's own file; what shows customers isn't kept by browsers.
var headers = map[string]string{
	contentPolicy:                "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	"X-Content-Type-Options":     "nosniff",
	"Referrer-Policy":            "same-origin",
	"Cross-Origin-Opener-Policy": "same-origin",
	"Cache-Control":              "no-store",
}

// guarded stands before all pages.
func (s *Server) guarded(next http.Handler) http.Handler {
	protected := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		if s.Secure {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !slices.ContainsFunc(s.Hosts, func(host string) bool { return strings.EqualFold(host, r.Host) }) {
			http.Error(w, "konbill: this host is not in web.hosts", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostBody(r))
		protected.ServeHTTP(w, r)
	})
}

// mostBody bounds what a request may bring, in bytes.
func mostBody(r *http.Request) int64 {
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/files":
		return MostUpload + uploadOverhead
	case strings.HasSuffix(r.URL.Path, "/correct"):
		return maxCorrections
	}
	return maxForm
}

// visit is a request of somebody who has signed in.
type visit struct {
	*http.Request
	session batch.Session
}

// signedIn lets only those through who have signed in.
func (s *Server) signedIn(show func(http.ResponseWriter, visit)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, ok, err := s.sessionOf(r)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case !ok:
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		default:
			show(w, visit{r, session})
		}
	})
}

// allowed lets only those through who have at least a role.
func (s *Server) allowed(least batch.Role, show func(http.ResponseWriter, visit)) http.Handler {
	return s.signedIn(func(w http.ResponseWriter, v visit) {
		if !may(v.session.Person, least) {
			s.refuse(w, v, v.Pattern, "")
			return
		}
		show(w, v)
	})
}

// may reports whether a person has at least a role.
func may(p batch.Person, least batch.Role) bool {
	return slices.Index(batch.Roles, p.Role) >= slices.Index(batch.Roles, least)
}

// refuse tells a person that they may not do that, and records that they wanted to.
func (s *Server) refuse(w http.ResponseWriter, v visit, what, about string) {
	if err := s.record(v.Context(), v.session.Person.Name, "refused", strings.TrimSpace(what+" "+about)); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	s.message(w, v.Request, http.StatusForbidden)
}

// sessionOf is the session of a request, unless it has ended.
func (s *Server) sessionOf(r *http.Request) (session batch.Session, ok bool, err error) {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return batch.Session{}, false, nil
	}
	session, err = s.Ledger.Session(r.Context(), hashOf(cookie.Value))
	if isNotFound(err) {
		return batch.Session{}, false, nil
	}
	if err != nil {
		return batch.Session{}, false, err
	}
	now := s.Now()
	if hasEnded(session, now) {
		return batch.Session{}, false, s.Ledger.EndSession(r.Context(), session.Token)
	}
	if now.Sub(session.SeenAt) >= seenEvery {
		err = s.Ledger.SeeSession(r.Context(), session.Token, now)
	}
	return session, err == nil, err
}

func hasEnded(session batch.Session, now time.Time) bool {
	return now.Sub(session.SeenAt) >= sessionIdle || now.Sub(session.BeganAt) >= sessionLength || !session.Person.RemovedAt.IsZero()
}

// record keeps what a person did. What can't be kept must not be done.
func (s *Server) record(ctx context.Context, person, what, about string) error {
	return s.Ledger.RecordAct(ctx, batch.Act{At: s.Now(), Person: person, What: what, About: about})
}
