package batch

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"konbill/mailer"
	"konbill/templates"
)

// mailable reports whether an invoice with a charge may be mailed at all: mail
// is on, no other ledger may have mailed it, the link is safe to send, and there
// is still something to pay.
func (r *Runner) mailable(e Entry) bool {
	return !r.Settings.MailOff && !e.Elsewhere && r.payable(e)
}

// payable reports whether slip and mail may be given to the customer.
func (r *Runner) payable(e Entry) bool {
	return linkIsSafe(e.Charge.AuthorizeURI, r.Settings.LoopbackAPI) && e.Charge.payable(r.Now())
}

// linkIsSafe reports whether a payment link leads to the payment service: https
// on a host of omise.co, or on loopback while practising. Anything else, in a
// customer's hand, would be phishing with our name on it.
func linkIsSafe(link string, loopbackToo bool) bool {
	u, err := url.Parse(link)
	if err != nil || u.User != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if u.Scheme == "https" && (host == "omise.co" || strings.HasSuffix(host, ".omise.co")) {
		return true
	}
	ip := net.ParseIP(host)
	return loopbackToo && (host == "localhost" || ip != nil && ip.IsLoopback()) && (u.Scheme == "http" || u.Scheme == "https")
}

// mail composes the message whole, records the intent to send it, sends it,
// and records what the server said.
func (s *settler) mail(ctx context.Context, done *settled) error {
	attempt := done.entry.MailAttempt + 1
	id := mailer.MessageID(string(done.entry.Key), attempt, s.Settings.MailFrom)
	to := s.recipient(done.entry)
	facts := s.instructions(done.entry)
	facts.Again = s.resend != nil && done.entry.MailAttempt > 0
	pdf, envelope, composeErr := s.compose(facts, done.entry, to, id)
	done.slip = pdf
	s.at(MailIntending)
	err := s.intend(ctx, done, Mailing, s.whyMail(), func(e *Entry) {
		e.MailAttempt = attempt
		e.MessageID = id
		e.MailedTo = to
		e.MailReply = ""
		e.Retries = done.retries
		if pdf != nil {
			e.SlipSHA256 = digest(pdf)
		}
	})
	if err != nil {
		return err
	}
	s.at(MailIntended)
	if composeErr != nil {
		return s.recordMail(ctx, done, composeState(composeErr), composeErr.Error())
	}
	s.at(MailSending)
	reply, err := s.Mailer.Deliver(ctx, envelope)
	s.at(MailAnswered)
	s.unsent.note(err != nil && mailer.KindOf(err) == mailer.NotSent)
	if err == nil {
		return s.recordMail(ctx, done, Mailed, reply)
	}
	return s.recordMail(ctx, done, mailState(err), err.Error())
}

func (s *settler) recordMail(ctx context.Context, done *settled, to State, reply string) error {
	err := s.record(ctx, done, to, "mail "+string(to), func(e *Entry) {
		e.MailReply = reply
		if to == Mailed {
			e.MailedAt = s.Now()
		}
	})
	if err != nil {
		return err
	}
	s.at(MailRecorded)
	return nil
}

// composeState is where an invoice goes whose mail can't be written: only what
// is wrong with the customer's address is the customer's.
func composeState(err error) State {
	if mailer.KindOf(err) == mailer.Refused {
		return Refused
	}
	return Deferred
}

// mailState is where an invoice goes for a failed delivery.
func mailState(err error) State {
	switch mailer.KindOf(err) {
	case mailer.NotSent, mailer.Deferred:
		return Deferred
	case mailer.Refused:
		return Refused
	}
	return Held
}

// compose draws the slip and writes the whole message to bytes.
func (s *settler) compose(facts templates.Instructions, e Entry, to, messageID string) (pdf []byte, envelope mailer.Envelope, err error) {
	if pdf, err = s.press.Draw(facts); err != nil {
		return nil, envelope, fmt.Errorf("draw the slip: %w", err)
	}
	text, err := templates.MailOf(facts)
	if err != nil {
		return pdf, envelope, fmt.Errorf("write the mail: %w", err)
	}
	envelope, err = s.envelope(e, to, messageID, text, pdf)
	return pdf, envelope, err
}

// envelope puts a written mail, and the slip when there is one, into bytes.
func (s *settler) envelope(e Entry, to, messageID string, text templates.Mail, pdf []byte) (mailer.Envelope, error) {
	m := mailer.Message{
		ID: messageID, From: s.Settings.MailFrom, ReplyTo: s.Settings.MailReplyTo,
		To: to, ToName: e.Invoice.Name,
		Subject: text.Subject, Text: text.Text, HTML: text.HTML, Language: string(e.Invoice.Language),
		Date: s.Now(), Signer: s.Settings.MailSigner,
	}
	for _, picture := range text.Pictures {
		m.Pictures = append(m.Pictures, mailer.Picture(picture))
	}
	if pdf != nil {
		m.Attachments = []mailer.Attachment{{Name: text.AttachmentName, ContentType: "application/pdf", Data: pdf}}
	}
	return mailer.Compose(m)
}

func (s *settler) instructions(e Entry) templates.Instructions {
	return templates.Instructions{
		Texts: s.Settings.Texts, Merchant: s.Settings.Merchant, Invoice: e.Invoice, Reissued: e.Revision > 1,
		PaymentCode: e.Charge.PaymentCode, AuthorizeURI: e.Charge.AuthorizeURI, ExpiresAt: e.Charge.ExpiresAt,
	}
}
