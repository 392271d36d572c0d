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
	"github.com/siyiban/onething/forms/rule"
)

// reading is what one version answers to a question, and all that this depends on.
type reading struct {
	bundle *catalog.Bundle
	ask    func(guide.Trace) said
	paths  map[forms.Path]bool // answers, facts, results, parameters, `today`, `place`
	texts  []string            // rules and formulas
	from   map[string]string   // what stands behind what is read, to see whether two versions read alike
}

// said is an answer: "" if the question does not arise. As long as it is open, it waits for the causes.
type said struct {
	answer string
	open   bool
	causes []forms.Cause
}

// is says whether it is the given answer.
func (s said) is(answer string) rule.Outcome {
	switch {
	case s.open:
		return rule.Outcome{Causes: s.causes}
	case s.answer == answer:
		return rule.Outcome{Truth: rule.True}
	default:
		return rule.Outcome{Truth: rule.False}
	}
}

// outcome is an answer of two.
func outcome(o rule.Outcome, yes, no string) said {
	switch o.Truth {
	case rule.True:
		return said{answer: yes}
	case rule.False:
		return said{answer: no}
	default:
		return said{open: true, causes: o.Causes}
	}
}

// where is the answer to a question that arises where something holds.
func where(holds rule.Outcome, answer func() said) said {
	if holds.Truth == rule.True {
		return answer()
	}
	return outcome(holds, "", "")
}

// read begins a question to a version.
func read(b *catalog.Bundle, ask func(guide.Trace) said) *reading {
	return &reading{bundle: b, ask: ask, paths: map[forms.Path]bool{}, from: map[string]string{}}
}

// says returns the answer over a record.
func (r *reading) says(record forms.Record, setting guide.Setting) said {
	return r.ask(guide.NewTrace(r.bundle, record, setting))
}

// reads are the paths, in order.
func (r *reading) reads() []forms.Path { return slices.Sorted(maps.Keys(r.paths)) }

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

// applying adds what decides whether a step applies.
func (r *reading) applying(s *catalog.Step) *reading { return r.rules(r.bundle.Applying(s)...) }

// condition adds a rule of the bundle.
func (r *reading) condition(c *catalog.Rule) *reading {
	r.rules(c.Parts()...)
	if c.Each != "" {
		r.visit([]forms.Path{c.Each})
	}
	return r
}

// among adds what another question reads of which this one is a part. Where that reads otherwise is told of the other.
func (r *reading) among(whole *reading) *reading {
	r.texts = append(r.texts, whole.texts...)
	maps.Copy(r.paths, whole.paths)
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
			r.from[string(p)] = fmt.Sprint(r.bundle.Parameters()[p.Segments()[1]])
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
	old, new *reading
	// rewritten says that the question itself is written otherwise, not only what it reads.
	rewritten bool
}

func (q *question) changed() bool { return q.rewritten || !maps.Equal(q.old.from, q.new.from) }
