// Package batch is the run: it takes one file of invoices from bytes to
// charges, slips, mails and results.
//
// It promises that an invoice is never charged twice and never lost, whatever
// fails. Charging and mailing have one shape: record the intent in the ledger,
// touch the network, record the outcome. What happened in between to a process
// that died can't be known, so an intent without an outcome is never repeated
// by itself: a charge becomes unknown and a mail is held. An unknown charge is
// looked for among those the account has, and only one that two complete lists
// don't have, each long enough after what went before, may be asked for again.
// A declined charge or a refused address is the outcome of a row and never an
// error of the run; only a failing ledger, bad credentials, an unreachable API,
// too many unknown outcomes or a tripped limit stops one, and then the results
// still say what became of every row.
//
// What a run takes is what the API takes. Requests under way are bounded, and three
// invoices are worked on for each, so that slips are drawn, mailed and written while
// others wait for their answers; drawing is bounded by the cores. Seen on two shared
// cores: 150 invoices a second where the API takes 50 ms and eight requests may be
// under way, of 156 that the bare requests reach; 320 without latency, where a third
// of the time goes to drawing and storing slips, a quarter to mails and a sixth to
// the ledger. Of a row a run keeps how far it has come (see standing) and, until the
// results are written, its text in the file: 10,000 rows take 81 MB of memory. To
// repeat:
//
//	go test ./batch -run '^$' -bench 'Settle|Mail'
//
// Networks and disks stand behind the interfaces [Ledger], [Gateway] and
// [Mailer]; checking, drawing and composing are called directly. Several machines that
// share a ledger may settle the invoices of one run: it hands them out to a [Crew], each
// of whose machines settles by a [Hand], and writes the results.
package batch

import (
	"context"
	"fmt"
	"iter"
	"time"

	"konbill/invoice"
	"konbill/mailer"
	"konbill/templates"
	"konbill/templates/slip"
)

// Mailer delivers one composed message. Its error is a *mailer.Error whose
// kind says what is known.
type Mailer interface {
	Deliver(ctx context.Context, e mailer.Envelope) (reply string, err error)
}

// Runner runs files. Its fields are set once and then only read.
type Runner struct {
	Ledger   Ledger
	Gateway  Gateway
	Mailer   Mailer // not used when Settings.MailOff
	Crew     Crew   // nil: this machine settles all by itself
	Settings Settings

	// Fingerprint stands for the API key in the ledger, so that the account is
	// asked for only once a key.
	Fingerprint string
	// Live says that the key is a live one; Confirm is then asked whether so
	// many rows and yen may be charged, and its error stops the run.
	Live    bool
	Confirm func(Sum) error
	// Reissue has rows issued again whose bill is over unpaid.
	Reissue bool
	// Control, when there is one, must be what the file holds.
	Control *Control

	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error // returns ctx's error when ctx ends first
	// Drain, once closed, lets the invoices in flight finish and starts no
	// other. Cancelling the context of Run cuts those in flight short, too.
	Drain <-chan struct{}
	// Begin, when there is one, is asked before each invoice is begun, and may keep it
	// waiting: so a run is paused. After its error none is begun, as once Drain is closed.
	Begin func(ctx context.Context) error
	// Progress hears of every invoice settled; calls do not overlap.
	Progress func(Progress)
	// Waiting hears, about every second, how long the run still waits before it
	// looks for unknown outcomes.
	Waiting func(Waiting)

	Disk Disk        // nil: the machine's
	At   func(Point) // nil, or hears of every durable boundary; may be called by several workers at once

	newPress func(templates.Merchant, iter.Seq[invoice.Invoice]) (press, error) // nil: the slip's own
}

// Progress says how far a run has come.
type Progress struct {
	Done, Total int // invoices settled, of those the file gave
	Sums        Totals
}

// Run takes one file as far as it will go and says what became of each row.
// The report is nil only when nothing at all was charged or mailed: the error
// is then a *csvfile.FileError, a *ControlError, a *LimitError, a
// *PrintError, ErrHeld, ErrOtherAccount, Confirm's error, a *GatewayError from
// asking for the account, a *Stop from asking what became of earlier bills, or
// the ledger's. A run that stopped on its way returns both: the report covers all
// rows, and the error is a *Stop.
func (r *Runner) Run(ctx context.Context, path, outDir string) (*Report, error) {
	sheet, err := r.readSheet(path)
	if err != nil {
		return nil, err
	}
	if err := r.guard(sheet); err != nil {
		return nil, err
	}
	release, err := r.Ledger.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { release(); r.at(LockReleased) }()
	r.at(LockTaken)
	account, err := r.Identify(ctx)
	if err != nil {
		return nil, err
	}
	dismiss, err := r.gather(ctx)
	if err != nil {
		return nil, err
	}
	defer dismiss()
	job, err := r.open(ctx, account, sheet)
	if err != nil {
		return nil, err
	}
	settler, err := r.settler(job)
	if err != nil {
		return nil, err
	}
	output, err := r.createOutput(path, outDir, job)
	if err != nil {
		return nil, err
	}
	job.shed()
	stop := settler.settleAll(ctx, job, output)
	return r.conclude(ctx, job, settler, output, stop)
}

// guard refuses a file that isn't what its sender says, or is larger than the
// merchant allows, and a live run that nobody confirmed.
func (r *Runner) guard(s *Sheet) error {
	if err := r.Control.check(s); err != nil {
		return err
	}
	total := s.Accepted()
	if max := r.Settings.MaxTotal; max > 0 && total.Yen > max {
		return &LimitError{Total: total.Yen, Max: max}
	}
	if r.Settings.PrintFile && total.Rows > slip.MostPrinted {
		return &PrintError{Rows: total.Rows, Max: slip.MostPrinted}
	}
	if !r.Live {
		return nil
	}
	return r.Confirm(total)
}

// Identify returns the account behind the key. The API is asked only for a key
// that the ledger hasn't met. The error is a *GatewayError, ErrOtherAccount, or
// the ledger's.
func (r *Runner) Identify(ctx context.Context) (Account, error) {
	a, known, err := r.Ledger.AccountOf(ctx, r.Fingerprint)
	if err != nil || known {
		return a, err
	}
	a, err = r.Gateway.Account(ctx)
	if err != nil {
		return Account{}, fmt.Errorf("ask who the API key belongs to: %w", err)
	}
	r.at(AccountAsked)
	if err := r.Ledger.RememberAccount(ctx, r.Fingerprint, a); err != nil {
		return Account{}, err
	}
	r.at(AccountRemembered)
	return a, nil
}
