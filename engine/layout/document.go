package layout

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// document is a YAML file with its comments beside what they are about.
type document struct {
	lines  [][]rune
	text   []bool // by line: of a block of text, below its header
	root   *value
	header []comment // before everything
}

// comment is a comment on a line of its own.
type comment struct {
	text  string
	blank bool // a blank line stands before it
}

// value is what stands behind a key or a dash.
type value struct {
	yaml    *yaml.Node
	entries []*entry // of a mapping or a list
	end     int      // its last line
}

// entry is a key with its value, or an item of a list.
type entry struct {
	key   *yaml.Node // nil: an item
	value *value

	line, column int  // where it begins
	blank        bool // a blank line stands before it, or before the first of its comments
	head         []comment
	trail        string // the comment behind it
	foot         []comment
}

// flow reports whether a node is written in brackets.
func flow(n *yaml.Node) bool { return n.Style&yaml.FlowStyle != 0 }

// parse reads a file.
func parse(text []byte) (*document, error) {
	var y yaml.Node
	if err := yaml.Unmarshal(text, &y); err != nil {
		return nil, err
	}
	d := &document{}
	for line := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n") {
		d.lines = append(d.lines, []rune(line))
	}
	d.text = make([]bool, len(d.lines))
	d.root = d.value(y.Content[0])
	d.comments()
	return d, nil
}

// value builds the tree below a node.
func (d *document) value(n *yaml.Node) *value {
	v := &value{yaml: n, end: max(0, n.Line-1)}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			v.entries = append(v.entries, &entry{key: key, value: d.value(n.Content[i+1]), line: key.Line - 1, column: key.Column - 1})
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			e := &entry{value: d.value(item), line: item.Line - 1, column: item.Column - 1}
			if !flow(n) { // it begins with its dash
				e.column = n.Column - 1
				for e.line > 0 && runeAt(d.lines[min(e.line, len(d.lines)-1)], e.column) != '-' {
					e.line--
				}
			}
			v.entries = append(v.entries, e)
		}
	default:
		v.end = d.scalarEnd(n)
	}
	for _, e := range v.entries {
		v.end = max(v.end, e.value.end, e.line)
	}
	if flow(n) && n.Kind != yaml.ScalarNode {
		v.end = max(v.end, d.closing(n))
	}
	return v
}

func runeAt(line []rune, at int) rune {
	if at >= 0 && at < len(line) {
		return line[at]
	}
	return 0
}

// scalarEnd is the last line of a scalar.
func (d *document) scalarEnd(n *yaml.Node) int {
	first := n.Line - 1
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		block := d.block(n)
		for i := range block {
			d.text[n.Line+i] = true
		}
		return first + len(block)
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		line, _ := d.quoteEnd(n)
		return line
	}
	last := first
	// A plain text over several lines: its words stand on the lines that follow.
	if words := strings.Fields(n.Value); len(words) > 0 && first < len(d.lines) {
		for rest := n.Value; last < len(d.lines); last++ {
			here := d.lines[last]
			if last == first {
				here = here[min(n.Column-1, len(here)):]
			}
			text := strings.TrimSpace(string(here))
			if strings.HasPrefix(text, rest) || !strings.HasPrefix(rest, text) {
				break
			}
			rest = strings.TrimLeft(strings.TrimPrefix(rest, text), " \n")
		}
	}
	return min(last, max(first, len(d.lines)-1))
}

// block are the lines of a block scalar below its header, without those that are blank at its end unless they are part of
// its value.
func (d *document) block(n *yaml.Node) [][]rune {
	first, content := n.Line, -1
	last := first
	for i := first; i < len(d.lines); i++ {
		blank := len(strings.TrimSpace(string(d.lines[i]))) == 0
		if !blank && content < 0 { // the first line may stand further in than the others
			content = leading(d.lines[i]) - leading([]rune(strings.TrimLeft(n.Value, "\n")))
		}
		if !blank && leading(d.lines[i]) < max(1, content) {
			break
		}
		if !blank || strings.HasSuffix(n.Value, "\n\n") || content < 0 && strings.HasSuffix(n.Value, "\n") {
			last = i + 1
		}
	}
	return d.lines[min(first, len(d.lines)):min(max(first, last), len(d.lines))]
}

func leading(line []rune) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

// quoteEnd is where the closing quote of a scalar stands.
func (d *document) quoteEnd(n *yaml.Node) (line, column int) {
	quote := '\''
	if n.Style&yaml.DoubleQuotedStyle != 0 {
		quote = '"'
	}
	at := n.Column
	for line = n.Line - 1; line < len(d.lines); line++ {
		text := d.lines[line]
		for i := at; i < len(text); i++ {
			switch {
			case quote == '"' && text[i] == '\\':
				i++
			case text[i] != quote:
			case quote == '\'' && runeAt(text, i+1) == '\'':
				i++
			default:
				return line, i
			}
		}
		at = 0
	}
	return max(0, len(d.lines)-1), 0
}

// closing is the line of the bracket that closes a collection.
func (d *document) closing(n *yaml.Node) int {
	quoted := map[[2]int]*yaml.Node{}
	var visit func(*yaml.Node)
	visit = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			quoted[[2]int{n.Line - 1, n.Column - 1}] = n
		}
		for _, c := range n.Content {
			visit(c)
		}
	}
	visit(n)
	depth := 0
	for line, at := n.Line-1, n.Column-1; line < len(d.lines); line, at = line+1, 0 {
		for ; at < len(d.lines[line]); at++ {
			if q := quoted[[2]int{line, at}]; q != nil {
				line, at = d.quoteEnd(q)
				continue
			}
			switch r := d.lines[line][at]; {
			case r == '#' && (at == 0 || d.lines[line][at-1] == ' ' || d.lines[line][at-1] == '\t'):
				at = len(d.lines[line])
			case r == '{' || r == '[':
				depth++
			case r == '}' || r == ']':
				if depth--; depth == 0 {
					return line
				}
			}
		}
	}
	return max(0, len(d.lines)-1)
}

// sorted are the entries of a mapping in the order of the schema; what it does not know follows as it was written.
func sorted(v *value, schema protoreflect.MessageDescriptor) []*entry {
	if schema == nil || v.yaml.Kind != yaml.MappingNode {
		return v.entries
	}
	place := func(e *entry) int {
		if field := schema.Fields().ByName(protoreflect.Name(e.key.Value)); field != nil {
			return field.Index()
		}
		return schema.Fields().Len()
	}
	entries := slices.Clone(v.entries)
	slices.SortStableFunc(entries, func(a, b *entry) int { return cmp.Compare(place(a), place(b)) })
	return entries
}
