package templates

import (
	"regexp"
	"strings"
	"unicode"
)

// maxFileFormat bounds mail.file beside its number, in bytes: a number has 64
// characters, and the name with all of them and a sample's mark must fit in a
// header line (300 bytes, see mailer.Attachment).
const maxFileFormat = 36

var plainFile = regexp.MustCompile(`^[^/\\:*?"<>|[:cntrl:]]+\.pdf$`)

// checkFileName looks at the name that a merchant gives to attachments.
func (w *words) checkFileName(from source) []Fault {
	format := fill(w.Mail.File, "number", "")
	if plainFile.MatchString(w.Mail.File) && len(format) <= maxFileFormat {
		return nil
	}
	return []Fault{from.fault("mail.file", faultBadFileName, "")}
}

// attachmentName keeps to characters that are safe in a file name on every
// system.
func attachmentName(i Instructions) string {
	number := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(i.Invoice.Number, "_"))
	name := fill(i.Texts.wordsIn(i.Invoice.Language).Mail.File, "number", number)
	if i.Sample {
		name = i.Wording().Sample + "_" + name
	}
	return name
}
