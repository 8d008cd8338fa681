package web

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"konbill/batch"
	"konbill/invoice"
)

func isNotFound(err error) bool { return errors.Is(err, batch.ErrNotFound) }

// hashOf is what is stored of a secret that the browser has. The secret is random, so it
// needs no slow hash.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// cookieName has the prefix by which browsers insist on TLS and on this host alone
// (RFC 6265bis, section 4.1.3), where there is TLS.
func (s *Server) cookieName() string {
	if s.Secure {
		return "__Host-konbill"
	}
	return "konbill"
}

func (s *Server) cookie(value string) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(), Value: value, Path: "/", HttpOnly: true, Secure: s.Secure, SameSite: http.SameSiteStrictMode}
}

// signInPage is the form.
type signInPage struct {
	frame
	Name    string
	Refused bool // the name or the password is wrong
	Slow    bool // too many guesses
}

func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "signin", signInPage{frame: s.frameOf(r, batch.Session{}, "signin")})
}

// signIn lets a person in who knows their password. Whoever fails is told no more than
// that, after the same time.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	name, password := r.PostFormValue("name"), r.PostFormValue("password")
	page := signInPage{frame: s.frameOf(r, batch.Session{}, "signin"), Name: name}
	if !s.guesses.allow(name, addressOf(r)) {
		page.Slow = true
		s.show(w, r, http.StatusTooManyRequests, "signin", page)
		return
	}
	person, err := s.Ledger.Person(r.Context(), name)
	if err != nil && !isNotFound(err) {
		s.fail(w, r, err)
		return
	}
	known := err == nil && person.RemovedAt.IsZero()
	if !s.guesses.right(person.Password, password) || !known {
		s.guesses.failed(name, addressOf(r))
		// A name that nobody has may be a password in the wrong field.
		if err := s.record(r.Context(), person.Name, "sign_in_refused", addressOf(r)); err != nil {
			s.fail(w, r, err)
			return
		}
		page.Refused = true
		s.show(w, r, http.StatusUnauthorized, "signin", page)
		return
	}
	if err := s.begin(w, r, person); err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// begin begins a session. A browser that had one loses it.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, person batch.Person) error {
	secret, now := rand.Text(), s.Now()
	if old, err := r.Cookie(s.cookieName()); err == nil {
		if err := s.Ledger.EndSession(r.Context(), hashOf(old.Value)); err != nil {
			return err
		}
	}
	if err := s.record(r.Context(), person.Name, "signed_in", addressOf(r)); err != nil {
		return err
	}
	session := batch.Session{Token: hashOf(secret), Person: person, BeganAt: now, SeenAt: now}
	if err := s.Ledger.BeginSession(r.Context(), session, now.Add(-sessionLength)); err != nil {
		return err
	}
	s.guesses.forget(person.Name)
	http.SetCookie(w, s.cookie(secret))
	return nil
}

func (s *Server) signOut(w http.ResponseWriter, v visit) {
	if err := s.Ledger.EndSession(v.Context(), v.session.Token); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	if err := s.record(v.Context(), v.session.Person.Name, "signed_out", ""); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	gone := s.cookie("")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, v.Request, "/login", http.StatusSeeOther)
}

// chooseLanguage remembers in the browser which of the two languages somebody reads.
func (s *Server) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	lang := invoice.Japanese
	if r.PostFormValue("lang") == string(invoice.English) {
		lang = invoice.English
	}
	http.SetCookie(w, &http.Cookie{
		Name: languageCookie, Value: string(lang), Path: "/", HttpOnly: true, Secure: s.Secure, SameSite: http.SameSiteStrictMode,
		MaxAge: int((365 * 24 * time.Hour).Seconds()),
	})
	http.Redirect(w, r, cmp.Or(ownPath(r.PostFormValue("back")), "/"), http.StatusSeeOther)
}

// ownPath is a path of this page; empty when it might lead elsewhere.
func ownPath(path string) string {
	if len(path) > 1 && (path[1] == '/' || path[1] == '\\') || path == "" || path[0] != '/' {
		return ""
	}
	return path
}

func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// guesses slows down those who try passwords: at one name, from one address, and all
// together, since each try takes the machine's time and memory.
type guesses struct {
	now  func() time.Time
	turn chan struct{} // holds a token for each try under way

	mu    sync.Mutex
	tries map[string]*rate.Limiter
}

const (
	triesAtOnce   = 2
	triesInARow   = 5
	nextTryAfter  = 30 * time.Second
	mostLimiters  = 10_000 // names and addresses that are remembered
	triesFromHost = 20     // in a row; several people may share an address
)

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, turn: make(chan struct{}, triesAtOnce), tries: map[string]*rate.Limiter{}}
}

// allow reports whether another try may be made.
func (g *guesses) allow(name, address string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, limiter := range g.limiters(name, address) {
		if limiter.TokensAt(g.now()) < 1 {
			return false
		}
	}
	return true
}

// failed counts a try. Those that succeed don't count: behind a proxy, everybody has the
// same address.
func (g *guesses) failed(name, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, limiter := range g.limiters(name, address) {
		limiter.AllowN(g.now(), 1)
	}
}

func (g *guesses) limiters(name, address string) []*rate.Limiter {
	if len(g.tries) > mostLimiters {
		clear(g.tries)
	}
	return []*rate.Limiter{g.limiter("name "+hashOf(name), triesInARow), g.limiter("address "+address, triesFromHost)}
}

func (g *guesses) limiter(of string, inARow int) *rate.Limiter {
	limiter := g.tries[of]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Every(nextTryAfter), inARow)
		g.tries[of] = limiter
	}
	return limiter
}

// forget lets a person who has shown to be the right one guess anew.
func (g *guesses) forget(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.tries, "name "+hashOf(name))
}

// right compares a password with the stored one, no more than a few at once.
func (g *guesses) right(stored, password string) bool {
	g.turn <- struct{}{}
	defer func() { <-g.turn }()
	return len(password) <= 4*maxPassword && matches(stored, password)
}
