// Package web is the page for accounting staff: it answers whether a customer has paid,
// shows what became of each file, and how Konbill itself is doing, in Japanese and
// English.
//
// What it promises:
//
//   - Nobody sees anything without signing in, and every person has a name: what they
//     did is kept in the ledger for good, down to whose personal data they looked at.
//     Lists show such data masked.
//   - A request that changes something is a POST from the page itself, on a host that it
//     is meant to have (net/http's CrossOriginProtection, and Config.Hosts against DNS
//     rebinding). No script runs on it but its own file (Content-Security-Policy), which
//     follows a run, takes dropped files and copies links; nothing else needs it.
//   - Passwords are stored as Argon2id hashes (RFC 9106), sessions as hashes of what the
//     browser has. A session ends after sessionIdle without a request, and after
//     sessionLength in any case; guesses at a password are slowed down.
//   - It charges nothing itself. A bill's mail is sent again, or a bill called back, by a
//     person's word, which is recorded. A file that somebody brings, or that was dropped
//     into an inbox from which nothing runs unapproved, waits as a draft until an approver,
//     perhaps another person, has seen what it would do; then it is handed in to the inbox
//     and runs at once, as any other does. Approval is for exactly what was shown
//     (review.Shown): bytes, configuration and ledger. What people put right in a draft
//     stands in the file itself (invoice.Correction).
//   - It is quick however many invoices the ledger has: lists are read page by page.
//
// The files: guard.go stands before all pages, signin.go is about who may, the others are
// each about one page or a part of one. page.go holds what all pages have.
package web

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"konbill/batch"
	"konbill/invoice"
)

// Ledger is what the page reads, and where it keeps who did what.
type Ledger interface {
	Recent(ctx context.Context, q batch.Query, cursor int64, limit int) (recent []batch.Entry, next int64, err error)
	Sums(ctx context.Context, q batch.Query) (map[string]batch.Sum, error)
	Entry(ctx context.Context, key batch.Key) (batch.Entry, error)
	Events(ctx context.Context, key batch.Key) ([]batch.Event, error)
	Entries(ctx context.Context, q batch.Query, f func(batch.Entry) error) error
	Notices(ctx context.Context, key batch.Key) ([]batch.Notice, error)
	Jobs(ctx context.Context, limit int) ([]batch.Job, error)
	Job(ctx context.Context, id int64) (batch.Job, error)
	Counts(ctx context.Context, since time.Time) ([]batch.DayCount, error)

	Person(ctx context.Context, name string) (batch.Person, error)
	BeginSession(ctx context.Context, s batch.Session, forget time.Time) error
	Session(ctx context.Context, token string) (batch.Session, error)
	SeeSession(ctx context.Context, token string, at time.Time) error
	EndSession(ctx context.Context, token string) error
	RecordAct(ctx context.Context, a batch.Act) error
	Acts(ctx context.Context, limit int) ([]batch.Act, error)
}

// Config is what the page needs to know.
type Config struct {
	Ledger   Ledger
	Live     bool             // real money
	Language invoice.Language // until a person chooses the other
	// Hosts are the names, with their port where it isn't the protocol's own, under which
	// browsers may ask for the page.
	Hosts  []string
	Secure bool // browsers reach it by TLS

	// Slip draws an invoice's slip, or returns batch.ErrNoSlip.
	Slip func(e batch.Entry) ([]byte, error)
	// Slips draws those of the invoices that can be paid.
	Slips func(entries []batch.Entry, visit func(e batch.Entry, pdf []byte) error) error
	// PrintFile draws them as one file; the error is batch.ErrNoSlip where there are none.
	PrintFile func(entries []batch.Entry) ([]byte, error)
	// Papers are where the files are that a run has left.
	Papers func(run batch.Job) (paths map[Paper]string, err error)
	// Resend mails an invoice again, by a person's word, and says what came of it. The
	// error is batch.ErrHeld while a run goes on.
	Resend func(ctx context.Context, number string, lang invoice.Language) (said string, mailed bool, err error)
	// Recall calls a bill back, so that it can't be paid any more; all is as with Resend.
	Recall func(ctx context.Context, number string, lang invoice.Language) (said string, recalled bool, err error)

	// Drafts take the files that people bring; nil: they bring none.
	Drafts Drafts
	// Outbox is where runs leave what staff are to have; nil: nowhere.
	Outbox fs.FS
	// Check checks a file as konbill check does; its errors are batch.CheckUp's.
	Check func(path string, lang invoice.Language) (*batch.Checkup, error)
	// Read reads a file whole and checks it; its errors are batch.ReadSheet's.
	Read func(path string, lang invoice.Language) (*batch.Sheet, error)
	// Preview makes slip and mail of an invoice, marked as samples.
	Preview      func(inv invoice.Invoice) (Preview, error)
	ConfigHash   string      // of the configuration and the texts with which files are run
	MaxTotal     invoice.Yen // that a run takes; 0: any
	SecondPerson bool        // who brings a file can't approve it
	Pace         float64     // requests a second

	Operation func(ctx context.Context) Operation
	// Pause keeps further invoices from being begun, until Continue.
	Pause    func(by string) error
	Continue func() error
	// Examine looks at everything that a run depends on, in a language.
	Examine func(ctx context.Context, lang invoice.Language) ([]Examination, error)
	// Settings are the configuration in force, without secrets.
	Settings []Setting

	Now func() time.Time
	Log *slog.Logger // hears of what can't be shown; nothing of any customer
}

