package guide

import (
	"reflect"
	"slices"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/forms/rule"
)

// part is what one bundle comes to over one record; an assessment is put together of parts. It is immutable: after a
// changed answer, what it makes no difference to is shared with the part before.
type part struct {
	assessed  *Case
	rules     []*Rule             // by rule of the bundle; nil: it does not concern the record
	steps     []*Step             // by step, without dates
	materials [][]*Material       // by material
	checks    [][]forms.Violation // by check
	fields    []*asking           // by field
	worth     []worth             // of open questions
}

// asking is whether and how a bundle asks a field.
type asking struct {
	asked    rule.Truth // the bundle shows it, and something needs it; the following only unless that is False
	required rule.Truth
	neededBy []string
	proposal kind.Value
	derived  kind.Value
	options  []string
	rows     [][]*Cell
	faults   []forms.Violation // of the answer
}

// evaluate assesses one bundle. Before is the part over a record that differs in some fields only; nil if there is none.
func evaluate(b *catalog.Bundle, record forms.Record, setting *Setting, before *part, changed catalog.Set) *part {
	in := b.Influence()
	same := func(s catalog.Set) bool { return before != nil && !s.Meets(changed) }
	e := newEvaluation(b, record, setting)
	c := &Case{Bundle: b}
	p := &part{assessed: c, rules: make([]*Rule, len(b.Eligibility)), steps: make([]*Step, len(b.Steps)), materials: make([][]*Material, len(b.Materials)),
		checks: make([][]forms.Violation, len(b.Checks)), fields: make([]*asking, len(b.Paths()))}
	for i, r := range b.Eligibility {
		if same(in.Rules[i]) {
			p.rules[i] = before.rules[i]
		} else {
			p.rules[i] = e.rule(r)
		}
		if p.rules[i] != nil {
			c.Rules = append(c.Rules, *p.rules[i])
		}
	}
	c.Verdict = verdict(c.Rules)
	timed, moved := before == nil, make([]bool, len(b.Steps)) // moved: whether the step applies is otherwise than before
	for i, s := range b.Steps {
		if same(in.Steps[i]) {
			p.steps[i] = before.steps[i]
			continue
		}
		p.steps[i], timed = e.step(s), true
		moved[i] = before == nil || !equal(before.steps[i].Applies, p.steps[i].Applies)
	}
	for i, m := range b.Materials {
		if same(in.Materials[i]) && !some(moved, func(s int) bool { return needsMaterial(b.Steps[s], m) }) {
			p.materials[i] = before.materials[i]
		} else {
			p.materials[i] = e.materials(m, p.steps)
			if before != nil && reflect.DeepEqual(p.materials[i], before.materials[i]) {
				p.materials[i] = before.materials[i]
			}
		}
		c.Materials = append(c.Materials, p.materials[i]...)
	}
	for i, path := range b.Paths() {
		if same(in.Fields[i]) && !some(moved, func(s int) bool { return in.Needs[s].Has(i) }) {
			p.fields[i] = before.fields[i]
		} else {
			p.fields[i] = e.asking(b.Field(path), i, p.steps)
			if before != nil && reflect.DeepEqual(p.fields[i], before.fields[i]) {
				p.fields[i] = before.fields[i]
			}
		}
		c.Faults = append(c.Faults, p.fields[i].faults...)
	}
	for i, r := range b.Checks {
		if same(in.Checks[i]) {
			p.checks[i] = before.checks[i]
		} else {
			p.checks[i] = e.checks(r)
		}
		c.Faults = append(c.Faults, p.checks[i]...)
	}
	if b.Together != nil {
		if same(in.Together) {
			c.Together = before.assessed.Together
		} else {
			c.Together = e.together()
		}
	}
	if timed {
		c.Steps = make([]*Step, len(p.steps))
		for i, s := range p.steps {
			dated := *s
			c.Steps[i] = &dated
		}
		e.schedule(c)
		for i := range c.Steps {
			if before != nil && p.steps[i] == before.steps[i] && reflect.DeepEqual(c.Steps[i].Due, before.assessed.Steps[i].Due) {
				c.Steps[i] = before.assessed.Steps[i]
			}
		}
	} else {
		c.Steps, c.Total, c.Due, c.Fee = before.assessed.Steps, before.assessed.Total, before.assessed.Due, before.assessed.Fee
	}
	p.worth = c.worth()
	return p
}

func some(marks []bool, of func(i int) bool) bool {
	for i, mark := range marks {
		if mark && of(i) {
			return true
		}
	}
	return false
}

func equal(a, b rule.Outcome) bool { return a.Truth == b.Truth && slices.Equal(a.Causes, b.Causes) }

func needsMaterial(s *catalog.Step, m *catalog.Material) bool {
	return slices.ContainsFunc(s.Materials, func(n catalog.Need) bool { return n.Material == m })
}

// rule is what a rule says of the record; nil if it does not concern it.
func (e *evaluation) rule(r *catalog.Rule) *Rule {
	if concerns := e.try(func(e *evaluation) rule.Outcome { return e.holds(r.When) }); concerns.Truth == rule.False {
		return nil
	}
	result := &Rule{Rule: r, Outcome: e.try(func(e *evaluation) rule.Outcome { return e.condition(r) }), Because: r.Because.Render(e), Remedy: r.Remedy.Render(e)}
	for _, w := range r.AnyOf {
		result.Ways = append(result.Ways, WayOutcome{w.Because.Render(e), e.try(func(e *evaluation) rule.Outcome { return e.way(e, w) })})
	}
	return result
}

// asking says whether and how the field at a place is asked.
func (e *evaluation) asking(f *catalog.Field, place int, steps []*Step) *asking {
	a := &asking{faults: e.fieldFaults(f)}
	in := e.bundle.Influence()
	needed := of(in.Decisive.Has(place))
	for i, s := range steps {
		if in.Needs[i].Has(place) {
			needed = or(needed, s.Applies)
			if s.Applies.Truth != rule.False {
				a.neededBy = append(a.neededBy, e.bundle.ID+"."+s.ID)
			}
		}
	}
	asked := and(needed, e.try(func(e *evaluation) rule.Outcome { return e.isShown(f) }))
	if a.asked = asked.Truth; a.asked == rule.False {
		return a
	}
	a.required = and(asked, e.try(func(e *evaluation) rule.Outcome { return e.isRequired(e, f) })).Truth
	if f.Field.Derived {
		if s := e.State(f.Path); s.Status == forms.Known {
			a.derived = s.Value
		}
	} else if _, answered := e.record.Get(f.Path); !answered && f.Default != nil {
		if s := e.compute(e, f.Default); s.Status == forms.Known {
			a.proposal = s.Value
		}
	}
	a.rows, a.options = e.assessRows(f), e.options(e, f)
	return a
}
