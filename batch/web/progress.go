package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"konbill/batch"
)

const (
	// followEvery is how often a browser that follows hears of a change.
	followEvery = time.Second
	// followAlive is how many of these pass without a word: proxies give up what is silent.
	followAlive = 15
	// followWrite is how long a browser may take to read an event.
	followWrite = 10 * time.Second
	// mostFollowers bounds how many browsers follow at once; others reload the page.
	mostFollowers = 100
)

// liveNow is what goes on now, as pages show it.
type liveNow struct {
	frame
	Operation
	Unknown int // bills of which it isn't known whether they were charged
}

func (s *Server) liveNow(ctx context.Context, f frame) (liveNow, error) {
	sums, err := s.Ledger.Sums(ctx, batch.Query{States: []batch.State{batch.Unknown}})
	live := liveNow{frame: f, Operation: s.Operation(ctx)}
	for _, sum := range sums {
		live.Unknown += sum.Rows
	}
	return live, err
}

// MinutesLeft is how many minutes the file still takes, at least one.
func (o Operation) MinutesLeft() int { return int((o.Left + time.Minute - 1) / time.Minute) }

// MayPause reports whether the person may pause a run, and have it go on.
func (l liveNow) MayPause() bool { return may(l.Person, batch.Preparer) }

// follow tells a browser what goes on, as it changes (server-sent events, HTML Living
// Standard, section 9.2). To follow isn't to use the page: it keeps no session from ending.
func (s *Server) follow(w http.ResponseWriter, v visit) {
	select {
	case s.followers <- struct{}{}:
		defer func() { <-s.followers }()
	default:
		http.Error(w, "too many", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	events := &events{w: w, control: http.NewResponseController(w)}
	f := s.frameOf(v.Request, v.session, "runs")
	ticks := time.NewTicker(followEvery)
	defer ticks.Stop()
	began := s.Operation(v.Context()).Running
	for quiet := 0; events.err == nil; quiet++ {
		live, err := s.liveNow(v.Context(), f)
		session, sessionErr := s.Ledger.Session(v.Context(), v.session.Token)
		switch {
		case err != nil, sessionErr != nil, hasEnded(session, s.Now()), live.Running != began:
			events.send("again", "") // to sign in, or to see what became of the file
			return
		case events.send("live", s.fragment("live", live)):
			quiet = 0
		case quiet >= followAlive:
			events.write(": still here\n\n")
			quiet = 0
		}
		select {
		case <-ticks.C:
		case <-s.closed:
			return
		case <-v.Context().Done():
			return
		}
	}
}

// fragment is a part of a page.
func (s *Server) fragment(name string, data liveNow) string {
	var html bytes.Buffer
	if err := (*s.pages)[data.Lang].ExecuteTemplate(&html, name, data); err != nil {
		panic(err) // our own template
	}
	return html.String()
}

// events are sent to one browser.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
	last    string // that was sent
	err     error  // the browser has gone
}

// send sends an event, unless it says what the last one said.
func (e *events) send(name, data string) bool {
	event := fmt.Sprintf("event: %s\ndata: %s\n\n", name, strings.ReplaceAll(data, "\n", "\ndata: "))
	if event == e.last {
		return false
	}
	e.last = event
	e.write(event)
	return true
}

func (e *events) write(text string) {
	_ = e.control.SetWriteDeadline(time.Now().Add(followWrite)) // where it can't be set, the server's own holds
	if _, e.err = e.w.Write([]byte(text)); e.err == nil {
		e.err = e.control.Flush()
	}
}

// pause keeps further invoices from being begun.
func (s *Server) pause(w http.ResponseWriter, v visit) {
	s.setPaused(w, v, "paused", func() error { return s.Pause(v.session.Person.Name) })
}

// goOn ends a pause.
func (s *Server) goOn(w http.ResponseWriter, v visit) {
	s.setPaused(w, v, "continued", s.Continue)
}

func (s *Server) setPaused(w http.ResponseWriter, v visit, what string, set func() error) {
	err := s.record(v.Context(), v.session.Person.Name, what, s.Operation(v.Context()).Running)
	if err == nil {
		err = set()
	}
	if err != nil {
		s.fail(w, v.Request, err)
		return
	}
	http.Redirect(w, v.Request, "/", http.StatusSeeOther)
}
