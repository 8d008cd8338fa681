package mailer

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wneessen/go-mail"
)

// Message is one mail to one customer.
type Message struct {
	ID       string // from MessageID
	From     string // an address, alone or as "name <address>"
	ReplyTo  string // the same; empty: answers go to From
	To       string // one address without a name
	ToName   string // may be empty
	Subject  string
	Text     string // complete by itself
	HTML     string // the same for readers that show it; may be empty
	Language string // ja, en: a tag of RFC 5646; empty: not told

	Date        time.Time
	Pictures    []Picture // that HTML shows; none without HTML
	Attachments []Attachment

	Signer *Signer // nil: it isn't signed
}

// Picture is an image that travels in a message and that its HTML shows as
// cid:ContentID (RFC 2392). Nothing is fetched for it.
type Picture struct {
	ContentID   string // without angle brackets; unlike any other of the message
	ContentType string // image/png
	Data        []byte
}

// Attachment is a file that goes with a message.
type Attachment struct {
	Name        string // at most 300 bytes, no path
	ContentType string // application/pdf
	Data        []byte
}

// Envelope is a message ready to be sent.
type Envelope struct {
	From, To  string // as SMTP writes them, without angle brackets
	MessageID string // without angle brackets
	Data      []byte // the whole message, lines ending in CRLF
}

// Compose writes a message: text and HTML as alternatives, the pictures related
// to both of them as NTT docomo documents it, then the attachments, everything in
// ASCII. The same message gives the same bytes. It
// fails with an *Error for what a header can't hold: an address beyond ASCII,
// control characters, text that isn't UTF-8.
func Compose(m Message) (Envelope, error) {
	to, err := parseMailbox(m.To)
	if err != nil {
		return Envelope{}, &Error{Kind: Refused, Stage: StageCompose, detail: "recipient: " + err.Error(), cause: err}
	}
	to.name = m.ToName
	from, err := parseMailbox(m.From)
	if err != nil {
		return Envelope{}, cannotCompose("sender", err)
	}
	if err := m.check(); err != nil {
		return Envelope{}, cannotCompose("message", err)
	}
	msg := mail.NewMsg(mail.WithEncoding(mail.EncodingB64), mail.WithCharset(mail.CharsetUTF8), mail.WithNoDefaultUserAgent())
	if err := m.writeHeaders(msg, from, to); err != nil {
		return Envelope{}, err
	}
	if err := m.writeParts(msg); err != nil {
		return Envelope{}, cannotCompose("message", err)
	}
	data, err := m.signed(msg)
	if err != nil {
		return Envelope{}, cannotCompose("signature", err)
	}
	return Envelope{From: from.path(), To: to.path(), MessageID: m.ID, Data: data}, nil
}

// signed writes a message to bytes with its signatures. DKIM comes last: it
// covers what S/MIME has added.
func (m Message) signed(msg *mail.Msg) ([]byte, error) {
	signer := m.Signer
	if signer == nil {
		signer = &Signer{}
	}
	if signer.smime != nil {
		if err := signer.smime.prepare(msg); err != nil {
			return nil, err
		}
	}
	var written bytes.Buffer
	written.Grow(m.room())
	if _, err := msg.WriteTo(&written); err != nil {
		return nil, err
	}
	data := written.Bytes()
	if signer.smime == nil { // else it is signed as it is
		fixBoundaries(data, m.ID)
		data = nameRoot(data)
	}
	if signer.dkim == nil {
		return data, nil
	}
	return signer.dkim.sign(data, m.Date)
}

// room is about how many bytes a message takes, so that its buffer needn't grow.
func (m Message) room() int {
	const headers = 4 << 10
	content := len(m.Text) + len(m.HTML)
	for _, p := range m.Pictures {
		content += len(p.Data)
	}
	for _, a := range m.Attachments {
		content += len(a.Data)
	}
	return headers + content*7/5 // base64, and the line ends of text
}

func cannotCompose(what string, err error) error {
	return &Error{Kind: NotSent, Stage: StageCompose, detail: what + ": " + err.Error(), cause: err}
}

var (
	messageID   = patternOf(`^[A-Za-z0-9._+-]{1,200}@[A-Za-z0-9.-]{1,255}$`)
	languageTag = patternOf(`^[A-Za-z0-9-]{0,35}$`)
	contentType = patternOf(`^[a-z0-9.+-]{1,100}/[a-z0-9.+-]{1,100}$`)
	imageType   = patternOf(`^image/[a-z0-9.+-]{1,100}$`)
	contentID   = patternOf(`^[A-Za-z0-9._+-]{1,100}@[A-Za-z0-9.-]{1,100}$`)
)

// maxAttachmentName keeps the header line of a file name below the 998 bytes
// that a line may have (RFC 5322 section 2.1.1), in bytes of UTF-8.
const maxAttachmentName = 300

