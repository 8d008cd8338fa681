package main

import (
	"fmt"
	"regexp"
	"strings"
)

// tokenPattern matches one token of a content stream (ISO 32000-1, 7.8.2).
// What isn't needed of the syntax is left out: arrays and hexadecimal strings.
var tokenPattern = regexp.MustCompile(`(?s)<<.*?>>|\((?:\\.|[^\\)])*\)|[^\s()<>]+`)

// contentReader collects the fills and the texts of a content stream, with the
// few operators that slips are made of.
type contentReader struct {
	faces  map[string]face
	page   page
	state  graphics
	stack  []graphics
	before []string // operands
	areas  [][4]float64
	x, y   float64 // of the text
}

// graphics is what q saves and Q brings back.
type graphics struct {
	colour                 [3]float64
	scaleX, scaleY, dx, dy float64
	face                   face
	size                   float64
}

func (r *contentReader) read(content []byte) error {
	r.state = graphics{scaleX: 1, scaleY: 1}
	for _, token := range tokenPattern.FindAllString(string(content), -1) {
		act, known := operators[token]
		if !known {
			r.before = append(r.before, token)
			continue
		}
		if err := act(r); err != nil {
			return fmt.Errorf("%v %s: %w", r.before, token, err)
		}
		r.before = r.before[:0]
	}
	return nil
}

// operators are those of ISO 32000-1, annex A, that slips use.
var operators = map[string]func(*contentReader) error{
	"q":  func(r *contentReader) error { r.stack = append(r.stack, r.state); return nil },
	"Q":  (*contentReader).restore,
	"cm": (*contentReader).transform,
	"g":  func(r *contentReader) error { return r.colour(1) },
	"rg": func(r *contentReader) error { return r.colour(3) },
	"re": (*contentReader).rectangle,
	"f":  (*contentReader).fill,
	"Tf": (*contentReader).font,
	"Td": (*contentReader).moveText,
	"Tj": (*contentReader).showText,

	// Only the operands of these are to be dropped.
	"w": ignore, "J": ignore, "j": ignore, "G": ignore, "RG": ignore, "BT": ignore, "ET": ignore, "BDC": ignore, "EMC": ignore, "Tr": ignore,
}

func ignore(*contentReader) error { return nil }

// last returns the last n operands.
func (r *contentReader) last(n int) ([]float64, error) {
	if len(r.before) < n {
		return nil, fmt.Errorf("%d numbers are wanted", n)
	}
	return numbers(r.before[len(r.before)-n:])
}

func (r *contentReader) restore() error {
	if len(r.stack) == 0 {
		return fmt.Errorf("nothing was saved")
	}
	r.state, r.stack = r.stack[len(r.stack)-1], r.stack[:len(r.stack)-1]
	return nil
}

func (r *contentReader) transform() error {
	n, err := r.last(6)
	if err != nil {
		return err
	}
	r.state.scaleX, r.state.scaleY, r.state.dx, r.state.dy = n[0], n[3], n[4], n[5]
	return nil
}

func (r *contentReader) colour(parts int) error {
	n, err := r.last(parts)
	if err != nil {
		return err
	}
	r.state.colour = [3]float64{n[0], n[parts/2], n[parts-1]}
	return nil
}

func (r *contentReader) rectangle() error {
	n, err := r.last(4)
	if err != nil {
		return err
	}
	s := r.state
	r.areas = append(r.areas, upright(s.dx+n[0]*s.scaleX, s.dy+n[1]*s.scaleY, n[2]*s.scaleX, n[3]*s.scaleY))
	return nil
}

func (r *contentReader) fill() error {
	r.page.Paths = append(r.page.Paths, path{r.state.colour, r.areas})
	r.areas = nil
	return nil
}

func (r *contentReader) font() error {
	size, err := r.last(1)
	if err != nil || len(r.before) < 2 {
		return fmt.Errorf("a face and a size are wanted")
	}
	name := strings.TrimPrefix(r.before[len(r.before)-2], "/")
	var known bool
	if r.state.face, known = r.faces[name]; !known {
		return fmt.Errorf("no such font")
	}
	r.state.size = size[0]
	return nil
}

func (r *contentReader) moveText() error {
	n, err := r.last(2)
	if err != nil {
		return err
	}
	r.x, r.y = n[0], n[1]
	return nil
}

func (r *contentReader) showText() error {
	if len(r.before) == 0 {
		return fmt.Errorf("a text is wanted")
	}
	text, err := r.state.face.read(r.before[len(r.before)-1])
	if err != nil {
		return err
	}
	shown := line{r.x, r.y, r.state.size, r.state.face.name, r.state.colour, text}
	if n := len(r.page.Lines); n > 0 && continues(r.page.Lines[n-1], shown) {
		r.page.Lines[n-1].Text += shown.Text
		return nil
	}
	r.page.Lines = append(r.page.Lines, shown)
	return nil
}

// continues reports whether a piece belongs to the line before it: Konbill draws
// underscores by themselves, bolder than they are in the face.
func continues(before, piece line) bool {
	joint := piece.Text == "_" || strings.HasSuffix(before.Text, "_")
	return joint && before.Y == piece.Y && before.Size == piece.Size && before.Face == piece.Face
}

var escapePattern = regexp.MustCompile(`(?s)\\(.)`)

// read turns a string of codes into the characters that they stand for.
func (f face) read(literal string) (string, error) {
	codes := escapePattern.ReplaceAllStringFunc(literal[1:len(literal)-1], func(escape string) string {
		if escape[1] == 'r' {
			return "\r"
		}
		return escape[1:]
	})
	var text strings.Builder
	for ; len(codes) >= 2; codes = codes[2:] {
		character, known := f.characters[codes[:2]]
		if !known {
			return "", fmt.Errorf("no character is known for the code %x", codes[:2])
		}
		text.WriteString(character)
	}
	return text.String(), nil
}
