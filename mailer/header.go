package mailer

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	// What stands in a header as it is: words with one space between, none of
	// which folding could spoil or a reader take for an encoded word.
	plainSubject = patternOf(`^[!-<>-~]{1,60}( [!-<>-~]{1,60})*$`)
	plainPhrase  = patternOf(`^[A-Za-z0-9]{1,60}( [A-Za-z0-9]{1,60})*$`)
)

// encodedText is a text as a header field holds it: as it is where plain
// allows, else in encoded words.
func encodedText(text string, plain pattern) string {
	if text == "" || plain.MatchString(text) {
		return text
	}
	return encodedWords(text)
}

// wordBytes is how many bytes of text go into one encoded word: 60 characters
// with its frame, so that one fits behind the name of a field.
const wordBytes = 36

// encodedWords writes a text in base64 encoded words. A character is never
// split between two (RFC 2047 section 5).
func encodedWords(text string) string {
	var words []string
	word := ""
	for _, r := range text {
		if len(word)+utf8.RuneLen(r) > wordBytes {
			words = append(words, encodedWord(word))
			word = ""
		}
		word += string(r)
	}
	return strings.Join(append(words, encodedWord(word)), " ")
}

func encodedWord(text string) string {
	return "=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte(text)) + "?="
}

// disposition names an attached file: in full as RFC 2231 has it, then in ASCII
// for old readers. The full name comes first for those that understand both and
// take the first.
func disposition(name string) string {
	full := strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	return fmt.Sprintf("attachment;\r\n filename*=utf-8''%s;\r\n filename=\"%s\"", full, asciiName(name))
}

var notSafe = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// asciiName is what is left of a file name in ASCII: INV-1.pdf of
// お支払いのご案内_INV-1.pdf.
func asciiName(name string) string {
	ascii := strings.Trim(notSafe.ReplaceAllString(name, "_"), "_")
	if ascii == "" || strings.HasPrefix(ascii, ".") {
		return "attachment" + ascii
	}
	return ascii
}
