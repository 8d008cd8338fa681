package omisetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxBody bounds a request's body, in bytes.
const maxBody = 256 << 10

// input is a request's body, form-encoded or JSON, under the names the form
// would use: amount, source[name], metadata[invoice_no].
type input url.Values

func (in input) get(name string) string { return url.Values(in).Get(name) }

func (in input) has(name string) bool { return url.Values(in).Has(name) }

// names returns the names in order, so that the same request always gets the
// same answer.
func (in input) names() []string { return slices.Sorted(maps.Keys(in)) }

// under returns the fields of an object, by their own names.
func (in input) under(object string) input {
	fields := input{}
	for name, values := range in {
		if inner, ok := strings.CutPrefix(name, object+"["); ok && strings.HasSuffix(inner, "]") {
			fields[strings.TrimSuffix(inner, "]")] = values
		}
	}
	return fields
}

func readInput(w http.ResponseWriter, r *http.Request) (input, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("the body could not be read, or is longer than %d bytes", maxBody)
	}
	if len(body) == 0 {
		return input{}, nil
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, errors.New("the body is not form-encoded")
		}
		return input(form), nil
	case "application/json":
		return readJSON(body)
	}
	return nil, errors.New("content type must be application/x-www-form-urlencoded or application/json")
}

func readJSON(body []byte) (input, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || decoder.More() {
		return nil, errors.New("the body is not a JSON object")
	}
	in := input{}
	for name, value := range object {
		in.flatten(name, value)
	}
	return in, nil
}

func (in input) flatten(name string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for inner, value := range v {
			in.flatten(name+"["+inner+"]", value)
		}
	case []any:
		for _, value := range v {
			in.flatten(name+"[]", value)
		}
	default:
		in[name] = append(in[name], fmt.Sprint(v))
	}
}

// RecordedRequest is one request to the API, as it came.
type RecordedRequest struct {
	At     time.Time // by the API's clock
	Method string
	Path   string
	Query  url.Values
	Header http.Header
	Form   url.Values // the body's fields; those of a JSON body under form names
}

// maxRecorded bounds what is remembered of requests: the latest so many.
const maxRecorded = 10_000

// Requests returns the requests to the API so far, oldest first, at most the
// latest 10,000. Visits to payment pages aren't among them.
func (s *Server) Requests() []RecordedRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.recorded)
}

func (s *Server) record(r *http.Request, in input) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.recorded) == maxRecorded {
		s.recorded = slices.Delete(s.recorded, 0, maxRecorded/10)
	}
	s.recorded = append(s.recorded, RecordedRequest{
		At: s.options.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Form: url.Values(in),
	})
}
