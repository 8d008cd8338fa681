package slip

import "strings"

// style is how a text is set. Its lines are the most it may take at full size;
// a text that needs more is set smaller, so that nothing is ever lost or runs
// into what stands next.
type style struct {
	size    float64 // points
	weight  weight
	colour  colour
	leading float64 // line height, in sizes
	lines   int
	whole   float64 // rather than broken, a line is set smaller down to this size; 0: broken at once
}

// shrink is how much smaller a text is tried when it doesn't fit.
const shrink = 0.96

// ascent is how far letters reach above the baseline, in sizes; the rest of the
// em is below.
const ascent = 0.88

// height is that of one line.
func (s style) height() float64 { return s.size * point * s.leading }

// baseline is how far below the top of its line a text stands.
func (s style) baseline() float64 { return s.size * point * ((s.leading-1)/2 + ascent) }

// fit breaks paragraphs into lines of a width, at the largest size at which they
// take no more room than the style gives.
func (s style) fit(paragraphs [][]letter, width float64) ([][]letter, style) {
	room := float64(s.lines) * s.size
	if s.whole > 0 {
		for one := s; one.size >= s.whole; one.size *= shrink {
			if lines := one.breakAll(paragraphs, width); len(lines) == len(paragraphs) && one.takes(lines) <= room {
				return lines, one
			}
		}
	}
	for {
		if lines := s.breakAll(paragraphs, width); s.takes(lines) <= room {
			return lines, s
		}
		s.size *= shrink
	}
}

func (s style) breakAll(paragraphs [][]letter, width float64) [][]letter {
	var lines [][]letter
	for _, text := range paragraphs {
		lines = append(lines, breakLines(text, int(width/(s.size*point)*1000))...)
	}
	return lines
}

// takes is the room of lines, in points without leading.
func (s style) takes(lines [][]letter) float64 { return float64(len(lines)) * s.size }

// part is a piece of the page that grows downwards as it is written.
type part struct {
	page
	height  float64
	letters *typecase
	scale   float64
}

func (c composer) part() part { return part{letters: c.letters, scale: c.scale} }

// scaled is a style as large as the page lets it be.
func (c composer) scaled(s style) style { return s.scaled(c.scale) }

func (s style) scaled(by float64) style {
	s.size *= by
	s.whole *= by
	return s
}

// write sets a text below what is there. Line breaks in it are kept.
func (p *part) write(text string, s style, x, width float64) {
	s = s.scaled(p.scale)
	var paragraphs [][]letter
	for paragraph := range strings.Lines(text) {
		paragraphs = append(paragraphs, p.letters.set(strings.TrimSpace(paragraph), s.weight))
	}
	lines, s := s.fit(paragraphs, width)
	for _, letters := range lines {
		p.lines = append(p.lines, line{x, p.height + s.baseline(), s.size, s.weight, s.colour, letters})
		p.height += s.height()
	}
}

// down leaves space.
func (p *part) down(by float64) { p.height += by }

// fill puts an area in one colour behind the text.
func (p *part) fill(a area, c colour) { p.fills = append(p.fills, fill{a, c}) }

// frame draws a thin rule around an area.
func (p *part) frame(a area, c colour) {
	p.fill(area{a.x, a.y, a.width, rule}, c)
	p.fill(area{a.x, a.y + a.height - rule, a.width, rule}, c)
	p.fill(area{a.x, a.y, rule, a.height}, c)
	p.fill(area{a.x + a.width - rule, a.y, rule, a.height}, c)
}

// add puts a finished part below what is there.
func (p *part) add(other part) {
	p.place(other.page, p.height)
	p.height += other.height
}

// beside puts two parts next to each other.
func beside(one, other part) part {
	one.place(other.page, 0)
	one.height = max(one.height, other.height)
	return one
}

// onOneBaseline puts two parts next to each other so that their first lines
// stand on one baseline, whatever their sizes.
func onOneBaseline(one, other part) part {
	lowered := func(upper, lower part) part {
		moved := part{letters: upper.letters, scale: upper.scale}
		moved.down(lower.lines[0].y - upper.lines[0].y)
		moved.add(upper)
		return moved
	}
	switch {
	case len(one.lines) == 0 || len(other.lines) == 0:
	case one.lines[0].y < other.lines[0].y:
		one = lowered(one, other)
	default:
		other = lowered(other, one)
	}
	return beside(one, other)
}
