package templates

import (
	"embed"
	htmltemplate "html/template"
	"slices"
	"strings"
	"sync"
	texttemplate "text/template"

	"konbill/invoice"
)

// Set is all the texts that customers see: the wording in both languages and
// the templates of the mails. A nil Set is Konbill's own.
type Set struct {
	japanese, english words
	text              *texttemplate.Template
	html              *htmltemplate.Template
	digest            string // of the files that override ours
}

// Digest tells sets of texts apart: it is another one for other words, and empty for
// Konbill's own.
func (s *Set) Digest() string {
	if s == nil {
		return ""
	}
	return s.digest
}

// fileNames are the files of a set, in the order in which they are explained.
var fileNames = []string{"ja.toml", "en.toml", "mail.txt", "mail.html", "receipt.txt", "receipt.html", "frame.html"}

//go:embed texts
var embedded embed.FS

// source is one of those files.
type source struct {
	path string // for messages
	text string
}

// own reads one of Konbill's own texts.
func own(name string) source {
	text, err := embedded.ReadFile("texts/" + name)
	if err != nil {
		panic("konbill: our own texts: " + err.Error())
	}
	return source{name, string(text)}
}

// ownSet is what a nil Set stands for.
var ownSet = sync.OnceValue(func() *Set {
	set := new(Set)
	if faults := append(set.read(nil, nil), set.parse(nil)...); len(faults) > 0 {
		panic("konbill: our own texts: " + (&FolderError{Faults: faults}).Error())
	}
	return set
})

func (s *Set) orOwn() *Set {
	if s == nil {
		return ownSet()
	}
	return s
}

// wordsIn are the words of a language; Japanese for one that Konbill doesn't
// speak.
func (s *Set) wordsIn(language invoice.Language) words {
	if language == invoice.English {
		return s.orOwn().english
	}
	return s.orOwn().japanese
}

// read takes the words from Konbill's own files and from those that override
// them, by name.
func (s *Set) read(overriding map[string]source, missing func(string) []rune) []Fault {
	return slices.Concat(
		s.japanese.read(own("ja.toml"), nil), s.japanese.override(overriding, "ja.toml", missing),
		s.english.read(own("en.toml"), nil), s.english.override(overriding, "en.toml", missing),
	)
}

// parse takes the templates.
func (s *Set) parse(overriding map[string]source) []Fault {
	s.text = texttemplate.New("").Funcs(texttemplate.FuncMap{"inc": func(n int) int { return n + 1 }})
	s.html = htmltemplate.New("")
	var faults []Fault
	for _, name := range fileNames {
		from, given := overriding[name]
		if !given {
			from = own(name)
		}
		var err error
		switch {
		case strings.HasSuffix(name, ".txt"):
			_, err = s.text.New(name).Parse(from.text)
		case strings.HasSuffix(name, ".html"):
			_, err = s.html.New(name).Parse(from.text)
		}
		if err != nil {
			faults = append(faults, templateFault(pathsOf(overriding), err))
		}
	}
	return faults
}

func (w *words) override(overriding map[string]source, name string, missing func(string) []rune) []Fault {
	from, given := overriding[name]
	if !given {
		return nil
	}
	return append(w.read(from, missing), w.checkFileName(from)...)
}

// pathsOf tells where a file of a set stands.
func pathsOf(overriding map[string]source) func(name string) string {
	return func(name string) string {
		if from, given := overriding[name]; given {
			return from.path
		}
		return name
	}
}

// write fills in both templates of a mail.
func (s *Set) write(name string, facts any) (text, html string, err error) {
	var asText, asHTML strings.Builder
	if err := s.orOwn().text.ExecuteTemplate(&asText, name+".txt", facts); err != nil {
		return "", "", err
	}
	if err := s.orOwn().html.ExecuteTemplate(&asHTML, name+".html", facts); err != nil {
		return "", "", err
	}
	return asText.String(), asHTML.String(), nil
}

// File is one of Konbill's own texts, for merchants to start from.
type File struct {
	Name string // without a folder
	Text string
}

// Files are all of Konbill's own texts, with comments that say what may be
// changed.
func Files() []File {
	var files []File
	for _, name := range fileNames {
		files = append(files, File{name, own(name).text})
	}
	return files
}
