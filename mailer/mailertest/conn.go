package mailertest

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"regexp"
	"strings"
)

// conn stands between the network and the SMTP server behind it. It hands the
// server one line at a time, writes commands down, does TLS, and keeps what a
// fault wants kept from it.
type conn struct {
	net.Conn // what the server reads and writes: after TLS, when there is TLS
	raw      net.Conn
	server   *Server
	lines    *bufio.Reader
	rest     []byte // of a line that the server took only a part of

	secured     bool
	greeted     bool
	inData      bool
	afterDot    bool // the server's next words are the answer to a message
	inLogin     bool
	recipient   string
	cutInAnswer bool
}

func newConn(s *Server, raw net.Conn) *conn {
	c := &conn{Conn: raw, raw: raw, server: s}
	if s.options.TLS == "implicit" {
		c.Conn = tls.Server(raw, s.tlsConfig())
		c.secured = true
	}
	c.lines = bufio.NewReader(c.Conn)
	return c
}

// Read gives the server the next line, or a part of it.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			return 0, err
		}
		if c.inData {
			err = c.dataLine(line)
		} else {
			line, err = c.command(line)
		}
		if err != nil {
			return 0, err
		}
		c.rest = []byte(line)
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *conn) dataLine(line string) error {
	if _, ok := c.server.strikes(InData, c.recipient); ok {
		return c.cut()
	}
	if line == ".\r\n" {
		c.inData, c.afterDot = false, true
	}
	return nil
}

var (
	pathOfRecipient = regexp.MustCompile(`(?i)^RCPT TO:<(.*)>`)
	credentials     = regexp.MustCompile(`^(\S+ \S+) .*`)
)

// command writes a command down and returns it, or nothing when the server
// isn't to see it.
func (c *conn) command(line string) (string, error) {
	if c.inLogin {
		return line, nil
	}
	text := strings.TrimRight(line, "\r\n")
	verb := strings.ToUpper(verbOf(text))
	if verb == "AUTH" {
		text = credentials.ReplaceAllString(text, "$1")
	}
	c.server.note(text)
	if to := pathOfRecipient.FindStringSubmatch(text); to != nil {
		c.recipient = strings.ReplaceAll(to[1], `"`, "")
	}
	if f, ok := c.server.strikes(Point(verb), c.recipient); ok {
		if f.Code == 0 {
			return "", c.cut()
		}
		return "", c.say(f.reply())
	}
	switch verb {
	case "STARTTLS":
		return "", c.startTLS()
	case "AUTH":
		if c.server.options.TLS == "starttls" && !c.secured {
			return "", c.say("538 5.7.11 Encryption required for requested authentication mechanism\r\n")
		}
		c.inLogin = true
	case "DATA":
		c.inData = true
	}
	return line, nil
}

func verbOf(line string) string {
	verb, _, _ := strings.Cut(line, " ")
	return verb
}

func (c *conn) startTLS() error {
	if c.server.options.TLS != "starttls" || c.secured {
		return c.say("503 5.5.1 No TLS here\r\n")
	}
	if err := c.say("220 2.0.0 Ready to start TLS\r\n"); err != nil {
		return err
	}
	secured := tls.Server(c.Conn, c.server.tlsConfig())
	if err := secured.Handshake(); err != nil {
		return err
	}
	c.Conn, c.secured = secured, true
	c.lines = bufio.NewReader(secured)
	return nil
}

// Write passes on what the server says, unless a fault is in the way.
func (c *conn) Write(p []byte) (int, error) {
	if !c.greeted {
		c.greeted = true
		if f, ok := c.server.strikes(AtConnect, ""); ok {
			return c.insteadOf(p, f)
		}
	}
	c.inLogin = strings.HasPrefix(string(p), "334")
	if c.inData && !strings.HasPrefix(string(p), "354") {
		c.inData = false // DATA was refused
	}
	if !c.afterDot {
		return c.Conn.Write(p)
	}
	c.afterDot = false
	return c.answer(p)
}

// answer passes on the answer to a message.
func (c *conn) answer(p []byte) (int, error) {
	if c.cutInAnswer {
		c.cutInAnswer = false
		return 0, c.cut()
	}
	n, err := c.Conn.Write(p)
	if _, ok := c.server.strikes(AfterAnswer, c.recipient); ok {
		return n, c.cut()
	}
	return n, err
}

// insteadOf says what a fault says and hangs up.
func (c *conn) insteadOf(p []byte, f Fault) (int, error) {
	if f.Code != 0 {
		if err := c.say(f.reply()); err != nil {
			return 0, err
		}
	}
	return len(p), c.cut()
}

func (c *conn) say(reply string) error {
	_, err := c.Conn.Write([]byte(reply))
	return err
}

// cut closes the connection in the middle of things.
func (c *conn) cut() error {
	c.raw.Close()
	return io.EOF
}

// Close is called by the server when the session is over.
func (c *conn) Close() error {
	c.server.leave(c)
	return c.raw.Close()
}
