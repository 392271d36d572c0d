package diag

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// positions returns where each code point of a scalar's value stands in the file, and where the value ends.
func (s *Source) positions(n *yaml.Node) []Position {
	w := &walker{lines: s.lines, line: n.Line - 1, column: n.Column - 1}
	value := []rune(n.Value)
	at := make([]Position, 0, len(value)+1)
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		w.block(value)
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		w.column++
	}
	double, single := n.Style&yaml.DoubleQuotedStyle != 0, n.Style&yaml.SingleQuotedStyle != 0
	for _, r := range value {
		at = append(at, w.take(r, double, single))
	}
	return append(at, w.position())
}

// walker goes through the file beside a scalar's value.
type walker struct {
	lines        [][]rune
	line, column int
	indent       int // of a block scalar
}

// block moves from the header of a block scalar to its text. What the first line is indented by beyond the value's own
// spaces is the indentation of all of them.
func (w *walker) block(value []rune) {
	w.line++
	first := w.line
	for first < len(w.lines) && len(strings.TrimSpace(string(w.lines[first]))) == 0 {
		first++
	}
	if first < len(w.lines) {
		own := []rune(strings.TrimLeft(string(value), "\n"))
		w.indent = max(0, spaces(w.lines[first])-spaces(own))
	}
	w.column = w.indent
}

// spaces is the number of spaces at the beginning of a text.
func spaces(text []rune) int {
	n := 0
	for n < len(text) && text[n] == ' ' {
		n++
	}
	return n
}

func (w *walker) position() Position { return Position{w.line + 1, w.column + 1} }

func (w *walker) rest() []rune {
	if w.line >= len(w.lines) || w.column >= len(w.lines[w.line]) {
		return nil
	}
	return w.lines[w.line][w.column:]
}

// take returns where the next code point of the value stands, and moves past it.
func (w *walker) take(r rune, double, single bool) Position {
	for w.line < len(w.lines) {
		here, rest := w.position(), w.rest()
		switch {
		case double && len(rest) == 1 && rest[0] == '\\': // an escaped line end yields nothing
			w.next()
			continue
		case len(rest) == 0: // the line's end stands for a line end or, folded, for a space
			w.next()
			if r != '\n' && r != ' ' {
				continue
			}
		case r == ' ' && w.onlySpaces(rest): // folded: spaces at the line's end belong to the fold
			w.next()
		case double && rest[0] == '\\':
			w.column += escape(rest)
		case single && rest[0] == '\'' && len(rest) > 1 && rest[1] == '\'':
			w.column += 2
		default:
			w.column++
		}
		return here
	}
	return w.position()
}

func (w *walker) onlySpaces(rest []rune) bool {
	return w.indent == 0 && len(strings.TrimSpace(string(rest))) == 0
}

// next moves to the beginning of the text on the next line.
func (w *walker) next() {
	w.line++
	w.column = w.indent
	if w.indent == 0 {
		for rest := w.rest(); len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t'); rest = w.rest() {
			w.column++
		}
	}
}

// escape returns the length of the escape sequence at the beginning of a double-quoted text.
func escape(rest []rune) int {
	if len(rest) < 2 {
		return 1
	}
	length := map[rune]int{'x': 4, 'u': 6, 'U': 10}[rest[1]]
	return min(max(2, length), len(rest))
}
