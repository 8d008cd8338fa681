package omisetest

import (
	"errors"
	"net/http"
	"strings"
)

// caller is who asks, as the key says.
type caller struct {
	secret bool // with the secret key; else with the public one
	live   bool
}

var (
	errNoKey    = errors.New("authentication failed")
	errWrongKey = errors.New("this key is not allowed to do that")
)

// identify reads the key: the user name of HTTP Basic, with an empty password.
func (s *Server) identify(r *http.Request) (caller, error) {
	key, password, ok := r.BasicAuth()
	kind, rest, _ := strings.Cut(key, "_")
	live := !strings.HasPrefix(rest, "test_")
	exact := map[string]string{"skey": s.options.SecretKey, "pkey": s.options.PublicKey}
	wanted, known := exact[kind]
	switch {
	case !ok, password != "", !known, strings.TrimPrefix(rest, "test_") == "", live && !s.options.Live, wanted != "" && key != wanted:
		return caller{}, errNoKey
	}
	return caller{secret: kind == "skey", live: live}, nil
}
