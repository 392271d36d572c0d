// Package layout keeps the YAML of bundles in one style. What stands on a line, in flow or in block style, stays as its
// author wrote it, and so does the alignment of comments; spaces, indentation, blank lines and line ends are made alike.
// No comment is lost and nothing changes its meaning: what cannot be shown to read as before is refused.
package layout

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/diag"
)

// CodeUnsure is the code of a file whose layout cannot be changed without the risk of changing what it says.
const CodeUnsure = "layout-unsure"

// step is how far a block stands in from the one that it belongs to.
const step = 2

// Format returns the text in the one style. A text that is no YAML of the bundle language's kind is refused with what is
// wrong with it.
func Format(file string, text []byte) ([]byte, diag.List) {
	once, found := format(file, text)
	if found.Err() != nil {
		return nil, found
	}
	if twice, found := format(file, once); found.Err() != nil || !bytes.Equal(once, twice) {
		return nil, unsure(file, "it does not come to rest")
	}
	return once, nil
}

func format(file string, text []byte) ([]byte, diag.List) {
	if _, found := diag.ReadYAML(file, text, &structpb.Struct{}, nil); found.Err() != nil {
		return nil, found
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	before, err := parse(text)
	if err != nil {
		return nil, unsure(file, err.Error())
	}
	f := newFormatter(text, before)
	formatted := f.format()
	after, err := parse(formatted)
	if err != nil {
		return nil, unsure(file, err.Error())
	}
	if line := differs(before, after); line > 0 {
		return nil, unsure(file, fmt.Sprintf("what stands on line %d would read otherwise", line))
	}
	if !slices.Equal(comments(before, text), comments(after, formatted)) {
		return nil, unsure(file, "a comment would be lost")
	}
	return formatted, nil
}

func unsure(file, why string) diag.List {
	return diag.List{{Span: diag.Span{File: file, Start: diag.Position{Line: 1, Column: 1}}, Severity: diag.Error, Code: CodeUnsure,
		Message: "the layout cannot be made alike safely: " + why, Hint: "write what is unusual there more plainly"}}
}

func parse(text []byte) (*yaml.Node, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	return document.Content[0], nil
}

// differs returns the line of the first node that reads otherwise in b, 0 if there is none.
func differs(a, b *yaml.Node) int {
	if a.Kind != b.Kind || a.ShortTag() != b.ShortTag() || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return max(1, a.Line)
	}
	for i := range a.Content {
		if line := differs(a.Content[i], b.Content[i]); line > 0 {
			return line
		}
	}
	return 0
}

// formatter goes through a file line by line, knowing from its nodes what each line begins.
type formatter struct {
	lines [][]rune
	// verbatim are the lines of scalars that span several.
	verbatim []bool
	// indent is, by line, where what begins there belongs; -1: it goes with the line before.
	indent []int
	// dashes is, by line, where the text behind a dash begins now; 0 if no dash begins the line.
	dashes [][]int
	flows  []*yaml.Node
}

func newFormatter(text []byte, root *yaml.Node) *formatter {
	f := &formatter{}
	for line := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n") {
		f.lines = append(f.lines, []rune(line))
	}
	f.verbatim, f.indent, f.dashes = make([]bool, len(f.lines)), make([]int, len(f.lines)), make([][]int, len(f.lines))
	for i := range f.indent {
		f.indent[i] = -1
	}
	f.visit(root, 0, false)
	return f
}

// visit notes where the lines of a block belong. flow says that the node stands inside of a flow collection.
func (f *formatter) visit(n *yaml.Node, column int, flow bool) {
	switch {
	case n.Kind == yaml.ScalarNode:
		f.scalar(n)
	case flow || n.Style&yaml.FlowStyle != 0:
		if !flow {
			f.flows = append(f.flows, n)
		}
		for _, c := range n.Content {
			f.visit(c, column, true)
		}
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			f.begin(key.Line-1, key.Column-1, column)
			f.visit(value, column+step, false)
		}
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			// The dash stands on the item's line or, if nothing follows it, on one before.
			dash := f.dash(item.Line-1, n.Column-1)
			if dash < 0 {
				continue
			}
			f.begin(dash, n.Column-1, column)
			if dash == item.Line-1 {
				f.dashes[dash] = append(f.dashes[dash], item.Column-1)
			}
			f.visit(item, column+step, false)
		}
	}
}

// begin notes that what begins a line belongs to a column.
func (f *formatter) begin(line, at, column int) {
	if line < 0 || line >= len(f.lines) || f.indent[line] >= 0 {
		return
	}
	if leading(f.lines[line]) == at {
		f.indent[line] = column
	}
}

