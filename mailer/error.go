package mailer

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what is known about a message that was not accepted.
type Kind int

// The kinds; the package comment says what each allows.
const (
	Unknown Kind = iota
	NotSent
	Deferred
	Refused
)

func (k Kind) String() string {
	return [...]string{"unknown", "not sent", "deferred", "refused"}[k]
}

// Stage is the step of a delivery that failed, as a phrase for people.
type Stage string

// The steps of a delivery, in order.
const (
	StageCompose  Stage = "composing the message"
	StageConnect  Stage = "connecting to the mail server"
	StageHello    Stage = "greeting the mail server (EHLO)"
	StageTLS      Stage = "securing the connection (TLS)"
	StageLogin    Stage = "logging in to the mail server (AUTH)"
	StageSender   Stage = "naming the sender (MAIL FROM)"
	StageReceiver Stage = "naming the recipient (RCPT TO)"
	StageData     Stage = "sending the message (DATA)"
	StageAnswer   Stage = "waiting for the answer to the message"
	StageStore    Stage = "storing the message"
)

// Error is a message that was not accepted, or of which that isn't known. Its
// text holds no address of a customer.
type Error struct {
	Kind  Kind
	Stage Stage
	Code  int    // the server's reply code; 0 when there was no reply
	Reply string // the server's words, one line of at most 300 characters

	detail string // what else there is to say
	cause  error
}

func (e *Error) Error() string {
	text := string(e.Stage) + ":"
	if e.Code != 0 {
		text += fmt.Sprintf(" %d %s", e.Code, e.Reply)
	}
	if e.detail != "" {
		text += " " + e.detail
	}
	return text
}

// Unwrap returns the failure of network, TLS or disk behind it, if any.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of a delivery's error. An error that says nothing
// about it is Unknown: the careful reading.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}

// failure tells of a failed step. Before the final dot a message is not sent,
// whatever happens; only a reply can say more. The recipient, if there is one
// yet, is taken out of the text.
func failure(ctx context.Context, stage Stage, recipient string, err error) *Error {
	e := &Error{Kind: NotSent, Stage: stage, cause: err}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		e.Code, e.Reply = reply.Code, oneLine(reply.Msg, recipient)
		e.Kind, e.detail = judge(stage, reply.Code)
		return e
	}
	if ctx.Err() != nil {
		e.cause = context.Cause(ctx)
	}
	e.detail = oneLine(e.cause.Error(), recipient)
	if stage == StageAnswer {
		e.Kind = Unknown
		e.detail = "no answer came, so the message may have been sent or not: " + e.detail
	}
	return e
}

// judge says what a reply that isn't positive means for the message, and what
// to do where its own words may not tell.
func judge(stage Stage, code int) (kind Kind, advice string) {
	switch {
	case stage == StageLogin:
		return NotSent, "(check the user name and the password for the mail server)"
	case needsLogin[code]:
		return NotSent, "(the mail server wants a login or TLS; check the settings for the mail server)"
	case !stage.aboutMessage():
		return NotSent, ""
	case code/100 == 4:
		return Deferred, ""
	case code/100 == 5 && stage == StageSender:
		// No other customer's mail would fare better: not this customer's fault.
		return NotSent, "(the mail server refuses the sender's address; check it and the login)"
	case code/100 == 5:
		return Refused, ""
	case stage == StageAnswer:
		return Unknown, "(not an answer that SMTP knows here)"
	}
	return NotSent, "(not an answer that SMTP knows here)"
}

// needsLogin are the replies by which a server asks for a login or TLS in place
// of judging the message (RFC 4954 section 6, RFC 3207 section 4).
var needsLogin = map[int]bool{530: true, 534: true, 535: true, 538: true}

// aboutMessage reports whether a reply at this stage is about the message and
// its addresses, and not about the server, the connection or the login.
func (s Stage) aboutMessage() bool {
	switch s {
	case StageSender, StageReceiver, StageData, StageAnswer:
		return true
	}
	return false
}

// maxReply is how much of a server's words is kept, in characters.
const maxReply = 300

// oneLine makes a server's words fit for a table, a log and a ledger: short,
// without line breaks, and without the recipient's address.
func oneLine(text, recipient string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, withoutAddress(text, recipient))
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > maxReply {
		runes = append(runes[:maxReply-1], '…')
	}
	return string(runes)
}

// withoutAddress takes an address out of a text, in whichever case and with or
// without quotes.
func withoutAddress(text, address string) string {
	if address == "" {
		return text
	}
	for _, form := range []string{address, strings.ReplaceAll(address, `"`, "")} {
		text = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(form)).ReplaceAllLiteralString(text, "recipient")
	}
	return text
}
