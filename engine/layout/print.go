package layout

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/siyiban/onething/diag"
)

// printer writes a document line by line.
type printer struct {
	document *document
	lines    []printed
	prefix   string // dashes that the next line begins with
}

// printed is a line with the comment behind it.
type printed struct {
	text, trail string
	verbatim    bool // of a block of text
}

func (d *document) print() []byte {
	p := &printer{document: d}
	p.comments(0, d.header, true)
	schema := schemaOf(d.root.yaml)
	switch {
	case len(d.root.entries) > 0:
		p.entries(d.root, schema, nil, 0)
	default:
		p.line(0, p.short(d.root, schema, nil, false), "")
	}
	return []byte(p.text())
}

// maxAligned is how long a line may be for the comments beside it to stand in one column with its own.
const maxAligned = 60

// text puts comments in one column that stand behind lines that follow each other and begin at one column.
func (p *printer) text() string {
	var b strings.Builder
	for i := 0; i < len(p.lines); {
		run, column := i, 0
		in := leading([]rune(p.lines[i].text))
		for ; run < len(p.lines) && p.lines[run].trail != "" && leading([]rune(p.lines[run].text)) == in; run++ {
			if w := diag.Columns(p.lines[run].text); w <= maxAligned {
				column = max(column, w)
			}
		}
		if run == i { // no comment
			b.WriteString(p.lines[i].text + "\n")
			i++
		}
		for ; i < run; i++ {
			l := p.lines[i]
			b.WriteString(l.text + strings.Repeat(" ", max(0, column-diag.Columns(l.text))) + " " + l.trail + "\n")
		}
	}
	return b.String()
}

// line writes a line; what waits in the prefix stands before it.
func (p *printer) line(indent int, text, trail string) {
	dashes := p.prefix
	p.prefix = ""
	p.lines = append(p.lines, printed{text: strings.Repeat(" ", indent-len(dashes)) + dashes + text, trail: trail})
}

// gap leaves a blank line, except at the beginning.
func (p *printer) gap() {
	if len(p.lines) > 0 && (p.lines[len(p.lines)-1].text != "" || p.lines[len(p.lines)-1].verbatim) {
		p.lines = append(p.lines, printed{})
	}
}

// comments writes comments on lines of their own. first says that nothing stands before them in their block.
func (p *printer) comments(indent int, all []comment, first bool) {
	for i, c := range all {
		if c.blank && (!first || i > 0) {
			p.gap()
		}
		p.lines = append(p.lines, printed{text: strings.Repeat(" ", indent) + c.text})
	}
}

// entries writes a mapping or list in lines of its own.
func (p *printer) entries(v *value, schema protoreflect.MessageDescriptor, keyed protoreflect.FieldDescriptor, indent int) {
	for i, e := range sorted(v, schema) {
		inner, innerKeyed := schema, keyed
		if e.key != nil {
			if inner, innerKeyed = below(schema, e.key.Value); keyed != nil {
				inner = keyed.MapValue().Message()
			}
		}
		hoist(e, inner)
		if p.prefix == "" { // else it stands behind a dash
			first := i == 0 && (indent > 0 || len(p.document.header) == 0)
			if len(e.head) > 0 && first {
				e.head[0].blank = false
			}
			p.comments(indent, e.head, first)
			if e.blank && (!first || len(e.head) > 0) {
				p.gap()
			}
		}
		p.entry(e, inner, innerKeyed, indent)
		p.comments(indent, e.foot, false)
	}
}

// hoist takes the comments before the first entry of an item before the item: nothing stands between a dash and what
// follows it.
func hoist(e *entry, schema protoreflect.MessageDescriptor) {
	if e.key != nil || len(e.value.entries) == 0 {
		return
	}
	first := sorted(e.value, schema)[0]
	hoist(first, schema)
	e.head = append(e.head, first.head...)
	first.head = nil
}

