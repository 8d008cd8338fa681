package web

import (
	"bytes"
	"errors"
	"io"
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
		w.Header().Set(contentPolicy, headers[contentPolicy]+"; frame-src 'self'")
		s.show(w, v.Request, http.StatusOK, "preview", previewPage{s.frameOf(v.Request, v.session, "review"), draft, preview, line})
	}
}

// previewSlip gives the slip, to keep or to be shown within the page.
func (s *Server) previewSlip(w http.ResponseWriter, v visit) {
	_, line, preview, ok := s.previewOf(w, v)
	if !ok {
		return
	}
	if v.URL.Query().Has("within") {
		w.Header().Set(contentPolicy, "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'") // as browsers' own readers need it
		w.Header().Set("Content-Type", "application/pdf")
		_, _ = w.Write(preview.Slip) // a browser that has gone
		return
	}
	download(w, "application/pdf", "preview-"+strconv.Itoa(line)+".pdf", bytes.NewReader(preview.Slip))
}

// previewMail gives the mail as customers' programs show it, to be shown within the page. It
// may be a merchant's own: nothing in it runs, is fetched or leads anywhere.
func (s *Server) previewMail(w http.ResponseWriter, v visit) {
	if _, _, preview, ok := s.previewOf(w, v); ok {
		w.Header().Set(contentPolicy, "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, preview.HTML) // a browser that has gone
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
