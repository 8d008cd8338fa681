package web

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"
)

// outboxShown is how many files of the outbox are listed.
const outboxShown = 30

// result is a file that a run has left for staff.
type result struct {
	Name string
	At   time.Time
}

// results lists what runs have left for staff, the latest first.
func (s *Server) results() ([]result, error) {
	entries, err := fs.ReadDir(s.Outbox, ".")
	if errors.Is(err, fs.ErrNotExist) { // nothing was left yet
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []result
	for _, e := range entries {
		if !isResult(e) {
			continue
		}
		info, err := e.Info()
		switch {
		case errors.Is(err, fs.ErrNotExist): // since the folder was read
		case err != nil:
			return nil, err
		default:
			all = append(all, result{e.Name(), info.ModTime()})
		}
	}
	slices.SortFunc(all, func(a, b result) int { return b.At.Compare(a.At) })
	return all[:min(len(all), outboxShown)], nil
}

// isResult leaves out what is half written, and what isn't a file.
func isResult(e fs.DirEntry) bool {
	return e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".")
}

// takeResult gives one of them. It has customers' data, so who took it is recorded.
func (s *Server) takeResult(w http.ResponseWriter, v visit) {
	name := v.PathValue("name")
	file, err := s.openResult(name)
	if errors.Is(err, fs.ErrNotExist) {
		s.message(w, v.Request, http.StatusNotFound)
		return
	}
	if err == nil {
		defer file.Close()
		err = s.record(v.Context(), v.session.Person.Name, "took_results", name)
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	download(w, "application/octet-stream", name, file)
}

func (s *Server) openResult(name string) (fs.File, error) {
	if strings.ContainsAny(name, `/\`) || !fs.ValidPath(name) {
		return nil, fs.ErrNotExist
	}
	entries, err := fs.ReadDir(s.Outbox, ".")
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name && isResult(e) }) {
		return nil, fs.ErrNotExist
	}
	return s.Outbox.Open(name)
}
