// Package staff holds what accounting staff are told: the mails about the
// nightly runs, in Japanese or English, and the notes that are laid beside
// files, in both.
//
// Every text says first whether anybody has to do something, then what exactly,
// then the facts. A mail's subject says who, when and how many, and nothing
// personal: no invoice number, no customer, and no file name, which may be a
// customer's.
//
// The texts are pure: data in, words out. What comes from outside, such as a
// file's name or a server's reply, becomes one line without invisible
// characters, so that it can't pass for a line of ours.
package staff

import "konbill/invoice"

// Message is a mail to staff. It has no HTML: lines are all it needs.
type Message struct {
	Subject string
	Text    string
}

// Sender is on whose behalf a mail speaks, and how. It is part of every mail.
type Sender struct {
	Language invoice.Language
	Merchant string
	Live     bool // real charges; false: those of a test key
}

// Sum is a number of rows and their yen.
type Sum struct {
	Rows int
	Yen  invoice.Yen
}

func (s Sum) plus(other Sum) Sum { return Sum{s.Rows + other.Rows, s.Yen + other.Yen} }

// Numbered is something to be said about one invoice.
type Numbered struct {
	Number  string // of the invoice
	Message string // sentences in the language of the mail; may be empty
}

// Urgency is what a mail asks of those who read it. It opens the subject.
type Urgency int

// The urgencies, the calmest first.
const (
	NothingToDo Urgency = iota
	ToBeRead            // something is open or odd, but nobody has to act now
	ToBeDone            // somebody must act
)

// Needed and the others are for the templates, which can't name a constant.

// Needed reports whether somebody must act.
func (u Urgency) Needed() bool { return u == ToBeDone }

// Calm reports whether all is well.
func (u Urgency) Calm() bool { return u == NothingToDo }
