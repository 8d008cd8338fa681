package omisetest

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// call is a request that was let in.
type call struct {
	caller
	id    string // of the object in the path
	in    input
	query url.Values
	base  string // what links to pages begin with
}

// route is one thing the API can be asked for.
type route struct {
	method string
	path   string // * stands for an id
	public bool   // the public key will do
	handle func(*Server, call) reply
}

var routes = []route{
	{http.MethodGet, "/account", false, (*Server).account},
	{http.MethodGet, "/capability", true, (*Server).capability},
	{http.MethodPost, "/sources", true, (*Server).createSource},
	{http.MethodGet, "/sources/*", true, (*Server).retrieveSource},
	{http.MethodPost, "/charges", false, (*Server).createCharge},
	{http.MethodGet, "/charges", false, (*Server).listCharges},
	{http.MethodGet, "/charges/*", false, (*Server).retrieveCharge},
	{http.MethodPost, "/charges/*/expire", false, (*Server).expireCharge},
	{http.MethodPost, "/charges/*/mark_as_paid", false, (*Server).markAsPaid},
	{http.MethodPost, "/charges/*/mark_as_failed", false, (*Server).markAsFailed},
	{http.MethodGet, "/search", false, (*Server).search},
}

// answer does what a request asks for.
func (s *Server) answer(r *http.Request, in input) reply {
	who, err := s.identify(r)
	if err != nil {
		return refuse(http.StatusUnauthorized, "authentication_failure", err.Error())
	}
	if err := checkVersion(r.Header); err != nil {
		return refuse(http.StatusBadRequest, "bad_request", err.Error())
	}
	for _, way := range routes {
		if fits, _ := path.Match(way.path, r.URL.Path); !fits || way.method != r.Method {
			continue
		}
		if !who.secret && !way.public {
			return refuse(http.StatusUnauthorized, "authentication_failure", errWrongKey.Error())
		}
		return way.handle(s, call{caller: who, id: idIn(r.URL.Path), in: in, query: r.URL.Query(), base: s.base(r)})
	}
	return notFound("the requested object")
}

// idIn is the second part of a path such as /charges/chrg_test_1/expire.
func idIn(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}

// base is what links to payment pages begin with.
func (s *Server) base(r *http.Request) string {
	if url := s.URL(); url != "" {
		return url
	}
	return "http://" + r.Host
}

// checkVersion takes the one version whose objects the practice API knows.
// Without the header the account's version counts, which is the same.
func checkVersion(h http.Header) error {
	switch version := h.Get("Omise-Version"); version {
	case "", "2019-05-29":
		return nil
	default:
		return errors.New("the practice API answers in version 2019-05-29 only: set Omise-Version to that")
	}
}

func notFound(what string) reply {
	return refuse(http.StatusNotFound, "not_found", what+" was not found")
}

func found(object any) reply { return reply{status: http.StatusOK, body: object} }
