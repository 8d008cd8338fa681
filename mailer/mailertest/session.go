package mailertest

import (
	"bytes"
	"io"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is what the SMTP server calls for each command that it understood.
type session struct {
	server   *Server
	conn     *conn
	loggedIn bool
	message  Message
}

func (s *Server) newSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{server: s, conn: c.Conn().(*conn)}, nil
}

// AuthMechanisms are what EHLO offers.
func (s *session) AuthMechanisms() []string {
	if s.server.options.Username == "" || s.server.options.TLS == "starttls" && !s.conn.secured {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != s.server.options.Username || password != s.server.options.Password {
			return smtp.ErrAuthFailed
		}
		s.loggedIn = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.options.Username != "" && !s.loggedIn {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	s.message = Message{From: from}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.message.To = to
	return nil
}

// usualMessage is enough for a mail with a slip, in bytes.
const usualMessage = 80 << 10

// Data stores a message. A cut after the dot leaves it stored, and the client
// without an answer.
func (s *session) Data(r io.Reader) error {
	var data bytes.Buffer
	data.Grow(usualMessage)
	if _, err := data.ReadFrom(r); err != nil {
		return err
	}
	s.message.Data = data.Bytes()
	f, faulty := s.server.strikes(AfterDot, s.message.To)
	if faulty && f.Code != 0 {
		return &smtp.SMTPError{Code: f.Code, EnhancedCode: smtp.NoEnhancedCode, Message: f.Text}
	}
	s.server.store(s.message)
	s.server.waitIfHeld()
	s.conn.cutInAnswer = faulty
	return nil
}

func (s *session) Reset() { s.message = Message{} }

func (s *session) Logout() error { return nil }