// dash returns the line of the dash before an item.
func (f *formatter) dash(line, column int) int {
	for ; line >= 0; line-- {
		if line < len(f.lines) && column < len(f.lines[line]) && f.lines[line][column] == '-' {
			return line
		}
	}
	return -1
}

// scalar marks the lines that a scalar spans beyond its first.
func (f *formatter) scalar(n *yaml.Node) {
	first := n.Line - 1
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		content := -1
		for i := first + 1; i < len(f.lines); i++ {
			blank := len(strings.TrimSpace(string(f.lines[i]))) == 0
			if !blank && content < 0 {
				content = leading(f.lines[i])
			}
			if !blank && leading(f.lines[i]) < content {
				break
			}
			f.verbatim[i] = true
		}
		if !strings.HasSuffix(n.Value, "\n\n") { // blank lines behind it say nothing
			for i := first + 1; i < len(f.lines); i++ {
				if !f.verbatim[i] || i == len(f.lines)-1 {
					last := i
					if !f.verbatim[i] {
						last--
					}
					for ; last > first && len(strings.TrimSpace(string(f.lines[last]))) == 0; last-- {
						f.verbatim[last] = false
					}
					break
				}
			}
		}
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		quote := '\''
		if n.Style&yaml.DoubleQuotedStyle != 0 {
			quote = '"'
		}
		at := n.Column
		for i := first; i < len(f.lines); i++ {
			end := closing(f.lines[i], at, quote)
			if end >= 0 {
				return
			}
			if i+1 < len(f.lines) {
				f.verbatim[i+1] = true
			}
			at = 0
		}
	}
}

// closing returns where a quoted text ends that has begun before at, -1 if not on this line.
func closing(line []rune, at int, quote rune) int {
	for i := at; i < len(line); i++ {
		switch {
		case quote == '"' && line[i] == '\\':
			i++
		case line[i] != quote:
		case quote == '\'' && i+1 < len(line) && line[i+1] == quote:
			i++
		default:
			return i
		}
	}
	return -1
}

func leading(line []rune) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

func (f *formatter) format() []byte {
	spaced := f.flow()
	var out []string
	delta := 0
	for i, line := range f.lines {
		switch trimmed := strings.TrimSpace(string(line)); {
		case f.verbatim[i]:
			out = append(out, shift(string(line), delta))
			continue
		case trimmed == "":
			if len(out) > 0 && out[len(out)-1] != "" {
				out = append(out, "")
			}
			continue
		case f.indent[i] >= 0:
			text, moved := tighten(spaced[i], f.dashes[i])
			delta = f.indent[i] - leading(line) - moved
			out = append(out, strings.Repeat(" ", f.indent[i])+strings.TrimRight(strings.TrimLeft(text, " "), " \t"))
		case trimmed[0] == '#':
			out = append(out, strings.Repeat(" ", f.comment(i, delta))+trimmed)
		default:
			out = append(out, strings.TrimRight(shift(spaced[i], delta), " \t"))
		}
	}
	for len(out) > 0 && out[len(out)-1] == "" && !f.verbatim[len(f.lines)-1] {
		out = out[:len(out)-1]
	}
	return []byte(strings.Join(out, "\n") + "\n")
}

// tighten leaves one space behind the dashes that begin a line, and says by how much what follows has moved.
func tighten(text string, items []int) (tight string, moved int) {
	line := []rune(text)
	at := leading(line)
	prefix := line[:at]
	rest := line[at:]
	var kept []rune
	for range items {
		if len(rest) == 0 || rest[0] != '-' {
			break
		}
		rest = rest[1:]
		n := 0
		for n < len(rest) && (rest[n] == ' ' || rest[n] == '\t') {
			n++
		}
		if n == 0 {
			kept = append(kept, '-')
			break
		}
		kept, rest, moved = append(kept, '-', ' '), rest[n:], moved+n-1
	}
	return string(prefix) + string(kept) + string(rest), moved
}

// shift moves a line; one that would leave the page stays at its edge.
func shift(line string, delta int) string {
	if delta >= 0 || strings.TrimSpace(line) == "" {
		if strings.TrimSpace(line) == "" {
			return line
		}
		return strings.Repeat(" ", delta) + line
	}
	n := leading([]rune(line))
	return line[min(n, -delta):]
}

