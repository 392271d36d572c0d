package sieve

import (
	"slices"
	"strconv"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/lowered"
	"github.com/siyiban/onething/forms/rule"
)

// compiler lowers the rules of bundles into one program.
type compiler struct {
	b      *lowered.Builder
	params []param
}

// bundle lowers the rules of a bundle that decide its verdict, all or none.
func (c *compiler) bundle(b *catalog.Bundle) matter {
	in := &reader{compiler: c, bundle: b, known: map[forms.Path]lowered.Ref{}, facts: b.Facts()}
	m := matter{bundle: b}
	alone := func() matter {
		selection, _ := catalog.Select(b) // a bundle does not conflict with itself
		return matter{bundle: b, selection: selection}
	}
	var holds, concerns []lowered.Ref
	for _, r := range b.Eligibility {
		if r.Otherwise == catalog.Warn || len(r.For) > 0 || r.Examine != nil {
			continue
		}
		whom, what, err := in.rule(r)
		if err != nil {
			return alone()
		}
		m.rules, holds, concerns = append(m.rules, r), append(holds, what), append(concerns, whom)
	}
	trials, err := in.trials()
	if err != nil {
		return alone()
	}
	for i, r := range holds {
		if root := c.b.Root(r, trials); i == 0 {
			m.holds = root
		}
	}
	for i, r := range m.rules {
		root := lowered.Root(-1)
		if r.When != nil {
			root = c.b.Root(concerns[i], trials)
		}
		m.concerns = append(m.concerns, root)
	}
	for _, otherwise := range []catalog.Otherwise{catalog.Elsewhere, catalog.NotNeeded, catalog.Refuse} {
		of := rank{otherwise: otherwise}
		for i, r := range m.rules {
			if r.Otherwise == otherwise {
				of.rules = append(of.rules, int32(i))
			}
		}
		if len(of.rules) > 0 {
			m.ranks = append(m.ranks, of)
		}
	}
	return m
}

// rule is a rule of a bundle: whom it concerns, and `!when || require` or one of its ways.
func (r *reader) rule(of *catalog.Rule) (concerns, holds lowered.Ref, err error) {
	if concerns, err = r.condition(of.When); err != nil {
		return 0, 0, err
	}
	holds = r.b.Not(concerns)
	if of.Require != nil {
		required, err := r.condition(of.Require)
		if err != nil {
			return 0, 0, err
		}
		return concerns, r.b.Or(holds, required), nil
	}
	for _, w := range of.AnyOf {
		when, err := r.condition(w.When)
		if err != nil {
			return 0, 0, err
		}
		require, err := r.condition(w.Require)
		if err != nil {
			return 0, 0, err
		}
		holds = r.b.Or(holds, r.b.And(when, require))
	}
	return concerns, holds, nil
}

// reader gives the nodes of what the rules of one bundle read, at the form or at an element.
type reader struct {
	*compiler
	bundle *catalog.Bundle
	known  map[forms.Path]lowered.Ref
	facts  map[string]*catalog.Fact

	list  *catalog.Field // of an element
	loop  int32
	cells map[string]lowered.Ref
}

// condition lowers a rule; one that is not written holds.
func (r *reader) condition(of *rule.Rule) (lowered.Ref, error) {
	if of == nil {
		return r.b.Truth(true), nil
	}
	return of.Lower(r.b, r)
}

// Read implements [rule.Reader].
func (r *reader) Read(p forms.Path) (lowered.Ref, error) {
	if r.list != nil && p.Root() == "this" {
		return r.Cell(r.list.Path, r.loop, p.Segments()[1])
	}
	if ref, ok := r.known[p]; ok {
		return ref, nil
	}
	ref, err := r.read(p)
	if err == nil {
		r.known[p] = ref
	}
	return ref, err
}

func (r *reader) read(p forms.Path) (lowered.Ref, error) {
	switch p.Root() {
	case "today":
		return r.given(p, &forms.Field{Kind: kind.KindDate}, 0)
	case "place":
		return r.given(p, &forms.Field{Kind: kind.KindText}, 0)
	case "params":
		return r.param(p.Segments()[1])
	case "facts":
		segments := p.Segments()
		fact, section := r.facts[segments[2]], r.bundle.Section(segments[1])
		if fact == nil || section == nil {
			return 0, lowered.Unsupported("a fact of nobody")
		}
		about, err := r.Read(section.Subject())
		if err != nil {
			return 0, err
		}
		return r.given(p, fact.Field, about)
	case "results":
		return 0, lowered.Unsupported("a result")
	}
	f := r.bundle.Field(p)
	if f == nil {
		return 0, lowered.Unsupported("a field that is not there")
	}
	shown := r.b.Truth(true)
	if f.Section != nil {
		var err error
		if shown, err = r.condition(f.Section.When); err != nil {
			return 0, err
		}
	}
	return r.field(f, shown, func(shown, required lowered.Ref) (lowered.Ref, error) {
		slot, err := r.b.Slot(p, f.Field)
		if err != nil {
			return 0, err
		}
		return r.b.Field(slot, shown, required, triable(f)), nil
	})
}

