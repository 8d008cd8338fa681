// Package mailer composes one mail to one customer and delivers it.
//
// A message is written to bytes as a whole, with its signatures, before a
// server hears of it: what fails while composing must never leave half a mail
// behind. A delivery ends in one of four ways, and [Error] says which:
//
//   - accepted: a positive reply to the final dot. Nothing that fails
//     afterwards changes that.
//   - [NotSent]: surely not sent, for a reason that isn't about this customer:
//     the server can't be reached, refuses the login or the sender, or the
//     connection broke before the final dot. It may be sent again.
//   - [Deferred]: the server said "not now" (4xx). It may be sent again.
//   - [Refused]: the server said "never" (5xx) to this recipient or message.
//   - [Unknown]: the answer to the final dot was lost. Sending it again might
//     be a second mail, so that is for a person to decide.
//
// The one retry made here is of a message whose first command met a connection
// that had gone stale between two messages.
package mailer
