package csvfile

import (
	"iter"
	"strings"
)

// record is one record of a file: where it stands, and what is wrong with it.
//
// Records follow RFC 4180, with any of comma, tab and semicolon between fields
// and any of CRLF, LF and CR at the end of lines. A record with a stray quote,
// one that stands in the middle of a value, or text behind a closing quote,
// ends with its first physical line, so that it never swallows the rows below.
//
// Beyond RFC 4180, ="0901234567" is a field: many systems write it so that
// Excel keeps the leading zero.
type record struct {
	start, end int // of its text, without the line end
	line       int // physical line on which it begins, from 1
	fields     int // how many it has; meaningless for a stray quote
	longest    int // bytes of its longest field
	stray      bool
}

// splitter walks through text record by record.
type splitter struct {
	text      string
	delimiter byte
	at        int // where the next record begins
	line      int // its physical line
	looked    int // how far next looked, or wanted to: what stands behind makes no difference to the record
}

// next returns the next record; ok is false at the end. unclosed is the line
// on which a quote opens that never closes.
func (s *splitter) next() (r record, ok bool, unclosed int) {
	if s.at >= len(s.text) {
		return record{}, false, 0
	}
	r = record{start: s.at, line: s.line}
	for {
		fieldStart := s.at
		opened := s.line
		end, closed, stray := s.field()
		s.looked = end + len("\r\n")
		switch {
		case !closed:
			return r, false, opened
		case stray:
			return s.strayRecord(r), true, 0
		}
		r.fields++
		r.longest = max(r.longest, end-fieldStart)
		s.at = end
		if end < len(s.text) && s.text[end] == s.delimiter {
			s.at++
			continue
		}
		r.end = end
		s.skipLineEnd()
		return r, true, 0
	}
}

// field finds the end of the field that begins here. It counts the lines that
// a quoted one spans.
func (s *splitter) field() (end int, closed, stray bool) {
	if s.at < len(s.text) && s.text[s.at] == '"' {
		return s.quoted()
	}
	for end = s.at; end < len(s.text); end++ {
		switch s.text[end] {
		case s.delimiter, '\r', '\n':
			return end, true, false
		case '"':
			if end == s.at+1 && s.text[s.at] == '=' {
				end, ok := s.formulaText()
				return end, true, !ok
			}
			return end, true, true
		}
	}
	return end, true, false
}

// formulaText finds the end of a field like ="0901234567", which may not span
// lines.
func (s *splitter) formulaText() (end int, ok bool) {
	opening := s.at + len(`="`)
	for end = opening; end < len(s.text); end++ {
		switch s.text[end] {
		case '\r', '\n':
			return end, false
		case '"':
			end++
			return end, s.fieldEndsAt(end)
		}
	}
	return end, false
}

func (s *splitter) fieldEndsAt(at int) bool {
	return at >= len(s.text) || s.text[at] == s.delimiter || s.text[at] == '\r' || s.text[at] == '\n'
}

// quoted finds the end of a quoted field. One that never closes goes to the end
// of the text.
func (s *splitter) quoted() (end int, closed, stray bool) {
	for end = s.at + 1; end < len(s.text); end++ {
		switch s.text[end] {
		case '\n':
			s.line++
		case '\r':
			if end+1 >= len(s.text) || s.text[end+1] != '\n' {
				s.line++
			}
		case '"':
			end++
			if end < len(s.text) && s.text[end] == '"' {
				continue
			}
			return end, true, !s.fieldEndsAt(end)
		}
	}
	return end, false, false
}

// strayRecord ends a faulty record with its first line.
func (s *splitter) strayRecord(r record) record {
	r.stray = true
	r.end = len(s.text)
	if n := strings.IndexAny(s.text[r.start:], "\r\n"); n >= 0 {
		r.end = r.start + n
	}
	s.looked = max(s.looked, r.end+len("\r\n"))
	s.at, s.line = r.end, r.line
	s.skipLineEnd()
	return r
}

// skipLineEnd goes past the line end here, unless the text ends here.
func (s *splitter) skipLineEnd() {
	if n := len(lineEndAt(s.text, s.at)); n > 0 {
		s.at += n
		s.line++
	}
}

// lineEndAt returns the line end that stands at an offset, or "".
func lineEndAt(text string, at int) string {
	switch rest := text[at:]; {
	case strings.HasPrefix(rest, "\r\n"):
		return "\r\n"
	case strings.HasPrefix(rest, "\r"):
		return "\r"
	case strings.HasPrefix(rest, "\n"):
		return "\n"
	}
	return ""
}

// lineAt is the physical line, from 1, on which an offset stands.
func lineAt(text string, at int) int {
	before := text[:at]
	return 1 + strings.Count(before, "\n") + strings.Count(before, "\r") - strings.Count(before, "\r\n")
}

// cells takes a record apart. One with a stray quote is split at every
// delimiter: it is rejected, and its text is for people to mend.
func (r record) cells(text string, delimiter byte) []string {
	if r.stray {
		return strings.Split(text[r.start:r.end], string(delimiter))
	}
	return r.appendCells(make([]string, 0, r.fields), text, delimiter)
}

// appendCells is cells, of a record without a stray quote, behind others.
func (r record) appendCells(cells []string, text string, delimiter byte) []string {
	for cell := range r.each(text, delimiter) {
		cells = append(cells, cell)
	}
	return cells
}

// cell is one of the cells, by its place from 0. The record has as many, and no
// stray quote.
func (r record) cell(column int, text string, delimiter byte) string {
	for cell := range r.each(text, delimiter) {
		if column == 0 {
			return cell
		}
		column--
	}
	return ""
}

// each yields the cells of a record without a stray quote.
func (r record) each(text string, delimiter byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		s := splitter{text: text[r.start:r.end], delimiter: delimiter}
		for {
			end, _, _ := s.field()
			if !yield(unquote(s.text[s.at:end])) || end >= len(s.text) {
				return
			}
			s.at = end + 1
		}
	}
}

func unquote(field string) string {
	if !strings.HasPrefix(field, `"`) {
		return field
	}
	field = field[1 : len(field)-1]
	if !strings.Contains(field, `"`) {
		return field
	}
	return strings.ReplaceAll(field, `""`, `"`)
}

// formulaText is what a spreadsheet shows for ="0901234567", if a cell is such.
func formulaText(cell string) (text string, ok bool) {
	text, ok = strings.CutPrefix(cell, `="`)
	if !ok {
		return "", false
	}
	text, ok = strings.CutSuffix(text, `"`)
	return text, ok && !strings.Contains(text, `"`)
}
