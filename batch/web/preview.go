package web

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"konbill/batch/inbox"
	"konbill/invoice"
	"konbill/invoice/csvfile"
)

// previewPage shows what the customer of a row would get.
type previewPage struct {
	frame
	inbox.Draft
	Preview
	Line int
}

func (s *Server) showPreview(w http.ResponseWriter, v visit) {
	draft, line, preview, ok := s.previewOf(w, v)
	if ok {
		s.show(w, v.Request, http.StatusOK, "preview", previewPage{s.frameOf(v.Request, v.session, "review"), draft, preview, line})
	}
}

func (s *Server) previewSlip(w http.ResponseWriter, v visit) {
	if _, line, preview, ok := s.previewOf(w, v); ok {
		download(w, "application/pdf", "preview-"+strconv.Itoa(line)+".pdf", bytes.NewReader(preview.Slip))
	}
}

// previewOf makes the preview that a request asks for; it answers itself when there is
// none.
func (s *Server) previewOf(w http.ResponseWriter, v visit) (draft inbox.Draft, line int, p Preview, ok bool) {
	if draft, ok = s.draftOf(w, v); !ok {
		return draft, 0, p, false
	}
	line, _ = strconv.Atoi(v.URL.Query().Get("line")) // anything else is no line
	inv, found, err := s.issuable(draft, line)
	if err == nil && found {
		p, err = s.Preview(inv)
	}
	switch {
	case err != nil:
		s.fail(w, v.Request, err)
	case !found:
		s.reviewed(w, v, http.StatusNotFound, reviewPage{NoSuchLine: true})
	}
	return draft, line, p, err == nil && found
}

// issuable is the invoice of a row, unless it is rejected or there is none.
func (s *Server) issuable(d inbox.Draft, line int) (inv invoice.Invoice, found bool, err error) {
	sheet, err := s.Read(d.Path, s.Language)
	if errors.As(err, new(*csvfile.FileError)) {
		return inv, false, nil // the review says so
	}
	if err != nil {
		return inv, false, err
	}
	for _, row := range sheet.Rows {
		if row.Line == line && !row.Rejected() {
			return row.Invoice, true, nil
		}
	}
	return inv, false, nil
}
