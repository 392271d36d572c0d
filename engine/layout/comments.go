package layout

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// remark is a comment where it stands.
type remark struct {
	line, column int
	text         string
	alone        bool // on a line of its own
}

// scan finds every comment: what begins with a `#` behind a space, outside of quotes and of blocks of text.
func (d *document) scan() []remark {
	type stretch struct{ from, to int }
	quoted := map[int][]stretch{} // by line
	var visit func(*yaml.Node)
	visit = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			last, column := d.quoteEnd(n)
			for line := n.Line - 1; line <= last && line < len(d.lines); line++ {
				s := stretch{0, len(d.lines[line])}
				if line == n.Line-1 {
					s.from = n.Column - 1
				}
				if line == last {
					s.to = column + 1
				}
				quoted[line] = append(quoted[line], s)
			}
		}
		for _, c := range n.Content {
			visit(c)
		}
	}
	visit(d.root.yaml)
	var found []remark
	for n, line := range d.lines {
		if d.text[n] {
			continue
		}
		for i, r := range line {
			if r != '#' || i > 0 && line[i-1] != ' ' && line[i-1] != '\t' ||
				slices.ContainsFunc(quoted[n], func(s stretch) bool { return i >= s.from && i < s.to }) {
				continue
			}
			found = append(found, remark{line: n, column: i, text: strings.TrimRight(string(line[i:]), " \t"), alone: strings.TrimSpace(string(line[:i])) == ""})
			break
		}
	}
	return found
}

// remarks are the comments of a file, sorted.
func (d *document) remarks() []string {
	var all []string
	for _, r := range d.scan() {
		all = append(all, r.text)
	}
	slices.Sort(all)
	return all
}

// comments puts every comment beside the entry that it is about, and notes where blank lines stand.
func (d *document) comments() {
	all := d.entries(d.root, nil)
	for _, r := range d.scan() {
		switch {
		case !r.alone:
			d.behind(r, all)
		case len(all) == 0 || r.line < all[0].line && r.column <= all[0].column:
			d.header = append(d.header, comment{r.text, d.blankBefore(r.line)})
		default:
			d.alone(r, all)
		}
	}
	for _, e := range all {
		e.blank = d.begins(e) && d.blankBefore(e.line)
	}
}

// entries are all of them in the order of the file.
func (d *document) entries(v *value, all []*entry) []*entry {
	for _, e := range v.entries {
		all = d.entries(e.value, append(all, e))
	}
	return all
}

// begins reports whether an entry is the first on its line.
func (d *document) begins(e *entry) bool {
	return e.line < len(d.lines) && leading(d.lines[e.line]) == e.column
}

func (d *document) blankBefore(line int) bool {
	return line > 0 && line <= len(d.lines) && !d.text[line-1] && len(strings.TrimSpace(string(d.lines[line-1]))) == 0
}

// behind is for a comment behind something: of the entries that begin on its line, the outermost that ends on it, else the
// last; where none begins, the outermost whose brackets end on it, else the last before. An item whose entries stand
// in lines of their own is passed over, its last one is meant.
func (d *document) behind(r remark, all []*entry) {
	var of *entry
	begins := false
	for _, e := range all {
		switch {
		case e.line > r.line:
		case e.line == r.line:
			if !begins || of.value.end > r.line || of.key == nil && lined(of.value) {
				of, begins = e, true
			}
		case of == nil || of.value.end != r.line || !flow(of.value.yaml):
			of = e
		}
	}
	switch {
	case of == nil:
		d.header = append(d.header, comment{r.text, false})
	case of.trail != "":
		of.head = append(of.head, comment{r.text, false})
	default:
		of.trail = r.text
	}
}

// lined reports whether the entries of a collection stand in lines of their own.
func lined(v *value) bool { return len(v.entries) > 0 && !flow(v.yaml) }

// alone is for a comment on a line of its own: it is about what follows, unless it stands further in than that, with what
// comes before.
func (d *document) alone(r remark, all []*entry) {
	c := comment{r.text, d.blankBefore(r.line)}
	next := slices.IndexFunc(all, func(e *entry) bool { return e.line > r.line })
	if in := d.brackets(d.root, r.line); in != nil {
		if i := slices.IndexFunc(in.entries, func(e *entry) bool { return e.line > r.line }); i >= 0 {
			in.entries[i].head = append(in.entries[i].head, c)
			return
		}
		if last := len(in.entries) - 1; last >= 0 {
			in.entries[last].foot = append(in.entries[last].foot, c)
			return
		}
	}
	var before *entry
	for v := d.root; v != nil; {
		i := slices.IndexFunc(v.entries, func(e *entry) bool { return e.line > r.line })
		if i < 0 {
			i = len(v.entries)
		}
		if i == 0 || v.entries[i-1].column > r.column {
			break
		}
		before = v.entries[i-1]
		if v = before.value; flow(v.yaml) {
			break
		}
	}
	switch {
	case next >= 0 && (before == nil || all[next].column >= r.column || before.column <= all[next].column):
		all[next].head = append(all[next].head, c)
	case before != nil:
		before.foot = append(before.foot, c)
	default:
		d.header = append(d.header, c)
	}
}

// brackets is the innermost collection in brackets that spans a line and the ones around it.
func (d *document) brackets(v *value, line int) *value {
	for _, e := range v.entries {
		if e.line <= line && e.value.end >= line {
			if in := d.brackets(e.value, line); in != nil {
				return in
			}
		}
	}
	if v.yaml.Kind != yaml.ScalarNode && flow(v.yaml) && v.yaml.Line-1 < line && v.end >= line {
		return v
	}
	return nil
}