// entry writes a key with its value, or an item.
func (p *printer) entry(e *entry, schema protoreflect.MessageDescriptor, keyed protoreflect.FieldDescriptor, indent int) {
	begin := "- "
	if e.key != nil {
		begin = scalarKey(e.key, false) + ": "
	}
	n := e.value.yaml
	switch {
	case n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		p.block(e, begin, indent)
	case len(e.value.entries) == 0 || p.fits(e, schema, keyed, indent+diag.Columns(begin)):
		p.line(indent, begin+p.short(e.value, schema, keyed, false), e.trail)
	case e.key != nil:
		p.line(indent, strings.TrimRight(begin, " "), e.trail)
		p.entries(e.value, schema, keyed, indent+step)
	default:
		if e.trail != "" { // the first line of the item has its own
			prefix := p.prefix
			p.prefix = ""
			p.comments(indent-len(prefix), []comment{{text: e.trail}}, true)
			p.prefix = prefix
		}
		p.prefix += begin
		p.entries(e.value, schema, keyed, indent+step)
	}
}

// fits reports whether a collection stands in brackets: it fits on the line, no comment is in it, and it is no list whose
// items have keys of their own.
func (p *printer) fits(e *entry, schema protoreflect.MessageDescriptor, keyed protoreflect.FieldDescriptor, column int) bool {
	v := e.value
	if v.yaml.Kind == yaml.SequenceNode && slices.ContainsFunc(v.entries, func(e *entry) bool { return e.value.yaml.Kind != yaml.ScalarNode }) {
		return false
	}
	return bracketed(v) && column+diag.Columns(p.short(v, schema, keyed, false)) <= Width
}

// bracketed reports whether everything in a value can stand in brackets.
func bracketed(v *value) bool {
	if v.yaml.Kind == yaml.ScalarNode {
		return v.yaml.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0
	}
	return !slices.ContainsFunc(v.entries, func(e *entry) bool {
		return len(e.head) > 0 || len(e.foot) > 0 || e.trail != "" || !bracketed(e.value)
	})
}

// short is a value on one line.
func (p *printer) short(v *value, schema protoreflect.MessageDescriptor, keyed protoreflect.FieldDescriptor, inFlow bool) string {
	switch v.yaml.Kind {
	case yaml.MappingNode:
		var parts []string
		for _, e := range sorted(v, schema) {
			inner, innerKeyed := below(schema, e.key.Value)
			if keyed != nil {
				inner = keyed.MapValue().Message()
			}
			parts = append(parts, scalarKey(e.key, true)+": "+p.short(e.value, inner, innerKeyed, true))
		}
		if len(parts) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case yaml.SequenceNode:
		var parts []string
		for _, e := range v.entries {
			parts = append(parts, p.short(e.value, schema, keyed, true))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return scalar(v.yaml, inFlow)
	}
}

// scalarKey writes a key.
func scalarKey(n *yaml.Node, inFlow bool) string {
	if n.ShortTag() == "!!null" || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return quote(n.Value)
	}
	return scalar(n, inFlow)
}

// block writes a block of text as it is, further in or out.
func (p *printer) block(e *entry, begin string, indent int) {
	n := e.value.yaml
	header := p.document.lines[n.Line-1][n.Column-1:]
	mark := strings.Fields(string(header))[0]
	if i := strings.IndexAny(mark, "123456789"); i >= 0 { // how far in the text stands
		mark = mark[:i] + string(rune('0'+step)) + mark[i+1:]
	}
	p.line(indent, begin+mark, e.trail)
	body := p.document.block(n)
	content := -1
	for _, line := range body {
		if len(strings.TrimSpace(string(line))) > 0 && (content < 0 || leading(line) < content) {
			content = leading(line)
		}
	}
	for _, line := range body {
		text := ""
		if len(line) > content && content >= 0 {
			text = strings.Repeat(" ", indent+step) + string(line[content:])
		}
		p.lines = append(p.lines, printed{text: text, verbatim: true})
	}
}
