package mailer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// limits are how long each step may take.
type limits struct {
	dial    time.Duration
	command time.Duration // one command and its reply
	data    time.Duration // the message up to the final dot
	answer  time.Duration // from the final dot to its reply
	quit    time.Duration
}

// standardLimits give the answer to the message the ten minutes of RFC 5321
// section 4.5.3.2.6: whoever gives up earlier makes duplicates.
var standardLimits = limits{
	dial: 30 * time.Second, command: 2 * time.Minute, data: 5 * time.Minute, answer: 10 * time.Minute, quit: 5 * time.Second,
}

// connection is one session with a mail server, ready for MAIL.
type connection struct {
	raw    net.Conn
	client *smtp.Client
	limits limits
	usedAt time.Time

	used      bool // a message went through it
	broken    bool // it must not be used again
	wentStale bool // it was good once, and the message it then failed never got a foot in
}

// connect takes a session up to where mail can be sent. What fails here is
// about the server or the login, never about a message.
func connect(ctx context.Context, config SMTPConfig, l limits) (*connection, *Error) {
	address := net.JoinHostPort(config.Host, strconv.Itoa(config.Port))
	dialer := net.Dialer{Timeout: l.dial}
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, failure(ctx, StageConnect, "", err)
	}
	c := &connection{raw: raw, limits: l}
	defer context.AfterFunc(ctx, c.drop)()
	if stage, err := c.open(config); err != nil {
		c.drop()
		return nil, failure(ctx, stage, "", err)
	}
	return c, nil
}

// open greets the server, secures the connection and logs in.
func (c *connection) open(config SMTPConfig) (Stage, error) {
	settings := &tls.Config{ServerName: config.Host, RootCAs: config.RootCAs, MinVersion: tls.VersionTLS12}
	conn := c.raw
	switch config.TLS {
	case noTLS:
		if !isLoopback(c.raw.RemoteAddr().(*net.TCPAddr).IP.String()) {
			return StageTLS, fmt.Errorf("%s is not this machine, so smtp.tls must not be %s", config.Host, noTLS)
		}
	case implicitTLS:
		secured := tls.Client(c.raw, settings)
		c.allow(c.limits.command)
		if err := secured.Handshake(); err != nil {
			return StageTLS, err
		}
		conn = secured
	}
	c.allow(c.limits.command)
	var err error
	if c.client, err = smtp.NewClient(conn, config.Host); err != nil {
		return StageConnect, err
	}
	c.client.SkipSMTPUTF8(true)
	if err := c.client.Hello(helloName()); err != nil {
		return StageHello, err
	}
	if config.TLS == startTLS {
		if err := c.startTLS(settings); err != nil {
			return StageTLS, err
		}
	}
	return StageLogin, c.login(config)
}

func (c *connection) startTLS(settings *tls.Config) error {
	if offered, _ := c.client.Extension("STARTTLS"); !offered {
		return errors.New("the mail server does not offer STARTTLS; check the port, or whether it wants TLS from the start (smtp.tls = \"implicit\")")
	}
	c.allow(c.limits.command)
	return c.client.StartTLS(settings)
}

// login identifies us to the server. It runs only over TLS or on loopback.
func (c *connection) login(config SMTPConfig) error {
	if config.Username == "" {
		return nil
	}
	_, offered := c.client.Extension("AUTH")
	c.allow(c.limits.command)
	switch mechanisms := strings.Fields(strings.ToUpper(offered)); {
	case slices.Contains(mechanisms, "PLAIN"):
		return c.client.Auth(smtp.PlainAuth("", config.Username, config.Password, config.Host, true))
	case slices.Contains(mechanisms, "LOGIN"):
		return c.client.Auth(smtp.LoginAuth(config.Username, config.Password, config.Host, true))
	}
	return fmt.Errorf("the mail server offers no login by user name and password (it offers %q)", offered)
}

var hostName = patternOf(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$`)

// helloName is how this machine calls itself. The names of some machines are
// no names to a mail server, Japanese ones above all; an address then stands
// in (RFC 5321 section 4.1.4).
func helloName() string {
	if name, err := os.Hostname(); err == nil && hostName.MatchString(name) {
		return name
	}
	return "[127.0.0.1]"
}

// allow gives the next step its time.
func (c *connection) allow(d time.Duration) {
	c.raw.SetDeadline(time.Now().Add(d)) // fails only on a closed connection, as the step then does
}

// drop closes the connection without a word. Any word might end a message that
// was begun: go-mail writes the final dot before the next command.
func (c *connection) drop() { c.raw.Close() }

// quit leaves politely. It is only for a connection between two messages.
func (c *connection) quit() {
	c.allow(c.limits.quit)
	_ = c.client.Quit() // nothing depends on it any more
	c.drop()
}

// deliver sends one message. The connection is then sound or marked broken.
func (c *connection) deliver(ctx context.Context, e Envelope) (reply string, err error) {
	stop := context.AfterFunc(ctx, c.drop)
	defer func() { c.broken = !stop() || c.broken }()
	reused := c.used
	c.used = true
	stage, reply, err := c.send(ctx, e)
	if err == nil {
		return oneLine(reply, e.To), nil
	}
	f := failure(ctx, stage, e.To, err)
	c.broken = !c.sound(stage, f.Code)
	c.wentStale = reused && stage == StageSender && (f.Code == 0 || f.Code == closing)
	return "", f
}

// closing is the reply with which a server ends a session, at any time (RFC
// 5321 section 3.8).
const closing = 421

// sound brings a connection back to where the next message can be sent, after
// a refusal at this stage. Without a reply it can't be.
func (c *connection) sound(stage Stage, code int) bool {
	if code/100 != 4 && code/100 != 5 || code == closing {
		return false
	}
	if stage == StageAnswer { // the transaction is over
		return true
	}
	c.allow(c.limits.command)
	return c.client.Reset() == nil
}

// send runs the transaction and returns the stage at which it ended.
func (c *connection) send(ctx context.Context, e Envelope) (stage Stage, reply string, err error) {
	c.allow(c.limits.command)
	if err := c.client.Mail("<" + e.From + ">"); err != nil {
		return StageSender, "", err
	}
	c.allow(c.limits.command)
	if err := c.client.Rcpt("<" + e.To + ">"); err != nil {
		return StageReceiver, "", err
	}
	c.allow(c.limits.command)
	body, err := c.client.Data()
	if err != nil {
		return StageData, "", err
	}
	c.allow(c.limits.data)
	if _, err := body.Write(e.Data); err != nil {
		return StageData, "", err
	}
	if ctx.Err() != nil {
		return StageData, "", ctx.Err()
	}
	c.allow(c.limits.answer)
	reply, err = answer(body.(*smtp.DataCloser))
	return StageAnswer, reply, err
}

// answer writes the final dot and reads what the server says to it. Any
// positive reply accepts the message; go-mail knows only 250.
func answer(body *smtp.DataCloser) (string, error) {
	err := body.Close()
	var other *textproto.Error
	if errors.As(err, &other) && other.Code/100 == 2 {
		return fmt.Sprintf("%d %s", other.Code, other.Msg), nil
	}
	return "250 " + body.ServerResponse(), err
}
