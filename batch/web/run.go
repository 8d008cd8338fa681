package web

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"konbill/batch"
)

// runPage is one run, and what it has left.
type runPage struct {
	frame
	batch.Job
	Results []batch.Result
	Papers  map[Paper]string // paths of those that are there
	Taking  bool             // the person may have them
	TooMany int              // what a print file holds at most, when more were wanted
}

// Paper is a file that a run leaves. Its text is the name by which a browser asks for it.
type Paper string

// The papers of a run.
const (
	ResultsPaper Paper = "results.csv"
	ErrorsPaper  Paper = "errors.csv"
	ReceiptPaper Paper = "receipt.json"
)

func (s *Server) showRun(w http.ResponseWriter, v visit) {
	job, ok := s.jobOf(w, v)
	if !ok {
		return
	}
	s.run(w, v, http.StatusOK, runPage{Job: job})
}

func (s *Server) run(w http.ResponseWriter, v visit, status int, page runPage) {
	page.frame, page.Results = s.frameOf(v.Request, v.session, "run"), batch.Results
	page.Taking = may(page.Person, batch.Preparer)
	var err error
	if page.Papers, err = s.Papers(page.Job); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	s.show(w, v.Request, status, "run", page)
}

// jobOf is the run that a request is about; it answers itself when there is none.
func (s *Server) jobOf(w http.ResponseWriter, v visit) (job batch.Job, ok bool) {
	id, _ := strconv.ParseInt(v.PathValue("id"), 10, 64) // anything else is no run
	job, err := s.Ledger.Job(v.Context(), id)
	switch {
	case isNotFound(err):
		s.message(w, v.Request, http.StatusNotFound)
	case err != nil:
		s.fail(w, v.Request, err)
	}
	return job, err == nil
}

// takePaper gives a file that a run has left.
func (s *Server) takePaper(w http.ResponseWriter, v visit) {
	job, ok := s.jobOf(w, v)
	if !ok {
		return
	}
	kind := Paper(v.PathValue("paper"))
	papers, err := s.Papers(job)
	if _, there := papers[kind]; err == nil && !there {
		s.message(w, v.Request, http.StatusNotFound)
		return
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(papers[kind])
	}
	if err == nil {
		defer file.Close()
		err = s.recordTaking(v, job, string(kind))
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	download(w, "application/octet-stream", nameOfRun(job)+"."+string(kind), file)
}

// recordTaking records that a person takes a file with customers' data.
func (s *Server) recordTaking(v visit, job batch.Job, what string) error {
	return s.record(v.Context(), v.session.Person.Name, "took_results", fmt.Sprintf("%d %s %s", job.ID, job.File, what))
}

func nameOfRun(job batch.Job) string { return strings.TrimSuffix(job.File, filepath.Ext(job.File)) }

const (
	// slipsTogether is how many slips are prepared at once: their fonts are cut for them all.
	slipsTogether = 200
	// slipsTime is how long a browser may take to read so many.
	slipsTime = 2 * time.Minute
)

// slipsOfRun gives the slips of a run that can still be paid, each a file, as they are
// drawn. One that can't be drawn breaks the download off: half of an archive must not look
// like the whole.
func (s *Server) slipsOfRun(w http.ResponseWriter, v visit) {
	job, ok := s.jobOf(w, v)
	if !ok {
		return
	}
	if err := s.recordTaking(v, job, "slips.zip"); err != nil {
		s.fail(w, v.Request, err)
		return
	}
	attach(w, "application/zip", nameOfRun(job)+".slips.zip")
	archive, control, names := zip.NewWriter(w), http.NewResponseController(w), batch.SlipNames{}
	err := s.unpaidOfRun(v.Context(), job, slipsTogether, func(some []batch.Entry) error {
		_ = control.SetWriteDeadline(time.Now().Add(slipsTime)) // where it can't be set, the server's own holds
		return s.Slips(some, func(e batch.Entry, pdf []byte) error {
			return addSlip(archive, names.NameOf(e.Invoice.Number), e.AcceptedAt, pdf)
		})
	})
	if err = errors.Join(err, archive.Close()); err != nil {
		s.Log.Error("slips could not be given", "run", job.ID, "reason", err.Error())
		panic(http.ErrAbortHandler)
	}
}

// addSlip adds a slip to an archive. A PDF is compressed already.
func addSlip(archive *zip.Writer, name string, at time.Time, pdf []byte) error {
	file, err := archive.CreateHeader(&zip.FileHeader{Name: name + ".pdf", Method: zip.Store, Modified: at})
	if err != nil {
		return err
	}
	_, err = file.Write(pdf)
	return err
}

// printRun gives the slips of a run that can still be paid as one file to print.
func (s *Server) printRun(w http.ResponseWriter, v visit) {
	job, ok := s.jobOf(w, v)
	if !ok {
		return
	}
	var pdf []byte
	entries, err := s.toPrint(v.Context(), job)
	if err == nil {
		pdf, err = s.PrintFile(entries)
	}
	if errors.Is(err, errManySlips) {
		s.run(w, v, http.StatusBadRequest, runPage{Job: job, TooMany: batch.MostPrinted})
		return
	}
	if errors.Is(err, batch.ErrNoSlip) {
		s.message(w, v.Request, http.StatusNotFound)
		return
	}
	if err == nil {
		err = s.recordTaking(v, job, "print.pdf")
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	download(w, "application/pdf", nameOfRun(job)+".print.pdf", bytes.NewReader(pdf))
}

var errManySlips = errors.New("more slips than a print file holds")

// toPrint are the invoices of a run that a print file is made of.
func (s *Server) toPrint(ctx context.Context, job batch.Job) (all []batch.Entry, err error) {
	err = s.unpaidOfRun(ctx, job, slipsTogether, func(some []batch.Entry) error {
		if all = append(all, some...); len(all) > batch.MostPrinted {
			return errManySlips
		}
		return nil
	})
	return all, err
}

// unpaidOfRun gives the invoices of a run that wait for payment, in the order of its file,
// so many at a time.
func (s *Server) unpaidOfRun(ctx context.Context, job batch.Job, together int, visit func([]batch.Entry) error) error {
	var some []batch.Entry
	err := s.Ledger.Entries(ctx, batch.Query{Job: job.ID, ChargeStatuses: []string{batch.StatusPending}}, func(e batch.Entry) error {
		if some = append(some, e); len(some) < together {
			return nil
		}
		full := some
		some = nil
		return visit(full)
	})
	if err == nil && len(some) > 0 {
		err = visit(some)
	}
	return err
}
