package main

import (
	"errors"

	"konbill/batch"
	"konbill/batch/inbox"
	"konbill/invoice/csvfile"
)

// Exit codes; the README documents them, and scripts depend on them.
const (
	exitDone        = 0
	exitFailed      = 1   // could not do the work: unreadable file, configuration, ledger
	exitNeedsPerson = 3   // finished, but some rows need a person
	exitRefused     = 4   // authentication, live guard or a limit; nothing more was issued
	exitHeld        = 11  // another run holds the ledger
	exitUsage       = 64  // as in sysexits.h
	exitInterrupted = 130 // as shells report SIGINT
)

var (
	// errNeedsPerson says that all was done that could be, and was reported.
	errNeedsPerson = errors.New("some rows need a person")
)

// reportedError is a failure that a person has been told of already.
type reportedError struct{ error }

func (e reportedError) Unwrap() error { return e.error }

func reported(err error) error { return reportedError{err} }

// usageError is a command line that can't be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// refusal is what a guard said no to. Nothing was issued.
type refusal struct{ reason, hint string }

func (r *refusal) Error() string { return r.reason }

// exitCode is the one place where errors become exit codes.
func exitCode(err error) int {
	var (
		usage   *usageError
		refused *refusal
		limit   *batch.LimitError
		prints  *batch.PrintError
		file    *csvfile.FileError
		stop    *batch.Stop
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errNeedsPerson):
		return exitNeedsPerson
	case errors.As(err, &stop):
		return exitOfStop(stop)
	case errors.Is(err, batch.ErrHeld), errors.Is(err, inbox.ErrHeld):
		return exitHeld
	case errors.As(err, &refused), errors.As(err, &limit), errors.As(err, &prints), errors.Is(err, batch.ErrOtherAccount),
		errors.As(err, &file) && file.Code == csvfile.CodeTooManyRows,
		isUnauthorized(err):
		return exitRefused
	}
	return exitFailed
}

func exitOfStop(s *batch.Stop) int {
	switch s.Reason {
	case batch.StopInterrupted:
		return exitInterrupted
	case batch.StopUnauthorized:
		return exitRefused
	case batch.StopUnreachable, batch.StopUnknown:
		return exitNeedsPerson
	}
	return exitFailed
}

func isUnauthorized(err error) bool {
	var g *batch.GatewayError
	return errors.As(err, &g) && g.Outcome == batch.Unauthorized
}

// worse returns the error with the graver exit code, for commands that take
// several files.
func worse(a, b error) error {
	if gravity[exitCode(b)] > gravity[exitCode(a)] {
		return b
	}
	return a
}

var gravity = map[int]int{
	exitNeedsPerson: 1, exitFailed: 2, exitRefused: 3, exitHeld: 4, exitUsage: 5, exitInterrupted: 6,
}