// Preview is what a customer would get.
type Preview struct {
	Slip                []byte // PDF
	Subject, Text, HTML string // of the mail; the HTML has its pictures in it
}

// Operation is what Konbill does now, and will do next.
type Operation struct {
	Running   string         // the file it is at; empty: none
	Progress  batch.Progress // with that file
	PerMinute int            // invoices; 0: not known yet
	Left      time.Duration  // that the file takes at this pace
	Waiting   []string       // files in the inbox
	Next      []time.Time    // runs

	Paused   bool
	PausedBy string
	PausedAt time.Time
}

// Examination is one thing that was looked at.
type Examination struct {
	Name, Detail, Hint string
	OK                 bool
}

// Setting is a key of the configuration and its value.
type Setting struct {
	Key, Value string
	Origin     string // a file, or "environment"; empty: the default
}

// Server is the page.
type Server struct {
	Config
	pages     *pages
	guesses   *guesses
	examining sync.Mutex // one at a time: it asks others
	decision  sync.Mutex // one at a time: what becomes of a draft
	chart     chartCache
	followers chan struct{} // holds a token for each browser that follows
	closed    chan struct{}
	close     sync.Once
	handler   http.Handler
}

// New makes the page.
func New(c Config) *Server {
	s := &Server{
		Config: c, pages: readPages(), guesses: newGuesses(c.Now),
		followers: make(chan struct{}, mostFollowers), closed: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", s.showSignIn)
	mux.HandleFunc("POST /login", s.signIn)
	mux.HandleFunc("POST /language", s.chooseLanguage)
	mux.HandleFunc("GET /style.css", file("pages/style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /script.js", file("pages/script.js", "text/javascript; charset=utf-8"))
	mux.Handle("POST /logout", s.signedIn(s.signOut))
	mux.Handle("GET /{$}", s.signedIn(s.showRuns))
	mux.Handle("GET /progress", s.signedIn(s.follow))
	mux.Handle("POST /pause", s.allowed(batch.Preparer, s.pause))
	mux.Handle("POST /continue", s.allowed(batch.Preparer, s.goOn))
	mux.Handle("GET /runs/{id}", s.signedIn(s.showRun))
	mux.Handle("GET /runs/{id}/slips.zip", s.allowed(batch.Preparer, s.slipsOfRun))
	mux.Handle("GET /runs/{id}/print.pdf", s.allowed(batch.Preparer, s.printRun))
	mux.Handle("GET /runs/{id}/{paper}", s.allowed(batch.Preparer, s.takePaper))
	if s.Outbox != nil {
		mux.Handle("GET /results/{name}", s.allowed(batch.Preparer, s.takeResult))
	}
	if s.Drafts != nil {
		mux.Handle("GET /files", s.allowed(batch.Preparer, s.showFiles))
		mux.Handle("POST /files", s.allowed(batch.Preparer, s.bring))
		mux.Handle("GET /files/{id}", s.allowed(batch.Preparer, s.showReview))
		mux.Handle("GET /files/{id}/errors.csv", s.allowed(batch.Preparer, s.errorsFile))
		mux.Handle("GET /files/{id}/preview", s.allowed(batch.Preparer, s.showPreview))
		mux.Handle("GET /files/{id}/preview.html", s.allowed(batch.Preparer, s.previewMail))
		mux.Handle("GET /files/{id}/preview.pdf", s.allowed(batch.Preparer, s.previewSlip))
		mux.Handle("GET /template.csv", s.allowed(batch.Preparer, s.template))
		mux.Handle("POST /files/{id}/approve", s.allowed(batch.Approver, s.deciding(s.approve)))
		mux.Handle("POST /files/{id}/correct", s.allowed(batch.Preparer, s.deciding(s.correct)))
		mux.Handle("POST /files/{id}/discard", s.allowed(batch.Preparer, s.deciding(s.discard)))
	}
	mux.Handle("GET /charges", s.signedIn(s.showCharges))
	mux.Handle("GET /charges/{key}", s.signedIn(s.showCharge))
	mux.Handle("POST /charges/{key}", s.signedIn(s.revealCharge))
	mux.Handle("POST /charges/{key}/slip", s.signedIn(s.slip))
	mux.Handle("POST /charges/{key}/resend", s.allowed(batch.Preparer, s.resend))
	mux.Handle("POST /charges/{key}/recall", s.allowed(batch.Approver, s.recall))
	mux.Handle("GET /checkup", s.signedIn(func(w http.ResponseWriter, v visit) { s.checkUp(w, v, false) }))
	mux.Handle("POST /checkup", s.signedIn(func(w http.ResponseWriter, v visit) { s.checkUp(w, v, true) }))
	s.handler = s.guarded(mux)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends what browsers follow.
func (s *Server) Close() { s.close.Do(func() { close(s.closed) }) }

// file gives a file of the program.
func file(name, kind string) http.HandlerFunc {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "private, max-age=3600")
		_, _ = w.Write(text) // a browser that has gone
	}
}
