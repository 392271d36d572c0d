package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/formula"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// reading is all that the answer to a question depends on, in one version.
type reading struct {
	bundle *catalog.Bundle
	paths  map[forms.Path]bool // answers, facts, results, `today`, `place`
	texts  []string            // rules and formulas, for the bounds in them
	from   map[string]string   // what stands behind what is read, to see whether two versions read alike
	values []kind.Value        // of parameters
	days   []kind.Date         // on which parameters change
}

func read(b *catalog.Bundle) *reading {
	return &reading{bundle: b, paths: map[forms.Path]bool{}, from: map[string]string{}}
}

// rules adds rules and all that they read.
func (r *reading) rules(rules ...*rule.Rule) *reading {
	for _, x := range rules {
		if x != nil {
			r.texts = append(r.texts, x.Text())
			r.visit(x.Reads())
		}
	}
	return r
}

// formulas adds formulas and all that they read.
func (r *reading) formulas(formulas ...*formula.Formula) *reading {
	for _, f := range formulas {
		if f != nil {
			r.texts = append(r.texts, f.Text())
			r.visit(f.Reads())
		}
	}
	return r
}

// condition adds a rule of the bundle.
func (r *reading) condition(c *catalog.Rule) *reading {
	r.rules(c.When, c.Require)
	for _, w := range c.AnyOf {
		r.rules(w.When, w.Require)
	}
	if c.Each != "" {
		r.visit([]forms.Path{c.Each})
	}
	return r
}

func (r *reading) visit(paths []forms.Path) {
	for _, p := range paths {
		if r.paths[p] {
			continue
		}
		switch p.Root() {
		case "this":
		case "params":
			r.paths[p] = true
			id := p.Segments()[1]
			values := r.bundle.Parameters()[id]
			for _, v := range values {
				r.values, r.days = append(r.values, v.Value), append(r.days, v.From, v.Until)
			}
			r.from[string(p)] = fmt.Sprint(values)
			r.paths["today"] = true
		case "form", "own":
			r.field(p)
		default:
			r.paths[p] = true
			if p.Root() == "facts" {
				if s := r.bundle.Section(p.Segments()[1]); s != nil && s.Subject() != "" {
					r.visit([]forms.Path{s.Subject()})
				}
			}
		}
	}
}

func (r *reading) field(p forms.Path) {
	f := r.bundle.Field(p)
	r.paths[p] = true
	if f == nil {
		return
	}
	from := []string{f.Kind.String()}
	rules := slices.Clone(f.When)
	if f.Section != nil {
		rules = append(rules, f.Section.When)
	}
	rules = append(rules, f.Is)
	for _, o := range f.Options {
		from = append(from, o.ID)
	}
	for _, x := range rules {
		from = append(from, canonical(x))
	}
	if f.Derive != nil {
		from = append(from, f.Derive.Text())
	}
	for _, cell := range f.Row {
		from = append(from, cell.ID, cell.Kind.String())
		for _, x := range append(slices.Clone(cell.When), cell.Is) {
			from = append(from, canonical(x))
			r.rules(x)
		}
		if cell.Derive != nil {
			from = append(from, cell.Derive.Text())
			r.formulas(cell.Derive)
		}
	}
	r.from[string(p)] = strings.Join(from, "\n")
	r.rules(rules...).formulas(f.Derive)
}

// question is something that both versions answer about a record.
type question struct {
	name     string
	old, new *reading
	// rewritten says that the question itself is written otherwise, not only what it reads.
	rewritten bool
	// ask returns the answer, "" while it is open.
	ask func(*guide.Assessment) string
}

func (q *question) changed() bool { return q.rewritten || !maps.Equal(q.old.from, q.new.from) }

// vars are the paths that decide the question in either version, computed ones left out, in order.
func (q *question) vars() []forms.Path {
	set := map[forms.Path]bool{}
	for _, r := range []*reading{q.old, q.new} {
		for p := range r.paths {
			if f := r.bundle.Field(p); p.Root() != "params" && (f == nil || !f.Field.Derived) {
				set[p] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}