// check refuses what could end a header early, or what no reader could show.
func (m Message) check() error {
	switch {
	case !messageID.MatchString(m.ID):
		return errors.New("the Message-ID is malformed")
	case !languageTag.MatchString(m.Language):
		return errors.New("the language is not a language tag")
	case !isHeaderText(m.ToName) || !isHeaderText(m.Subject):
		return errors.New("the subject or the recipient's name has control characters or is not UTF-8")
	case !utf8.ValidString(m.Text) || !utf8.ValidString(m.HTML):
		return errors.New("the text is not UTF-8")
	}
	for _, a := range m.Attachments {
		if a.Name == "" || len(a.Name) > maxAttachmentName || !isHeaderText(a.Name) || !contentType.MatchString(a.ContentType) {
			return errors.New("an attachment's name or type is malformed")
		}
	}
	return m.checkPictures()
}

func (m Message) checkPictures() error {
	if len(m.Pictures) > 0 && m.HTML == "" {
		return errors.New("there is a picture, but no HTML to show it")
	}
	seen := map[string]bool{}
	for _, p := range m.Pictures {
		if !contentID.MatchString(p.ContentID) || !imageType.MatchString(p.ContentType) || seen[p.ContentID] {
			return errors.New("a picture's Content-ID or type is malformed, or its Content-ID is another's")
		}
		seen[p.ContentID] = true
	}
	return nil
}

// isHeaderText reports whether a header may hold a text.
func isHeaderText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' // line and paragraph separators
	})
}

// writeHeaders sets every header as generic one: go-mail's own address and file
// name headers split characters and lose spaces.
func (m Message) writeHeaders(msg *mail.Msg, from, to mailbox) error {
	headers := map[mail.Header]string{
		"From":                 from.header(),
		"To":                   to.header(),
		mail.HeaderSubject:     encodedText(m.Subject, plainSubject),
		mail.HeaderDate:        m.Date.Format(time.RFC1123Z),
		mail.HeaderMessageID:   "<" + m.ID + ">",
		"Auto-Submitted":       "auto-generated", // no vacation notices, please (RFC 3834 section 5)
		mail.HeaderContentLang: m.Language,
	}
	if m.ReplyTo != "" {
		replyTo, err := parseMailbox(m.ReplyTo)
		if err != nil {
			return cannotCompose("reply address", err)
		}
		headers["Reply-To"] = replyTo.header()
	}
	for name, value := range headers {
		if value != "" || name == mail.HeaderSubject {
			msg.SetGenHeader(name, value)
		}
	}
	return nil
}

func (m Message) writeParts(msg *mail.Msg) error {
	msg.SetBodyString(mail.TypeTextPlain, withCRLF(m.Text))
	if m.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, withCRLF(m.HTML))
	}
	for _, p := range m.Pictures {
		err := msg.EmbedReader(p.ContentID, bytes.NewReader(p.Data), func(f *mail.File) {
			f.Header.Set("Content-Type", p.ContentType)
			f.Header.Set("Content-Disposition", "inline")
			f.Header.Set("Content-ID", "<"+p.ContentID+">")
		})
		if err != nil {
			return err
		}
	}
	for _, a := range m.Attachments {
		err := msg.AttachReader(a.Name, bytes.NewReader(a.Data), func(f *mail.File) {
			f.Header.Set("Content-Type", a.ContentType)
			f.Header.Set("Content-Disposition", disposition(a.Name))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// withCRLF gives text the line ends that it must have before it is encoded
// (RFC 2045 section 6.8).
func withCRLF(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	return strings.ReplaceAll(text, "\n", "\r\n")
}

var boundary = regexp.MustCompile(`boundary=([0-9a-f]{60})\r\n`)

// fixBoundaries replaces the random boundaries between the parts, where they
// stand, with some that follow from the Message-ID. go-mail can be given only one
// for all levels, which no reader could take apart.
func fixBoundaries(data []byte, id string) {
	for level, found := range boundary.FindAllSubmatch(data, -1) {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", id, level))
		random, fixed := bytes.Clone(found[1]), fmt.Appendf(nil, "%x", sum[:len(found[1])/2])
		for rest := data; ; {
			at := bytes.Index(rest, random)
			if at < 0 {
				break
			}
			rest = rest[at+copy(rest[at:], fixed):]
		}
	}
}

// nameRoot tells what the pictures are related to, as RFC 2387 section 3.1 wants
// it and go-mail doesn't. Readers find it without, since it comes first.
func nameRoot(data []byte) []byte {
	const related = "\r\nContent-Type: multipart/related;"
	at := bytes.Index(data, []byte(related+"\r\n"))
	if at < 0 {
		return data
	}
	return slices.Insert(data, at+len(related), []byte(" type=\"multipart/alternative\";")...)
}