// comment is where a comment on a line of its own belongs: with what follows if it stands there, else with the last
// that stands as far in, else it moves as the lines around it.
func (f *formatter) comment(i, delta int) int {
	at := leading(f.lines[i])
	for next := i + 1; next < len(f.lines); next++ {
		if f.indent[next] >= 0 {
			if leading(f.lines[next]) == at {
				return f.indent[next]
			}
			break
		}
	}
	for last := i - 1; last >= 0; last-- {
		if f.indent[last] >= 0 && leading(f.lines[last]) == at {
			return f.indent[last]
		}
	}
	return max(0, at+delta)
}

// flow puts the spaces in flow collections: `{ a: b, c: [d, e] }`. It returns all lines.
func (f *formatter) flow() []string {
	lines := make([]string, len(f.lines))
	for i, line := range f.lines {
		lines[i] = string(line)
	}
	// From behind, so that places before stay what they are.
	slices.SortFunc(f.flows, func(a, b *yaml.Node) int {
		if a.Line != b.Line {
			return b.Line - a.Line
		}
		return b.Column - a.Column
	})
	for _, n := range f.flows {
		depth := 0
		from := n.Column - 1
		for i := n.Line - 1; i < len(lines) && !f.verbatim[i]; i++ {
			line := []rune(lines[i])
			text, ended := space(line[min(from, len(line)):], &depth)
			lines[i] = string(line[:min(from, len(line))]) + text
			if ended {
				break
			}
			if i+1 < len(lines) {
				from = leading([]rune(lines[i+1]))
			}
		}
	}
	return lines
}

// space puts the spaces in one line of a flow collection, up to its end.
func space(line []rune, depth *int) (text string, ended bool) {
	var out []rune
	last := func() rune { // the last code point that is no space
		for _, r := range slices.Backward(out) {
			if r != ' ' && r != '\t' {
				return r
			}
		}
		return 0
	}
	trim := func() {
		for len(out) > 0 && (out[len(out)-1] == ' ' || out[len(out)-1] == '\t') {
			out = out[:len(out)-1]
		}
	}
	skip := func(i int) int {
		for i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t') {
			i++
		}
		return i
	}
	more := func(i int) bool { return i+1 < len(line) && line[i+1] != '#' }
	for i := 0; i < len(line); i++ {
		r := line[i]
		switch {
		case r == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return string(out) + string(line[i:]), false
		case (r == '"' || r == '\'') && (last() == 0 || strings.ContainsRune("{[,:", last())):
			end := closing(line, i+1, r)
			if end < 0 {
				return string(out) + string(line[i:]), false
			}
			out, i = append(out, line[i:end+1]...), end
		case r == '{' || r == '[':
			*depth++
			out = append(out, r)
			next := skip(i)
			if next+1 >= len(line) || line[next+1] == '#' {
				out, i = append(out, line[i+1:next+1]...), next
				continue
			}
			if i = next; r == '{' && line[next+1] != '}' {
				out = append(out, ' ')
			}
		case r == '}' || r == ']':
			if last() != 0 {
				if trim(); r == '}' && last() != '{' {
					out = append(out, ' ')
				}
			}
			out = append(out, r)
			if *depth--; *depth == 0 {
				return string(out) + string(line[i+1:]), true
			}
		case r == ',':
			if last() != 0 {
				trim()
			}
			out = append(out, r)
			if next := skip(i); next+1 < len(line) && line[next+1] != '#' {
				out, i = append(out, ' '), next
			}
		case r == ':' && more(i) && (line[i+1] == ' ' || line[i+1] == '\t'):
			out = append(out, r)
			if next := skip(i); next+1 < len(line) && line[next+1] != '#' {
				out, i = append(out, ' '), next
			}
		default:
			out = append(out, r)
		}
	}
	return string(out), false
}

// comments are the comments of a text, sorted: from each line what follows a `#` that no scalar holds.
func comments(root *yaml.Node, text []byte) []string {
	var all []string
	var visit func(*yaml.Node)
	visit = func(n *yaml.Node) {
		for _, c := range []string{n.HeadComment, n.LineComment, n.FootComment} {
			for line := range strings.SplitSeq(c, "\n") {
				if line = strings.TrimSpace(line); line != "" {
					all = append(all, line)
				}
			}
		}
		for _, c := range n.Content {
			visit(c)
		}
	}
	visit(root)
	// The YAML package drops some comments inside of flow collections: what each line ends in is counted as well.
	for line := range strings.SplitSeq(string(text), "\n") {
		if i := strings.Index(line, "#"); i >= 0 {
			all = append(all, strings.TrimSpace(line[i:]))
		}
	}
	slices.Sort(all)
	return all
}
