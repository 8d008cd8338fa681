package mailer

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first needed. Those with
// bounds take ten milliseconds together, and most commands send no mail.
type pattern func() *regexp.Regexp

func patternOf(expression string) pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

func (p pattern) MatchString(s string) bool { return p().MatchString(s) }