// field is what an answer or derived value reads as, where shown and its own conditions hold.
func (r *reader) field(f *catalog.Field, shown lowered.Ref, answer func(shown, required lowered.Ref) (lowered.Ref, error)) (lowered.Ref, error) {
	for _, w := range f.When {
		when, err := r.condition(w)
		if err != nil {
			return 0, err
		}
		shown = r.b.And(shown, when)
	}
	if shown == r.b.Truth(true) {
		shown = 0
	}
	switch {
	case f.Is != nil:
		is, err := r.condition(f.Is)
		if err != nil {
			return 0, err
		}
		return r.b.Derived(shown, is), nil
	case f.Derive != nil:
		value, err := f.Derive.Lower(r.b, r.Read)
		if err != nil {
			return 0, err
		}
		return r.b.Derived(shown, value), nil
	}
	var required lowered.Ref
	if f.Required { // also where a rule says when
		var err error
		if required, err = r.condition(f.RequireRule); err != nil {
			return 0, err
		}
	}
	return answer(shown, required)
}

func triable(f *catalog.Field) bool { return f.Kind == kind.KindBool || f.Kind == kind.KindChoice }

// Cell implements [rule.Reader].
func (r *reader) Cell(list forms.Path, loop int32, column string) (lowered.Ref, error) {
	at := r
	if r.list == nil || r.loop != loop {
		of := r.bundle.Field(list)
		if of == nil {
			return 0, lowered.Unsupported("a list that is not there")
		}
		at = &reader{compiler: r.compiler, bundle: r.bundle, known: r.known, facts: r.facts, list: of, loop: loop, cells: map[string]lowered.Ref{}}
	}
	if ref, ok := at.cells[column]; ok {
		return ref, nil
	}
	f := at.list.Cell(column)
	if f == nil {
		return 0, lowered.Unsupported("a column that is not asked for")
	}
	ref, err := at.field(f, at.b.Truth(true), func(shown, required lowered.Ref) (lowered.Ref, error) {
		return at.b.Cell(loop, column, shown, required, triable(f))
	})
	if err == nil {
		at.cells[column] = ref
	}
	return ref, err
}

func (r *reader) given(p forms.Path, f *forms.Field, about lowered.Ref) (lowered.Ref, error) {
	slot, err := r.b.Slot(p, f)
	if err != nil {
		return 0, err
	}
	return r.b.Given(slot, about), nil
}

// param is a published value. Bundles of different libraries may know others under the same name.
func (r *reader) param(id string) (lowered.Ref, error) {
	values := r.bundle.Parameters()
	if len(values[id]) == 0 {
		return 0, lowered.Unsupported("a parameter without values")
	}
	same := func(a, b catalog.ParameterValue) bool {
		return a.From == b.From && a.Until == b.Until && a.Place == b.Place && a.Value.Equal(b.Value)
	}
	others := 0
	for _, p := range r.params {
		if p.id != id {
			continue
		}
		if slices.EqualFunc(p.values[id], values[id], same) {
			return r.b.Given(p.slot, 0), nil
		}
		others++
	}
	field := forms.Field{Kind: values[id][0].Value.Kind()}
	for _, v := range values[id] {
		if d, ok := v.Value.(kind.Decimal); ok {
			field.Scale = max(field.Scale, int(-d.Exponent()))
		}
	}
	slot, err := r.b.Slot(forms.Path("params."+id+"#"+strconv.Itoa(others)), &field)
	if err != nil {
		return 0, err
	}
	r.params = append(r.params, param{slot, id, values})
	return r.b.Given(slot, 0), nil
}

// trials are the questions of the bundle whose answers can be tried.
func (r *reader) trials() ([]lowered.Trial, error) {
	var trials []lowered.Trial
	for _, p := range r.bundle.Paths() {
		f := r.bundle.Field(p)
		if f.Field.Derived {
			continue
		}
		if triable(f) {
			t := lowered.Trial{Path: p}
			for _, o := range f.Options {
				a := lowered.Answer{Option: o.ID}
				if when := f.OptionWhen[o.ID]; when != nil {
					var err error
					if a.When, err = r.condition(when); err != nil {
						return nil, err
					}
				}
				t.Answers = append(t.Answers, a)
			}
			trials = append(trials, t)
		}
		for _, cell := range f.Row {
			if cell.Field.Derived || !triable(cell) {
				continue
			}
			t := lowered.Trial{Path: p, Column: cell.ID}
			for _, o := range cell.Options {
				// Which options an element offers may follow from the element: that is not tried here.
				t.Answers = append(t.Answers, lowered.Answer{Option: o.ID})
				t.Element = t.Element || cell.OptionWhen[o.ID] != nil
			}
			trials = append(trials, t)
		}
	}
	return trials, nil
}
