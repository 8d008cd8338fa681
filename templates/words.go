package templates

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// words are all the words of one language, as a wording file holds them.
type words struct {
	Shared  Wording        `table:"shared"`
	Mail    mailWording    `table:"mail"`
	Receipt receiptWording `table:"receipt"`
}

// word is one entry of a wording file: a text, or a list of them.
type word struct {
	table, key string
	value      reflect.Value // settable; a string or []string
	holds      []string      // what may stand in it in braces
	needs      []string      // and what must
}

// all goes through the entries of a wording file, in order.
func (w *words) all() iter.Seq[word] {
	return func(yield func(word) bool) {
		tables := reflect.ValueOf(w).Elem()
		for i := range tables.NumField() {
			table := tables.Field(i)
			for j := range table.NumField() {
				tag := table.Type().Field(j).Tag
				needs := strings.Fields(tag.Get("needs"))
				entry := word{
					table: tables.Type().Field(i).Tag.Get("table"), key: tag.Get("key"), value: table.Field(j),
					holds: append(strings.Fields(tag.Get("holds")), needs...), needs: needs,
				}
				if !yield(entry) {
					return
				}
			}
		}
	}
}

func (w word) name() string { return w.table + "." + w.key }

// texts are the entry's text, or the texts of its list.
func (w word) texts() []string {
	if w.value.Kind() == reflect.String {
		return []string{w.value.String()}
	}
	return w.value.Interface().([]string)
}

// read takes the words from a wording file. What the file leaves out stays as
// it was. With missing, what slips print is looked up in their fonts.
func (w *words) read(from source, missing func(string) []rune) []Fault {
	var tables map[string]any
	if err := toml.Unmarshal([]byte(from.text), &tables); err != nil {
		return []Fault{notTOML(from, err)}
	}
	given := flat(tables)
	var faults []Fault
	for entry := range w.all() {
		value, found := given[entry.name()]
		if !found {
			continue
		}
		delete(given, entry.name())
		if code := entry.take(value); code != 0 {
			faults = append(faults, from.fault(entry.name(), code, ""))
			continue
		}
		faults = append(faults, entry.check(from)...)
		if lacking := entry.lacking(missing); lacking != "" {
			faults = append(faults, from.fault(entry.name(), faultNotPrintable, lacking))
		}
	}
	for _, unknown := range slices.Sorted(maps.Keys(given)) {
		faults = append(faults, from.fault(unknown, faultUnknownWord, ""))
	}
	return faults
}

// flat makes names such as mail.subject of a file's tables.
func flat(tables map[string]any) map[string]any {
	values := map[string]any{}
	for name, value := range tables {
		table, ok := value.(map[string]any)
		if !ok {
			values[name] = value
		}
		for key, value := range table {
			values[name+"."+key] = value
		}
	}
	return values
}

// take stores a value if it is of the entry's kind. Otherwise it says what that
// would be.
func (w word) take(given any) faultCode {
	if w.value.Kind() == reflect.String {
		text, ok := given.(string)
		if !ok {
			return faultNoText
		}
		w.value.SetString(text)
		return 0
	}
	list, _ := given.([]any)
	var texts []string
	for _, one := range list {
		text, ok := one.(string)
		if !ok {
			return faultNoList
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return faultNoList
	}
	w.value.Set(reflect.ValueOf(texts))
	return 0
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// check looks at what stands in braces.
func (w word) check(from source) []Fault {
	var faults []Fault
	text := strings.Join(w.texts(), "\n")
	for _, found := range placeholder.FindAllString(text, -1) {
		if !slices.Contains(w.holds, strings.Trim(found, "{}")) {
			faults = append(faults, from.fault(w.name(), faultUnknownPlaceholder, found))
		}
	}
	for _, needed := range w.needs {
		if !strings.Contains(text, "{"+needed+"}") {
			faults = append(faults, from.fault(w.name(), faultNeedsPlaceholder, "{"+needed+"}"))
		}
	}
	return faults
}

// lacking are the characters of what slips print that their fonts lack.
func (w word) lacking(missing func(string) []rune) string {
	if missing == nil || w.table != "shared" {
		return ""
	}
	return string(missing(strings.Join(w.texts(), "")))
}

// fill replaces what stands in braces: pairs are names and values. What a value
// has in braces stays as it is.
func fill(text string, pairs ...string) string {
	braced := slices.Clone(pairs)
	for i := 0; i < len(braced); i += 2 {
		braced[i] = "{" + braced[i] + "}"
	}
	return strings.NewReplacer(braced...).Replace(text)
}

func notTOML(from source, err error) Fault {
	fault := Fault{Path: from.path, code: faultNotTOML, detail: strings.TrimPrefix(err.Error(), "toml: ")}
	if at := new(toml.DecodeError); errors.As(err, &at) {
		fault.Line, _ = at.Position()
	}
	return fault
}

// fault is one about an entry, with the line that the entry begins on.
func (s source) fault(name string, code faultCode, detail string) Fault {
	return Fault{Path: s.path, Line: s.lineOf(name), code: code, entry: name, detail: detail}
}

// lineOf finds the line on which an entry such as mail.subject begins; 0 when it
// is written in a way that only TOML knows.
func (s source) lineOf(name string) int {
	table, key, _ := strings.Cut(name, ".")
	heading := regexp.MustCompile(fmt.Sprintf(`^\s*\[\s*%s\s*\]`, regexp.QuoteMeta(table)))
	entry := regexp.MustCompile(fmt.Sprintf(`^\s*%s\s*=`, regexp.QuoteMeta(key)))
	inside, line := false, 0
	for text := range strings.Lines(s.text) {
		line++
		switch {
		case heading.MatchString(text):
			inside = true
			if key == "" {
				return line
			}
		case strings.HasPrefix(strings.TrimSpace(text), "["):
			inside = false
		case inside && entry.MatchString(text):
			return line
		}
	}
	return 0
}
