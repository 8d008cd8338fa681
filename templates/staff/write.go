package staff

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"text/template"
	"time"

	"konbill/invoice"
)

//go:embed texts
var files embed.FS

var (
	japanese = parse("texts/ja/*.txt", japaneseWords)
	english  = parse("texts/en/*.txt", englishWords)
	notes    = parse("texts/notes/*.txt", template.FuncMap{"ja": japaneseDay, "en": englishDay})
)

// parse reads texts when the first of them is wanted: most commands write none.
func parse(pattern string, words template.FuncMap) func() *template.Template {
	return sync.OnceValue(func() *template.Template {
		t := template.New("").Funcs(words).Funcs(template.FuncMap{
			"first": first[Numbered], "firstRejected": first[Reject],
			"inc": func(n int) int { return n + 1 },
		})
		return template.Must(t.ParseFS(files, pattern))
	})
}

// mail writes a mail. A template's first line is the subject.
func mail(language invoice.Language, name string, data any) (Message, error) {
	texts := japanese
	if language == invoice.English {
		texts = english
	}
	text, err := write(texts(), name, data)
	if err != nil {
		return Message{}, err
	}
	subject, body, _ := strings.Cut(text, "\n")
	return Message{Subject: subject, Text: strings.TrimLeft(body, "\n")}, nil
}

func note(name string, data any) (string, error) { return write(notes(), name, data) }

func write(texts *template.Template, name string, data any) (string, error) {
	var text strings.Builder
	if err := texts.ExecuteTemplate(&text, name+".txt", inLines(data)); err != nil {
		return "", err
	}
	return tidy(text.String()), nil
}

var (
	spaceAtEnd = regexp.MustCompile(`[ \t]+\n`)
	emptyLines = regexp.MustCompile(`\n{3,}`)
)

// tidy leaves one empty line where the templates, for what there was nothing to
// say about, leave several.
func tidy(text string) string {
	text = spaceAtEnd.ReplaceAllString(text, "\n")
	text = emptyLines.ReplaceAllString(text, "\n\n")
	return strings.Trim(text, "\n") + "\n"
}

// mostShown bounds a list in a mail; the results file has it all.
const mostShown = 50

// shown is the beginning of a list, and how much of it is left out.
type shown[T any] struct {
	Items []T
	Left  int
}

func first[T any](items []T) shown[T] {
	if len(items) <= mostShown {
		return shown[T]{Items: items}
	}
	return shown[T]{Items: items[:mostShown], Left: len(items) - mostShown}
}

// listed writes the beginning of a list in a line. The last argument is the
// format of how much is left out.
func listed(names []string, separator, more string) string {
	beginning := first(names)
	line := strings.Join(beginning.Items, separator)
	if beginning.Left > 0 {
		line += fmt.Sprintf(more, beginning.Left)
	}
	return line
}

// What the templates of a language call to write a value.
var (
	japaneseWords = template.FuncMap{
		"when": japaneseTime, "day": japaneseDay, "date": func(t time.Time) string { return t.In(invoice.Japan).Format("1/2") },
		"list": func(names []string) string { return listed(names, "、", "、ほか %d件") },
		"sum":  func(s Sum) string { return fmt.Sprintf("%d件 %s", s.Rows, s.Yen.Format(invoice.Japanese)) },
		"result": func(r Result) string {
			return map[Result]string{Issued: "発行", AlreadyIssued: "発行済み", Rejected: "要修正", NotIssued: "発行できず", Unknown: "結果不明"}[r]
		},
	}
	englishWords = template.FuncMap{
		"when": englishTime, "day": englishDay, "date": func(t time.Time) string { return t.In(invoice.Japan).Format("2 Jan") },
		"list": func(names []string) string { return listed(names, ", ", ", and %d more") },
		"sum":  func(s Sum) string { return counted(s.Rows, "row") + ", " + s.Yen.Format(invoice.English) },
		"n":    counted,
		"result": func(r Result) string {
			return map[Result]string{Issued: "issued", AlreadyIssued: "already issued", Rejected: "to be corrected", NotIssued: "not issued", Unknown: "unknown"}[r]
		},
	}
)

// counted writes a number with its noun, which takes an s for more than one.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// japaneseTime is a moment of these days: 12月1日(火) 02:00.
func japaneseTime(t time.Time) string {
	t = t.In(invoice.Japan)
	return fmt.Sprintf("%s(%c) %s", t.Format("1月2日"), []rune("日月火水木金土")[t.Weekday()], t.Format("15:04"))
}

// japaneseDay is a moment that may be long ago: 2026年12月1日(火) 02:00.
func japaneseDay(t time.Time) string { return t.In(invoice.Japan).Format("2006年") + japaneseTime(t) }

// englishTime is a moment of these days: Tue, 1 December, 02:00.
func englishTime(t time.Time) string { return t.In(invoice.Japan).Format("Mon, 2 January, 15:04") }

// englishDay is a moment that may be long ago: Tue, 1 December 2026, 02:00.
func englishDay(t time.Time) string { return t.In(invoice.Japan).Format("Mon, 2 January 2006, 15:04") }
